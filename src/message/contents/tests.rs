use super::*;

fn message(head: &str, body: &str) -> Vec<u8> {
    let fields = "From: Ann <ann@example.org>\r\nSubject: x\r\nMIME-Version: 1.0\r\n";
    format!("{fields}{head}\r\n\r\n{body}").into_bytes()
}

fn multipart(subtype: &str, body: &str) -> Vec<u8> {
    message(
        &format!("Content-Type: multipart/{subtype}; boundary=\"b\""),
        body,
    )
}

fn text(raw: &[u8]) -> String {
    Contents::of(raw, Wanted::Text).into_text()
}

/// Number, name and bytes of each attachment.
fn attachments(raw: &[u8]) -> Vec<(String, String, String)> {
    let found = Contents::of(raw, Wanted::Attachments).attachments;
    let found = found.into_iter().map(|attachment| {
        let (number, name) = (attachment.number().to_owned(), attachment.name().to_owned());
        (
            number,
            name,
            String::from_utf8(attachment.into_bytes()).unwrap(),
        )
    });
    found.collect()
}

fn expected(list: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    let list = list
        .iter()
        .map(|(number, name, text)| ((*number).to_owned(), (*name).to_owned(), (*text).to_owned()));
    list.collect()
}

fn damage(raw: &[u8]) -> Vec<String> {
    let damage = Contents::of(raw, Wanted::All).damage;
    damage.iter().map(Damage::to_string).collect()
}

fn file(name: &str, encoding: &str, body: &str) -> String {
    format!(
        "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; \
         filename=\"{name}\"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\n"
    )
}

#[test]
fn a_message_without_mime_is_its_text() {
    assert_eq!(
        text(b"Subject: x\r\n\r\nHello,\r\n\r\nyou.\r\n"),
        "Hello,\n\nyou.\n"
    );
    assert_eq!(text(b"Subject: x\n\nHello"), "Hello\n");
    assert_eq!(text(b"Subject: x\r\n"), "");
    assert_eq!(text(b""), "");
    assert!(attachments(b"Subject: x\r\n\r\nHello").is_empty());
}

#[test]
fn files_within_forwarded_mail_are_its_own() {
    let figures: String = (0..40)
        .map(|line| format!("line {line};{}\r\n", line * line))
        .collect();
    let innermost = "Subject: innermost\r\n\r\nInnermost words\r\n";
    let inner = format!(
        "Subject: inner\r\nContent-Type: multipart/mixed; boundary=\"i\"\r\n\r\n\
         --i\r\n\r\nSee the list.\r\n\
         --i\r\nContent-Type: text/csv; name=list.csv\r\n\r\n{figures}\r\n\
         --i\r\nContent-Type: text/plain; name=notes.txt\r\n\
         Content-Transfer-Encoding: base64\r\n\r\nVGhlIG5vdGVz\r\n\
         --i\r\nContent-Type: message/rfc822\r\n\r\n{innermost}\r\n--i--\r\n"
    );
    let outer = multipart(
        "mixed",
        &format!(
            "--b\r\n\r\nForwarded.\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n\
             --b\r\n{}--b--\r\n",
            file("after.bin", "base64", "YWZ0ZXI=")
        ),
    );
    let found = [
        ("2", "attachment.eml", inner.as_str()),
        ("2.2", "list.csv", &figures),
        ("2.3", "notes.txt", "The notes"),
        ("2.4", "attachment.eml", innermost),
        ("3", "after.bin", "after"),
    ];
    assert_eq!(attachments(&outer), expected(&found));
    assert_eq!(text(&outer), "Forwarded.\n");
    let forwarded = &Contents::of(&outer, Wanted::Attachments).attachments[0];
    assert_eq!(
        forwarded.text().unwrap(),
        "Subject: inner\n\nSee the list.\n"
    );
    // Encoded, which is forbidden and done.
    let encoded = message(
        "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64",
        "U3ViamVjdDogYQoKaGkK",
    );
    assert_eq!(
        attachments(&encoded),
        expected(&[("1", "attachment.eml", "Subject: a\n\nhi\n")])
    );
}

#[test]
fn parts_are_numbered_as_imap_numbers_them() {
    let related = "Content-Type: multipart/related; boundary=\"c\"\r\n\r\n\
                   --c\r\nContent-Type: text/html\r\n\r\n<p>hi</p>\r\n\
                   --c\r\nContent-Type: image/png\r\n\r\nPNG\r\n--c--\r\n";
    let raw = multipart(
        "mixed",
        &format!("--b\r\n{related}--b\r\n{}--b--", file("a", "7bit", "A")),
    );
    let found = [("1.2", "attachment.png", "PNG"), ("2", "a", "A")];
    assert_eq!(attachments(&raw), expected(&found));
    let alone = message("Content-Type: image/png", "PNG");
    assert_eq!(
        attachments(&alone),
        expected(&[("1", "attachment.png", "PNG")])
    );
}

