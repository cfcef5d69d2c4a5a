//! What a server says beside the answers that are waited for: its name and capabilities, how many
//! messages the mailbox has, alerts, goodbyes, and lines that are no IMAP at all. Kept within bounds,
//! and shown with the error that comes of it. Sends and reads nothing.

use crate::credentials::Redaction;
use crate::error::{Error, ErrorKind, excerpt};
use crate::refusal::Refusal;
use crate::transport::{Condition, Phase, Status};

/// So many alerts are kept.
const MOST_ALERTS: usize = 3;

/// Untagged data of IMAP, without a number in front. Whatever else a line begins with are words.
const DATA: &[&[u8]] = &[
    b"OK",
    b"NO",
    b"BAD",
    b"BYE",
    b"PREAUTH",
    b"CAPABILITY",
    b"ENABLED",
    b"ESEARCH",
    b"FLAGS",
    b"ID",
    b"LIST",
    b"LSUB",
    b"NAMESPACE",
    b"QUOTA",
    b"QUOTAROOT",
    b"SEARCH",
    b"SORT",
    b"STATUS",
    b"THREAD",
    b"VANISHED",
    b"XLIST",
];

/// What the server said besides the answer to the last command.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// In capitals. Empty if it has said nothing about them.
    pub(super) capabilities: Vec<String>,
    pub(super) completion: Option<Completion>,
    /// What it said about itself: the text of its greeting, or its answer to ID.
    pub(super) name: String,
    pub(super) mailbox: Told,
    /// Its BYE.
    bye: Option<Completion>,
    /// The texts of ALERTs, which must be shown to the user (RFC 9051, section 7.1).
    alerts: Vec<String>,
    /// The last line that is no response of IMAP.
    words: Option<String>,
}

/// What it said about the mailbox that is open. Absent: nothing.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Told {
    pub(super) exists: Option<u32>,
    /// The least that `exists` has been since [`Heard::watch_count`].
    pub(super) least: Option<u32>,
    /// Everything that was said about the number of messages has been heard.
    pub(super) is_exact: bool,
    pub(super) uid_validity: Option<u32>,
    pub(super) uid_next: Option<u32>,
}

/// The end of a command, or of a connection.
#[derive(Debug, Clone)]
pub(super) struct Completion {
    pub(super) condition: Condition,
    pub(super) code: Option<String>,
    /// As it came.
    pub(super) text: Vec<u8>,
}

impl Completion {
    pub(super) fn of(status: &Status<'_>) -> Self {
        Self {
            condition: status.condition,
            code: status.code_word(),
            text: status.text.to_vec(),
        }
    }

    /// As an error of the command that it ends.
    pub(super) fn refused(&self, phase: Phase, secrets: Option<&Redaction>) -> Error {
        self.as_error(phase.to_string(), secrets)
    }

    fn as_error(&self, context: String, secrets: Option<&Redaction>) -> Error {
        let Some(secrets) = secrets else {
            return Error::refused(self.condition, self.code.clone(), &self.text, context);
        };
        // What it means is read as it came, since a name may be a part of any word.
        let refusal = Refusal::of(self.condition, self.code.as_deref(), &self.text);
        let refusal = refusal.unwrap_or(Refusal::Unknown);
        let text = secrets.redact(&self.text);
        Error::refused_as(refusal, self.condition, self.code.clone(), &text, context)
    }
}

impl Heard {
    /// Takes what matters from an untagged line without its `* `.
    pub(super) fn note(&mut self, rest: &[u8], secrets: Option<&Redaction>) {
        if let Some(words) = strip_word(rest, b"CAPABILITY ") {
            self.set_capabilities(words);
        } else if let Some(words) = strip_word(rest, b"ID ") {
            self.name = excerpt(words);
        } else if let Some(status) = Status::parse(rest) {
            self.note_status(&status, secrets);
            match status.condition {
                Condition::Bye => self.bye = Some(Completion::of(&status)),
                Condition::Ok => self.mailbox.note_code(status.code.unwrap_or_default()),
                _ => {}
            }
        } else if !self.mailbox.note_data(rest) && !is_data(rest) {
            self.note_words(rest, secrets);
        }
    }

