//! What a server sends in answer to SEARCH. The first octet says in what pieces it arrives.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parallel_mailbox::fuzzing;

fuzz_target!(|octets: &[u8]| {
    parallel_mailbox_fuzz::let_fences_hold();
    let Some((piece, octets)) = octets.split_first() else {
        return;
    };
    if let Ok(found) = fuzzing::search(octets, usize::from(*piece)) {
        assert!(found.len() <= octets.len(), "UIDs out of nowhere");
    }
});
