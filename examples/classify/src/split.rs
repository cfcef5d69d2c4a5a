//! Which letters are held out: 30 % of those that are in ham alone, of those that are in spam
//! alone, and of those that are in both. It depends on what the letters say and on nothing else, so
//! it is the same for every run, and two letters that say the same are never on both sides.

use std::collections::BTreeMap;

use crate::Example;

const HELD_OUT_PERCENT: usize = 30;

/// Parts the letters into those to learn from and those to be measured on.
pub fn split(examples: Vec<Example>) -> (Vec<Example>, Vec<Example>) {
    let mut same: BTreeMap<u64, Vec<Example>> = BTreeMap::new();
    for example in examples {
        let fingerprint = example.letter.fingerprint();
        same.entry(fingerprint).or_default().push(example);
    }
    // By whether they are in ham and whether they are in spam, each in the order of the hashes,
    // which has nothing to do with anything.
    let mut strata: BTreeMap<(bool, bool), Vec<Vec<Example>>> = BTreeMap::new();
    for examples in same.into_values() {
        let is_ham = examples.iter().any(|example| !example.is_spam);
        let is_spam = examples.iter().any(|example| example.is_spam);
        strata.entry((is_ham, is_spam)).or_default().push(examples);
    }
    let (mut known, mut held_out) = (Vec::new(), Vec::new());
    for mut stratum in strata.into_values() {
        let rest = stratum.split_off(stratum.len() * HELD_OUT_PERCENT / 100);
        held_out.extend(stratum.into_iter().flatten());
        known.extend(rest.into_iter().flatten());
    }
    (known, held_out)
}
