//! That a query says what it was built to say, to a server that reads it by the grammar.

use proptest::prelude::*;

use super::*;
use crate::error::ErrorKind;
use crate::uid_set::Uid;

/// What a server makes of a program.
#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    String(Vec<u8>),
    Open,
    Close,
}

fn word(word: &str) -> Token {
    Token::Word(word.to_owned())
}

fn string(text: &str) -> Token {
    Token::String(text.as_bytes().to_vec())
}

/// Reads a program as RFC 9051, section 9, has it, and fails on anything else.
fn tokens(program: &Program) -> Vec<Token> {
    let mut tokens = Vec::new();
    for part in &program.parts {
        let line = match part {
            Part::Text(line) => line.as_bytes(),
            Part::Literal(octets) => {
                assert!(!octets.contains(&0));
                tokens.push(Token::String(octets.clone()));
                continue;
            }
        };
        assert!(line.iter().all(|octet| (b' '..=b'~').contains(octet)));
        let mut rest = line;
        while let Some((&octet, after)) = rest.split_first() {
            rest = after;
            match octet {
                b' ' => {}
                b'(' => tokens.push(Token::Open),
                b')' => tokens.push(Token::Close),
                b'"' => {
                    let mut text = Vec::new();
                    loop {
                        let (&octet, after) = rest.split_first().expect("an open quote");
                        rest = after;
                        match octet {
                            b'"' => break,
                            b'\\' => {
                                assert!(matches!(rest[0], b'"' | b'\\'));
                                text.push(rest[0]);
                                rest = &rest[1..];
                            }
                            _ => text.push(octet),
                        }
                    }
                    tokens.push(Token::String(text));
                }
                _ => {
                    let end = line.len() - rest.len() - 1;
                    let length = line[end..]
                        .iter()
                        .position(|octet| b" ()\"{".contains(octet))
                        .unwrap_or(line.len() - end);
                    assert_ne!(length, 0, "a brace");
                    let word = String::from_utf8(line[end..end + length].to_vec()).unwrap();
                    tokens.push(Token::Word(word));
                    rest = &line[end + length..];
                }
            }
        }
    }
    tokens
}

/// The program in one line, literals as `{octets}text`.
fn sent(query: &Query) -> String {
    let program = query.render().unwrap();
    let show = |part: &Part| match part {
        Part::Text(line) => line.clone(),
        Part::Literal(octets) => {
            format!("{{{}}}{}", octets.len(), String::from_utf8_lossy(octets))
        }
    };
    program.parts.iter().map(show).collect()
}

fn refusal(query: Query) -> String {
    let error = query.validate().unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Config);
    assert_eq!(query.render().unwrap_err().to_string(), error.to_string());
    assert!(query.to_string().starts_with("invalid query: "));
    let text = error.to_string();
    text.strip_prefix("invalid configuration: query: ")
        .unwrap()
        .to_owned()
}

#[test]
fn every_method_has_its_key() {
    let set: UidSet = "1:5,9".parse().unwrap();
    let q = Query::all;
    for (query, program) in [
        (q(), "ALL"),
        (q().unseen().seen(), "UNSEEN SEEN"),
        (q().flagged().unflagged(), "FLAGGED UNFLAGGED"),
        (q().answered().unanswered(), "ANSWERED UNANSWERED"),
        (q().deleted().undeleted(), "DELETED UNDELETED"),
        (q().draft().undraft(), "DRAFT UNDRAFT"),
        (q().since(2026, 1, 31), "SINCE 31-Jan-2026"),
        (q().before(1994, 2, 1), "BEFORE 1-Feb-1994"),
        (q().on(2024, 2, 29), "ON 29-Feb-2024"),
        (q().sent_since(2026, 1, 31), "SENTSINCE 31-Jan-2026"),
        (q().sent_before(2026, 1, 31), "SENTBEFORE 31-Jan-2026"),
        (q().sent_on(2026, 1, 31), "SENTON 31-Jan-2026"),
        (q().from("a"), "FROM \"a\""),
        (q().to("a"), "TO \"a\""),
        (q().cc("a"), "CC \"a\""),
        (q().bcc("a"), "BCC \"a\""),
        (q().subject("a b"), "SUBJECT \"a b\""),
        (q().body("a"), "BODY \"a\""),
        (q().text(""), "TEXT \"\""),
        (q().header("List-Id", ""), "HEADER \"List-Id\" \"\""),
        (q().larger(0).smaller(5_000), "LARGER 0 SMALLER 5000"),
        (
            q().keyword("$Forwarded").unkeyword("todo"),
            "KEYWORD $Forwarded UNKEYWORD todo",
        ),
        (q().uid(&set), "UID 1:5,9"),
        (q().and(q()).and(q().seen()), "SEEN"),
    ] {
        assert_eq!(sent(&query), program);
        assert_eq!(query.to_string(), program);
    }
}

