//! Sessions are opened when they are needed, lent and given back, and a run ends when it is done.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use parallel_mailbox::{
    Canceller, ErrorKind, Event, ParallelMailbox, Query, Security, Stream, Timeouts, UidSet,
};

use crate::stage::{Say, Stage, read};

const LONG: Duration = Duration::from_secs(60);

fn usual(messages: u32) -> Stage {
    Stage::new(messages, |_| Say::Usual)
}

#[test]
fn a_run_over_one_message_opens_no_second_session() {
    let stage = usual(100);
    let mailbox = stage.client().workers(8).connect().unwrap();
    let done: UidSet = "1:99".parse().unwrap();
    let matches = mailbox.search(Query::all()).unwrap().except(&done);
    assert_eq!(matches.len(), 1);
    read(&matches).assert_all_delivered();
    assert_eq!(stage.connections(), 1);
}

/// A connector that never comes back for some sessions, until it is told to.
fn stuck_connector(
    stage: &Stage,
    from: usize,
) -> (impl parallel_mailbox::Connect + use<>, mpsc::Sender<()>) {
    let (release, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let count = AtomicUsize::new(0);
    let port = stage.port();
    let connect = move |_: &str, _: u16, _: Duration| {
        if count.fetch_add(1, Ordering::SeqCst) + 1 >= from {
            let _ = wait.lock().unwrap().recv_timeout(LONG);
            return Err(std::io::ErrorKind::TimedOut.into());
        }
        let stream = std::net::TcpStream::connect(("127.0.0.1", port))?;
        Ok(Box::new(stream) as Box<dyn Stream>)
    };
    (connect, release)
}

#[test]
fn a_run_does_not_wait_for_a_session_that_does_not_come_about() {
    // A port that takes connections and says nothing.
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let silent_port = silent.local_addr().unwrap().port();
    let stage = usual(200);
    let (port, count) = (stage.port(), AtomicUsize::new(0));
    let connector = move |_: &str, _: u16, _: Duration| {
        let first = count.fetch_add(1, Ordering::SeqCst) == 0;
        let port = if first { port } else { silent_port };
        let stream = std::net::TcpStream::connect(("127.0.0.1", port))?;
        Ok(Box::new(stream) as Box<dyn Stream>)
    };
    let mailbox = stage
        .client()
        .connector(connector)
        .timeouts(Timeouts::default().connect(LONG).read(LONG))
        .workers(4)
        .connect()
        .unwrap();
    let matches = mailbox.search(Query::all()).unwrap();
    let began = Instant::now();
    let mut results = matches.imap(|message| message.uid());
    let mut seen = 0;
    while let Some(item) = results.next_timeout(LONG / 2).unwrap() {
        item.unwrap();
        seen += 1;
    }
    assert_eq!(seen, 200);
    read(&matches).assert_all_delivered();
    assert!(began.elapsed() < LONG / 2, "{:?}", began.elapsed());
}

#[test]
fn the_last_item_does_not_wait_for_the_workers_to_leave() {
    let stage = usual(50);
    let (connector, release) = stuck_connector(&stage, 2);
    let mailbox = stage
        .client()
        .connector(connector)
        .workers(3)
        .connect()
        .unwrap();
    let matches = mailbox.search(Query::all()).unwrap();
    let mut results = matches.imap_unordered(|message| message.uid());
    for _ in 0..50 {
        assert!(results.next_timeout(LONG / 2).unwrap().is_some());
    }
    let report = matches.last_report().unwrap();
    assert!(
        report.is_complete() && report.delivered().len() == 50,
        "{report}"
    );
    drop(release);
    assert!(results.next_timeout(LONG).unwrap().is_none());
}

#[test]
fn sessions_that_died_while_idle_cost_no_search() {
    let kill = Arc::new(AtomicBool::new(false));
    let (killed, last) = (kill.clone(), Arc::new(AtomicUsize::new(0)));
    let newest = last.clone();
    let stage = Stage::new(100, move |scene| {
        newest.fetch_max(scene.connection, Ordering::SeqCst);
        match killed.load(Ordering::SeqCst) && scene.connection <= 5 {
            true => Say::Last(String::new()),
            false => Say::Usual,
        }
    });
    let mailbox = stage.client().workers(5).connect().unwrap();
    let matches = mailbox.search(Query::all()).unwrap().shard_size(1);
    matches
        .for_each(|_| thread::sleep(Duration::from_millis(5)))
        .unwrap();
    assert_eq!(stage.connections(), 5);
    kill.store(true, Ordering::SeqCst);
    let matches = mailbox.search(Query::all()).unwrap();
    read(&matches).assert_all_delivered();
}

#[test]
fn sessions_that_are_too_old_or_too_long_idle_are_replaced() {
    for timeouts in [
        Timeouts::default().idle(Duration::from_nanos(1)),
        Timeouts::default().lifetime(Duration::from_nanos(1)),
    ] {
        let stage = usual(10);
        let mailbox = stage
            .client()
            .timeouts(timeouts)
            .workers(1)
            .connect()
            .unwrap();
        read(&mailbox.search(Query::all()).unwrap()).assert_all_delivered();
        assert_eq!(stage.connections(), 3);
    }
    let stage = usual(10);
    let mailbox = stage.client().workers(1).connect().unwrap();
    read(&mailbox.search(Query::all()).unwrap()).assert_all_delivered();
    assert_eq!(stage.connections(), 1);
}

/// GNU imap4d and Courier give a mailbox that was never opened for writing another UIDVALIDITY each
/// time.
#[test]
fn a_session_with_another_uidvalidity_is_refused_and_the_run_goes_on() {
    let stage = Stage::new(300, |scene| match scene.is("EXAMINE") {
        true => Say::This(format!(
            "* 300 EXISTS\r\n* OK [UIDVALIDITY {}] ok\r\n* OK [UIDNEXT 301] ok\r\nTAG OK done\r\n",
            1000 + scene.connection
        )),
        false => Say::Usual,
    });
    let ending = stage.run_with(4, |builder| builder, |matches| matches.shard_size(10));
    ending.assert_all_delivered();
    assert_eq!(ending.report.sessions(), 1);
    // With no session left that agrees, it is an error that says what helps.
    let breaks = AtomicUsize::new(0);
    let stage = Stage::new(300, move |scene| {
        if scene.is("EXAMINE") {
            return Say::This(format!(
                "* 300 EXISTS\r\n* OK [UIDVALIDITY {}] ok\r\nTAG OK done\r\n",
                1000 + scene.connection
            ));
        }
        match scene.is_fetch() && breaks.fetch_add(1, Ordering::SeqCst) > 3 {
            true => Say::Last(String::new()),
            false => Say::Usual,
        }
    });
    let ending = stage.run_with(2, |builder| builder, |matches| matches.shard_size(10));
    let error = ending.error.expect("the session broke");
    assert!(
        matches!(error.kind(), ErrorKind::UidValidityChanged { .. }),
        "{error}"
    );
    assert!(
        error.to_string().contains("connect and search again"),
        "{error}"
    );
}

#[test]
fn small_windows_do_not_serialise() {
    let stage = usual(160);
    let mailbox = stage.client().workers(8).connect().unwrap();
    let most = Mutex::new((0, 0));
    let matches = mailbox
        .search(Query::all())
        .unwrap()
        .window(16)
        .shard_size(1);
    matches
        .for_each(|_| {
            let mut at_once = most.lock().unwrap();
            at_once.0 += 1;
            at_once.1 = at_once.1.max(at_once.0);
            drop(at_once);
            thread::sleep(Duration::from_millis(5));
            most.lock().unwrap().0 -= 1;
        })
        .unwrap();
    let (_, most) = most.into_inner().unwrap();
    assert!(most >= 4, "no more than {most} of 8 workers at once");
}

#[test]
fn a_closure_that_searches_its_own_mailbox_works_or_is_told_at_once() {
    let stage = usual(40);
    for workers in [1, 3] {
        let mailbox = stage.client().workers(workers).connect().unwrap();
        let outcomes = Mutex::new(Vec::new());
        let matches = mailbox.search(Query::all()).unwrap().shard_size(4);
        let report = matches
            .for_each(|_| {
                let found = mailbox.search(Query::all()).map(|found| found.len());
                outcomes.lock().unwrap().push(found);
            })
            .unwrap();
        assert!(report.is_complete(), "{report}");
        for outcome in outcomes.into_inner().unwrap() {
            match outcome {
                Ok(found) => assert_eq!(found, 40),
                Err(error) => {
                    assert_eq!(error.kind(), &ErrorKind::SessionLimit);
                    assert!(
                        error.to_string().contains("outside of the closure"),
                        "{error}"
                    );
                }
            }
        }
    }
}

#[test]
fn two_runs_over_one_mailbox_share_its_sessions() {
    let stage = usual(100);
    for workers in [1, 2] {
        let mailbox = stage.client().workers(workers).connect().unwrap();
        let slow = mailbox.search(Query::all()).unwrap().shard_size(2);
        let quick = slow.clone();
        thread::scope(|scope| {
            let slow = scope.spawn(move || {
                slow.for_each(|_| thread::sleep(Duration::from_millis(20)))
                    .unwrap()
            });
            let quick = scope.spawn(move || {
                let report = quick.for_each(drop).unwrap();
                (report, Instant::now())
            });
            let (report, quick_ended) = quick.join().unwrap();
            assert!(report.is_complete());
            assert!(slow.join().unwrap().is_complete());
            assert!(quick_ended < Instant::now());
        });
    }
}

#[test]
fn everything_can_be_cancelled() {
    // What is under way, from another thread.
    let began = Arc::new(AtomicBool::new(false));
    let at_fetch = began.clone();
    let stage = Stage::new(40, move |scene| {
        if scene.is_fetch() {
            at_fetch.store(true, Ordering::SeqCst);
            thread::sleep(Duration::from_secs(5));
        }
        Say::Usual
    });
    let mailbox = stage.client().workers(2).connect().unwrap();
    let matches = mailbox.search(Query::all()).unwrap();
    let canceller = matches.canceller();
    let ending = thread::scope(|scope| {
        let running = scope.spawn(|| read(&matches));
        while !began.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        canceller.cancel();
        running.join().unwrap()
    });
    let error = ending.error.expect("it was cancelled");
    assert_eq!(error.kind(), &ErrorKind::Cancelled);
    assert!(!error.is_retryable());
    assert_eq!(ending.report.unfinished().len(), 40);
    assert!(canceller.is_cancelled());
    let error = matches.map(|message| message.uid()).unwrap_err();
    assert_eq!(
        error.kind(),
        &ErrorKind::Cancelled,
        "and what is yet to start"
    );

    // Connecting and searching.
    let canceller = Canceller::new();
    let cancelled = Stage::new(40, {
        let canceller = canceller.clone();
        move |scene| {
            if scene.is("UID SEARCH") {
                canceller.cancel();
                thread::sleep(Duration::from_secs(5));
            }
            Say::Usual
        }
    });
    let mailbox = cancelled.client().canceller(&canceller).connect().unwrap();
    let error = mailbox.search(Query::all()).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Cancelled);
    let error = cancelled
        .client()
        .canceller(&canceller)
        .connect()
        .unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Cancelled);
}

