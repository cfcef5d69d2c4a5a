//! Pages for large messages, used again and again, from the system and not from the allocator.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use memmap2::MmapMut;

/// Less than this is for the heap. Allocators take room for so much from the system as well, and
/// some, such as glibc's, keep more for themselves from the first time that it is given back.
const SMALLEST: usize = 128 * 1024;

/// How much address space each message gets. Only what is written to is memory.
const LARGEST: usize = 8 * 1024 * 1024;

/// How much may be lent at a time. Beyond it messages are held by the caller, who has memory for
/// them, while a process may have only so many mappings.
const MOST_LENT: usize = 64;

/// How much memory is kept for the next messages, with what is lent.
const KEPT: usize = 16 * 1024 * 1024;

/// Lends pages. They come back when what was in them is dropped, on any thread.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The last that came back is lent next: it is still in the processor's cache.
    spare: Vec<Sheet>,
    lent: usize,
    /// What is written to of all sheets, as far as is known.
    written: usize,
}

#[derive(Debug)]
struct Sheet {
    map: MmapMut,
    /// So much from its start has been written to, and is memory therefore.
    written: usize,
}

/// Pages that are lent.
#[derive(Debug)]
pub(crate) struct Pages {
    /// Taken out when they go back.
    sheet: Option<Sheet>,
    length: usize,
    shelf: Arc<Shelf>,
}

impl Shelf {
    /// Lends pages for so many octets, if that is what the shelf is for. They hold what was in them
    /// before.
    pub(crate) fn lend(self: &Arc<Self>, count: usize) -> Option<Pages> {
        if !(SMALLEST..=LARGEST).contains(&count) {
            return None;
        }
        let sheet = {
            let mut state = self.lock();
            if state.lent >= MOST_LENT {
                return None;
            }
            state.lent += 1;
            state.spare.pop()
        };
        let sheet = sheet.or_else(Sheet::new);
        if sheet.is_none() {
            self.lock().lent -= 1;
        }
        Some(Pages {
            sheet: Some(sheet?),
            length: count,
            shelf: self.clone(),
        })
    }

    fn take_back(&self, mut sheet: Sheet, length: usize) {
        let mut state = self.lock();
        state.lent -= 1;
        state.written += length.saturating_sub(sheet.written);
        sheet.written = sheet.written.max(length);
        if state.written <= KEPT {
            state.spare.push(sheet);
        } else {
            state.written -= sheet.written;
            drop(state);
            // Back to the system, which takes its time.
            drop(sheet);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sheet {
    /// `None`: the system has no address space left for it.
    fn new() -> Option<Self> {
        let map = MmapMut::map_anon(LARGEST).ok()?;
        // A huge page is two megabytes, whatever is written to it. Not all kernels have them.
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::NoHugePage);
        Some(Self { map, written: 0 })
    }
}

impl Pages {
    /// To write to.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        match &mut self.sheet {
            Some(sheet) => &mut sheet.map[..self.length],
            None => &mut [],
        }
    }

    /// Keeps this many octets, which have been written.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }
}

impl Deref for Pages {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.sheet
            .as_ref()
            .map_or(&[], |sheet| &sheet.map[..self.length])
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        if let Some(sheet) = self.sheet.take() {
            self.shelf.take_back(sheet, self.length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(shelf: &Arc<Shelf>, count: usize) {
        shelf.lend(count).unwrap().room().fill(1);
    }

    #[test]
    fn lends_for_large_messages_alone() {
        let shelf = Arc::<Shelf>::default();
        for count in [0, SMALLEST - 1, LARGEST + 1] {
            assert!(shelf.lend(count).is_none(), "{count}");
        }
        for count in [SMALLEST, LARGEST] {
            let mut pages = shelf.lend(count).unwrap();
            assert_eq!(pages.room().len(), count);
            pages.room().fill(7);
            pages.truncate(count - 1);
            assert_eq!(pages.len(), count - 1);
            assert!(pages.iter().all(|octet| *octet == 7));
        }
    }

    #[test]
    fn one_sheet_serves_for_one_message_after_the_other() {
        let shelf = Arc::<Shelf>::default();
        for _ in 0..10 {
            used(&shelf, SMALLEST);
        }
        used(&shelf, 2 * SMALLEST);
        let state = shelf.lock();
        assert_eq!(
            (state.spare.len(), state.lent, state.written),
            (1, 0, 2 * SMALLEST)
        );
    }

    #[test]
    fn keeps_no_more_memory_than_it_may_whatever_was_lent_at_the_same_time() {
        let shelf = Arc::<Shelf>::default();
        let lent: Vec<_> = (0..MOST_LENT).map(|_| shelf.lend(LARGEST)).collect();
        assert!(lent.iter().all(Option::is_some));
        assert!(shelf.lend(LARGEST).is_none(), "enough is lent");
        drop(lent);
        let state = shelf.lock();
        let spare: usize = state.spare.iter().map(|sheet| sheet.written).sum();
        assert_eq!(state.lent, 0);
        assert_eq!(spare, state.written);
        assert!(spare <= KEPT);
    }
}
