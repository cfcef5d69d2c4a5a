//! How large messages are: a bar for each power of two, and lines at the median and the mean.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axes::{Axis, PLACES, every, plane};
use super::{Area, BLUE, Chart, Drawn, INK, Letters, VERMILLION, text};
use crate::statistics::Statistics;
use crate::table::{counted, size};

/// How many labels have room beside each other.
const LABELS: usize = 14;

/// How much of the height is left free above the bars, for what is written at the lines.
const HEADROOM: f64 = 0.16;

pub(super) struct Sizes;

impl Chart for Sizes {
    const FILE: &str = "sizes";

    fn title(&self, _: &Statistics) -> String {
        "How large messages are".to_owned()
    }

    fn subtitle(&self, statistics: &Statistics) -> String {
        let sizes = &statistics.sizes;
        format!(
            "{}, {} together, the largest {}; each bar goes to twice the size",
            counted(statistics.messages, "message"),
            size(sizes.total),
            size(sizes.largest),
        )
    }

    fn draw<B: DrawingBackend>(&self, statistics: &Statistics, area: &Area<B>, _: Letters) -> Drawn
    where
        B::ErrorType: 'static,
    {
        let sizes = &statistics.sizes;
        let classes = sizes.all_classes();
        let first = f64::from(classes[0].0);
        let end = first + classes.len() as f64;
        let step = every(classes.len() + 1, LABELS, &[1, 2, 5]);
        // At the ends of the bars, since a bar is a range.
        let ticks = classes.iter().map(|(class, _)| *class).step_by(step);
        let ticks = ticks.chain((step == 1).then_some(end as u32));
        let x = Axis {
            range: first..end,
            ticks: ticks
                .map(|class| (f64::from(class), size(1 << class)))
                .collect(),
            name: "size, on a logarithmic scale".to_owned(),
            room: 60,
            has_lines: false,
        }
        .with_room_for(PLACES, 0.5);
        let largest = classes.iter().map(|(_, count)| *count).max();
        let mut y = Axis::counts(largest.unwrap_or(0), "messages", 90);
        let top = y.range.end * (1.0 + HEADROOM);
        y.range.end = top;
        let mut plane = plane(area, &x, &y)?;
        let bars = classes.iter().map(|(class, count)| {
            let at = f64::from(*class);
            Rectangle::new(
                [(at + 0.04, 0.0), (at + 0.96, *count as f64)],
                BLUE.filled(),
            )
        });
        plane.draw_series(bars)?;

        // One written to the left of its line and one to the right, so that they never meet.
        let (median, mean) = (("median", sizes.median), ("mean", sizes.mean));
        let is_mean_right = sizes.mean >= sizes.median;
        let (left, right) = if is_mean_right {
            (median, mean)
        } else {
            (mean, median)
        };
        for ((name, octets), side, colour) in [
            (
                left,
                HPos::Right,
                if is_mean_right { INK } else { VERMILLION },
            ),
            (
                right,
                HPos::Left,
                if is_mean_right { VERMILLION } else { INK },
            ),
        ] {
            let at = (octets.max(1) as f64).log2().clamp(first, end);
            let line = PathElement::new([(at, 0.0), (at, top)], colour.stroke_width(2));
            plane.draw_series([line])?;
            // Near an end of the axis there is room on one side only.
            let side = match side {
                HPos::Right if at - first < (end - first) * 0.16 => HPos::Left,
                HPos::Left if end - at < (end - first) * 0.16 => HPos::Right,
                side => side,
            };
            let gap = if matches!(side, HPos::Right) { -8 } else { 8 };
            let row = if name == "mean" { 30 } else { 4 };
            let style = text(18, colour).pos(Pos::new(side, VPos::Top));
            let label = Text::new(format!("{name} {}", size(octets)), (gap, row), style);
            plane.draw_series([EmptyElement::at((at, top)) + label])?;
        }
        Ok(())
    }
}
