//! What axes have in common: ticks at chosen places, a faint line at each round number, and a name.

use std::ops::Range;

use example_support::Anything;
use plotters::chart::ChartContext;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use super::{Area, FAINT_INK, INK, RULE, text};
use crate::table::grouped;

pub(super) type Plane<'a, B> = ChartContext<'a, B, Cartesian2d<Axis, Axis>>;

/// From where to where an axis goes, and what is written along it.
#[derive(Clone)]
pub(super) struct Axis {
    pub(super) range: Range<f64>,
    pub(super) ticks: Vec<(f64, String)>,
    pub(super) name: String,
    /// How much room the ticks and the name take, in pixels.
    pub(super) room: u32,
    /// Whether a line goes through the chart at each tick.
    pub(super) has_lines: bool,
}

impl Axis {
    /// From 0 to above a largest count, with a tick at round numbers: 1, 2 or 5 and zeros.
    pub(super) fn counts(largest: u64, name: &str, room: u32) -> Self {
        let steps = (0..19).flat_map(|zeros| [1, 2, 5].map(|digit| digit * 10_u64.pow(zeros)));
        let mut steps = steps.skip_while(|step| largest / step >= 8);
        let step = steps.next().unwrap_or(u64::MAX);
        // Room for the number at the end of the longest bar.
        let end = largest.max(1) as f64 * 1.08;
        let ticks = (0..9).map(|tick| step.saturating_mul(tick));
        Self {
            range: 0.0..end,
            ticks: ticks
                .take_while(|tick| *tick as f64 <= end)
                .map(|tick| (tick as f64, grouped(tick)))
                .collect(),
            name: name.to_owned(),
            room,
            has_lines: true,
        }
    }

    /// Places 0, 1, 2 …, each in the middle of its own room. The labels are in their order; empty
    /// ones are left out.
    pub(super) fn places(labels: Vec<String>, name: &str, room: u32) -> Self {
        Self {
            range: -0.5..labels.len() as f64 - 0.5,
            ticks: (0..)
                .map(f64::from)
                .zip(labels)
                .filter(|(_, label)| !label.is_empty())
                .collect(),
            name: name.to_owned(),
            room,
            has_lines: false,
        }
    }
}

/// With fewer, bars would be as broad as a hand.
pub(super) const PLACES: usize = 6;

impl Axis {
    /// Leaves room where there are fewer places than this; `before` is the share of it that comes
    /// before the first.
    pub(super) fn with_room_for(mut self, places: usize, before: f64) -> Self {
        let missing = (places as f64 - (self.range.end - self.range.start)).max(0.0);
        self.range.start -= missing * before;
        self.range.end += missing * (1.0 - before);
        self
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        RangedCoordf64::from(self.range.clone()).map(value, limit)
    }

    fn key_points<H: KeyPointHint>(&self, _: H) -> Vec<f64> {
        self.ticks.iter().map(|(at, _)| *at).collect()
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

impl ValueFormatter<f64> for Axis {
    fn format(value: &f64) -> String {
        value.to_string()
    }

    fn format_ext(&self, value: &f64) -> String {
        let mut ticks = self.ticks.iter();
        let tick = ticks.find(|(at, _)| (at - value).abs() < 1e-9);
        tick.map_or(String::new(), |(_, label)| label.clone())
    }
}

/// Draws two axes and returns what is between them.
pub(super) fn plane<'a, B: DrawingBackend>(
    area: &'a Area<B>,
    x: &Axis,
    y: &Axis,
) -> Result<Plane<'a, B>, Anything>
where
    B::ErrorType: 'static,
{
    let mut plane = ChartBuilder::on(area)
        .x_label_area_size(x.room)
        .y_label_area_size(y.room)
        .build_cartesian_2d(x.clone(), y.clone())?;
    let mut mesh = plane.configure_mesh();
    mesh.light_line_style(TRANSPARENT)
        .bold_line_style(RULE)
        .axis_style(FAINT_INK)
        .label_style(text(17, INK))
        .axis_desc_style(text(18, FAINT_INK))
        .x_desc(&x.name)
        .y_desc(&y.name);
    if !x.has_lines {
        mesh.disable_x_mesh();
    }
    if !y.has_lines {
        mesh.disable_y_mesh();
    }
    mesh.draw()?;
    Ok(plane)
}

/// Which of `count` labels to write so that there is room: every first, or every so manyth.
pub(super) fn every(count: usize, room: usize, steps: &[usize]) -> usize {
    let mut steps = steps.iter().copied();
    let step = steps.find(|step| count.div_ceil(*step) <= room);
    step.unwrap_or(count.div_ceil(room).max(1))
}
