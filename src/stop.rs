//! The flag that ends a run from outside. Whoever may wait looks at it at least every
//! [`TICK`](crate::transport::TICK).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that goes up once and stays up. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    pub(crate) fn raise(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(crate) fn is_raised(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
