//! Turns a panic of foreign code (the caller's closure, a parser) into a value.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls `function`; a panic comes back as its text.
///
/// `AssertUnwindSafe`: what the function was working on is either dropped afterwards (a session
/// after a parser's panic) or belongs to the caller, who was told that a panic does not end a run.
pub(crate) fn catch<T>(function: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(function)).map_err(|payload| text_of(payload.as_ref()))
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a text".to_owned()
    }
}
