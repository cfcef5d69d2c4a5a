//! The octets of a message: on the heap, or where they are many, in pages that are lent.
//!
//! Most octets of a mailbox are in a few large messages. An allocator that is asked for room for one
//! after the other, by several threads, keeps several times as much for itself, or gives each back
//! to the system, which clears every page anew. So a run has a [`Shelf`] of its own for them.

#[cfg_attr(
    not(all(unix, target_pointer_width = "64")),
    path = "octets/no_shelf.rs"
)]
mod shelf;

use std::fmt;
use std::ops::Deref;

use self::shelf::Pages;
pub(crate) use self::shelf::Shelf;

/// Read as a slice.
pub(crate) struct Octets(Place);

enum Place {
    Heap(Vec<u8>),
    Lent(Pages),
}

impl Octets {
    /// On the heap. Those in lent pages are copied there.
    pub(crate) fn into_vec(self) -> Vec<u8> {
        match self.0 {
            Place::Heap(octets) => octets,
            Place::Lent(pages) => pages.to_vec(),
        }
    }
}

impl Deref for Octets {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Place::Heap(octets) => octets,
            Place::Lent(pages) => pages,
        }
    }
}

impl From<Vec<u8>> for Octets {
    fn from(octets: Vec<u8>) -> Self {
        Self(Place::Heap(octets))
    }
}

impl From<Pages> for Octets {
    fn from(pages: Pages) -> Self {
        Self(Place::Lent(pages))
    }
}

impl Default for Octets {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl Clone for Octets {
    fn clone(&self) -> Self {
        self.to_vec().into()
    }
}

impl PartialEq for Octets {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Octets {}

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