#[test]
fn of_alternatives_the_plain_text_is_read_unless_it_is_empty() {
    let both = |plain: &str| {
        let body = format!(
            "--b\r\n\r\n{plain}\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>html</p>\r\n\
             --b\r\nContent-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\n--b--\r\n"
        );
        multipart("alternative", &body)
    };
    assert_eq!(text(&both("plain")), "plain\n");
    assert_eq!(text(&both(" \r\n")), "html\n");
    assert_eq!(attachments(&both("plain"))[0].1, "attachment.ics");
    assert_eq!(attachments(&both("plain")).len(), 1);
    let nested = multipart(
        "alternative",
        "--b\r\nContent-Type: text/html\r\n\r\n<p>one</p>\r\n\
         --b\r\nContent-Type: multipart/related; boundary=c\r\n\r\n\
         --c\r\nContent-Type: text/html\r\n\r\n<p>two</p>\r\n--c--\r\n--b--\r\n",
    );
    assert_eq!(text(&nested), "two\n");
}

#[test]
fn what_is_cut_off_is_read_as_far_as_it_goes_and_told() {
    let text_part = "--b\r\nContent-Transfer-Encoding: base64\r\n\r\nV8O2cnRlcg==\r\n";
    let raw = multipart("mixed", text_part);
    assert_eq!(text(&raw), "Wörter\n");
    assert_eq!(
        damage(&raw),
        ["part 1: the closing boundary is missing, so it may be cut off"]
    );
    let file = file("report.pdf", "base64", "JVBERi0xLjQ=");
    let raw = multipart("mixed", &format!("--b\r\n\r\nSee.\r\n--b\r\n{file}"));
    assert_eq!(
        attachments(&raw),
        expected(&[("2", "report.pdf", "%PDF-1.4")])
    );
    assert_eq!(text(&raw), "See.\n");
}

#[test]
fn encodings_are_read_however_they_are_written() {
    for (encoding, body, bytes) in [
        ("BASE64 (comment)", "Y3RlMQ==", "cte1"),
        ("\"base64\"", "Y3RlMg==", "cte2"),
        ("base64;", "Y3RlMw==", "cte3"),
        ("8-BIT", "cte4", "cte4"),
        ("(a comment) Quoted-Printable", "=63te5=\r\n!", "cte5!"),
        (
            "x-uuencode",
            "begin 644 cat.txt\r\n#0V%T\r\n`\r\nend",
            "Cat",
        ),
    ] {
        let raw = multipart(
            "mixed",
            &format!("--b\r\n{}--b--\r\n", file("f", encoding, body)),
        );
        assert_eq!(
            attachments(&raw),
            expected(&[("1", "f", bytes)]),
            "{encoding}"
        );
        assert!(damage(&raw).is_empty(), "{encoding}");
    }
}

#[test]
fn what_is_not_what_it_says_is_kept_and_told() {
    for (encoding, body, told) in [
        (
            "base64",
            "This is not base64 at all, but text. 100%!",
            "says that it is Base64",
        ),
        (
            "x-odd\u{1b}",
            "abc",
            "the encoding \"x-odd\\u{1b}\" is unknown",
        ),
        ("uuencode", "abc", "says that it is uuencoded"),
        (
            "quoted-printable",
            "100 =% sure",
            "not all of it is quoted-printable",
        ),
    ] {
        let raw = multipart(
            "mixed",
            &format!("--b\r\n{}--b--\r\n", file("f", encoding, body)),
        );
        assert_eq!(
            attachments(&raw),
            expected(&[("1", "f", body)]),
            "{encoding}"
        );
        let damage = damage(&raw);
        assert!(
            damage.len() == 1 && damage[0].starts_with(&format!("part 1: {told}")),
            "{damage:?}"
        );
    }
}

#[test]
fn a_multipart_without_its_boundary_is_found_or_read_as_text() {
    let body = "--bound\r\n\r\none\r\n--bound\r\n\r\ntwo\r\n--bound--\r\n";
    let raw = message("Content-Type: multipart/mixed", body);
    assert_eq!(text(&raw), "one\ntwo\n");
    let raw = message(
        "Content-Type: multipart/mixed; boundary=other",
        "only text\r\n",
    );
    assert_eq!(text(&raw), "only text\n");
    assert_eq!(
        damage(&raw),
        ["part 1: a multipart without its boundary; taken for text"]
    );
    // Encoded as a whole, which is forbidden and done.
    let encoded = "Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: base64";
    let raw = message(encoded, "LS1iDQoNCm9uZQ0KLS1iLS0NCg==\r\n");
    assert_eq!(text(&raw), "one\n");
    // One within the other, both with the same boundary.
    let nested = "--b\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n\
                  --b\r\n\r\none\r\n--b--\r\n--b\r\n\r\ntwo\r\n--b--\r\n";
    assert_eq!(text(&multipart("mixed", nested)), "one\ntwo\n");
}

