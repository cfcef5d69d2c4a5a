//! What a server sends in answer to FETCH, whole: framing, literals, attributes. The first octet
//! says in what pieces it arrives.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parallel_mailbox::{Fetch, fuzzing};

fuzz_target!(|octets: &[u8]| {
    let Some((piece, octets)) = octets.split_first() else {
        return;
    };
    let whole = fuzzing::responses(octets, usize::MAX, Fetch::full());
    let cut = fuzzing::responses(octets, usize::from(*piece), Fetch::full());
    assert_eq!(whole, cut, "how the octets are cut must not matter");
    assert!(whole <= octets.len() as u64, "octets out of nowhere");
});
