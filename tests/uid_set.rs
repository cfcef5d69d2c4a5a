//! `UidSet` against a `BTreeSet` that is given the same.
// Clippy knows a test by its attribute, and so not the helpers here.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use parallel_mailbox::{ErrorKind, Uid, UidSet};
use proptest::prelude::*;

fn uid(number: u32) -> Uid {
    Uid::new(number).unwrap()
}

fn set(text: &str) -> UidSet {
    text.parse().unwrap()
}

/// UIDs close together, so that ranges form, join and touch both ends of the number space.
fn uids() -> impl Strategy<Value = Vec<Uid>> {
    let number = prop_oneof![8 => 1_u32..120, 1 => u32::MAX - 5..=u32::MAX];
    proptest::collection::vec(number.prop_map(uid), 0..150)
}

/// Checks all that a set says about itself against what is in it.
fn check(set: &UidSet, model: &BTreeSet<Uid>) -> Result<(), TestCaseError> {
    prop_assert_eq!(set.len(), model.len());
    prop_assert_eq!(set.is_empty(), model.is_empty());
    prop_assert_eq!(set.first(), model.first().copied());
    prop_assert_eq!(set.last(), model.last().copied());
    prop_assert!(set.iter().eq(model.iter().copied()));
    prop_assert!(set.iter().rev().eq(model.iter().rev().copied()));
    prop_assert!(set.clone().into_iter().eq(model.iter().copied()));
    let ranges: Vec<(Uid, Uid)> = set.ranges().collect();
    prop_assert!(ranges.iter().all(|(first, last)| first <= last));
    let apart = |pair: &[(Uid, Uid)]| pair[1].0.get() - pair[0].1.get() >= 2;
    prop_assert!(ranges.windows(2).all(apart));
    for number in (1..125).chain(u32::MAX - 7..=u32::MAX) {
        prop_assert_eq!(set.contains(uid(number)), model.contains(&uid(number)));
    }
    Ok(())
}

proptest! {
    #[test]
    fn is_the_set_of_what_it_was_made_from(uids in uids()) {
        let model: BTreeSet<Uid> = uids.iter().copied().collect();
        check(&uids.iter().copied().collect(), &model)?;
        check(&model.iter().copied().collect(), &model)?;
        check(&model.iter().rev().copied().collect(), &model)?;
    }

    #[test]
    fn inserts_one_by_one(uids in uids()) {
        let mut model = BTreeSet::new();
        let mut set = UidSet::new();
        for uid in uids {
            prop_assert_eq!(set.insert(uid), model.insert(uid));
        }
        check(&set, &model)?;
    }

    #[test]
    fn extends_by_many(before in uids(), after in uids()) {
        let mut model: BTreeSet<Uid> = before.iter().copied().collect();
        let mut set: UidSet = before.into_iter().collect();
        model.extend(after.iter().copied());
        set.extend(after);
        check(&set, &model)?;
    }

    #[test]
    fn joins_subtracts_and_intersects(one in uids(), other in uids()) {
        let (one_model, other_model): (BTreeSet<Uid>, BTreeSet<Uid>) =
            (one.iter().copied().collect(), other.iter().copied().collect());
        let (one, other): (UidSet, UidSet) =
            (one.into_iter().collect(), other.into_iter().collect());
        check(&one.union(&other), &(&one_model | &other_model))?;
        check(&one.difference(&other), &(&one_model - &other_model))?;
        check(&one.intersection(&other), &(&one_model & &other_model))?;
    }

    #[test]
    fn reads_what_it_writes(uids in uids()) {
        let set: UidSet = uids.into_iter().collect();
        prop_assert_eq!(set.to_string().parse::<UidSet>().unwrap(), set);
    }

    #[test]
    fn never_panics_on_text(text in "[0-9:,* $-]{0,20}|\\PC{0,20}") {
        if let Ok(set) = text.parse::<UidSet>() {
            prop_assert_eq!(set.to_string().parse::<UidSet>().unwrap(), set);
        }
    }

    #[test]
    fn iterates_from_both_ends_at_once(uids in uids(), turns in any::<u64>()) {
        let model: BTreeSet<Uid> = uids.into_iter().collect();
        let set: UidSet = model.iter().copied().collect();
        let (mut uids, mut expected) = (set.iter(), model.iter().copied());
        for turn in 0..=model.len() {
            prop_assert_eq!(uids.len(), model.len().saturating_sub(turn));
            if turns >> (turn % 64) & 1 == 0 {
                prop_assert_eq!(uids.next(), expected.next());
            } else {
                prop_assert_eq!(uids.next_back(), expected.next_back());
            }
        }
    }
}

