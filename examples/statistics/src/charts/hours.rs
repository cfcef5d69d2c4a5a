//! When people write: seven days of 24 hours, the darker the more.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axes::{Axis, plane};
use super::{Area, Chart, Drawn, FAINT_INK, INK, Letters, text};
use crate::statistics::Statistics;
use crate::table::{WEEKDAYS, counted, grouped};

/// From little to much: blues that only get darker, so that they can be told apart without colour.
const SHADES: [(u8, u8, u8); 5] = [
    (247, 251, 255),
    (198, 219, 239),
    (107, 174, 214),
    (33, 113, 181),
    (8, 48, 107),
];

/// Larger numbers have no room in a cell.
const LARGEST_WRITTEN: u64 = 9_999;

pub(super) struct Hours;

impl Chart for Hours {
    const FILE: &str = "hours";

    fn title(&self, _: &Statistics) -> String {
        "When messages are written".to_owned()
    }

    fn subtitle(&self, statistics: &Statistics) -> String {
        let dated: u64 = statistics.hours.iter().flatten().sum();
        let undated = match statistics.messages - dated {
            0 => String::new(),
            undated => format!("; {} have no date to rely on", grouped(undated)),
        };
        let dated = counted(dated, "message");
        format!("{dated}, each by the clock of its sender's own time zone{undated}")
    }

    fn draw<B: DrawingBackend>(&self, statistics: &Statistics, area: &Area<B>, _: Letters) -> Drawn
    where
        B::ErrorType: 'static,
    {
        let largest = statistics.hours.iter().flatten().copied().max();
        let largest = largest.unwrap_or(0).max(1);
        let (width, _) = area.dim_in_pixel();
        let (cells, legend) = area.split_horizontally(width - 120);

        let hours = (0..24).map(|hour| format!("{hour:02}"));
        let x = Axis::places(hours.collect(), "hour of the day", 60);
        // Upwards, so that Monday is on top.
        let days = WEEKDAYS.iter().rev().map(|day| (*day).to_owned());
        let y = Axis::places(days.collect(), "", 90);
        let mut plane = plane(&cells, &x, &y)?;
        for (day, hours) in statistics.hours.iter().rev().enumerate() {
            for (hour, count) in hours.iter().enumerate() {
                let (x, y) = (hour as f64, day as f64);
                let share = *count as f64 / largest as f64;
                let cell = [(x - 0.48, y - 0.48), (x + 0.48, y + 0.48)];
                plane.draw_series([Rectangle::new(cell, shade(share).filled())])?;
                if largest <= LARGEST_WRITTEN {
                    let ink = if share > 0.55 { WHITE } else { INK };
                    let style = text(15, ink).pos(Pos::new(HPos::Center, VPos::Center));
                    let number = Text::new(count.to_string(), (0, 0), style);
                    plane.draw_series([EmptyElement::at((x, y)) + number])?;
                }
            }
        }
        draw_legend(largest, &legend)
    }
}

fn draw_legend<B: DrawingBackend>(largest: u64, area: &Area<B>) -> Drawn
where
    B::ErrorType: 'static,
{
    let (_, height) = area.dim_in_pixel();
    // Beside the cells, which end where the labels below them begin.
    let (top, bottom) = (0, height as i32 - 60);
    let (left, right) = (22, 44);
    for y in top..bottom {
        let share = 1.0 - f64::from(y - top) / f64::from(bottom - top);
        let line = Rectangle::new([(left, y), (right, y + 1)], shade(share).filled());
        area.draw(&line)?;
    }
    area.draw(&Rectangle::new([(left, top), (right, bottom)], FAINT_INK))?;
    let scale = Axis::counts(largest, "", 0);
    let style = text(16, INK).pos(Pos::new(HPos::Left, VPos::Center));
    for (count, label) in scale
        .ticks
        .iter()
        .filter(|(count, _)| *count <= largest as f64)
    {
        let share = count / largest as f64;
        // Letters stand above the middle at the lower end, and below it at the upper one.
        let y = bottom - (share * f64::from(bottom - top)) as i32;
        let y = y.clamp(top + 7, bottom - 7);
        area.draw(&Text::new(label.as_str(), (right + 8, y), style.clone()))?;
    }
    let below = (left, bottom + 14);
    area.draw(&Text::new("messages", below, text(16, FAINT_INK)))?;
    Ok(())
}

/// The colour of a share of the largest count.
fn shade(share: f64) -> RGBColor {
    let at = share.clamp(0.0, 1.0) * (SHADES.len() - 1) as f64;
    let first = (at as usize).min(SHADES.len() - 2);
    let (from, to, part) = (SHADES[first], SHADES[first + 1], at - first as f64);
    let mix = |from: u8, to: u8| (f64::from(from) + (f64::from(to) - f64::from(from)) * part) as u8;
    RGBColor(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}
