use proptest::prelude::*;

use super::*;

fn line(query: Query) -> String {
    match query.render().unwrap().parts.as_slice() {
        [Part::Text(line)] => line.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn keys_stand_side_by_side_and_all_must_hold() {
    assert_eq!(line(Query::all()), "ALL");
    let query = Query::all().unseen().since(2026, 1, 31).larger(10);
    assert_eq!(line(query), "UNSEEN SINCE 31-Jan-2026 LARGER 10");
    let uids: UidSet = "1:3,9".parse().unwrap();
    assert_eq!(
        line(Query::all().uid(uids).keyword("$Junk")),
        "UID 1:3,9 KEYWORD $Junk"
    );
}

#[test]
fn not_and_or_take_one_key_each() {
    let one = Query::all().seen();
    let two = Query::all().from("a").flagged();
    assert_eq!(line(Query::all().not(one.clone())), "NOT SEEN");
    assert_eq!(
        line(Query::all().not(two.clone())),
        "NOT (FROM \"a\" FLAGGED)"
    );
    assert_eq!(line(Query::all().not(Query::all())), "NOT ALL");
    assert_eq!(
        line(Query::all().or(one, two).unseen()),
        "OR SEEN (FROM \"a\" FLAGGED) UNSEEN"
    );
    let raw = Query::raw("OR SEEN FLAGGED").unwrap();
    assert_eq!(line(raw.clone()), "OR SEEN FLAGGED");
    assert_eq!(line(raw.clone().unseen()), "(OR SEEN FLAGGED) UNSEEN");
    assert_eq!(line(Query::all().not(raw)), "NOT (OR SEEN FLAGGED)");
}

#[test]
fn text_is_quoted_and_beyond_ascii_a_literal() {
    assert_eq!(
        line(Query::all().subject(r#"a "b" \c"#)),
        r#"SUBJECT "a \"b\" \\c""#
    );
    assert_eq!(
        line(Query::all().header("List-Id", "")),
        "HEADER \"List-Id\" \"\""
    );
    let program = Query::all().subject("für").unseen().render().unwrap();
    assert!(program.needs_utf8);
    assert_eq!(
        program.parts,
        [
            Part::Text("SUBJECT ".to_owned()),
            Part::Literal("für".as_bytes().to_vec()),
            Part::Text(" UNSEEN".to_owned()),
        ]
    );
    assert_eq!(program.to_string(), "SUBJECT \"für\" UNSEEN");
}

#[test]
fn a_wrong_argument_is_told_when_the_query_is_used() {
    for (query, what) in [
        (Query::all().since(2026, 2, 29), "2026-02-29"),
        (Query::all().on(2026, 13, 1), "2026-13-01"),
        (Query::all().before(0, 1, 1), "date"),
        (Query::all().subject("a\r\nb"), "SUBJECT"),
        (Query::all().keyword("a b"), "keyword"),
        (Query::all().keyword("\\Seen"), "keyword"),
        (Query::all().header("a:b", "c"), "header"),
        (Query::all().header("a\"b", "c"), "header"),
        (Query::all().uid(UidSet::new()), "names none"),
        (
            Query::all().not(Query::all().or(Query::all(), Query::all().body("\0"))),
            "BODY",
        ),
    ] {
        let error = query.render().unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
        assert_eq!(query.validate().unwrap_err().to_string(), error.to_string());
    }
    assert!(Query::all().since(2024, 2, 29).validate().is_ok());
}

#[test]
fn a_raw_program_must_be_one_whole_line() {
    for program in [
        "",
        "  ",
        "ALL\r\na LOGOUT",
        "ALL\n",
        "A\0",
        "SUBJECT \"a",
        "SUBJECT \"a\\\"",
        "(SEEN",
        "SEEN)",
        ") (",
        "SUBJECT {3}",
        "SUBJECT {3+}",
        "BODY für",
    ] {
        assert!(Query::raw(program).is_err(), "{program:?}");
    }
    for program in ["OR (SEEN) FLAGGED", "SUBJECT \"({\\\")\"", " ALL "] {
        assert!(Query::raw(program).is_ok(), "{program:?}");
    }
}

/// What is left of a line when its quoted strings are taken out; `None` if one is not closed.
fn outside_quotes(line: &str) -> Option<String> {
    let mut outside = String::new();
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character != '"' {
            outside.push(character);
            continue;
        }
        loop {
            match characters.next()? {
                '"' => break,
                '\\' => drop(characters.next()?),
                _ => {}
            }
        }
    }
    Some(outside)
}

proptest! {
    #[test]
    fn no_text_gets_out_of_its_quotes(
        text in "[\\x00-\\x7f]{0,40}|\\PC{0,20}",
        name in "\\PC{0,10}",
    ) {
        let query = Query::all().from(&text).header(&name, &text).keyword(&name);
        let Ok(program) = query.render() else { return Ok(()) };
        for part in &program.parts {
            if let Part::Text(line) = part {
                prop_assert!(line.bytes().all(|octet| (b' '..=b'~').contains(&octet) || octet == b'\t'));
                prop_assert!(!line.contains('\n'));
            }
        }
        let line: String = program.parts.iter().map(|part| match part {
            Part::Text(line) => line.as_str(),
            Part::Literal(_) => "\"\"",
        }).collect();
        let outside = outside_quotes(&line);
        prop_assert!(outside.is_some());
        let expected = format!("FROM  HEADER   KEYWORD {name}");
        prop_assert_eq!(outside, Some(expected));
    }

    #[test]
    fn a_raw_program_that_is_taken_keeps_its_place(program in "[()\"\\\\ a{}]{0,20}") {
        if let Ok(query) = Query::raw(&program) {
            let line = line(query.unseen());
            let outside = outside_quotes(&line);
            prop_assert!(outside.is_some_and(|outside| outside.ends_with(") UNSEEN")));
        }
    }
}
