//! What a session may take: deadlines, tries, sizes. Plain data with documented defaults.

use std::time::Duration;

/// The deadlines of a session, one for each phase. All are on by default.
///
/// ```
/// use std::time::Duration;
/// use parallel_mailbox::Timeouts;
///
/// let timeouts = Timeouts::default().connect(Duration::from_secs(5));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    pub(crate) connect: Duration,
    pub(crate) read: Duration,
    pub(crate) write: Duration,
    pub(crate) search: Duration,
    pub(crate) session: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            read: Duration::from_secs(60),
            write: Duration::from_secs(60),
            search: Duration::from_secs(300),
            session: Duration::from_secs(300),
        }
    }
}

impl Timeouts {
    /// How many octets must arrive within one [`read`](Timeouts::read) deadline of waiting for
    /// the wait to count as progress. A server that sends less, an octet now and then, is as dead
    /// as one that sends nothing.
    pub const MIN_PROGRESS_OCTETS: u64 = 1024;

    /// Sets the time to find the host, reach it, set up TLS and read the greeting, all together.
    /// Where a name has several addresses, each gets its share. Defaults to 30 s.
    #[must_use]
    pub fn connect(mut self, timeout: Duration) -> Self {
        self.connect = timeout;
        self
    }

    /// Sets how long a server may stay silent while an answer is due. The same time also bounds
    /// a trickle: at least [`MIN_PROGRESS_OCTETS`](Timeouts::MIN_PROGRESS_OCTETS) must arrive in
    /// it. Time spent in the caller's closure does not count. Defaults to 60 s: large servers
    /// that open a cold message take some seconds, never a minute.
    #[must_use]
    pub fn read(mut self, timeout: Duration) -> Self {
        self.read = timeout;
        self
    }

    /// Sets how long a server may refuse to take a command off the connection.
    /// Defaults to 60 s.
    #[must_use]
    pub fn write(mut self, timeout: Duration) -> Self {
        self.write = timeout;
        self
    }

    /// Sets the time for one SEARCH, from the command to the last octet of its answer.
    /// Defaults to 5 minutes: a search for text in a large mailbox without an index reads all of
    /// it.
    #[must_use]
    pub fn search(mut self, timeout: Duration) -> Self {
        self.search = timeout;
        self
    }

    /// Sets how long to wait for a free session of this mailbox while all are busy with other
    /// runs. Defaults to 5 minutes.
    #[must_use]
    pub fn session(mut self, timeout: Duration) -> Self {
        self.session = timeout;
        self
    }

    /// All deadlines with their names, for checking.
    pub(crate) fn named(&self) -> [(&'static str, Duration); 5] {
        [
            ("connect", self.connect),
            ("read", self.read),
            ("write", self.write),
            ("search", self.search),
            ("session", self.session),
        ]
    }
}

/// How often and how soon a failure is tried again.
///
/// The wait doubles from try to try, with jitter, and starts over only when a message was
/// delivered: a server that takes the login and then drops the connection gains nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    pub(crate) attempts: u32,
    pub(crate) initial_delay: Duration,
    pub(crate) max_delay: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 8,
            initial_delay: Duration::from_millis(250),
            max_delay: Duration::from_secs(30),
        }
    }
}

impl Retry {
    /// Sets how many times in a row a worker tries to open a session before it leaves the run to
    /// the others: at least 1, which means never again. A wrong password is not tried again in
    /// any case. Defaults to 8, which with the default delays bridges an outage of half a minute.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Sets the wait before the second try. Defaults to 250 ms.
    #[must_use]
    pub fn initial_delay(mut self, delay: Duration) -> Self {
        self.initial_delay = delay;
        self
    }

    /// Sets the longest wait between two tries. Defaults to 30 s.
    #[must_use]
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// The wait before try number `attempt` (2 is the first that waits), before jitter.
    pub(crate) fn delay(&self, attempt: u32) -> Duration {
        // 2^16 × the first delay is past every sensible maximum.
        let doublings = attempt.saturating_sub(2).min(16);
        self.initial_delay
            .saturating_mul(1 << doublings)
            .min(self.max_delay)
    }
}

/// The longest line of a response that is held, in octets. RFC 9051 names no bound; the longest
/// that a FETCH brings outside its literals is the list of flags, some hundred octets. SEARCH
/// answers are not held and so not bound by it.
pub(crate) const MAX_LINE_OCTETS: usize = 64 * 1024;

/// The longest command line sent, in octets (RFC 7162, section 4 asks for no more than 8192,
/// with the line's end).
pub(crate) const MAX_COMMAND_OCTETS: usize = 8_000;

/// What every server takes (RFC 2683, section 3.2.1.5).
pub(crate) const MIN_COMMAND_OCTETS: usize = 1_000;

/// Defaults to 256 MiB: mail servers accept messages of 25 to 150 MB.
pub(crate) const DEFAULT_MAX_MESSAGE_SIZE: u64 = 256 * 1024 * 1024;
