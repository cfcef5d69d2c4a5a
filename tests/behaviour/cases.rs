//! What holds on every server.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use parallel_mailbox::{ErrorKind, Fetch, Matches, Message, Query, Uid, UidSet};

use crate::ledger::adds_up;
use crate::place::{MakePlace, Place, letters};
use crate::support::nasty;

/// How often each UID came.
#[derive(Default)]
struct Seen(Mutex<BTreeMap<u32, usize>>);

impl Seen {
    fn note(&self, uid: u32) {
        *self.0.lock().unwrap().entry(uid).or_default() += 1;
    }

    fn assert_each_once(self, place: &Place) {
        let seen = self.0.into_inner().unwrap();
        let expected: Vec<u32> = place.expected.keys().copied().collect();
        assert_eq!(seen.keys().copied().collect::<Vec<_>>(), expected);
        assert!(seen.values().all(|times| *times == 1), "{seen:?}");
    }
}

fn assert_complete<I>(matches: &Matches<I>) {
    let report = matches.last_report().unwrap();
    assert!(adds_up(&report), "{report}");
    assert_eq!(report.delivered(), matches.uids(), "{report}");
    assert!(report.is_complete() && report.error().is_none());
}

fn uids(numbers: impl IntoIterator<Item = u32>) -> UidSet {
    numbers.into_iter().filter_map(Uid::new).collect()
}

pub(crate) fn every_run_delivers_each_message_once_octet_for_octet(make: MakePlace<'_>) {
    let place = make(letters(700));
    for workers in [1, 4, 8] {
        let matches = place.connect(workers).search(Query::all()).unwrap();
        assert_eq!(matches.len(), 700);

        let seen = Seen::default();
        matches
            .for_each(|message| seen.note(place.check(&message)))
            .unwrap();
        seen.assert_each_once(&place);
        assert_complete(&matches);

        let order = matches.map(|message| place.check(&message)).unwrap();
        assert!(order.into_iter().eq(1..=700));
        assert_complete(&matches);

        let order: Vec<u32> = matches
            .imap(|message| message)
            .map(|item| place.check(&item.unwrap()))
            .collect();
        assert!(order.into_iter().eq(1..=700));
        assert_complete(&matches);

        let seen = Seen::default();
        for item in matches.imap_unordered(|message| message) {
            seen.note(place.check(&item.unwrap()));
        }
        seen.assert_each_once(&place);
        assert_complete(&matches);
    }
}

pub(crate) fn nasty_messages_arrive_octet_for_octet(make: MakePlace<'_>) {
    let (names, messages): (Vec<_>, Vec<_>) = nasty::all().into_iter().unzip();
    let place = make(messages);
    let names = place.held(names);
    let matches = place.connect(3).search(Query::all()).unwrap();
    assert_eq!(matches.len(), names.len());
    for (name, message) in names.iter().zip(matches.imap(|message| message)) {
        let message = message.unwrap_or_else(|error| panic!("{name}: {error}"));
        place.check(&message);
        // However it looks, the parser does not panic on it.
        let _ = message.parse().map(|parsed| parsed.attachment_count());
    }
    assert_complete(&matches);
}

pub(crate) fn imap_keeps_the_order_and_newest_first_turns_it_round(make: MakePlace<'_>) {
    let place = make(letters(300));
    let matches = place.connect(4).search(Query::all()).unwrap().shard_size(7);
    let uid = |message: Message| message.uid().get();
    let order = |matches: &Matches| matches.imap(uid).map(Result::unwrap).collect::<Vec<_>>();
    assert!(order(&matches).into_iter().eq(1..=300));
    let matches = matches.newest_first(true);
    assert!(order(&matches).into_iter().eq((1..=300).rev()));
    assert!(matches.map(uid).unwrap().into_iter().eq((1..=300).rev()));
    assert_complete(&matches);
}

pub(crate) fn shard_size_and_window_change_nothing_but_the_pace(make: MakePlace<'_>) {
    let place = make(letters(90));
    let mailbox = place.connect(3);
    for (shard_size, window, octets) in [
        (1, 1, 1),
        (1, 50, 1_000_000),
        (7, 2, 500),
        (10_000, 5, 1),
        (0, 0, 0),
    ] {
        let matches = mailbox
            .search(Query::all())
            .unwrap()
            .shard_size(shard_size)
            .window(window)
            .window_octets(octets);
        let messages: Vec<Message> = matches
            .imap(|message| message)
            .map(Result::unwrap)
            .collect();
        assert!(
            messages
                .iter()
                .map(|message| place.check(message))
                .eq(1..=90)
        );
        assert_complete(&matches);
        let count = matches
            .imap_unordered(|message| message)
            .filter(Result::is_ok)
            .count();
        assert_eq!(count, 90);
    }
}

