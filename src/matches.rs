//! The result of a search, and the runs over it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Scope;

use crate::error::{Error, Result};
use crate::fetch::Fetch;
use crate::iter::{Imap, ImapUnordered, ReportPlace, Scoped};
use crate::launch::{self, OnFailure};
use crate::message::Message;
use crate::pool::{Plan, SHARD_OCTETS, Sessions};
use crate::progress::Canceller;
use crate::report::Report;
use crate::stop::Stop;
use crate::uid_set::{Cursor, Direction, Uid, UidSet};

/// Messages handed out and not yet taken, per worker. With small messages on a link of 50 ms, a
/// worker has up to 1,000 on their way.
const WINDOW_PER_WORKER: usize = 2048;

/// How many octets of messages may wait for the consumer.
const DEFAULT_WINDOW_OCTETS: u64 = 32 * 1024 * 1024;

/// No state: closures take the message alone.
#[derive(Debug, Clone, Copy)]
pub struct Stateless(());

/// A state for each worker: closures take `(&mut S, Message)`. Made by
/// [`Matches::initializer`].
pub struct Stateful<S>(Arc<dyn Fn() -> S + Send + Sync>);

impl<S> Clone for Stateful<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S> fmt::Debug for Stateful<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stateful").finish_non_exhaustive()
    }
}

/// The messages that a search has found: an ordered set of UIDs, nothing fetched yet.
///
/// Settings are made by value and the runs by reference, so one `Matches` serves for many runs.
/// Every run has a worker for each session and hands each message to a closure on the worker's
/// thread:
///
/// | run | result |
/// |---|---|
/// | [`map`](Matches::map) | all results, in order, or the first error |
/// | [`for_each`](Matches::for_each) | nothing but the report |
/// | [`fold`](Matches::fold) | one value, folded by each worker and then reduced, or the first error |
/// | [`fold_each`](Matches::fold_each) | the same of the messages that can be had, and the report |
/// | [`imap`](Matches::imap) | an iterator, in order |
/// | [`imap_unordered`](Matches::imap_unordered) | an iterator, as they become ready |
///
/// # Slow closures
///
/// A worker calls the closure between two reads, so while it runs, what was asked for arrives
/// meanwhile and waits in the buffers of the network, not in memory: up to four commands of at
/// most 512 messages or 4 MiB each, up to eight where a session answers these within three round
/// trips, and fewer where little is left, so that all workers finish together. With a closure of 5
/// ms of CPU time and 4 or 8 sessions, a run over small messages took 1.02 to 1.04 times as long
/// as the closures alone keep two CPUs busy, and on a way of 50 ms a quarter of a second more, for
/// the set-up (`cargo bench --bench cost -- slow` measures it again). A closure that hangs on one
/// message holds back what its worker has in flight, and in the runs that keep the order what is
/// behind it in the [`window`](Matches::window); the other workers go on.
/// [`shard_size`](Matches::shard_size) makes that less.
#[must_use = "nothing is fetched until one of the runs is called"]
pub struct Matches<I = Stateless> {
    sessions: Arc<Sessions>,
    uids: UidSet,
    /// The server has named them itself.
    are_found: bool,
    stop: Stop,
    fetch: Fetch,
    shard_size: Option<usize>,
    window: usize,
    window_octets: u64,
    newest_first: bool,
    initializer: I,
    last_report: ReportPlace,
}

impl Matches {
    /// What a search has found.
    pub(crate) fn found(sessions: Arc<Sessions>, uids: UidSet) -> Self {
        Self {
            are_found: true,
            ..Self::named(sessions, uids)
        }
    }

    /// What the caller has named.
    pub(crate) fn named(sessions: Arc<Sessions>, uids: UidSet) -> Self {
        let window = sessions
            .settings()
            .workers
            .saturating_mul(WINDOW_PER_WORKER);
        Self {
            stop: Stop::under(&sessions.settings().stop),
            sessions,
            uids,
            are_found: false,
            fetch: Fetch::default(),
            shard_size: None,
            window,
            window_octets: DEFAULT_WINDOW_OCTETS,
            newest_first: false,
            initializer: Stateless(()),
            last_report: ReportPlace::default(),
        }
    }

