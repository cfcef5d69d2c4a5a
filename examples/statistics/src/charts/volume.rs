//! Messages over time: a bar for each week, month or year.

use chrono::Datelike;
use plotters::prelude::*;

use super::axes::{Axis, PLACES, every, plane};
use super::{Area, BLUE, Chart, Drawn, Letters};
use crate::statistics::Statistics;
use crate::table::{counted, grouped};
use crate::volume::Period;

/// How many labels have room beside each other.
const LABELS: usize = 13;

pub(super) struct Volume;

impl Chart for Volume {
    const FILE: &str = "volume";

    fn title(&self, statistics: &Statistics) -> String {
        format!("Messages by {}", statistics.volume.period.name())
    }

    fn subtitle(&self, statistics: &Statistics) -> String {
        let counts = &statistics.volume.counts;
        let ends = (counts.first(), counts.last());
        let label = |period: Period, day| period.label(day);
        match ends {
            (Some((first, _)), Some((last, _))) => format!(
                "{}, {} to {}, by the date in UTC{}",
                counted(counts.iter().map(|(_, count)| count).sum(), "message"),
                label(statistics.volume.period, *first),
                label(statistics.volume.period, *last),
                match statistics.volume.stray {
                    0 => String::new(),
                    stray => format!("; {} with dates far from these", grouped(stray)),
                },
            ),
            _ => "No message has a date".to_owned(),
        }
    }

    fn draw<B: DrawingBackend>(&self, statistics: &Statistics, area: &Area<B>, _: Letters) -> Drawn
    where
        B::ErrorType: 'static,
    {
        let volume = &statistics.volume;
        let count = volume.counts.len();
        let (steps, name): (&[usize], _) = match volume.period {
            Period::Week => (&[1, 2, 4], "week, by its Monday"),
            // So that every January has a label, whatever the first month is.
            Period::Month => (&[1, 2, 3, 6, 12, 24], "month"),
            Period::Year => (&[1, 2, 5, 10, 20], "year"),
        };
        let step = every(count, LABELS, steps);
        let labels = volume.counts.iter().enumerate().map(|(place, (start, _))| {
            let place = match volume.period {
                Period::Week => place,
                Period::Month => start.year() as usize * 12 + start.month0() as usize,
                Period::Year => start.year() as usize,
            };
            match place.is_multiple_of(step) {
                true => volume.period.label(*start),
                false => String::new(),
            }
        });
        let x = Axis::places(labels.collect(), name, 60).with_room_for(PLACES, 0.5);
        let largest = volume.counts.iter().map(|(_, count)| *count).max();
        let y = Axis::counts(largest.unwrap_or(0), "messages", 90);
        let mut plane = plane(area, &x, &y)?;
        let bars = volume.counts.iter().enumerate().map(|(place, (_, count))| {
            let (at, count) = (place as f64, *count as f64);
            Rectangle::new([(at - 0.4, 0.0), (at + 0.4, count)], BLUE.filled())
        });
        plane.draw_series(bars)?;
        Ok(())
    }
}