#[test]
fn a_time_out_without_end_is_none() {
    let timeouts = Timeouts::default()
        .connect(Duration::MAX)
        .read(Duration::MAX)
        .write(Duration::MAX)
        .search(Duration::MAX)
        .session(Duration::MAX)
        .idle(Duration::MAX)
        .lifetime(Duration::MAX);
    let stage = usual(50);
    let mailbox = stage
        .client()
        .timeouts(timeouts)
        .workers(3)
        .connect()
        .unwrap();
    let matches = mailbox.search(Query::all()).unwrap();
    let mut results = matches.imap(|message| message.uid());
    let mut seen = 0;
    while results.next_timeout(Duration::MAX).unwrap().is_some() {
        seen += 1;
    }
    assert_eq!(seen, 50);
    mailbox.close();
}

#[test]
fn a_handle_that_is_kept_does_not_hold_the_memory_of_a_run() {
    struct Told(Arc<()>);
    let stage = usual(10);
    let mailbox = stage.client().workers(1).connect().unwrap();
    let matches = mailbox.search(Query::all()).unwrap();
    let held = Arc::new(());
    let told = Told(held.clone());
    let mut results = matches.imap(move |message| {
        let _ = &told.0;
        message
    });
    let (canceller, progress) = (results.canceller(), results.progress());
    assert!(results.next().is_some());
    drop(results);
    assert_eq!(Arc::strong_count(&held), 1);
    canceller.cancel();
    assert_eq!(progress.total(), 10);
}

