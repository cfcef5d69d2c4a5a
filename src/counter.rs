//! A sum that several threads add to. Without a lock wherever the processor can.

#[cfg(target_has_atomic = "64")]
use std::sync::atomic::{AtomicU64, Ordering};
#[cfg(not(target_has_atomic = "64"))]
use std::sync::{Mutex, PoisonError};

/// Starts at 0. Its value says nothing about what else the other threads have done.
#[derive(Debug, Default)]
pub(crate) struct Counter(
    #[cfg(target_has_atomic = "64")] AtomicU64,
    #[cfg(not(target_has_atomic = "64"))] Mutex<u64>,
);

#[cfg(target_has_atomic = "64")]
impl Counter {
    /// Adds 1 and returns the sum, which nobody else gets.
    pub(crate) fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }
}

#[cfg(not(target_has_atomic = "64"))]
impl Counter {
    /// Adds 1 and returns the sum, which nobody else gets.
    pub(crate) fn next(&self) -> u64 {
        let mut sum = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *sum += 1;
        *sum
    }

    pub(crate) fn add(&self, count: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += count;
    }

    pub(crate) fn get(&self) -> u64 {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self, value: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = value;
    }
}
