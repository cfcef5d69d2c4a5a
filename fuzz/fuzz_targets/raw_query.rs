//! Search programs of the caller's own: what is let through is one command and stays whole.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parallel_mailbox::fuzzing;

fuzz_target!(|program: &str| {
    let Some(sent) = fuzzing::raw_query(program) else {
        return;
    };
    assert!(
        sent.iter()
            .all(|octet| matches!(octet, b'\t' | b' '..=b'~'))
    );
    let mut depth = 0;
    let mut is_quoted = false;
    let mut octets = sent.iter();
    while let Some(octet) = octets.next() {
        match octet {
            b'\\' if is_quoted => assert!(octets.next().is_some()),
            b'"' => is_quoted = !is_quoted,
            b'{' => assert!(is_quoted, "the server would wait for a literal"),
            b'(' if !is_quoted => depth += 1,
            b')' if !is_quoted => {
                depth -= 1;
                assert!(depth >= 0, "it closes what it has not opened");
            }
            _ => {}
        }
    }
    assert!(!is_quoted && depth == 0, "it does not close what it opens");
});