    /// Gives each worker a state of its own, made by `initializer` on the worker's thread when
    /// the run starts. Closures then take `(&mut state, message)`.
    ///
    /// For what is costly to make and cannot be shared: a model, a database connection, a buffer.
    ///
    /// ```no_run
    /// # use parallel_mailbox::{ParallelMailbox, Query};
    /// # let mailbox = ParallelMailbox::builder("imap.example.org").login("me", "secret").connect()?;
    /// let matches = mailbox.search(Query::all())?;
    /// let lengths = matches.initializer(String::new).map(|buffer, message| {
    ///     buffer.clear();
    ///     buffer.push_str(&String::from_utf8_lossy(message.raw()));
    ///     buffer.chars().count()
    /// })?;
    /// # Ok::<(), parallel_mailbox::Error>(())
    /// ```
    ///
    /// A panic of `initializer` ends the run with an error of kind
    /// [`Panicked`](crate::ErrorKind::Panicked).
    pub fn initializer<S>(
        self,
        initializer: impl Fn() -> S + Send + Sync + 'static,
    ) -> Matches<Stateful<S>> {
        Matches {
            sessions: self.sessions,
            uids: self.uids,
            are_found: self.are_found,
            stop: self.stop,
            fetch: self.fetch,
            shard_size: self.shard_size,
            window: self.window,
            window_octets: self.window_octets,
            newest_first: self.newest_first,
            initializer: Stateful(Arc::new(initializer)),
            last_report: ReportPlace::default(),
        }
    }
}

/// Settings.
impl<I> Matches<I> {
    /// Returns the number of messages.
    #[must_use]
    pub fn len(&self) -> usize {
        self.uids.len()
    }

