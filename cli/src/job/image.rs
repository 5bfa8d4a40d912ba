//! Pictures: PNG files to rows of pixels and back.

use std::{fs::File, io::BufReader, path::Path};

use super::error::Problem;

/// How pixels lie in a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PixelFormat {
    /// Red, green, blue, alpha: 4 bytes.
    Rgba8,
    /// Red, green, blue: 3 bytes.
    Rgb8,
    /// Luminance: 1 byte.
    Gray8,
}

/// Names of all formats, for messages.
pub const FORMATS: &str = "rgba8, rgb8, gray8";

/// Pixels of the largest picture.
const MAX_PIXELS: u64 = 1 << 30;

impl PixelFormat {
    /// The format called `name`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "rgba8" => Some(Self::Rgba8),
            "rgb8" => Some(Self::Rgb8),
            "gray8" => Some(Self::Gray8),
            _ => None,
        }
    }

    /// Bytes of one pixel.
    pub fn bytes(self) -> u64 {
        match self {
            Self::Rgba8 => 4,
            Self::Rgb8 => 3,
            Self::Gray8 => 1,
        }
    }

    fn color(self) -> png::ColorType {
        match self {
            Self::Rgba8 => png::ColorType::Rgba,
            Self::Rgb8 => png::ColorType::Rgb,
            Self::Gray8 => png::ColorType::Grayscale,
        }
    }

    fn push(self, [r, g, b, a]: [u8; 4], out: &mut Vec<u8>) {
        match self {
            Self::Rgba8 => out.extend_from_slice(&[r, g, b, a]),
            Self::Rgb8 => out.extend_from_slice(&[r, g, b]),
            // Rec. 601 luma in integers; equal parts stay what they are.
            Self::Gray8 => {
                let sum = 299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b) + 500;
                out.push(u8::try_from(sum / 1000).unwrap_or(u8::MAX));
            }
        }
    }
}

/// A picture in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels of a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Rows from the top, without padding.
    pub pixels: Vec<u8>,
}

fn problem(path: &Path, reason: impl ToString) -> Problem {
    Problem::Image { path: path.to_owned(), reason: reason.to_string() }
}

/// Reads a PNG file of any kind.
pub fn read(path: &Path, format: PixelFormat) -> Result<Picture, Problem> {
    let file = File::open(path).map_err(|error| Problem::Read { path: path.to_owned(), error })?;
    let mut decoder = png::Decoder::new(BufReader::new(file));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(|error| problem(path, error))?;
    let (width, height) = (reader.info().width, reader.info().height);
    if u64::from(width).saturating_mul(u64::from(height)) > MAX_PIXELS {
        return Err(problem(path, format!("{width} x {height} pixels are more than {MAX_PIXELS}")));
    }
    let size = reader.output_buffer_size().ok_or_else(|| problem(path, "too large"))?;
    let mut raw = vec![0; size];
    let info = reader.next_frame(&mut raw).map_err(|error| problem(path, error))?;
    let raw = raw.get(..info.buffer_size()).unwrap_or_default();
    let mut pixels = Vec::new();
    match info.color_type {
        png::ColorType::Rgba => raw.as_chunks::<4>().0.iter().for_each(|pixel| format.push(*pixel, &mut pixels)),
        png::ColorType::Rgb => {
            raw.as_chunks::<3>().0.iter().for_each(|[r, g, b]| format.push([*r, *g, *b, 255], &mut pixels));
        }
        png::ColorType::GrayscaleAlpha => {
            raw.as_chunks::<2>().0.iter().for_each(|[v, a]| format.push([*v, *v, *v, *a], &mut pixels));
        }
        png::ColorType::Grayscale => raw.iter().for_each(|v| format.push([*v, *v, *v, 255], &mut pixels)),
        png::ColorType::Indexed => return Err(problem(path, "an indexed picture that was not expanded")),
    }
    Ok(Picture { width, height, pixels })
}

/// Writes a PNG file.
pub fn write(path: &Path, format: PixelFormat, width: u32, height: u32, pixels: &[u8]) -> Result<(), std::io::Error> {
    let mut encoder = png::Encoder::new(std::io::BufWriter::new(File::create(path)?), width, height);
    encoder.set_color(format.color());
    encoder.set_depth(png::BitDepth::Eight);
    let write = |error: png::EncodingError| std::io::Error::other(error.to_string());
    let mut writer = encoder.write_header().map_err(write)?;
    writer.write_image_data(pixels).map_err(write)?;
    writer.finish().map_err(write)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_picture_survives_being_written_and_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.png");
        let pixels: Vec<u8> = (0..3 * 2 * 4).collect();
        write(&path, PixelFormat::Rgba8, 3, 2, &pixels).unwrap();
        assert_eq!(read(&path, PixelFormat::Rgba8).unwrap(), Picture { width: 3, height: 2, pixels });
    }

    #[test]
    fn grey_and_coloured_pictures_become_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.png");
        write(&path, PixelFormat::Gray8, 2, 1, &[7, 200]).unwrap();
        assert_eq!(read(&path, PixelFormat::Rgba8).unwrap().pixels, [7, 7, 7, 255, 200, 200, 200, 255]);
        assert_eq!(read(&path, PixelFormat::Gray8).unwrap().pixels, [7, 200]);
        write(&path, PixelFormat::Rgb8, 1, 1, &[255, 0, 0]).unwrap();
        assert_eq!(read(&path, PixelFormat::Gray8).unwrap().pixels, [76]);
    }

    #[test]
    fn what_is_no_picture_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.png");
        std::fs::write(&path, b"not a picture").unwrap();
        assert!(matches!(read(&path, PixelFormat::Rgba8), Err(Problem::Image { .. })));
    }
}
