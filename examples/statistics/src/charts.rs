//! The statistics as charts: each as PNG and as SVG.
//!
//! The font comes with the program, so that a machine needs neither fonts nor a library that finds
//! them: DejaVu Sans, which may be passed on freely together with its licence. An SVG names no more
//! than `sans-serif` and is shown in the reader's own.

mod axes;
mod hours;
mod senders;
mod sizes;
mod threads;
mod volume;

use std::fs;
use std::path::{Path, PathBuf};

use example_support::Anything;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::register_font;

use crate::Statistics;

/// In pixels.
const SIZE: (u32, u32) = (1200, 675);

const FONT: &str = "sans-serif";

// The colours of Okabe and Ito, which also those can tell apart who are blind to some.
const BLUE: RGBColor = RGBColor(0, 114, 178);
const VERMILLION: RGBColor = RGBColor(213, 94, 0);
const INK: RGBColor = RGBColor(40, 40, 40);
const FAINT_INK: RGBColor = RGBColor(100, 100, 100);
const RULE: RGBColor = RGBColor(222, 222, 222);

type Area<B> = DrawingArea<B, Shift>;
type Drawn = Result<(), Anything>;

/// Which letters can be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Letters {
    /// Those of the font that comes with the program.
    OfTheFont,
    /// All of them: whoever shows the drawing has fonts.
    Any,
}

/// Something to be drawn with any backend.
trait Chart {
    /// Of its files, without the extension.
    const FILE: &str;

    fn title(&self, statistics: &Statistics) -> String;
    fn subtitle(&self, statistics: &Statistics) -> String;
    /// Draws all but the titles.
    fn draw<B: DrawingBackend>(
        &self,
        statistics: &Statistics,
        area: &Area<B>,
        letters: Letters,
    ) -> Drawn
    where
        B::ErrorType: 'static;
}

/// Draws all charts into a folder and returns the files.
///
/// # Errors
///
/// The folder or a file in it cannot be written.
pub fn save(statistics: &Statistics, folder: &Path) -> Result<Vec<PathBuf>, Anything> {
    for (style, font) in [
        (FontStyle::Normal, dejavu::sans::regular()),
        (FontStyle::Bold, dejavu::sans::bold()),
    ] {
        register_font(FONT, style, font).map_err(|_| "the font of the charts cannot be read")?;
    }
    fs::create_dir_all(folder)
        .map_err(|error| format!("cannot make the folder {}: {error}", folder.display()))?;
    let mut files = Vec::new();
    save_one(&senders::Senders, statistics, folder, &mut files)?;
    save_one(&volume::Volume, statistics, folder, &mut files)?;
    save_one(&hours::Hours, statistics, folder, &mut files)?;
    save_one(&sizes::Sizes, statistics, folder, &mut files)?;
    save_one(&threads::Threads, statistics, folder, &mut files)?;
    Ok(files)
}

fn save_one<C: Chart>(
    chart: &C,
    statistics: &Statistics,
    folder: &Path,
    files: &mut Vec<PathBuf>,
) -> Drawn {
    let wrong = |file: &Path, error: Anything| format!("cannot draw {}: {error}", file.display());
    let file = folder.join(C::FILE).with_extension("png");
    let area = BitMapBackend::new(&file, SIZE).into_drawing_area();
    draw(chart, statistics, &area, Letters::OfTheFont).map_err(|error| wrong(&file, error))?;
    files.push(file.clone());
    let file = folder.join(C::FILE).with_extension("svg");
    let area = SVGBackend::new(&file, SIZE).into_drawing_area();
    draw(chart, statistics, &area, Letters::Any).map_err(|error| wrong(&file, error))?;
    files.push(file.clone());
    Ok(())
}

fn draw<C: Chart, B: DrawingBackend>(
    chart: &C,
    statistics: &Statistics,
    area: &Area<B>,
    letters: Letters,
) -> Drawn
where
    B::ErrorType: 'static,
{
    area.fill(&WHITE)?;
    let (title, subtitle) = (chart.title(statistics), chart.subtitle(statistics));
    let bold = FontDesc::new(FontFamily::SansSerif, 28.0, FontStyle::Bold);
    area.draw(&Text::new(title, (28, 22), bold.color(&INK)))?;
    area.draw(&Text::new(subtitle, (28, 60), text(17, FAINT_INK)))?;
    chart.draw(statistics, &area.margin(100, 20, 20, 30), letters)?;
    area.present()?;
    Ok(())
}

fn text(size: u32, color: RGBColor) -> TextStyle<'static> {
    (FONT, size).into_font().color(&color)
}
