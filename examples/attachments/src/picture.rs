//! What is drawn of a picture: a chain of filters for each folder of results. Pictures come from
//! anybody, so nothing here may take much memory or end the program.

use std::io::Cursor;
use std::panic;

use image::imageops;
use image::{
    DynamicImage, GrayImage, ImageDecoder, ImageFormat, ImageReader, Limits, Luma, guess_format,
};

/// A folder of results, and what makes them.
pub type Filter = (&'static str, fn(&DynamicImage) -> DynamicImage);

/// Another one is one line more.
pub const FILTERS: [Filter; 2] = [("thumbnails", thumbnail), ("contours", contours)];

/// In pixels, of the longer side.
const THUMBNAIL: u32 = 160;
const CONTOURS: u32 = 640;

/// Octets of the pixels of one picture. Each worker may decode one at a time, and 44 megapixels fit.
const MAX_OCTETS: u64 = 128 * 1024 * 1024;
const MAX_SIDE: u32 = 30_000;

/// Whether it is one, by its first octets, or at least claims to be one.
#[must_use]
pub fn is_picture(octets: &[u8], mime_type: &str) -> bool {
    let format = guess_format(octets).ok();
    matches!(
        format,
        Some(ImageFormat::Gif | ImageFormat::Jpeg | ImageFormat::Png)
    ) || matches!(mime_type, "image/gif" | "image/jpeg" | "image/png")
}

/// Decodes a picture and draws it by each of the filters, as PNG.
///
/// # Errors
///
/// It cannot be decoded; the text says why.
pub fn draw(octets: &[u8]) -> Result<Vec<(&'static str, Vec<u8>)>, String> {
    // A decoder that gives up by a panic should cost the picture, not the attachment.
    panic::catch_unwind(|| {
        let picture = decode(octets)?;
        FILTERS
            .iter()
            .map(|filter| apply(*filter, &picture))
            .collect()
    })
    .unwrap_or_else(|_| Err(image_error("the decoder gave up")))
    .map_err(|error| error.to_string())
}

fn image_error(text: &str) -> image::ImageError {
    image::ImageError::IoError(std::io::Error::other(text))
}

fn apply(
    (folder, filter): Filter,
    picture: &DynamicImage,
) -> image::ImageResult<(&'static str, Vec<u8>)> {
    let mut png = Cursor::new(Vec::new());
    filter(picture).write_to(&mut png, ImageFormat::Png)?;
    Ok((folder, png.into_inner()))
}

fn decode(octets: &[u8]) -> image::ImageResult<DynamicImage> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_OCTETS);
    let mut reader = ImageReader::new(Cursor::new(octets)).with_guessed_format()?;
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder()?;
    // A few octets may claim a picture of gigabytes.
    limits.reserve(decoder.total_bytes())?;
    decoder.set_limits(limits)?;
    // Telephones write lying pictures, and how they were held.
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn thumbnail(picture: &DynamicImage) -> DynamicImage {
    shrunk(picture, THUMBNAIL)
}

/// Never larger than it was.
fn shrunk(picture: &DynamicImage, side: u32) -> DynamicImage {
    if picture.width().max(picture.height()) <= side {
        return picture.clone();
    }
    picture.thumbnail(side, side)
}

/// Dark lines on white where the brightness changes.
fn contours(picture: &DynamicImage) -> DynamicImage {
    let grey = on_white(&shrunk(picture, CONTOURS));
    // Or the grain of a photograph is all lines.
    DynamicImage::ImageLuma8(sobel(&imageops::fast_blur(&grey, 1.0)))
}

fn on_white(picture: &DynamicImage) -> GrayImage {
    let picture = picture.to_luma_alpha8();
    GrayImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [grey, alpha] = picture.get_pixel(x, y).0.map(u32::from);
        Luma([((grey * alpha + 255 * (255 - alpha)) / 255) as u8])
    })
}

/// The steepness at each pixel by the operator of Sobel and Feldman, inverted. The crate `imageproc`
/// has it as well, with 30 crates more.
fn sobel(grey: &GrayImage) -> GrayImage {
    let (width, height) = grey.dimensions();
    GrayImage::from_fn(width, height, |x, y| {
        // Beyond the edge it goes on as it ends.
        let columns = [x.saturating_sub(1), x, (x + 1).min(width - 1)];
        let rows = [y.saturating_sub(1), y, (y + 1).min(height - 1)];
        let at =
            |column: usize, row: usize| f32::from(grey.get_pixel(columns[column], rows[row]).0[0]);
        let across = at(2, 0) + 2.0 * at(2, 1) + at(2, 2) - at(0, 0) - 2.0 * at(0, 1) - at(0, 2);
        let down = at(0, 2) + 2.0 * at(1, 2) + at(2, 2) - at(0, 0) - 2.0 * at(1, 0) - at(2, 0);
        Luma([255 - across.hypot(down).min(255.0) as u8])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contour_is_where_black_meets_white_and_nowhere_else() {
        let halves = GrayImage::from_fn(20, 10, |x, _| Luma([if x < 10 { 0 } else { 255 }]));
        let lines = sobel(&halves);
        for (x, _, pixel) in lines.enumerate_pixels() {
            let expected = if x == 9 || x == 10 { 0 } else { 255 };
            assert_eq!(pixel.0[0], expected, "at {x}");
        }
    }

    #[test]
    fn a_picture_keeps_its_proportions_and_is_never_enlarged() {
        for (size, expected) in [
            ((1600, 800), (160, 80)),
            ((96, 3_072), (5, 160)),
            ((1, 9_000), (1, 160)),
            ((40, 30), (40, 30)),
        ] {
            let small = thumbnail(&DynamicImage::new_rgb8(size.0, size.1));
            assert_eq!((small.width(), small.height()), expected);
        }
    }

    #[test]
    fn a_picture_that_would_fill_the_memory_is_refused() {
        let mut gif = Cursor::new(Vec::new());
        DynamicImage::new_rgba8(2, 2)
            .write_to(&mut gif, ImageFormat::Gif)
            .unwrap();
        let mut gif = gif.into_inner();
        assert_eq!(draw(&gif).unwrap().len(), FILTERS.len());
        // Width and height of the logical screen.
        gif[6..10].fill(0x60);
        let text = draw(&gif).unwrap_err();
        assert!(text.contains("limit"), "{text}");
    }
}