#[test]
fn an_empty_run_has_a_report() {
    let stage = usual(10);
    let mailbox = stage.client().workers(2).connect().unwrap();
    let matches = mailbox.uids(UidSet::new());
    assert_eq!(matches.imap(|message| message.uid()).count(), 0);
    let report = matches.last_report().unwrap();
    assert!(report.is_complete() && report.matched().is_empty());
    assert_eq!(stage.connections(), 1);
}

#[test]
fn a_closure_ends_its_run_by_an_error_of_its_own() {
    #[derive(Debug)]
    enum Mine {
        Seven,
        Theirs(#[allow(dead_code)] parallel_mailbox::Error),
    }
    impl From<parallel_mailbox::Error> for Mine {
        fn from(error: parallel_mailbox::Error) -> Self {
            Self::Theirs(error)
        }
    }
    let stage = usual(50);
    let mailbox = stage.client().workers(2).connect().unwrap();
    let matches = mailbox.search(Query::all()).unwrap();
    let uids = matches
        .try_map(|message| Ok::<_, Mine>(message.uid().get()))
        .unwrap();
    assert!(uids.into_iter().eq(1..=50));
    let fail = |message: parallel_mailbox::Message| match message.uid().get() {
        7 => Err(Mine::Seven),
        uid => Ok(uid),
    };
    assert!(matches!(matches.try_map(fail), Err(Mine::Seven)));
    let report = matches.last_report().unwrap();
    assert!(
        report
            .unfinished()
            .contains(parallel_mailbox::Uid::new(7).unwrap()),
        "{report}"
    );
    let nothing = |message| fail(message).map(drop);
    assert!(matches!(matches.try_for_each(nothing), Err(Mine::Seven)));
    let rest = matches.clone().except(&"7".parse().unwrap());
    assert_eq!(rest.try_for_each(nothing).unwrap().delivered().len(), 49);
}

#[test]
fn the_error_that_ended_a_map_is_fatal() {
    let stage = Stage::new(20, |scene| match scene.is_fetch() {
        true => scene.fetch_without(|uid| uid == 7),
        false => Say::Usual,
    });
    let mailbox = stage.client().workers(2).connect().unwrap();
    let matches = mailbox.search(Query::all()).unwrap();
    let error = matches.map(|message| message.uid()).unwrap_err();
    assert!(error.is_fatal() && error.uid().is_some(), "{error}");
    let error = matches
        .imap(|message| message.uid())
        .find_map(Result::err)
        .unwrap();
    assert!(!error.is_fatal(), "{error}");
}

#[test]
fn shards_without_bounds_are_cut_in_linear_time() {
    let stage = usual(3000);
    let mailbox = stage.client().workers(2).connect().unwrap();
    let matches = mailbox.search(Query::all()).unwrap();
    let matches = matches.shard_size(usize::MAX).window(usize::MAX);
    read(&matches).assert_all_delivered();
}

/// A limit that falls while the run starts, and a server that goes down.
#[test]
fn a_run_that_loses_its_sessions_at_the_start_says_so() {
    let stage = Stage::new(2000, |scene| {
        if scene.is("LOGIN") && scene.connection > 1 {
            return Say::Last("TAG NO [LIMIT] no more\r\n".to_owned());
        }
        match scene.is_fetch() {
            true => Say::Last(String::new()),
            false => Say::Usual,
        }
    });
    let mailbox = stage
        .client()
        .workers(8)
        .retry(
            parallel_mailbox::Retry::default()
                .attempts(3)
                .initial_delay(Duration::from_millis(1)),
        )
        .connect()
        .unwrap();
    let scattered: UidSet = (1..=1000)
        .filter_map(|n| parallel_mailbox::Uid::new(2 * n))
        .collect();
    let matches = mailbox.uids(&scattered);
    let error = matches.map(|message| message.uid()).unwrap_err();
    assert!(error.is_fatal(), "{error}");
    assert_eq!(matches.last_report().unwrap().unfinished().len(), 1000);
}

#[test]
fn sessions_are_told_as_many_as_there_are() {
    let open = Arc::new(Mutex::new(Vec::new()));
    let heard = open.clone();
    let stage = usual(200);
    let mailbox: ParallelMailbox = stage
        .client()
        .workers(4)
        .security(Security::DangerPlaintext)
        .on_event(move |event| {
            if let Event::SessionOpened { open, .. } = event {
                heard.lock().unwrap().push(*open);
            }
        })
        .connect()
        .unwrap();
    read(&mailbox.search(Query::all()).unwrap().shard_size(1)).assert_all_delivered();
    assert!(
        open.lock()
            .unwrap()
            .iter()
            .all(|open| (1..=4).contains(open))
    );
}