    /// Takes what matters from a status response, tagged or not, beside what it says of a command.
    pub(super) fn note_status(&mut self, status: &Status<'_>, secrets: Option<&Redaction>) {
        if let Some(words) = status
            .code
            .and_then(|code| strip_word(code, b"CAPABILITY "))
        {
            self.set_capabilities(words);
        }
        let code = status.code_word();
        if code.is_some_and(|code| code == "ALERT" || code == "WEBALERT") {
            let alert = shown_text(status.text, secrets);
            if !self.alerts.contains(&alert) {
                self.alerts.push(alert);
            }
            if self.alerts.len() > MOST_ALERTS {
                self.alerts.remove(0);
            }
        }
    }

    /// Takes a line that is neither tagged nor untagged, or begins with a star and is no data.
    pub(super) fn note_words(&mut self, line: &[u8], secrets: Option<&Redaction>) {
        let words = shown_text(line, secrets);
        if !words.is_empty() {
            self.words = Some(words);
        }
    }

    fn set_capabilities(&mut self, words: &[u8]) {
        let words = String::from_utf8_lossy(words).to_ascii_uppercase();
        self.capabilities = words.split_ascii_whitespace().map(str::to_owned).collect();
    }

    /// A command begins for which the number of messages matters.
    pub(super) fn watch_count(&mut self) {
        self.mailbox.least = self.mailbox.exists;
    }

    /// News of the mailbox may have been missed.
    pub(super) fn doubt_count(&mut self) {
        self.mailbox.is_exact = false;
    }

    /// What was said so far has nothing to do with what comes.
    pub(super) fn forget_words(&mut self) {
        self.alerts.clear();
        self.words = None;
    }

    /// The texts of the alerts.
    pub(super) fn alerts(&self) -> &[String] {
        &self.alerts
    }

    /// Adds to an error what the server said before: why it closed the connection, and what it wants
    /// the user to be told.
    pub(super) fn explain(&self, error: Error, phase: Phase, secrets: Option<&Redaction>) -> Error {
        let mut error = match &self.bye {
            Some(bye) if *error.kind() == ErrorKind::Disconnected => {
                bye.as_error(format!("{phase}: the server said goodbye"), secrets)
            }
            _ => error,
        };
        if matches!(error.kind(), ErrorKind::Cancelled | ErrorKind::Config) {
            return error;
        }
        let goodbye = self.bye.iter().map(|bye| shown_text(&bye.text, secrets));
        let alerts = self.alerts.iter().cloned();
        for said in alerts.chain(goodbye).chain(self.words.clone()) {
            if !said.is_empty() && !error.to_string().contains(&said) {
                error = error.followed_by(format_args!("; the server says: {said}"));
            }
        }
        error
    }
}

impl Told {
    fn note_code(&mut self, code: &[u8]) {
        for (word, place) in [
            (&b"UIDVALIDITY "[..], &mut self.uid_validity),
            (b"UIDNEXT ", &mut self.uid_next),
        ] {
            if let Some(number) = strip_word(code, word).and_then(number) {
                *place = Some(number);
            }
        }
    }

    /// Whether that is news of the mailbox, or about a message.
    fn note_data(&mut self, rest: &[u8]) -> bool {
        if let Some(gone) = strip_word(rest, b"VANISHED ") {
            // With EARLIER before them they were gone before the mailbox was opened (RFC 7162,
            // section 3.2.10).
            if let Ok(Ok(gone)) = str::from_utf8(gone.trim_ascii()).map(str::parse::<crate::UidSet>)
            {
                self.less_by(u32::try_from(gone.len()).unwrap_or(u32::MAX));
            }
            return true;
        }
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (count, word) = rest.split_at(digits);
        let (Some(count), Some(word)) = (number(count), word.strip_prefix(b" ")) else {
            return false;
        };
        let word = word.trim_ascii();
        if word.eq_ignore_ascii_case(b"EXISTS") {
            self.exists = Some(count);
            self.least = self.least.map(|least| least.min(count));
            self.is_exact = true;
        } else if word.eq_ignore_ascii_case(b"EXPUNGE") {
            self.less_by(1);
        }
        true
    }