    /// Returns whether there is no message.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.uids.is_empty()
    }

    /// Returns the UIDs of the messages.
    #[must_use]
    pub fn uids(&self) -> &UidSet {
        &self.uids
    }

    /// Sets how much of each message is fetched. Defaults to [`Fetch::full`].
    pub fn fetch(mut self, fetch: Fetch) -> Self {
        self.fetch = fetch;
        self
    }

    /// Sets how many messages one FETCH command asks for; 0 counts as 1. It changes nothing but
    /// the speed.
    ///
    /// Defaults to what suits the sizes of the messages seen so far, up to 512.
    pub fn shard_size(mut self, messages: usize) -> Self {
        self.shard_size = Some(messages.max(1));
        self
    }

    /// Sets how many messages may be under way between the mailbox and the consumer: asked for,
    /// being worked on, or waiting to be taken; 0 counts as 1. When the consumer is slow, workers
    /// wait.
    ///
    /// It bounds the number of results in memory; [`window_octets`](Matches::window_octets)
    /// bounds the messages. Defaults to 2,048 for each worker.
    pub fn window(mut self, messages: usize) -> Self {
        self.window = messages.max(1);
        self
    }

    /// Sets how many octets of messages may be held: received, and not yet taken by the consumer.
    ///
    /// What a run holds, beside what the caller keeps, is at most
    ///
    /// ```text
    /// max(window_octets, largest) + largest + workers × 100 kB
    /// ```
    ///
    /// where `largest` is the largest message. The second one is the message that the consumer
    /// waits for, which always gets in, or that it has just taken. One that is larger than the
    /// whole window gets in when nothing else is held.
    ///
    /// A run keeps up to 16 MiB of it for the next messages. What the system's allocator keeps of the
    /// memory of messages under 128 KiB or over 8 MiB comes on top. With 8 workers, 32 MiB and
    /// messages of 5 MiB a process that does nothing else was seen to take 46 MiB.
    ///
    /// A message counts until the consumer takes its item, or until the closure drops it, so a
    /// closure that returns a number holds nothing back. The runs that return no iterator hold a
    /// message only while the closure runs. Defaults to 32 MiB.
    pub fn window_octets(mut self, octets: u64) -> Self {
        self.window_octets = octets;
        self
    }

    /// Sets whether the order is from the highest UID to the lowest. Defaults to `false`.
    pub fn newest_first(mut self, newest_first: bool) -> Self {
        self.newest_first = newest_first;
        self
    }

    /// Keeps so many messages with the lowest UIDs, which are the oldest in the mailbox.
    pub fn first(mut self, count: usize) -> Self {
        self.uids = Cursor::new(Direction::Ascending).take(&self.uids, count);
        self
    }

    /// Keeps so many messages with the highest UIDs, which are the newest in the mailbox. Whether
    /// they come in ascending order is for [`newest_first`](Matches::newest_first) to say.
    ///
    /// ```no_run
    /// # fn example(mailbox: &parallel_mailbox::ParallelMailbox) -> parallel_mailbox::Result<()> {
    /// use parallel_mailbox::Query;
    ///
    /// let newest = mailbox.search(Query::all())?.last(100);
    /// # Ok(())
    /// # }
    /// ```
    pub fn last(mut self, count: usize) -> Self {
        self.uids = Cursor::new(Direction::Descending).take(&self.uids, count);
        self
    }

    /// Leaves out these messages, such as those that an earlier run has dealt with.
    pub fn except(mut self, uids: &UidSet) -> Self {
        self.uids = self.uids.difference(uids);
        self
    }

    /// Returns the report of the last run over this value that has ended, if there is one. An
    /// iterator's run ends with its last item, or when it is dropped.
    #[must_use]
    pub fn last_report(&self) -> Option<Report> {
        self.last_report
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Returns a handle that ends all runs over this value, also those that are yet to start. Use a
    /// clone of the value for further ones.
    ///
    /// ```no_run
    /// # use parallel_mailbox::{ParallelMailbox, Query};
    /// # let mailbox = ParallelMailbox::builder("imap.example.org").login("me", "secret").connect()?;
    /// let matches = mailbox.search(Query::all())?;
    /// let canceller = matches.canceller();
    /// std::thread::spawn(move || {
    ///     std::io::stdin().read_line(&mut String::new()).ok();
    ///     canceller.cancel();
    /// });
    /// let report = matches.for_each(|message| println!("{}", message.uid()));
    /// # Ok::<(), parallel_mailbox::Error>(())
    /// ```
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        Canceller::of(&self.stop)
    }

    pub(crate) fn sessions(&self) -> &Arc<Sessions> {
        &self.sessions
    }

    pub(crate) fn fetched(&self) -> Fetch {
        self.fetch
    }

    pub(crate) fn stop(&self) -> &Stop {
        &self.stop
    }

    pub(crate) fn budget(&self) -> u64 {
        self.window_octets
    }

    pub(crate) fn window_messages(&self) -> usize {
        self.window
    }

    pub(crate) fn place(&self) -> &ReportPlace {
        &self.last_report
    }

    pub(crate) fn plan(&self) -> Plan {
        let (uids, unlikely) = self.likely();
        // Never more than messages, so that a short result opens few connections. Not fewer because
        // the server grants fewer just now: that may change, and who finds no session waits.
        let messages = uids.len() + unlikely.len();
        let workers = self.sessions.settings().workers.min(messages);
        // While the first in order is on its way, the others' shards must find room to wait.
        let room = self.window_octets / (2 * workers.max(1) as u64);
        Plan {
            uids,
            unlikely,
            newest_first: self.newest_first,
            workers,
            shard_octets: SHARD_OCTETS.min(room).max(1),
            window: self.window,
            shard_size: self.shard_size,
        }
    }

    /// The UIDs that the mailbox may well have, and those that it hardly has: above all that it had
    /// when it was last opened, or, where that is not known, more than it had messages.
    fn likely(&self) -> (UidSet, UidSet) {
        let all = || (self.uids.clone(), UidSet::new());
        let Some(selected) = self.sessions.selected() else {
            return all();
        };
        if self.are_found {
            return all();
        }
        match selected.uid_next.and_then(Uid::new) {
            Some(next) => {
                let above = UidSet::from_range(next, Uid::MAX);
                (self.uids.difference(&above), self.uids.intersection(&above))
            }
            None if self.uids.len() > selected.exists as usize => {
                (UidSet::new(), self.uids.clone())
            }
            None => all(),
        }
    }
}

/// Runs of closures that take the message alone.
impl Matches<Stateless> {
    /// Calls `f` on every message and returns all results, in order.
    ///
    /// Results of messages that are gone are left out; [`last_report`](Matches::last_report) says
    /// which.
    ///
    /// # Errors
    ///
    /// The first error of any kind stops the run. Use [`imap`](Matches::imap) or
    /// [`for_each`](Matches::for_each) to go on past messages that fail.
    pub fn map<T, F>(&self, f: F) -> Result<Vec<T>>
    where
        F: Fn(Message) -> T + Sync,
        T: Send,
    {
        launch::map(self, || (), |(), message| f(message))
    }

