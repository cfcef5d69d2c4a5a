//! Sets of UIDs: from text and back, and their algebra against that of `BTreeSet`.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use parallel_mailbox::{Uid, UidSet};

fuzz_target!(|octets: &[u8]| {
    if let Ok(text) = str::from_utf8(octets)
        && let Ok(set) = text.parse::<UidSet>()
    {
        let again: UidSet = set.to_string().parse().expect("its own form");
        assert_eq!(set, again);
        assert_eq!(set.iter().next(), set.first());
        assert_eq!(set.iter().next_back(), set.last());
        assert_eq!(set.union(&set), set);
        assert!(set.difference(&set).is_empty());
    }
    let half = octets.len() / 2;
    let (one, other) = (few(&octets[..half]), few(&octets[half..]));
    let (left, right): (UidSet, UidSet) = (
        one.iter().copied().collect(),
        other.iter().rev().copied().collect(),
    );
    assert!(left.iter().eq(one.iter().copied()));
    assert!(left.iter().rev().eq(one.iter().rev().copied()));
    assert_eq!(left.len(), one.len());
    assert!(left.union(&right).iter().eq(one.union(&other).copied()));
    assert!(
        left.difference(&right)
            .iter()
            .eq(one.difference(&other).copied())
    );
    assert!(
        left.intersection(&right)
            .iter()
            .eq(one.intersection(&other).copied())
    );
    let mut grown = left.clone();
    for uid in &other {
        assert_eq!(grown.insert(*uid), !one.contains(uid));
        assert!(grown.contains(*uid));
    }
    assert_eq!(grown, left.union(&right));
});

/// Small numbers, which touch each other, and some at the upper end.
fn few(octets: &[u8]) -> BTreeSet<Uid> {
    let uids = octets.iter().filter_map(|octet| match octet {
        0..200 => Uid::new(u32::from(*octet)),
        _ => Uid::new(u32::MAX - u32::from(255 - *octet)),
    });
    uids.collect()
}
