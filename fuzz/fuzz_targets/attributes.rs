//! The attributes within one FETCH response.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parallel_mailbox::{Fetch, fuzzing};

fuzz_target!(|octets: &[u8]| {
    let line = [b"* 1 FETCH (UID 7 ", octets, b")\r\n"].concat();
    for fetch in [Fetch::full(), Fetch::metadata(), Fetch::partial(9)] {
        let sum = fuzzing::responses(&line, usize::MAX, fetch);
        assert!(sum <= octets.len() as u64, "octets out of nowhere");
    }
});
