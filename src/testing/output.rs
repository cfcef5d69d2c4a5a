//! The writing half of a connection: gathers small answers into few writes, hands large bodies to
//! the system without copying them, counts every octet, and strikes with a fault at an exact count.

use std::io::{IoSlice, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::armed::{Armed, Place};
use super::deflate::Deflater;
use super::fault::{Action, Answer};
use super::link::{Halt, Link};
use super::uplink::Uplink;

/// What is gathered before it is written.
const BUFFER: usize = 64 * 1024;

/// From this size on, a body goes out from where it lies: below it, the copy is cheaper than a
/// system call of its own.
const LARGE: usize = 16 * 1024;

/// The most that a limited bandwidth lets out at once, so that the limit is smooth.
const BURST: usize = 16 * 1024;

/// The writing half of a connection.
#[derive(Debug)]
pub(super) struct Output {
    link: Arc<Link>,
    buffer: Vec<u8>,
    /// Octets put so far, written or not.
    position: u64,
    /// Faults that strike at a position, the nearest last.
    cuts: Vec<(u64, Arc<Armed>)>,
    pub(super) place: Place,
    pace: Pace,
    uplink: Option<Arc<Uplink>>,
    compression: Compression,
}

/// Whether octets are compressed on their way out.
#[derive(Debug)]
enum Compression {
    Off,
    /// From the next flush on: what is gathered until then goes out as it is.
    Coming,
    On(Box<Deflater>),
}

/// How fast octets leave.
#[derive(Debug, Clone, Copy)]
enum Pace {
    Full,
    Limited {
        octets_per_second: u64,
        next: Instant,
    },
    Trickle(Duration),
}

impl Output {
    pub(super) fn new(
        link: Arc<Link>,
        place: Place,
        faults: &[Arc<Armed>],
        octets_per_second: Option<u64>,
        uplink: Option<Arc<Uplink>>,
    ) -> Self {
        let mut cuts: Vec<_> = faults
            .iter()
            .filter_map(|armed| armed.octets().map(|octets| (octets, Arc::clone(armed))))
            .collect();
        cuts.sort_by_key(|(octets, _)| std::cmp::Reverse(*octets));
        let pace = match octets_per_second {
            Some(octets) => Pace::Limited {
                octets_per_second: octets.max(1),
                next: Instant::now(),
            },
            None => Pace::Full,
        };
        Self {
            link,
            buffer: Vec::with_capacity(BUFFER),
            position: 0,
            cuts,
            place,
            pace,
            uplink,
            compression: Compression::Off,
        }
    }

    /// Compresses what comes after the next flush; says whether that is new.
    pub(super) fn compress_after_flush(&mut self) -> bool {
        let is_new = matches!(self.compression, Compression::Off);
        if is_new {
            self.compression = Compression::Coming;
        }
        is_new
    }

    /// Sends these octets, sooner or later.
    pub(super) fn put(&mut self, mut octets: &[u8]) -> Result<(), Halt> {
        while let Some((at, _)) = self.cuts.last() {
            let ahead = usize::try_from(at.saturating_sub(self.position)).unwrap_or(usize::MAX);
            if octets.len() < ahead {
                break;
            }
            let (before, after) = octets.split_at(ahead);
            octets = after;
            self.gather(before)?;
            if let Some((_, armed)) = self.cuts.pop()
                && let Some(action) = armed.strike_at_octets(self.place)
            {
                self.strike(action)?;
            }
        }
        self.gather(octets)
    }

    /// Writes what has been gathered.
    pub(super) fn flush(&mut self) -> Result<(), Halt> {
        self.write_out(&[])?;
        if matches!(self.compression, Compression::Coming) {
            self.compression = Compression::On(Box::new(Deflater::new()));
        }
        Ok(())
    }

    /// Does to the connection what a fault says; other faults are not for here.
    pub(super) fn strike(&mut self, action: &Action) -> Result<(), Halt> {
        match action {
            Action::Reset => {
                self.flush()?;
                Err(Halt::Reset)
            }
            Action::Close => Err(Halt::Close),
            Action::Stall => {
                self.flush()?;
                Err(Halt::Stall)
            }
            Action::Trickle(interval) => {
                self.flush()?;
                self.pace = Pace::Trickle(*interval);
                Ok(())
            }
            Action::Delay(time) => {
                self.flush()?;
                self.link.wait(*time)
            }
            Action::Bye(text) => {
                let bye = Answer {
                    condition: "BYE",
                    code: String::new(),
                    text: text.clone(),
                };
                self.gather(&bye.line("*"))?;
                Err(Halt::Close)
            }
            Action::Inject(octets) => self.gather(octets),
            Action::Endless(octets) if !octets.is_empty() => loop {
                self.gather(octets)?;
            },
            _ => Ok(()),
        }
    }

    fn gather(&mut self, octets: &[u8]) -> Result<(), Halt> {
        self.position += octets.len() as u64;
        if octets.len() < LARGE && self.buffer.len() + octets.len() <= BUFFER {
            self.buffer.extend_from_slice(octets);
            return Ok(());
        }
        self.write_out(octets)
    }

    /// Writes what has been gathered and then `body`.
    fn write_out(&mut self, body: &[u8]) -> Result<(), Halt> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let written = match self.compression {
            Compression::On(_) => self
                .write_deflated(&buffer)
                .and_then(|()| self.write_deflated(body)),
            _ => self.write_plain(&buffer, body),
        };
        buffer.clear();
        self.buffer = buffer;
        written
    }

    fn write_deflated(&mut self, octets: &[u8]) -> Result<(), Halt> {
        for piece in octets.chunks(BUFFER) {
            if let Compression::On(deflater) = &mut self.compression {
                let deflated = deflater.deflate(piece).map_err(|_| Halt::Gone)?;
                self.write_plain(&deflated, &[])?;
            }
        }
        Ok(())
    }

    /// Writes octets as they are, no faster than they may leave.
    fn write_plain(&mut self, first: &[u8], second: &[u8]) -> Result<(), Halt> {
        if matches!(self.pace, Pace::Full) && self.uplink.is_none() {
            return self.write_both(first, second);
        }
        self.write_paced(first)?;
        self.write_paced(second)
    }

    fn write_both(&self, mut first: &[u8], mut second: &[u8]) -> Result<(), Halt> {
        while !first.is_empty() && !second.is_empty() {
            let slices = [IoSlice::new(first), IoSlice::new(second)];
            let written = match (&self.link.stream).write_vectored(&slices) {
                Ok(0) => return Err(Halt::Gone),
                Ok(written) => written,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(_) => return Err(Halt::Gone),
            };
            let of_first = written.min(first.len());
            first = &first[of_first..];
            second = &second[written - of_first..];
        }
        // At most one of them is left.
        let left = if first.is_empty() { second } else { first };
        (&self.link.stream).write_all(left).map_err(|_| Halt::Gone)
    }

    fn write_paced(&mut self, mut octets: &[u8]) -> Result<(), Halt> {
        while !octets.is_empty() {
            let most = match &mut self.pace {
                Pace::Full => octets.len().min(BURST),
                Pace::Trickle(interval) => {
                    self.link.wait(*interval)?;
                    1
                }
                Pace::Limited {
                    octets_per_second,
                    next,
                } => {
                    self.link.wait_until(*next)?;
                    let most = octets.len().min(BURST);
                    let time = Duration::from_secs_f64(most as f64 / *octets_per_second as f64);
                    *next = (*next).max(Instant::now()) + time;
                    most
                }
            };
            if let Some(uplink) = &self.uplink {
                self.link.wait_until(uplink.reserve(most))?;
            }
            let (now, later) = octets.split_at(most.min(octets.len()));
            (&self.link.stream).write_all(now).map_err(|_| Halt::Gone)?;
            octets = later;
        }
        Ok(())
    }
}