#[test]
fn a_named_or_attached_text_is_an_attachment_and_a_digest_has_messages() {
    let body = "--b\r\n\r\nshown\r\n--b\r\nContent-Disposition: attachment\r\n\r\nattached\r\n\
                --b\r\nContent-Type: text/plain; name=\"n.txt\"\r\n\r\nnamed\r\n\
                --b\r\nContent-Disposition: inline; filename=i.txt\r\n\r\nboth\r\n--b--\r\n";
    let raw = multipart("mixed", body);
    assert_eq!(text(&raw), "shown\nboth\n");
    let found = [
        ("2", "attachment.txt", "attached"),
        ("3", "n.txt", "named"),
        ("4", "i.txt", "both"),
    ];
    assert_eq!(attachments(&raw), expected(&found));
    let digest = multipart("digest", "--b\r\n\r\nSubject: one\r\n\r\n1\r\n--b--\r\n");
    let found = [("1", "attachment.eml", "Subject: one\r\n\r\n1")];
    assert_eq!(attachments(&digest), expected(&found));
}

#[test]
fn texts_of_attachments_can_be_read() {
    let of = |head: &str, body: &str| {
        let raw = multipart(
            "mixed",
            &format!("--b\r\n{head}\r\n\r\n{body}\r\n--b--\r\n"),
        );
        Contents::of(&raw, Wanted::Attachments).attachments[0].text()
    };
    let calendar = "BEGIN:VEVENT\r\nSUMMARY:Town hall\\, fi\r\n rst floor\r\nEND:VEVENT";
    assert_eq!(
        of("Content-Type: text/calendar", calendar).unwrap(),
        "BEGIN:VEVENT\nSUMMARY:Town hall, first floor\nEND:VEVENT"
    );
    let html = "Content-Type: text/html; name=a.html";
    assert_eq!(of(html, "<td>a</td><td>b</td>").unwrap(), "a\tb");
    let csv = "Content-Type: application/octet-stream; name=A.CSV";
    assert_eq!(of(csv, "a;b").unwrap(), "a;b");
    assert_eq!(
        of("Content-Type: message/delivery-status", "Status: 5.1.1").unwrap(),
        "Status: 5.1.1"
    );
    assert_eq!(
        of("Content-Type: application/pdf; name=a.pdf", "%PDF"),
        None
    );
}

#[test]
fn a_text_that_lies_about_its_charset_is_read() {
    let raw = message(
        "Content-Type: text/plain; charset=us-ascii",
        "Grüße aus dem Wirtshaus\r\n",
    );
    assert_eq!(text(&raw), "Grüße aus dem Wirtshaus\n");
    let mut raw = message("Content-Type: text/plain; charset=utf-8", "Gr");
    raw.extend(b"\xfc\xdfe");
    assert_eq!(text(&raw), "Grüße\n");
    let mut raw = message("Content-Type: text/html", "<meta charset=gb2312>");
    raw.extend(b"\xc4\xe3\xba\xc3");
    assert_eq!(text(&raw), "你好\n");
}

#[test]
fn nothing_that_is_sent_makes_it_stop_or_take_long() {
    let mut raw = Vec::new();
    for level in 0..3_000 {
        raw.extend(
            format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n")
                .bytes(),
        );
    }
    assert!(
        damage(&raw)
            .iter()
            .any(|damage| damage.contains("too many parts"))
    );
    let raw = b"Content-Type: message/rfc822\r\n\r\n".repeat(3_000);
    assert!(attachments(&raw).len() <= DEEPEST / LEVELS_OF_MESSAGE + 1);
    // What could be looked at again for each of its pieces.
    for piece in [
        "no field\n",
        "X: ;\n",
        "=?a?q?x",
        "( ",
        "--",
        "--b\n",
        "; a*0*=b",
        "\"\\",
    ] {
        let pieces = piece.repeat(300_000);
        let head = format!("Subject: {pieces}\r\nContent-Type: multipart/mixed; boundary={pieces}");
        for raw in [
            message(&head, ""),
            multipart("mixed", &pieces),
            pieces.into_bytes(),
        ] {
            let _ = Contents::of(&raw, Wanted::All).into_text();
        }
        let file = format!(
            "--b\r\nContent-Type: a/b; name={}\r\n\r\n\r\n--b--",
            piece.repeat(100_000)
        );
        let _ = attachments(&multipart("mixed", &file));
    }
    // Each message of these, cut off at each byte.
    let raw = multipart(
        "alternative",
        "--b\r\nContent-Type: text/plain; charset*=utf-8''utf%2D8\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC=\r\n\r\n\
         --b\r\nContent-Type: message/rfc822; name*0=\"=?utf-8?B?w5xi?=\"\r\n\r\n\
         Content-Transfer-Encoding: base64 (x)\r\n\r\nAA==\r\n--b--",
    );
    for end in 0..raw.len() {
        let _ = Contents::of(&raw[..end], Wanted::All).into_text();
        let mut odd = raw.clone();
        odd[end] = 0xff;
        let _ = Contents::of(&odd, Wanted::All).into_text();
    }
}