pub(crate) fn scoped_runs_borrow(make: MakePlace<'_>) {
    let place = make(letters(100));
    let matches = place.connect(4).search(Query::all()).unwrap();
    let count = AtomicUsize::new(0);
    thread::scope(|scope| {
        let sizes = matches.imap_scoped(scope, |message| {
            count.fetch_add(1, Ordering::Relaxed);
            place.check(&message)
        });
        assert!(sizes.map(Result::unwrap).eq(1..=100));
        let mut unordered = matches.imap_unordered_scoped(scope, |message| place.check(&message));
        let first = unordered.next().unwrap().unwrap();
        assert!((1..=100).contains(&first));
        // Dropped with most of it to come; the scope still ends.
    });
    assert_eq!(count.into_inner(), 100);
}

pub(crate) fn each_worker_has_a_state_of_its_own(make: MakePlace<'_>) {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let place = make(letters(200));
    let before = MADE.load(Ordering::SeqCst);
    let matches = place
        .connect(3)
        .search(Query::all())
        .unwrap()
        .shard_size(5)
        .initializer(|| {
            MADE.fetch_add(1, Ordering::SeqCst);
            // Neither shared nor sent: made on the thread that uses it.
            std::rc::Rc::new(std::cell::Cell::new(0))
        });
    let counts = matches
        .map(|count, message| {
            count.set(count.get() + 1);
            (
                thread::current().name().unwrap_or_default().to_owned(),
                count.get(),
                message.uid(),
            )
        })
        .unwrap();
    // Other tests of this process run at the same time.
    assert!(MADE.load(Ordering::SeqCst) >= before + 3);
    let mut last = BTreeMap::new();
    for (thread, count, _) in &counts {
        let most: &mut usize = last.entry(thread).or_default();
        *most = (*most).max(*count);
    }
    assert_eq!(
        last.values().sum::<usize>(),
        200,
        "every message counted by its own worker"
    );
    assert_complete(&matches);
}

pub(crate) fn fold_adds_up_whatever_worker_gets_what(make: MakePlace<'_>) {
    let place = make(letters(250));
    let matches = place
        .connect(4)
        .search(Query::all())
        .unwrap()
        .shard_size(10);
    let octets = matches
        .fold(
            || 0,
            |sum, message| sum + message.raw().len(),
            |one, other| one + other,
        )
        .unwrap();
    assert_eq!(octets, place.expected.values().map(Vec::len).sum::<usize>());
    assert_complete(&matches);
    let none = place.connect(1).uids(UidSet::new());
    assert_eq!(none.fold(|| 7, |sum, _| sum, |one, _| one).unwrap(), 7);
}

pub(crate) fn an_empty_result_runs_to_an_empty_end(make: MakePlace<'_>) {
    let place = make(letters(5));
    let mailbox = place.connect(4);
    let matches = mailbox
        .search(Query::all().subject("no such thing"))
        .unwrap();
    assert!(matches.is_empty());
    assert!(matches.map(|message| message.uid()).unwrap().is_empty());
    assert_eq!(matches.imap(|message| message).count(), 0);
    let unordered = matches.imap_unordered(|message| message);
    assert_eq!(unordered.size_hint(), (0, Some(0)));
    assert!(unordered.finish().is_complete());
    assert!(matches.for_each(drop).unwrap().is_complete());
    if let Some((accepted, _)) = place.connections() {
        assert_eq!(accepted, 1, "only the one that searched");
    }
}

pub(crate) fn one_match_and_fewer_matches_than_workers(make: MakePlace<'_>) {
    let place = make(letters(30));
    let mailbox = place.connect(8);
    let one = mailbox
        .search(Query::all().uid(Uid::new(7).unwrap()))
        .unwrap();
    assert_eq!(one.map(|message| place.check(&message)).unwrap(), [7]);
    if let Some((accepted, _)) = place.connections() {
        assert_eq!(accepted, 1, "the session that searched also fetches");
    }
    let three = mailbox.uids(uids([3, 17, 30]));
    assert_eq!(
        three.map(|message| place.check(&message)).unwrap(),
        [3, 17, 30]
    );
    if let Some((accepted, _)) = place.connections() {
        assert!(accepted <= 3, "{accepted} connections for three messages");
    }
}

pub(crate) fn except_leaves_out_and_uids_bring_back(make: MakePlace<'_>) {
    let place = make(letters(60));
    let mailbox = place.connect(3);
    let all = mailbox.search(Query::all()).unwrap();
    let done = uids(10..=50);
    let rest = all.clone().except(&done);
    assert_eq!(rest.len(), 19);
    let mut seen = rest.map(|message| place.check(&message)).unwrap();
    seen.extend(
        mailbox
            .uids(&done)
            .map(|message| place.check(&message))
            .unwrap(),
    );
    seen.sort_unstable();
    assert!(seen.into_iter().eq(1..=60));
}

