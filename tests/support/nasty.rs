//! Messages that break clients: each is small enough to look at, except the last, and each is the
//! same in every run. What a server makes of their octets is the server's business; see
//! [`expected`](super::maildir::expected) for Dovecot.

/// The octets of the largest message.
pub(crate) const LARGE: usize = 25 * 1024 * 1024;

/// All of them, each with a name that says what is wrong with it.
pub(crate) fn all() -> Vec<(&'static str, Vec<u8>)> {
    let mut messages = small();
    messages.push(("25 MB", large(LARGE)));
    messages
}

/// All but the 25 MB one.
pub(crate) fn small() -> Vec<(&'static str, Vec<u8>)> {
    let every_octet: Vec<u8> = (0..=255).collect();
    let mut messages = vec![
        ("empty", Vec::new()),
        ("only CRLF", b"\r\n".to_vec()),
        ("only LF", b"\n".to_vec()),
        ("only CR", b"\r".to_vec()),
        ("only NUL", b"\0".to_vec()),
        ("header without body", b"Subject: header only\r\n".to_vec()),
        (
            "header without end of line",
            b"Subject: header only".to_vec(),
        ),
        ("neither header nor colon", b"no header at all".to_vec()),
        ("every octet without header", every_octet.clone()),
        ("NUL in header", b"Subject: a\0b\r\n\r\nbody\r\n".to_vec()),
        (
            "bare LF throughout",
            b"Subject: bare LF\n\nbody\nmore\n".to_vec(),
        ),
        (
            "bare CR in header",
            b"Subject: x\rX: y\r\n\r\nbody\r\n".to_vec(),
        ),
        (
            "mbox separator",
            b"From a@example.org Thu Jan  1 00:00:00 1970\nSubject: x\n\nq\n".to_vec(),
        ),
        (
            "8-bit header",
            b"Subject: gr\xfc\xdf dich\r\n\r\nbody\r\n".to_vec(),
        ),
    ];
    let bodies: [(&'static str, &[u8]); 21] = [
        ("NUL octets", b"a\0b\0\0\r\n\0"),
        ("8-bit", b"\xe4\xf6\xfc \xff\xfe \xc3\xa4 \x80\x81\r\n"),
        ("every octet", &every_octet),
        ("bare CR", b"a\rb\rc\r\r\nd\r"),
        ("line ends mixed", b"a\r\nb\nc\rd\r\r\ne\n\rf\n\n\r\n\r\n\n"),
        (
            "looks like a tagged answer",
            b"a1 OK done\r\na1 NO\r\nA0001 BAD\r\n* BYE\r\n",
        ),
        (
            "looks like a FETCH response",
            b"* 1 FETCH (UID 1 BODY[] {5}\r\nhello)\r\n",
        ),
        ("looks like a parenthesis", b")\r\n)\r\n"),
        ("looks like a literal", b"{10}"),
        ("looks like a literal at the end of a line", b"{10}\r\n"),
        (
            "looks like a non-synchronising literal",
            b"{10+}\r\n~{10}\r\n",
        ),
        ("looks like a continuation", b"+ go ahead\r\n"),
        ("dots", b".\r\n..\r\n.\r\n"),
        ("without end of line", b"the end"),
        ("ends in a parenthesis", b"the end)"),
        ("ends in CR", b"the end\r"),
        ("ends in LF", b"the end\n"),
        ("ends in a quote", b"the end\""),
        ("ends in a backslash", b"the end\\"),
        ("ends in a literal", b"the end {3}\r\n"),
        (
            "broken MIME",
            b"--b\r\nContent-Type: multipart/mixed; boundary=\"\r\n\r\n--b--",
        ),
    ];
    for (name, body) in bodies {
        messages.push((name, with_body(body)));
    }
    messages.push(("line of 1 MB", with_body(&vec![b'x'; 1024 * 1024])));
    messages.push(("10,000 empty lines", with_body(&b"\r\n".repeat(10_000))));
    messages.push(("10,000 bare LF", with_body(&b"\n".repeat(10_000))));
    messages
}

/// A message of exactly `octets` octets (at least 64) in lines of 78, ending in CRLF, that no
/// compression makes small and that is the same in every run.
pub(crate) fn large(octets: usize) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut message = with_body(b"");
    message.reserve(octets);
    // A 64-bit linear congruential generator (Knuth, MMIX): quick, and good enough for padding.
    let mut state: u64 = 0x2545_f491_4f6c_dd1d;
    let mut column = 0;
    while message.len() + 2 < octets {
        if column == 76 && message.len() + 4 < octets {
            message.extend_from_slice(b"\r\n");
            column = 0;
        } else {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            message.push(LETTERS[(state >> 58) as usize]);
            column += 1;
        }
    }
    message.extend_from_slice(b"\r\n");
    message
}

fn with_body(body: &[u8]) -> Vec<u8> {
    let mut message = b"From: a@example.org\r\nSubject: nasty\r\n\r\n".to_vec();
    message.extend_from_slice(body);
    message
}
