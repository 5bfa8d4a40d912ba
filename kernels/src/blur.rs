//! Gaussian blur of a picture: `cuda/blur.cu`.

use crate::{Job, JobError, LaunchDraft, ProgramDraft};

/// The PTX.
pub const PTX: &[u8] = include_bytes!("../ptx/blur.ptx");

const WEIGHTS: [u32; 17] =
    [915, 1462, 2195, 3095, 4100, 5103, 5966, 6552, 6760, 6552, 5966, 5103, 4100, 3095, 2195, 1462, 915];

/// A picture of four bytes a pixel, rows from the top.
#[derive(Clone)]
pub struct Picture {
    /// Pixels of a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Red, green, blue, alpha of each pixel.
    pub rgba: Vec<u8>,
}

/// The photograph beside the job file.
pub fn photo() -> Result<Picture, JobError> {
    let error = |error: png::DecodingError| JobError::Picture(error.to_string());
    let mut reader =
        png::Decoder::new(std::io::Cursor::new(include_bytes!("../blur/photo.png"))).read_info().map_err(error)?;
    let mut rgb = vec![0; reader.output_buffer_size().unwrap_or(0)];
    let frame = reader.next_frame(&mut rgb).map_err(error)?;
    if (frame.color_type, frame.bit_depth) != (png::ColorType::Rgb, png::BitDepth::Eight) {
        return Err(JobError::Picture(format!("{:?} of {:?}", frame.color_type, frame.bit_depth)));
    }
    let rgba = rgb.chunks_exact(3).flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 255]).collect();
    Ok(Picture { width: frame.width as usize, height: frame.height as usize, rgba })
}

/// What the kernel computes.
pub fn reference(picture: &Picture) -> Vec<u8> {
    let (width, height) = (picture.width, picture.height);
    let sum = |at: usize, last: usize, value: &dyn Fn(usize) -> u32| -> u32 {
        WEIGHTS.iter().enumerate().map(|(k, weight)| weight * value((at + k).saturating_sub(8).min(last))).sum()
    };
    let mut rows = vec![0u32; picture.rgba.len()];
    for (i, row) in rows.iter_mut().enumerate() {
        let (y, x, channel) = (i / 4 / width, i / 4 % width, i % 4);
        *row = sum(x, width - 1, &|x| u32::from(picture.rgba[(y * width + x) * 4 + channel])) >> 8;
    }
    (0..rows.len())
        .map(|i| {
            let (y, x, channel) = (i / 4 / width, i / 4 % width, i % 4);
            (((1 << 23) + sum(y, height - 1, &|y| rows[(y * width + x) * 4 + channel])) >> 24) as u8
        })
        .collect()
}

/// The blur of `picture`.
pub fn job(picture: &Picture) -> Result<Job, JobError> {
    let size = [picture.width, picture.height];
    let mut draft = ProgramDraft::new("blur", PTX);
    let photo = draft.data(picture.rgba.clone());
    let blurred = draft.zeros(picture.rgba.len());
    draft.launch(
        LaunchDraft::plane("blur", size, [32, 16]).pointers(&[photo, blurred]).int(size[0]).int(size[1]).tile(
            blurred,
            [32, 16],
            size,
            4,
        ),
    );
    draft.expect(blurred, reference(picture));
    draft.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blurred_plain_picture_is_the_picture() {
        let plain = Picture { width: 40, height: 21, rgba: [17u8, 255, 0, 128].repeat(40 * 21) };
        assert_eq!(reference(&plain), plain.rgba);
    }
}
