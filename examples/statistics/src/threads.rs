//! Which messages belong together: those that name each other in `Message-ID`, `In-Reply-To` and
//! `References`, as in the first steps of RFC 5256, section 3, without a look at subjects.
//!
//! A forest of disjoint sets, by hashes of the IDs. Two of a million IDs have the same 64 bits once
//! in 37 million mailboxes.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use parallel_mailbox::Uid;

/// Sets of messages that belong together, and of ancestors that are not in the mailbox.
#[derive(Debug, Default)]
pub struct Threads {
    /// Of all IDs that have been seen: another one of the same thread, or itself at the root.
    towards_root: HashMap<u64, u64>,
    /// Of the IDs that are in the mailbox: how many messages have it. Copies have the same.
    messages: HashMap<u64, u64>,
}

impl Threads {
    /// Adds a message and the ancestors that it names.
    pub fn add<'a>(
        &mut self,
        uid: Uid,
        id: Option<&str>,
        ancestors: impl IntoIterator<Item = &'a str>,
    ) {
        // One without an ID can be answered by nobody, but can be an answer.
        let id = id.map_or_else(|| hash((uid.get(), "no ID")), hash);
        *self.messages.entry(id).or_default() += 1;
        self.root(id);
        for ancestor in ancestors {
            self.unite(id, hash(ancestor));
        }
    }

    /// Adds all of another.
    pub fn join(&mut self, other: Self) {
        for (id, count) in other.messages {
            *self.messages.entry(id).or_default() += count;
        }
        for (one, another) in other.towards_root {
            self.unite(one, another);
        }
    }

    /// How many threads there are of each length.
    #[must_use]
    pub fn lengths(mut self) -> BTreeMap<u64, u64> {
        let mut threads: HashMap<u64, u64> = HashMap::new();
        for (id, count) in std::mem::take(&mut self.messages) {
            *threads.entry(self.root(id)).or_default() += count;
        }
        let mut lengths = BTreeMap::new();
        for length in threads.into_values() {
            *lengths.entry(length).or_default() += 1;
        }
        lengths
    }

    fn unite(&mut self, one: u64, another: u64) {
        let (one, another) = (self.root(one), self.root(another));
        self.towards_root.insert(one, another);
    }

    fn root(&mut self, mut id: u64) -> u64 {
        loop {
            let next = *self.towards_root.entry(id).or_insert(id);
            if next == id {
                return id;
            }
            // Halves the way for the next one who goes it.
            let after = self.towards_root[&next];
            self.towards_root.insert(id, after);
            id = after;
        }
    }
}

/// The same in all workers: `DefaultHasher::new` has no seed of its own.
fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(threads: &mut Threads, messages: &[(u32, Option<&str>, &[&str])]) {
        for (uid, id, ancestors) in messages {
            let uid = Uid::new(*uid).expect("not 0");
            threads.add(uid, *id, ancestors.iter().copied());
        }
    }

    #[test]
    fn an_answer_joins_two_threads_and_absent_ancestors_do_not_count() {
        let mut threads = Threads::default();
        add(
            &mut threads,
            &[
                (1, Some("a"), &[]),
                (2, Some("b"), &["absent"]),
                (3, Some("c"), &["absent"]),
                (4, None, &["a", "b"]),
                (5, None, &[]),
                (6, None, &[]),
                (7, Some("copy"), &[]),
                (8, Some("copy"), &[]),
            ],
        );
        assert_eq!(threads.lengths(), [(1, 2), (2, 1), (4, 1)].into());
    }

    #[test]
    fn it_does_not_matter_which_worker_saw_which_message() {
        let ids: Vec<String> = (0..60).map(|number| number.to_string()).collect();
        // Every message answers the one seven before it, so there are seven threads.
        let answers = |number: usize| (number >= 7).then(|| ids[number - 7].as_str());
        for workers in 1..=9 {
            let mut parts: Vec<Threads> = Vec::new();
            parts.resize_with(workers, Threads::default);
            for number in (0..60).rev() {
                let uid = Uid::new(number as u32 + 1).expect("not 0");
                parts[number * number % workers].add(uid, Some(&ids[number]), answers(number));
            }
            let mut all = Threads::default();
            parts.into_iter().for_each(|part| all.join(part));
            assert_eq!(all.lengths(), [(8, 3), (9, 4)].into(), "{workers}");
        }
    }
}
