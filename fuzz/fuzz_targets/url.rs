//! URLs, whole and with a password where none belongs, which no error may repeat.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parallel_mailbox::ParallelMailbox;

const PASSWORD: &str = "q7Zx9Kw3";

fuzz_target!(|parts: (&str, &str)| {
    let (before, after) = parts;
    let _ = ParallelMailbox::from_url(before);
    for text in [
        format!("{before}:{PASSWORD}@{after}"),
        format!("imaps://{before}{PASSWORD}@{after}"),
        format!("imap://me;AUTH={PASSWORD}@{after}/{before}"),
    ] {
        if let Err(error) = ParallelMailbox::from_url(&text) {
            assert!(!error.to_string().contains(PASSWORD), "{error}");
            assert!(!format!("{error:?}").contains(PASSWORD), "{error:?}");
        }
    }
});