#[test]
fn parentheses_are_where_one_key_must_be_several() {
    let q = Query::all;
    let raw = || Query::raw("YOUNGER 60").unwrap();
    for (query, program) in [
        (q().not(q().seen()), "NOT SEEN"),
        (q().not(q()), "NOT ALL"),
        (q().not(q().seen().draft()), "NOT (SEEN DRAFT)"),
        (q().not(q().not(q().seen())), "NOT NOT SEEN"),
        (q().or(q().seen(), q().draft()), "OR SEEN DRAFT"),
        (
            q().unseen().or(q().seen().draft(), q().or(q(), raw())),
            "UNSEEN OR (SEEN DRAFT) OR ALL (YOUNGER 60)",
        ),
        (raw(), "YOUNGER 60"),
        (q().not(raw()), "NOT (YOUNGER 60)"),
        (raw().unseen(), "(YOUNGER 60) UNSEEN"),
        (q().unseen().and(raw()), "UNSEEN (YOUNGER 60)"),
        (q().not(raw().unseen()), "NOT ((YOUNGER 60) UNSEEN)"),
    ] {
        assert_eq!(sent(&query), program);
    }
}

#[test]
fn text_goes_quoted_where_it_can_and_as_a_literal_where_it_must() {
    let query = Query::all().subject(r#"a "b" \c"#).seen();
    assert_eq!(sent(&query), r#"SUBJECT "a \"b\" \\c" SEEN"#);
    assert!(!query.render().unwrap().needs_utf8);

    let query = Query::all().subject("日本").seen();
    assert_eq!(sent(&query), "SUBJECT {6}日本 SEEN");
    assert!(query.render().unwrap().needs_utf8);
    assert_eq!(query.to_string(), "SUBJECT \"日本\" SEEN");

    let query = Query::all().body("a\tb");
    assert_eq!(sent(&query), "BODY {3}a\tb");
    assert!(!query.render().unwrap().needs_utf8);
    assert_eq!(query.to_string(), r#"BODY "a\tb""#);

    let query = Query::all().header("Message-ID", "x".repeat(1_001));
    assert!(sent(&query).starts_with("HEADER \"Message-ID\" {1001}xxx"));
}

#[test]
fn what_is_shown_cannot_turn_the_line_around() {
    let query = Query::all().subject("\u{202e}evil\u{1b}[31m");
    assert_eq!(query.to_string(), r#"SUBJECT "\u{202e}evil\u{1b}[31m""#);
    let long: UidSet = (1..=1_000).filter_map(|n| Uid::new(2 * n)).collect();
    let shown = format!("{:?}", Query::all().uid(long));
    assert!(shown.starts_with("Query(UID 2,4,6,"), "{shown}");
    assert!(shown.ends_with("… 1000 UIDs)"), "{shown}");
}

#[test]
fn an_argument_that_cannot_be_used_is_an_error_when_the_query_is() {
    let q = Query::all;
    for (query, why) in [
        (q().since(2026, 2, 31), "since: there is no day 2026-2-31"),
        (q().sent_on(0, 1, 1), "sent_on: there is no day 0-1-1"),
        (
            q().subject("a\r\nA1 LOGOUT"),
            "subject: the text has CR, LF or NUL",
        ),
        (q().text("\0"), "text: the text has CR, LF or NUL"),
        (
            q().header("X-A", "a\nb"),
            "header: the text has CR, LF or NUL",
        ),
        (q().header("", "a"), "header: the name is empty"),
        (
            q().header("X A", "a"),
            "header: the name has a character that is not printable ASCII, or a colon",
        ),
        (q().keyword(""), "keyword: the keyword is empty"),
        (
            q().keyword("\\Seen"),
            "keyword: a system flag is no keyword and has a method of its own",
        ),
        (q().unkeyword("a b"), "unkeyword: the keyword is no atom"),
        (q().keyword("a)"), "keyword: the keyword is no atom"),
        (q().keyword("ä"), "keyword: the keyword is no atom"),
        (q().uid(UidSet::new()), "uid: the set is empty"),
        (
            q().larger(u64::MAX),
            "larger: the size is above 2^63 - 1 octets",
        ),
    ] {
        assert_eq!(refusal(query.clone()), why);
        assert_eq!(refusal(q().unseen().not(&query)), why);
        assert_eq!(refusal(q().or(q(), &query).seen()), why);
        assert_eq!(refusal(q().and(query).on(2026, 13, 1)), why);
    }
}

#[test]
fn refuses_depth_before_it_exhausts_a_stack() {
    let nest =
        |levels: usize| (0..levels).fold(Query::all().seen(), |query, _| Query::all().not(query));
    let deepest = nest(usize::from(DEEPEST));
    assert_eq!(tokens(&deepest.render().unwrap()).len(), 501);
    let why = "not: more than 500 queries inside one another";
    assert_eq!(refusal(nest(501)), why);
    assert_eq!(refusal(nest(100_000)), why);
    assert_eq!(
        refusal(Query::all().and(deepest.clone()).not(deepest).draft()),
        why
    );
}

#[test]
fn a_raw_program_may_have_strings_of_any_text() {
    for (program, expected) in [
        (" UNSEEN  SEEN ", "UNSEEN  SEEN"),
        (
            r#"(OR FROM "a(" TO "\"{3}")"#,
            r#"(OR FROM "a(" TO "\"{3}")"#,
        ),
        (r#"SUBJECT "é\"" SEEN"#, "SUBJECT {3}é\" SEEN"),
        (r#"FROM "日" TO "本""#, "FROM {3}日 TO {3}本"),
        ("RETURNED", "RETURNED"),
    ] {
        assert_eq!(sent(&Query::raw(program).unwrap()), expected);
    }
    let query = Query::raw(r#""é""#).unwrap();
    assert!(query.render().unwrap().needs_utf8);
}

#[test]
fn a_raw_program_may_not_reach_beyond_itself() {
    for program in [
        "",
        "  ",
        "ALL\r\nA1 LOGOUT",
        "ALL\n",
        "ALL\0",
        "A\tB",
        "\u{7f}",
        "(SEEN",
        "SEEN)",
        ")(",
        ")SEEN(",
        "FROM \"a",
        "FROM \"a\\\"",
        "FROM \"a\\",
        "FROM \"\\a\"",
        "FROM \"a\r\nb\"",
        "FROM {3}",
        "FROM {3+}",
        "FROM ~{3}",
        "SUBJECT é",
        "FROM a\"b\"",
        "FROM \"a\"b",
        "FROM \"a\"\"b\"",
        "FROM \"a\"(",
        "RETURN (COUNT) ALL",
        "return(COUNT) ALL",
        "CHARSET UTF-8 ALL",
    ] {
        let error = Query::raw(program).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Config, "{program:?}");
        assert!(
            error
                .to_string()
                .contains("query: the program given to raw ")
        );
    }
}

#[test]
fn sets_and_references_are_queries_too() {
    fn search(query: impl Into<Query>) -> String {
        query.into().to_string()
    }
    let set: UidSet = "7:9".parse().unwrap();
    let query = Query::all().seen();
    assert_eq!(search(Uid::MIN), "UID 1");
    assert_eq!(search(&set), "UID 7:9");
    assert_eq!(search(set), "UID 7:9");
    assert_eq!(search(&query), "SEEN");
    assert_eq!(search(query), "SEEN");
}

proptest! {
    #[test]
    fn a_text_is_one_string_whatever_is_in_it(
        text in "[\"\\\\(){}*%a é\\t\\r\\n\0]{0,12}|\\PC{0,12}",
    ) {
        let query = Query::all()
            .or(Query::all().subject(&text), Query::all().header("X", &text).draft())
            .seen();
        match query.render() {
            Err(_) => prop_assert!(text.contains(['\r', '\n', '\0'])),
            Ok(program) => {
                prop_assert_eq!(program.needs_utf8, !text.is_ascii());
                prop_assert_eq!(tokens(&program), [
                    word("OR"), word("SUBJECT"), string(&text),
                    Token::Open, word("HEADER"), string("X"), string(&text), word("DRAFT"),
                    Token::Close, word("SEEN"),
                ]);
            }
        }
        prop_assert!(!query.to_string().contains(['\r', '\n', '\0']));
    }

    #[test]
    fn a_keyword_is_one_word_and_a_header_name_one_string(
        name in "[\"\\\\(){}*%\\]:a é\r]{0,4}|\\PC{0,6}",
    ) {
        if let Ok(program) = Query::all().keyword(&name).seen().render() {
            prop_assert_eq!(tokens(&program), [word("KEYWORD"), word(&name), word("SEEN")]);
        }
        if let Ok(program) = Query::all().header(&name, "a").seen().render() {
            prop_assert_eq!(
                tokens(&program),
                [word("HEADER"), string(&name), string("a"), word("SEEN")]
            );
        }
    }

    #[test]
    fn a_raw_program_stays_within_its_parentheses(
        text in "([\"\\\\(){}a é\r]|\"a\"|\\(a\\)| ){0,12}|\\PC{0,12}",
    ) {
        if let Ok(raw) = Query::raw(&text) {
            let alone = tokens(&raw.render().unwrap());
            let together = tokens(&Query::all().not(raw).seen().render().unwrap());
            let (end, inside) = together.split_last().unwrap();
            prop_assert_eq!(end, &word("SEEN"));
            prop_assert_eq!(&inside[2..inside.len() - 1], alone.as_slice());
            let mut depth = 0_usize;
            for (index, token) in inside.iter().enumerate().skip(1) {
                match token {
                    Token::Open => depth += 1,
                    Token::Close => depth -= 1,
                    _ => {}
                }
                prop_assert_eq!(depth == 0, index == inside.len() - 1);
            }
        }
    }
}