#[test]
fn reads_any_order_and_overlaps_and_writes_the_shortest_form() {
    for (text, normal) in [
        ("", ""),
        ("7", "7"),
        ("5:3", "3:5"),
        ("3:3", "3"),
        ("9,1,2,3", "1:3,9"),
        ("1:5,3:9,10", "1:10"),
        ("2,4:7,9,12:15", "2,4:7,9,12:15"),
        ("4294967295:1", "1:4294967295"),
    ] {
        assert_eq!(set(text).to_string(), normal, "{text}");
    }
}

#[test]
fn refuses_what_is_no_sequence_set() {
    for text in [
        "*",
        "1:*",
        "*:1",
        "0",
        "0:5",
        "1,",
        ",1",
        "1,,2",
        "1:",
        ":1",
        "1:2:3",
        "1 2",
        " 1",
        "1, 2",
        "1-2",
        "+1",
        "01",
        "4294967296",
        "$",
        "1\r\n",
    ] {
        let error = text.parse::<UidSet>().unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Config, "{text:?}");
        assert!(!error.to_string().contains(['\r', '\n']), "{error}");
    }
    let error = "1:*".parse::<UidSet>().unwrap_err().to_string();
    assert!(error.contains("* depends on the mailbox"), "{error}");
}

#[test]
fn holds_every_uid_there_is() {
    let all = UidSet::from(Uid::MIN..=Uid::MAX);
    assert_eq!(all.len(), u32::MAX as usize);
    assert_eq!(all.iter().count(), u32::MAX as usize);
    assert_eq!(all.iter().last(), Some(Uid::MAX));
    assert_eq!(
        all.difference(&UidSet::from(uid(7))).to_string(),
        "1:6,8:4294967295"
    );
    assert_eq!(all.difference(&all), UidSet::new());
}

#[test]
fn is_empty_where_the_range_is() {
    assert!(UidSet::from_range(uid(5), uid(3)).is_empty());
    assert!(UidSet::from(uid(5)..=uid(3)).is_empty());
    assert_eq!(UidSet::default(), UidSet::new());
}

#[test]
fn shows_the_start_of_a_long_set_and_its_length() {
    assert_eq!(format!("{:?}", set("1:5,9")), "UidSet(1:5,9)");
    let long: UidSet = (1..=1_000).map(|number| uid(2 * number)).collect();
    let shown = format!("{long:?}");
    assert!(shown.starts_with("UidSet(2,4,6,"), "{shown}");
    assert!(shown.ends_with("32,… 1000 UIDs)"), "{shown}");
}

#[test]
fn equal_sets_hash_alike_however_they_were_made() {
    fn hash(set: &UidSet) -> u64 {
        let mut hasher = DefaultHasher::new();
        set.hash(&mut hasher);
        hasher.finish()
    }
    let mut inserted = UidSet::new();
    for number in [5, 1, 3, 2, 4] {
        inserted.insert(uid(number));
    }
    assert_eq!(inserted, set("1:5"));
    assert_eq!(hash(&inserted), hash(&set("1:5")));
}

#[test]
fn can_cross_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<UidSet>();
    check::<parallel_mailbox::uid_set::Iter<'static>>();
    check::<parallel_mailbox::uid_set::IntoIter>();
}