    /// Calls `f` on every message.
    ///
    /// # Errors
    ///
    /// Only errors that end the run. Messages that fail are in the report.
    pub fn for_each<F>(&self, f: F) -> Result<Report>
    where
        F: Fn(Message) + Sync,
    {
        launch::for_each(self, || (), |(), message| f(message))
    }

    /// Calls `f` on every message and returns all results, in order. The first error that `f`
    /// returns stops the run.
    ///
    /// The message on which `f` failed counts as unfinished, since nobody is done with it.
    ///
    /// ```no_run
    /// # use parallel_mailbox::{ParallelMailbox, Query};
    /// fn texts(mailbox: &ParallelMailbox) -> Result<Vec<String>, Box<dyn std::error::Error + Send + Sync>> {
    ///     mailbox.search(Query::all())?.try_map(|message| Ok(String::from_utf8(message.into_raw())?))
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// What `f` returns, or the first error of any kind.
    pub fn try_map<T, E, F>(&self, f: F) -> Result<Vec<T>, E>
    where
        F: Fn(Message) -> Result<T, E> + Sync,
        T: Send,
        E: From<Error> + Send,
    {
        launch::try_map(self, || (), |(), message| f(message))
    }

    /// Calls `f` on every message. The first error that `f` returns stops the run; messages that
    /// cannot be had are in the report.
    ///
    /// The message on which `f` failed counts as unfinished, since nobody is done with it.
    ///
    /// # Errors
    ///
    /// What `f` returns, or an error that ends the run.
    pub fn try_for_each<E, F>(&self, f: F) -> Result<Report, E>
    where
        F: Fn(Message) -> Result<(), E> + Sync,
        E: From<Error> + Send,
    {
        launch::try_for_each(self, || (), |(), message| f(message))
    }

    /// Folds all messages into one value: each worker starts from `init()` and folds its messages
    /// by `fold`, and the workers' values are joined by `reduce`. Which worker gets which message,
    /// and in which order, is not determined.
    ///
    /// ```no_run
    /// # use parallel_mailbox::{ParallelMailbox, Query};
    /// # let mailbox = ParallelMailbox::builder("imap.example.org").login("me", "secret").connect()?;
    /// let octets = mailbox.search(Query::all())?.fold(
    ///     || 0,
    ///     |sum, message| sum + message.raw().len(),
    ///     |one, other| one + other,
    /// )?;
    /// # Ok::<(), parallel_mailbox::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first error of any kind stops the run, since a value that lacks some messages without
    /// saying so would be wrong.
    pub fn fold<A, B, F, R>(&self, init: B, fold: F, reduce: R) -> Result<A>
    where
        B: Fn() -> A + Sync,
        F: Fn(A, Message) -> A + Sync,
        R: Fn(A, A) -> A,
        A: Send,
    {
        let fold = |(): &mut (), value, message| fold(value, message);
        launch::fold(self, || (), init, fold, reduce, OnFailure::Stop).map(|(value, _)| value)
    }

    /// Folds all messages that can be had into one value, like [`fold`](Matches::fold), and tells
    /// of those that cannot in the report, like [`for_each`](Matches::for_each).
    ///
    /// ```no_run
    /// # use parallel_mailbox::{ParallelMailbox, Query};
    /// # let mailbox = ParallelMailbox::builder("imap.example.org").login("me", "secret").connect()?;
    /// let matches = mailbox.search(Query::all())?;
    /// let (octets, report) = matches.fold_each(
    ///     || 0,
    ///     |sum, message| sum + message.raw().len(),
    ///     |one, other| one + other,
    /// )?;
    /// println!("{octets} octets; {report}");
    /// # Ok::<(), parallel_mailbox::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Errors that end the run, and a panic in `fold`, with which the value of a worker is lost.
    pub fn fold_each<A, B, F, R>(&self, init: B, fold: F, reduce: R) -> Result<(A, Report)>
    where
        B: Fn() -> A + Sync,
        F: Fn(A, Message) -> A + Sync,
        R: Fn(A, A) -> A,
        A: Send,
    {
        let fold = |(): &mut (), value, message| fold(value, message);
        launch::fold(self, || (), init, fold, reduce, OnFailure::StopAtPanic)
    }

