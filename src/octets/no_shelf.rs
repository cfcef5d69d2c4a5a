//! Where pages cannot be had cheaply, messages are on the heap: the same interface, and nothing on the
//! shelf.

use std::convert::Infallible;
use std::ops::Deref;
use std::sync::Arc;

/// Lends nothing.
#[derive(Debug, Default)]
pub(crate) struct Shelf(());

/// There are none.
#[derive(Debug)]
pub(crate) struct Pages(Infallible);

impl Shelf {
    pub(crate) fn lend(self: &Arc<Self>, _: usize) -> Option<Pages> {
        None
    }
}

impl Pages {
    pub(crate) fn room(&mut self) -> &mut [u8] {
        match self.0 {}
    }

    pub(crate) fn truncate(&mut self, _: usize) {
        match self.0 {}
    }
}

impl Deref for Pages {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self.0 {}
    }
}