    fn less_by(&mut self, gone: u32) {
        self.exists = self.exists.map(|exists| exists.saturating_sub(gone));
        if let (Some(least), Some(exists)) = (self.least, self.exists) {
            self.least = Some(least.min(exists));
        }
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    str::from_utf8(digits.trim_ascii()).ok()?.parse().ok()
}

fn is_data(rest: &[u8]) -> bool {
    let word = rest.split(|byte| byte.is_ascii_whitespace()).next();
    let word = word.unwrap_or_default();
    DATA.iter().any(|data| data.eq_ignore_ascii_case(word))
}

fn strip_word<'a>(line: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = line.split_at_checked(word.len())?;
    head.eq_ignore_ascii_case(word).then_some(rest)
}

/// What the server said, fit for printing: without the secrets that it may repeat.
pub(super) fn shown_text(text: &[u8], secrets: Option<&Redaction>) -> String {
    match secrets {
        Some(secrets) => excerpt(&secrets.redact(text)),
        None => excerpt(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(lines: &[&str]) -> Heard {
        let mut heard = Heard::default();
        for line in lines {
            heard.note(line.as_bytes(), None);
        }
        heard
    }

    #[test]
    fn capabilities_count_wherever_they_are_said_and_however_they_are_written() {
        for line in [
            "CAPABILITY IMAP4rev1 esearch\r\n",
            "capability IMAP4rev1 ESEARCH \r\n",
            "OK [CAPABILITY IMAP4rev1 ESEARCH] ready\r\n",
            "ok [capability IMAP4rev1 Esearch]\r\n",
        ] {
            assert!(heard(&[line]).capabilities.contains(&"ESEARCH".to_owned()));
        }
    }

    #[test]
    fn a_mailbox_is_told_of_in_any_order_and_form() {
        let mut told = heard(&[
            "ok [uidnext 12]\r\n",
            "3 exists \r\n",
            "OK [UIDVALIDITY 0] UIDs valid \r\n",
            "OK [UIDNEXT 99999999999] odd\r\n",
            "OK [NEW ((] x\r\n",
            "FLAGS (\\Seen \u{ff})\r\n",
        ])
        .mailbox;
        assert_eq!(told.exists, Some(3));
        assert_eq!(told.uid_validity, Some(0));
        assert_eq!(told.uid_next, Some(12));
        told.least = told.exists;
        for line in [
            "2 EXPUNGE",
            "VANISHED 4:5",
            "VANISHED (EARLIER) 1:9",
            "5 FETCH (FLAGS ())",
        ] {
            assert!(told.note_data(line.as_bytes()), "{line}");
        }
        assert_eq!((told.exists, told.least), (Some(0), Some(0)));
        told.note_data(b"4 EXISTS\r\n");
        assert_eq!((told.exists, told.least), (Some(4), Some(0)));
    }

    #[test]
    fn an_error_says_what_the_user_must_be_told_and_only_once() {
        let heard = heard(&[
            "BAD [ALERT] enable IMAP first\r\n",
            "bad [alert] enable IMAP first\r\n",
            "Too many invalid logon attempts.\r\n",
            "XSOMETHING\r\n",
            "5 EXISTS\r\n",
            "LIST () \"/\" x\r\n",
        ]);
        let error = Error::new(ErrorKind::Timeout, "EXAMINE: nothing came");
        let text = heard.explain(error, Phase::Examine, None).to_string();
        assert_eq!(text.matches("enable IMAP first").count(), 1, "{text}");
        let error = Error::cancelled();
        let text = heard.explain(error, Phase::Examine, None).to_string();
        assert!(!text.contains("enable"), "{text}");
    }

    #[test]
    fn a_goodbye_says_why_and_means_what_a_refusal_would() {
        let broken = || Error::new(ErrorKind::Disconnected, "closed");
        let heard_bye = heard(&["BYE Too many connections\r\n"]);
        let error = heard_bye.explain(broken(), Phase::Examine, None);
        assert_eq!(error.kind(), &ErrorKind::SessionLimit);
        let heard_bye = heard(&["BYE going down\r\n"]);
        let error = heard_bye.explain(broken(), Phase::Examine, None);
        assert_eq!(error.kind(), &ErrorKind::Disconnected);
        assert!(error.to_string().contains("going down"), "{error}");
    }
}
