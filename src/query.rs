//! stub
use crate::error::Result;
use crate::uid_set::*;
/// stub
#[derive(Debug, Clone)]
pub struct Query(String);
pub(crate) struct Program {
    pub(crate) parts: Vec<Part>,
    pub(crate) needs_utf8: bool,
}
pub(crate) enum Part {
    Text(String),
    #[allow(dead_code)]
    Literal(Vec<u8>),
}
impl Query {
    /// stub
    pub fn all() -> Self {
        Self("ALL".into())
    }
    pub(crate) fn render(&self) -> Result<Program> {
        Ok(Program {
            parts: vec![Part::Text(self.0.clone())],
            needs_utf8: false,
        })
    }
}
impl From<UidSet> for Query {
    fn from(s: UidSet) -> Self {
        Self(format!("UID {s}"))
    }
}