    /// Calls `f` on every message and returns the results one by one, in the order of the
    /// messages. The run starts at once and goes on as far ahead as the
    /// [`window`](Matches::window) allows.
    pub fn imap<T, F>(&self, f: F) -> Imap<T>
    where
        F: Fn(Message) -> T + Send + Sync + 'static,
        T: Send + 'static,
    {
        Imap::new(launch::spawn(self, || (), move |(), message| f(message)))
    }

    /// Calls `f` on every message and returns the results one by one, as they become ready. The
    /// run starts at once and goes on as far ahead as the [`window`](Matches::window) allows.
    pub fn imap_unordered<T, F>(&self, f: F) -> ImapUnordered<T>
    where
        F: Fn(Message) -> T + Send + Sync + 'static,
        T: Send + 'static,
    {
        ImapUnordered::new(launch::spawn(self, || (), move |(), message| f(message)))
    }

    /// Like [`imap`](Matches::imap), for a closure that borrows.
    ///
    /// ```no_run
    /// # use parallel_mailbox::{ParallelMailbox, Query};
    /// # let mailbox = ParallelMailbox::builder("imap.example.org").login("me", "secret").connect()?;
    /// let words = vec!["invoice".to_owned()];
    /// let matches = mailbox.search(Query::all())?;
    /// std::thread::scope(|scope| {
    ///     let found = matches.imap_scoped(scope, |message| {
    ///         let text = String::from_utf8_lossy(message.raw());
    ///         words.iter().any(|word| text.contains(word))
    ///     });
    ///     println!("{} messages", found.filter(|found| matches!(found, Ok(true))).count());
    /// });
    /// # Ok::<(), parallel_mailbox::Error>(())
    /// ```
    pub fn imap_scoped<'scope, T, F>(
        &self,
        scope: &'scope Scope<'scope, '_>,
        f: F,
    ) -> Imap<T, Scoped<'scope>>
    where
        F: Fn(Message) -> T + Send + Sync + 'scope,
        T: Send + 'scope,
    {
        let job = move |(): &mut (), message| f(message);
        Imap::new(launch::spawn_scoped(self, scope, || (), job))
    }

    /// Like [`imap_unordered`](Matches::imap_unordered), for a closure that borrows.
    pub fn imap_unordered_scoped<'scope, T, F>(
        &self,
        scope: &'scope Scope<'scope, '_>,
        f: F,
    ) -> ImapUnordered<T, Scoped<'scope>>
    where
        F: Fn(Message) -> T + Send + Sync + 'scope,
        T: Send + 'scope,
    {
        let job = move |(): &mut (), message| f(message);
        ImapUnordered::new(launch::spawn_scoped(self, scope, || (), job))
    }
}

