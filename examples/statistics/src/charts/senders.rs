//! Who writes most: bars to the right, with a name at each.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axes::{Axis, PLACES, plane};
use super::{Area, BLUE, Chart, Drawn, INK, Letters, text};
use crate::statistics::Statistics;
use crate::table::{self, SENDERS, counted, grouped};
use crate::tally::Sender;

pub(super) struct Senders;

impl Chart for Senders {
    const FILE: &str = "senders";

    fn title(&self, _: &Statistics) -> String {
        "Who writes most".to_owned()
    }

    fn subtitle(&self, statistics: &Statistics) -> String {
        let all = statistics.senders.len();
        let messages = counted(statistics.messages, "message");
        match all > SENDERS {
            true => format!("{SENDERS} of {} senders of {messages}", grouped(all as u64)),
            false => format!("All senders of {messages}"),
        }
    }

    fn draw<B: DrawingBackend>(
        &self,
        statistics: &Statistics,
        area: &Area<B>,
        letters: Letters,
    ) -> Drawn
    where
        B::ErrorType: 'static,
    {
        let mut rows: Vec<_> = statistics.senders.iter().take(SENDERS).collect();
        // Upwards, so that the first is on top.
        rows.reverse();
        let names = rows
            .iter()
            .map(|(address, sender)| name(address, sender, letters));
        let y = Axis::places(names.collect(), "", 330).with_room_for(PLACES, 1.0);
        let largest = rows.last().map_or(0, |(_, sender)| sender.messages);
        let x = Axis::counts(largest, "messages", 60);
        let mut plane = plane(area, &x, &y)?;
        let style = text(17, INK).pos(Pos::new(HPos::Left, VPos::Center));
        for (row, (_, sender)) in rows.iter().enumerate() {
            let (at, count) = (row as f64, sender.messages as f64);
            let bar = [(0.0, at - 0.36), (count, at + 0.36)];
            plane.draw_series([Rectangle::new(bar, BLUE.filled())])?;
            let number = Text::new(grouped(sender.messages), (6, 0), style.clone());
            plane.draw_series([EmptyElement::at((count, at)) + number])?;
        }
        Ok(())
    }
}

/// The name, unless the font has no letters for it: then the address, which is ASCII as a rule.
fn name(address: &str, sender: &Sender, letters: Letters) -> String {
    const COLUMNS: usize = 34;
    let name = table::label(address, sender, COLUMNS);
    let is_drawable = |c: char| matches!(c, ' '..='\u{52f}' | '\u{1e00}'..='\u{206f}');
    if letters == Letters::Any || name.chars().all(is_drawable) {
        return name;
    }
    let address = table::label(address, &Sender::default(), COLUMNS);
    address.replace(|c: char| !is_drawable(c), "?")
}
