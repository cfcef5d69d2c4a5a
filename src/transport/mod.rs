//! Octets in and out: connections, TLS, deadlines, caps, and the framing of responses. Knows
//! nothing of commands, sessions or messages.

mod apart;
mod connect;
#[cfg(feature = "compress")]
mod deflate;
mod frame;
#[cfg(any(test, feature = "fuzzing"))]
mod recorded;

mod tcp;
#[cfg_attr(not(feature = "native-tls"), path = "no_tls.rs")]
mod tls;
mod trust;
mod watch;
mod watched;
mod wire;

use std::time::Duration;

pub(crate) use self::apart::apart;
pub use self::connect::{Connect, Stream};
pub(crate) use self::frame::{Fate, Frame};
#[cfg(feature = "fuzzing")]
pub(crate) use self::recorded::Recorded;
pub(crate) use self::tcp::Tcp;
pub(crate) use self::tls::{Roots, answers_to_tls, secure};
pub(crate) use self::trust::{ClientCertificate, Trust};
pub(crate) use self::watch::Phase;
pub(crate) use self::wire::Wire;
pub(crate) use crate::status::{Condition, Status};

/// How long one read or write blocks at most before deadlines and the stop flag are looked at.
/// A quarter of the second in which a dropped iterator must be gone.
pub(crate) const TICK: Duration = Duration::from_millis(250);

#[cfg(test)]
pub(crate) mod tests {
    pub(crate) use super::wire::tests::wire;
}
