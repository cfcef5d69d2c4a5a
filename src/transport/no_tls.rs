//! Stands in for `tls` when the feature `native-tls` is off: refuses, so that nothing falls back
//! to plaintext.

use crate::deadline::Deadline;

use super::connect::Stream;
use super::trust::Trust;
use crate::error::{Error, ErrorKind, Result};
use crate::stop::Stop;

#[derive(Debug)]
pub(crate) struct Roots;

impl Roots {
    pub(crate) fn new(_: &Trust) -> Result<Self> {
        Ok(Self)
    }
}

pub(crate) fn secure(
    _: &Roots,
    _: &str,
    _: Box<dyn Stream>,
    _: Deadline,
    _: &Stop,
    _: &str,
) -> Result<Box<dyn Stream>> {
    Err(Error::new(
        ErrorKind::Tls,
        "this program was built without TLS; turn on the feature `native-tls`, or bring a secure \
         stream by `Builder::connector`",
    ))
}

/// Nobody here can tell.
pub(crate) fn answers_to_tls(_: &str, _: Box<dyn Stream>, _: Deadline, _: &Stop) -> bool {
    false
}