/// Runs of closures that take the worker's state and the message. Each is as its namesake above.
impl<S: 'static> Matches<Stateful<S>> {
    /// Like [`map`](Matches::<Stateless>::map).
    ///
    /// # Errors
    ///
    /// The first error of any kind stops the run.
    pub fn map<T, F>(&self, f: F) -> Result<Vec<T>>
    where
        F: Fn(&mut S, Message) -> T + Sync,
        T: Send,
    {
        launch::map(self, &*self.initializer.0, f)
    }

    /// Like [`for_each`](Matches::<Stateless>::for_each).
    ///
    /// # Errors
    ///
    /// Only errors that end the run. Messages that fail are in the report.
    pub fn for_each<F>(&self, f: F) -> Result<Report>
    where
        F: Fn(&mut S, Message) + Sync,
    {
        launch::for_each(self, &*self.initializer.0, f)
    }

    /// Like [`try_map`](Matches::<Stateless>::try_map).
    ///
    /// # Errors
    ///
    /// What `f` returns, or the first error of any kind.
    pub fn try_map<T, E, F>(&self, f: F) -> Result<Vec<T>, E>
    where
        F: Fn(&mut S, Message) -> Result<T, E> + Sync,
        T: Send,
        E: From<Error> + Send,
    {
        launch::try_map(self, &*self.initializer.0, f)
    }

    /// Like [`try_for_each`](Matches::<Stateless>::try_for_each).
    ///
    /// # Errors
    ///
    /// What `f` returns, or an error that ends the run.
    pub fn try_for_each<E, F>(&self, f: F) -> Result<Report, E>
    where
        F: Fn(&mut S, Message) -> Result<(), E> + Sync,
        E: From<Error> + Send,
    {
        launch::try_for_each(self, &*self.initializer.0, f)
    }

    /// Like [`fold`](Matches::<Stateless>::fold).
    ///
    /// # Errors
    ///
    /// The first error of any kind stops the run.
    pub fn fold<A, B, F, R>(&self, init: B, fold: F, reduce: R) -> Result<A>
    where
        B: Fn() -> A + Sync,
        F: Fn(&mut S, A, Message) -> A + Sync,
        R: Fn(A, A) -> A,
        A: Send,
    {
        launch::fold(
            self,
            &*self.initializer.0,
            init,
            fold,
            reduce,
            OnFailure::Stop,
        )
        .map(|(value, _)| value)
    }

    /// Like [`fold_each`](Matches::<Stateless>::fold_each).
    ///
    /// # Errors
    ///
    /// Errors that end the run, and a panic in `fold`, with which the value of a worker is lost.
    pub fn fold_each<A, B, F, R>(&self, init: B, fold: F, reduce: R) -> Result<(A, Report)>
    where
        B: Fn() -> A + Sync,
        F: Fn(&mut S, A, Message) -> A + Sync,
        R: Fn(A, A) -> A,
        A: Send,
    {
        let initializer = &*self.initializer.0;
        launch::fold(
            self,
            initializer,
            init,
            fold,
            reduce,
            OnFailure::StopAtPanic,
        )
    }

    /// Like [`imap`](Matches::<Stateless>::imap).
    pub fn imap<T, F>(&self, f: F) -> Imap<T>
    where
        F: Fn(&mut S, Message) -> T + Send + Sync + 'static,
        T: Send + 'static,
    {
        let initializer = self.initializer.0.clone();
        Imap::new(launch::spawn(self, move || initializer(), f))
    }

    /// Like [`imap_unordered`](Matches::<Stateless>::imap_unordered).
    pub fn imap_unordered<T, F>(&self, f: F) -> ImapUnordered<T>
    where
        F: Fn(&mut S, Message) -> T + Send + Sync + 'static,
        T: Send + 'static,
    {
        let initializer = self.initializer.0.clone();
        ImapUnordered::new(launch::spawn(self, move || initializer(), f))
    }

    /// Like [`imap_scoped`](Matches::<Stateless>::imap_scoped).
    pub fn imap_scoped<'scope, T, F>(
        &self,
        scope: &'scope Scope<'scope, '_>,
        f: F,
    ) -> Imap<T, Scoped<'scope>>
    where
        F: Fn(&mut S, Message) -> T + Send + Sync + 'scope,
        T: Send + 'scope,
    {
        let initializer = self.initializer.0.clone();
        Imap::new(launch::spawn_scoped(self, scope, move || initializer(), f))
    }

    /// Like [`imap_unordered_scoped`](Matches::<Stateless>::imap_unordered_scoped).
    pub fn imap_unordered_scoped<'scope, T, F>(
        &self,
        scope: &'scope Scope<'scope, '_>,
        f: F,
    ) -> ImapUnordered<T, Scoped<'scope>>
    where
        F: Fn(&mut S, Message) -> T + Send + Sync + 'scope,
        T: Send + 'scope,
    {
        let initializer = self.initializer.0.clone();
        ImapUnordered::new(launch::spawn_scoped(self, scope, move || initializer(), f))
    }
}

impl<I: Clone> Clone for Matches<I> {
    /// The clone has the same settings, a canceller of its own, and no last report.
    fn clone(&self) -> Self {
        Self {
            sessions: self.sessions.clone(),
            uids: self.uids.clone(),
            are_found: self.are_found,
            stop: Stop::under(&self.sessions.settings().stop),
            fetch: self.fetch,
            shard_size: self.shard_size,
            window: self.window,
            window_octets: self.window_octets,
            newest_first: self.newest_first,
            initializer: self.initializer.clone(),
            last_report: Arc::new(Mutex::new(None)),
        }
    }
}

impl<I> fmt::Debug for Matches<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Matches")
            .field("uids", &self.uids)
            .field("fetch", &self.fetch)
            .field("shard_size", &self.shard_size)
            .field("window", &self.window)
            .field("window_octets", &self.window_octets)
            .field("newest_first", &self.newest_first)
            .finish_non_exhaustive()
    }
}