pub(crate) fn first_and_last_keep_the_oldest_and_the_newest(make: MakePlace<'_>) {
    let place = make(letters(60));
    let mailbox = place.connect(3);
    let all = mailbox.search(Query::all()).unwrap().except(&uids(58..=58));
    let read = |matches: Matches| matches.map(|message| place.check(&message)).unwrap();
    assert_eq!(read(all.clone().first(3)), [1, 2, 3]);
    assert_eq!(read(all.clone().last(3)), [57, 59, 60]);
    assert_eq!(read(all.clone().last(3).newest_first(true)), [60, 59, 57]);
    assert_eq!(read(all.clone().last(9).first(2)), [51, 52]);
    assert_eq!(all.clone().last(1_000).len(), 59);
    assert!(read(all.first(0)).is_empty());
}

pub(crate) fn uids_that_do_not_exist_are_gone(make: MakePlace<'_>) {
    let place = make(letters(20));
    let mailbox = place.connect(2);
    let matches = mailbox.uids(uids([1, 2, 500, 501, 19, 4_000_000_000]));
    let found = matches.map(|message| place.check(&message)).unwrap();
    assert_eq!(found, [1, 2, 19]);
    let report = matches.last_report().unwrap();
    assert!(adds_up(&report), "{report}");
    assert_eq!(report.gone(), &uids([500, 501, 4_000_000_000]));
    assert_eq!(
        matches.imap(|message| message).count(),
        3,
        "what is gone is no item"
    );
}

pub(crate) fn headers_metadata_and_parts_are_fetched_without_the_rest(make: MakePlace<'_>) {
    let place = make(letters(40));
    let matches = place.connect(2).search(Query::all()).unwrap();
    let all = matches
        .clone()
        .fetch(Fetch::headers())
        .map(|message| message)
        .unwrap();
    for message in &all {
        let whole = &place.expected[&message.uid().get()];
        assert_eq!(message.size(), whole.len() as u64);
        assert!(whole.starts_with(message.raw()) && message.raw().ends_with(b"\r\n\r\n"));
        let headers = message.parse_headers().unwrap();
        let subject = format!("letter {}", message.uid());
        assert_eq!(headers.subject(), Some(subject.as_str()));
    }
    for message in matches
        .clone()
        .fetch(Fetch::metadata())
        .imap(|message| message)
    {
        let message = message.unwrap();
        assert!(message.raw().is_empty() && message.parse().is_none());
        assert_eq!(
            message.size(),
            place.expected[&message.uid().get()].len() as u64
        );
        assert!(
            message
                .internal_date()
                .is_some_and(|date| date.year >= 1970)
        );
    }
    for message in matches.fetch(Fetch::partial(20)).imap(|message| message) {
        let message = message.unwrap();
        assert_eq!(message.raw(), &place.expected[&message.uid().get()][..20]);
    }
}

pub(crate) fn nothing_on_the_server_changes(make: MakePlace<'_>) {
    let place = make(letters(50));
    assert_eq!(place.unseen(), 50);
    let matches = place.connect(4).search(Query::all().unseen()).unwrap();
    assert_eq!(matches.len(), 50);
    let flags = matches.map(|message| message.flags().is_seen()).unwrap();
    assert!(flags.iter().all(|seen| !seen));
    assert_eq!(place.unseen(), 50, "reading marks nothing as read");
}

pub(crate) fn sessions_serve_the_next_run_and_are_never_more_than_workers(make: MakePlace<'_>) {
    let place = make(letters(400));
    let mailbox = place.connect(4);
    for _ in 0..3 {
        let matches = mailbox.search(Query::all()).unwrap().shard_size(3);
        assert_eq!(
            matches
                .imap_unordered(|message| message)
                .filter(Result::is_ok)
                .count(),
            400
        );
        assert!(matches.last_report().unwrap().sessions() <= 4);
    }
    if let Some((accepted, peak)) = place.connections() {
        assert!(
            accepted <= 4 && peak <= 4,
            "{accepted} connections, {peak} at once"
        );
    }
}

pub(crate) fn clones_share_the_sessions_between_threads(make: MakePlace<'_>) {
    let place = make(letters(200));
    let mailbox = place.connect(3);
    thread::scope(|scope| {
        for _ in 0..4 {
            let (mailbox, place) = (mailbox.clone(), &place);
            scope.spawn(move || {
                let matches = mailbox.search(Query::all()).unwrap();
                let order = matches.map(|message| place.check(&message)).unwrap();
                assert!(order.into_iter().eq(1..=200));
            });
        }
    });
    if let Some((_, peak)) = place.connections() {
        assert!(peak <= 3, "{peak} at once");
    }
}

