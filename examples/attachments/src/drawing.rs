//! Pictures for the made-up messages, drawn by arithmetic.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};

/// A lake between mountains, with the sun at this height, from 0 at the top to 1.
pub(crate) fn landscape(width: u32, height: u32, sun: f32) -> DynamicImage {
    paint(width, height, |x, y| {
        let far = 0.45 + 0.09 * (x * 7.0).sin() + 0.04 * (x * 19.0 + 1.0).sin();
        let near = 0.62 + 0.07 * (x * 4.0 + 2.0).sin() + 0.02 * (x * 31.0).sin();
        let from_sun = ((x - 0.68) * 1.5).hypot(y - sun);
        match y {
            _ if y > 0.78 => {
                let wave = 12.0 * (y * 160.0 + 3.0 * (x * 14.0).sin()).sin();
                [40.0 + wave, 90.0 + wave, 140.0 + wave, 255.0]
            }
            _ if y > near => [45.0, 80.0 + 60.0 * (y - near), 50.0, 255.0],
            _ if y > far => [95.0, 105.0, 130.0, 255.0],
            _ if from_sun < 0.09 => [255.0, 240.0, 190.0, 255.0],
            _ => [
                120.0 + 190.0 * y,
                150.0 + 80.0 * y,
                235.0 - 120.0 * y,
                255.0,
            ],
        }
    })
}

/// Rings around the middle; transparent between them.
pub(crate) fn rings(side: u32) -> DynamicImage {
    paint(side, side, |x, y| {
        let from_middle = (x - 0.5).hypot(y - 0.5);
        let is_ring = from_middle < 0.48 && ((from_middle * 12.5) as u32).is_multiple_of(2);
        let alpha = if is_ring { 255.0 } else { 0.0 };
        [200.0, 60.0 + 300.0 * from_middle, 90.0, alpha]
    })
}

/// Squares of two colours, as a diagram of a table might have.
pub(crate) fn board(width: u32, height: u32) -> DynamicImage {
    paint(width, height, |x, y| {
        match ((x * 8.0) as u32 + (y * 6.0) as u32) % 2 {
            0 => [250.0, 250.0, 245.0, 255.0],
            _ => [30.0 + 120.0 * x, 60.0, 90.0 + 120.0 * y, 255.0],
        }
    })
}

/// A file of it.
pub(crate) fn file(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut octets = Cursor::new(Vec::new());
    let result = match format {
        ImageFormat::Jpeg => DynamicImage::from(picture.to_rgb8()).write_to(&mut octets, format),
        _ => picture.write_to(&mut octets, format),
    };
    // Into memory, in a format that is compiled in.
    result.map_or_else(|_| Vec::new(), |()| octets.into_inner())
}

/// Colours by place; both coordinates go from 0 to 1.
fn paint(width: u32, height: u32, colour: impl Fn(f32, f32) -> [f32; 4]) -> DynamicImage {
    let picture = RgbaImage::from_fn(width, height, |x, y| {
        let at = colour(x as f32 / width as f32, y as f32 / height as f32);
        Rgba(at.map(|value| value.clamp(0.0, 255.0) as u8))
    });
    DynamicImage::ImageRgba8(picture)
}
