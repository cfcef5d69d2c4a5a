//! What a session may take: deadlines, tries, sizes. Plain data with documented defaults.

use std::time::Duration;

/// The deadlines of a session, one for each phase. All are on by default; [`Duration::MAX`] turns one
/// off.
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
    pub(crate) idle: Duration,
    pub(crate) lifetime: Duration,
    pub(crate) min_progress: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            read: Duration::from_secs(60),
            write: Duration::from_secs(60),
            search: Duration::from_secs(300),
            session: Duration::from_secs(300),
            idle: Duration::from_secs(20 * 60),
            lifetime: Duration::from_secs(12 * 3600),
            min_progress: 1024,
        }
    }
}

impl Timeouts {
    /// Sets the time to find the host, reach it, set up TLS and read the greeting, all together.
    /// Where a name has several addresses, each gets its share. Defaults to 30 s.
    #[must_use]
    pub fn connect(mut self, timeout: Duration) -> Self {
        self.connect = timeout;
        self
    }

    /// Sets how long a server may stay silent while an answer is due. The same time also bounds
    /// a trickle: at least [`min_progress`](Timeouts::min_progress) octets must arrive in it. Time
    /// spent in the caller's closure does not count.
    ///
    /// A session that falls silent is replaced, and what it had not brought is asked for again.
    /// When for this long no message came on any session of a run, a new session gets half a
    /// second and four round trips to bring something. If it brings nothing either, the run ends
    /// with an error of kind [`Timeout`](crate::ErrorKind::Timeout).
    ///
    /// Defaults to 60 s: large servers that open a cold message take some seconds, never a minute.
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

    /// Sets how long a session that nobody uses is kept. One that has been idle for longer is
    /// replaced when it is needed; one that has been idle for half a minute is asked first whether
    /// it is still there. Defaults to 20 minutes: servers may close an idle session after 30 (RFC
    /// 9051, section 5.4).
    #[must_use]
    pub fn idle(mut self, timeout: Duration) -> Self {
        self.idle = timeout;
        self
    }

    /// Sets how old a session may become. An older one is replaced before it is used for the next
    /// run or search, never during one. Defaults to 12 hours: some servers end sessions after a
    /// day, and so do access tokens after an hour or more.
    #[must_use]
    pub fn lifetime(mut self, timeout: Duration) -> Self {
        self.lifetime = timeout;
        self
    }

    /// Sets how many octets must arrive within one [`read`](Timeouts::read) deadline of waiting
    /// for the wait to count as progress. A server that sends less, an octet now and then, is as
    /// dead as one that sends nothing. Defaults to 1,024: a telephone's worst connection brings
    /// that in a second.
    #[must_use]
    pub fn min_progress(mut self, octets: u64) -> Self {
        self.min_progress = octets;
        self
    }

    /// All deadlines with their names, for checking.
    pub(crate) fn named(&self) -> [(&'static str, Duration); 7] {
        [
            ("connect", self.connect),
            ("read", self.read),
            ("write", self.write),
            ("search", self.search),
            ("session", self.session),
            ("idle", self.idle),
            ("lifetime", self.lifetime),
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

/// How much a server may send of what nobody asked for. All are on by default, and far above what
/// a server in order ever sends; they bound the memory and the time that one out of order, or an
/// enemy in its place, can take.
///
/// A session over which a server goes beyond them breaks with an error of kind
/// [`Protocol`](crate::ErrorKind::Protocol), and what it had not brought is asked for again on
/// another. The size of a message is bounded by
/// [`max_message_size`](crate::Builder::max_message_size).
///
/// ```
/// use parallel_mailbox::Limits;
///
/// let limits = Limits::default().untagged_responses(1_000);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub(crate) line_octets: usize,
    pub(crate) response_octets: u64,
    pub(crate) untagged_responses: usize,
    pub(crate) search_ranges: usize,
    pub(crate) search_messages: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line_octets: 64 * 1024,
            response_octets: 1024 * 1024 * 1024,
            untagged_responses: 100_000,
            search_ranges: 4_000_000,
            search_messages: 50_000_000,
        }
    }
}

impl Limits {
    /// The least that [`line_octets`](Limits::line_octets) may be: what a line with flags and
    /// capabilities may well need.
    pub(crate) const MIN_LINE_OCTETS: usize = 1024;

    /// Sets the longest line of a response, its literals aside, in octets: at least 1,024.
    ///
    /// RFC 9051 names no bound. The longest line that a FETCH brings is the list of flags, some
    /// hundred octets; the capabilities of a large server are about a thousand. The answer to a
    /// SEARCH is read number by number and is not bound by it. Defaults to 65,536.
    #[must_use]
    pub fn line_octets(mut self, octets: usize) -> Self {
        self.line_octets = octets;
        self
    }

    /// Sets the longest response with all its literals, in octets, whether they are kept or pass
    /// by unread: how much of a message that is too large is waited for. A larger one costs the
    /// connection, which is cheaper than the wait. Never less than
    /// [`max_message_size`](crate::Builder::max_message_size). Defaults to 1 GiB, well above the
    /// largest message that mail servers accept.
    #[must_use]
    pub fn response_octets(mut self, octets: u64) -> Self {
        self.response_octets = octets;
        self
    }

    /// Sets how many responses may come in a row that answer nothing: news of other clients'
    /// doings, messages that were not asked for. Defaults to 100,000: a mailbox of a million
    /// messages has less news between two answers.
    #[must_use]
    pub fn untagged_responses(mut self, responses: usize) -> Self {
        self.untagged_responses = responses;
        self
    }

    /// Sets how many ranges of UIDs the answer to one SEARCH may have; 1,2,3,7 are two ranges.
    /// Each takes 8 octets of memory. Defaults to 4,000,000: a mailbox of eight million messages
    /// of which every second one matches.
    #[must_use]
    pub fn search_ranges(mut self, ranges: usize) -> Self {
        self.search_ranges = ranges;
        self
    }

    /// Sets how many messages the answer to one SEARCH may have. A run keeps one octet for each.
    /// Defaults to 50,000,000, more than any mailbox that is heard of.
    #[must_use]
    pub fn search_messages(mut self, messages: usize) -> Self {
        self.search_messages = messages;
        self
    }

    /// The same, with room for messages of so many octets.
    pub(crate) fn for_messages_of(mut self, octets: u64) -> Self {
        self.response_octets = self.response_octets.max(octets);
        self
    }

    /// All limits with their names and the least that each may be, for checking.
    pub(crate) fn named(&self) -> [(&'static str, u64, u64); 5] {
        [
            (
                "line_octets",
                self.line_octets as u64,
                Self::MIN_LINE_OCTETS as u64,
            ),
            ("response_octets", self.response_octets, 1),
            ("untagged_responses", self.untagged_responses as u64, 1),
            ("search_ranges", self.search_ranges as u64, 1),
            ("search_messages", self.search_messages as u64, 1),
        ]
    }
}

/// The longest command line sent, in octets (RFC 7162, section 4 asks for no more than 8192,
/// with the line's end).
pub(crate) const MAX_COMMAND_OCTETS: usize = 8_000;

/// What every server takes (RFC 2683, section 3.2.1.5).
pub(crate) const MIN_COMMAND_OCTETS: usize = 1_000;

/// Defaults to 256 MiB: mail servers accept messages of 25 to 150 MB.
pub(crate) const DEFAULT_MAX_MESSAGE_SIZE: u64 = 256 * 1024 * 1024;