pub(crate) fn a_search_within_a_loop_over_results_finds_a_session(make: MakePlace<'_>) {
    let place = make(letters(120));
    let mailbox = place.connect(1);
    let matches = mailbox.search(Query::all()).unwrap().window(10);
    let mut count = 0;
    for item in matches.imap(|message| place_free_uid(&message)) {
        let uid = item.unwrap();
        if uid % 40 == 0 {
            let found = mailbox
                .search(Query::all().uid(Uid::new(uid).unwrap()))
                .unwrap();
            assert_eq!(found.len(), 1);
        }
        count += 1;
    }
    assert_eq!(count, 120);
}

pub(crate) fn a_search_within_a_loop_finds_a_session_also_when_the_budget_is_used_up(
    make: MakePlace<'_>,
) {
    let place = make(letters(60));
    let mailbox = place.connect(1);
    // The worker soon waits for room in the middle of a message, with its only session.
    let matches = mailbox.search(Query::all()).unwrap().window_octets(700);
    let mut count = 0;
    for item in matches.imap(|message| message) {
        place.check(&item.unwrap());
        if count == 1 {
            assert_eq!(mailbox.search(Query::all()).unwrap().len(), 60);
        }
        count += 1;
    }
    assert_eq!(count, 60);
    assert!(matches.last_report().unwrap().is_complete());
}

fn place_free_uid(message: &Message) -> u32 {
    message.uid().get()
}

pub(crate) fn searches_find_what_they_describe(make: MakePlace<'_>) {
    let place = make(letters(70));
    let mailbox = place.connect(2);
    let count = |query: Query| mailbox.search(query).unwrap().len();
    assert_eq!(count(Query::all()), 70);
    assert_eq!(count(Query::all().from("ann3@")), 10);
    assert_eq!(count(Query::all().subject("letter 70")), 1);
    assert_eq!(count(Query::all().not(Query::all().from("ann3@"))), 60);
    assert_eq!(
        count(Query::all().or(Query::all().from("ann3@"), Query::all().from("ann4@"))),
        20
    );
    assert_eq!(count(Query::all().uid(uids(60..=90))), 11);
    assert_eq!(
        count(Query::all().header("Subject", "letter 1").uid(uids(1..=20))),
        11
    );
    assert_eq!(count(Query::all().since(1990, 1, 1)), 70);
    assert_eq!(count(Query::all().before(1990, 1, 1)), 0);
    assert_eq!(
        count(Query::raw("OR SEEN UNSEEN").unwrap().uid(uids(5..=6))),
        2
    );
    assert_eq!(count(Query::all().subject("\"quoted\\\" a1 LOGOUT")), 0);
    let error = mailbox
        .search(Query::raw("FROBNICATE").unwrap())
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Server { .. }), "{error}");
    assert_eq!(
        count(Query::all()),
        70,
        "a refused search leaves the session in order"
    );
}

pub(crate) fn searches_beyond_ascii_find_what_they_describe(make: MakePlace<'_>) {
    let mut messages = letters(10);
    let foreign = "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nContent-Type: text/plain; \
         charset=utf-8\r\n\r\n日本語\r\n";
    messages.push(foreign.as_bytes().to_vec());
    let place = make(messages);
    let mailbox = place.connect(1);
    let found = mailbox.search(Query::all().subject("Grüße")).unwrap();
    assert_eq!(found.uids().to_string(), "11");
    let found = mailbox
        .search(Query::all().body("日本語").unseen())
        .unwrap();
    assert_eq!(found.uids().to_string(), "11");
    assert!(
        mailbox
            .search(Query::all().subject("Größe"))
            .unwrap()
            .is_empty()
    );
}

pub(crate) fn closed_means_closed(make: MakePlace<'_>) {
    let place = make(letters(10));
    let mailbox = place.connect(2);
    assert_eq!(mailbox.mailbox(), "INBOX");
    assert_eq!((mailbox.exists(), mailbox.workers()), (10, 2));
    assert!(mailbox.uid_validity() > 0);
    assert_eq!(mailbox.uid_next(), Uid::new(11));
    assert_eq!(
        mailbox
            .search(Query::all())
            .unwrap()
            .map(drop)
            .unwrap()
            .len(),
        10
    );
    mailbox.close();
    let error = mailbox.search(Query::all()).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Config, "{error}");
    assert!(error.to_string().contains("closed"), "{error}");
}
