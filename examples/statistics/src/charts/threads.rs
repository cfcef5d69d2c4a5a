//! How long conversations are: a bar for each length.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axes::{Axis, plane};
use super::{Area, BLUE, Chart, Drawn, INK, Letters, text};
use crate::statistics::Statistics;
use crate::table::{counted, grouped};

pub(super) struct Threads;

impl Chart for Threads {
    const FILE: &str = "threads";

    fn title(&self, _: &Statistics) -> String {
        "How long conversations are".to_owned()
    }

    fn subtitle(&self, statistics: &Statistics) -> String {
        let longest = statistics.threads.keys().next_back();
        format!(
            "{} in {}, the longest of {}",
            counted(statistics.messages, "message"),
            counted(statistics.thread_count(), "thread"),
            grouped(longest.copied().unwrap_or(0)),
        )
    }

    fn draw<B: DrawingBackend>(&self, statistics: &Statistics, area: &Area<B>, _: Letters) -> Drawn
    where
        B::ErrorType: 'static,
    {
        let classes = statistics.thread_classes();
        let labels = classes.iter().map(|(label, _)| (*label).to_owned());
        let x = Axis::places(labels.collect(), "messages in a thread", 60);
        let largest = classes.iter().map(|(_, count)| *count).max();
        let y = Axis::counts(largest.unwrap_or(0), "threads", 90);
        let mut plane = plane(area, &x, &y)?;
        let style = text(17, INK).pos(Pos::new(HPos::Center, VPos::Bottom));
        for (place, (_, threads)) in classes.iter().enumerate() {
            let (at, count) = (place as f64, *threads as f64);
            let bar = [(at - 0.4, 0.0), (at + 0.4, count)];
            plane.draw_series([Rectangle::new(bar, BLUE.filled())])?;
            let number = Text::new(grouped(*threads), (0, -5), style.clone());
            plane.draw_series([EmptyElement::at((at, count)) + number])?;
        }
        Ok(())
    }
}
