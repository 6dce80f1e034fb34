//! Pictures of paper: PNG or JPEG to the texts of the QR codes on it.
//!
//! Room floor: touches nothing. Pictures come from outside, so this runs in a child of its own ([`crate::child::scan`]),
//! which opens no file and has little memory; what is too large is refused before room for it is taken.

use png::{ColorType, Transformations};
use serde::{Deserialize, Serialize};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// The largest file of a picture that is read, in bytes.
pub const MAX_BYTES: usize = 16 << 20;
/// The most pixels of a picture.
pub const MAX_PIXELS: usize = 32_000_000;

/// Why a picture cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Error {
    /// It is damaged.
    #[error("the picture is damaged")]
    Damaged,
    /// It is neither PNG nor JPEG.
    #[error("the picture is neither PNG nor JPEG")]
    Form,
    /// It is larger than [`MAX_PIXELS`] or [`MAX_BYTES`].
    #[error("the picture is larger than 32 million pixels or 16 MiB")]
    TooLarge,
}

/// Whether a file begins as a picture does.
pub fn is_picture(bytes: &[u8]) -> bool {
    bytes.starts_with(PNG) || bytes.starts_with(JPEG)
}

/// The texts of the codes that are found, each once, until they are `enough`: a picture is looked at in several sizes and
/// parts, since what spoils one shows in another.
///
/// # Errors
/// [`Error`]; a picture without codes is none.
pub fn codes(bytes: &[u8], enough: impl Fn(&[String]) -> bool) -> Result<Vec<String>, Error> {
    let grey = Grey::decode(bytes)?;
    let mut found: Vec<String> = Vec::new();
    // Twice as large shows all that there is.
    let most = 2 * grey.width.max(grey.height);
    let mut sides = SIDES.map(|side| side.min(most)).to_vec();
    sides.dedup();
    for side in sides {
        let (scaled, before) = (grey.scaled(side), found.len());
        for part in 0..PARTS {
            let part = scaled.part(part);
            for text in part.read(true).into_iter().chain(part.read(false)) {
                if !found.contains(&text) {
                    found.push(text);
                }
            }
            if enough(&found) {
                return Ok(found);
            }
        }
        if (1..=before).contains(&found.len()) {
            break;
        }
    }
    Ok(found)
}

/// A picture in shades of grey.
struct Grey {
    width: usize,
    height: usize,
    dots: Vec<u8>,
}

impl Grey {
    fn decode(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_BYTES {
            return Err(Error::TooLarge);
        }
        match bytes {
            bytes if bytes.starts_with(PNG) => Self::from_png(bytes),
            bytes if bytes.starts_with(JPEG) => Self::from_jpeg(bytes),
            _ => Err(Error::Form),
        }
    }

    fn from_png(bytes: &[u8]) -> Result<Self, Error> {
        let limits = png::Limits { bytes: MAX_MEMORY };
        let cursor = std::io::Cursor::new(bytes);
        let mut decoder = png::Decoder::new_with_limits(cursor, limits);
        decoder.set_transformations(Transformations::normalize_to_color8());
        let header = decoder.read_header_info().map_err(|_| Error::Damaged)?;
        let (width, height) = sides(header.width as usize, header.height as usize)?;
        let mut reader = decoder.read_info().map_err(|_| Error::Damaged)?;
        let size = reader.output_buffer_size().filter(|size| *size <= 4 * width * height);
        let mut dots = vec![0; size.ok_or(Error::TooLarge)?];
        let frame = reader.next_frame(&mut dots).map_err(|_| Error::Damaged)?;
        let samples = match frame.color_type {
            ColorType::Grayscale => 1,
            ColorType::GrayscaleAlpha => 2,
            ColorType::Rgb => 3,
            ColorType::Rgba => 4,
            ColorType::Indexed => return Err(Error::Damaged),
        };
        let dots = dots.chunks_exact(samples).take(width * height).map(shade).collect();
        Self { width, height, dots }.whole()
    }

    fn from_jpeg(bytes: &[u8]) -> Result<Self, Error> {
        let options = DecoderOptions::default()
            .set_max_width(MAX_SIDE)
            .set_max_height(MAX_SIDE)
            .jpeg_set_max_scans(MAX_SCANS)
            .jpeg_set_out_colorspace(ColorSpace::Luma);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
        decoder.decode_headers().map_err(|_| Error::Damaged)?;
        let info = decoder.info().ok_or(Error::Damaged)?;
        let (width, height) = sides(usize::from(info.width), usize::from(info.height))?;
        let dots = decoder.decode().map_err(|_| Error::Damaged)?;
        Self { width, height, dots }.whole()
    }

    fn whole(self) -> Result<Self, Error> {
        if self.dots.len() == self.width * self.height { Ok(self) } else { Err(Error::Damaged) }
    }

    /// The same with its longer side so long: first squares of dots become their mean, then what is between dots is
    /// taken from the four around it.
    fn scaled(&self, side: usize) -> Self {
        let by = (self.width.max(self.height) / side).max(1);
        let small = self.averaged(by);
        let longest = small.width.max(small.height);
        let fit = |length: usize| (length * side / longest).max(1);
        let (width, height) = (fit(small.width), fit(small.height));
        let mut dots = Vec::with_capacity(width * height);
        for row in 0..height {
            for column in 0..width {
                // In parts of 256 of a dot.
                let (y, x) = (row * longest * 256 / side, column * longest * 256 / side);
                dots.push(small.between(y, x));
            }
        }
        Self { width, height, dots }
    }

    fn averaged(&self, by: usize) -> Self {
        let (width, height) = ((self.width / by).max(1), (self.height / by).max(1));
        let mut dots = Vec::with_capacity(width * height);
        for row in 0..height {
            for column in 0..width {
                let square = (0..by).flat_map(|y| (0..by).map(move |x| (y, x)));
                let sum: usize = square.map(|(y, x)| self.dot(row * by + y, column * by + x)).sum();
                dots.push(u8::try_from(sum / (by * by)).unwrap_or(u8::MAX));
            }
        }
        Self { width, height, dots }
    }

    fn between(&self, y: usize, x: usize) -> u8 {
        let (row, column, down, right) = (y / 256, x / 256, y % 256, x % 256);
        let beside =
            |row: usize| self.dot(row, column) * (256 - right) + self.dot(row, column + 1) * right;
        let sum = beside(row) * (256 - down) + beside(row + 1) * down;
        u8::try_from(sum / (256 * 256)).unwrap_or(u8::MAX)
    }

    fn dot(&self, row: usize, column: usize) -> usize {
        let (row, column) = (row.min(self.height - 1), column.min(self.width - 1));
        self.dots.get(row * self.width + column).copied().map_or(0, usize::from)
    }

    /// All of it, and then overlapping halves: codes that stand side by side confuse each other.
    fn part(&self, number: usize) -> Self {
        let (width, height) = (self.width, self.height);
        let (wide, high) = (width.div_ceil(2), height.div_ceil(2));
        let step = |side: usize, at: usize| (side - side.div_ceil(2)) * at / 2;
        let (top, left, high, wide) = match number {
            0 => (0, 0, height, width),
            1..=3 => (0, step(width, number - 1), height, wide),
            _ => (step(height, number - 4), 0, high, width),
        };
        let rows = (top..top + high).flat_map(|row| {
            let start = row * width + left;
            self.dots.get(start..start + wide).unwrap_or_default().iter().copied()
        });
        Self { width: wide, height: high, dots: rows.collect() }
    }

    /// Reads the codes; `evened`, each dot is dark if it is darker than those around it are in the mean, since light may be
    /// uneven, and otherwise as `rqrr` decides.
    fn read(&self, evened: bool) -> Vec<String> {
        let (width, height) = (self.width, self.height);
        let grey = |x: usize, y: usize| self.dots.get(y * width + x).copied().unwrap_or(0);
        let mut prepared = if evened {
            let sums = self.sums();
            let is_dark = |x, y| self.is_dark((x, y), &sums);
            rqrr::PreparedImage::prepare_from_bitmap(width, height, is_dark)
        } else {
            rqrr::PreparedImage::prepare_from_greyscale(width, height, grey)
        };
        let grids = prepared.detect_grids();
        let read = grids.iter().take(MAX_CODES).filter_map(|grid| {
            let mut text = Vec::new();
            grid.decode_to(&mut text).ok()?;
            String::from_utf8(text).ok()
        });
        read.collect()
    }

    fn is_dark(&self, (x, y): (usize, usize), sums: &[u64]) -> bool {
        let around = (self.width.max(self.height) / 60).max(4);
        let (left, right) = (x.saturating_sub(around), (x + around).min(self.width));
        let (top, low) = (y.saturating_sub(around), (y + around).min(self.height));
        let corner = |row: usize, column: usize| {
            sums.get(row * (self.width + 1) + column).copied().unwrap_or_default()
        };
        let all =
            (corner(low, right) + corner(top, left)) - (corner(low, left) + corner(top, right));
        self.dot(y, x) as u64 * ((right - left) * (low - top)) as u64 * 100 < all * DARKER
    }

    /// Of each corner between dots, the sum of all dots above it and to its left.
    fn sums(&self) -> Vec<u64> {
        let mut sums = vec![0; self.width + 1];
        let mut above = sums.clone();
        for row in self.dots.chunks_exact(self.width) {
            let mut sum = 0;
            let dots = row.iter().map(|dot| u64::from(*dot));
            for (column, dot) in above.iter_mut().skip(1).zip(dots) {
                sum += dot;
                *column += sum;
            }
            sums.extend(&above);
        }
        sums
    }
}

/// The brightness of one dot, of one to four samples.
fn shade(samples: &[u8]) -> u8 {
    match *samples {
        [grey] => grey,
        // What one looks through is the paper below.
        [grey, clear] => over(grey, clear),
        [red, green, blue] => mean(red, green, blue),
        [red, green, blue, clear] => over(mean(red, green, blue), clear),
        _ => 0,
    }
}

/// ITU-R BT.601.
fn mean(red: u8, green: u8, blue: u8) -> u8 {
    let sum = 299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue);
    u8::try_from(sum / 1000).unwrap_or(u8::MAX)
}

fn over(grey: u8, clear: u8) -> u8 {
    let white = 255 * (255 - u32::from(clear));
    u8::try_from((u32::from(grey) * u32::from(clear) + white) / 255).unwrap_or(u8::MAX)
}

fn sides(width: usize, height: usize) -> Result<(usize, usize), Error> {
    let fits = (1..=MAX_SIDE).contains(&width)
        && (1..=MAX_SIDE).contains(&height)
        && width * height <= MAX_PIXELS;
    if fits { Ok((width, height)) } else { Err(Error::TooLarge) }
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG: &[u8] = b"\xff\xd8\xff";
const MAX_SIDE: usize = 16_384;
/// Of a progressive JPEG.
const MAX_SCANS: usize = 64;
/// What a PNG may take besides its dots.
const MAX_MEMORY: usize = 256 << 20;
/// More codes than any page has.
const MAX_CODES: usize = 16;
/// The longest sides at which codes are looked for, the quickest first.
const SIDES: [usize; 5] = [1400, 2000, 1000, 2600, 3400];
const PARTS: usize = 7;
/// A dot is dark below this part of what is around it, of 100.
const DARKER: u64 = 92;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paper::png as drawn;

    fn page() -> Vec<u8> {
        drawn(&["OFSP1/1/2/A".repeat(20), "OFSP1/2/2/B".repeat(20)]).unwrap()
    }

    #[test]
    fn what_was_drawn_is_read_and_a_blank_has_nothing() {
        let mut found = codes(&page(), |_| false).unwrap();
        found.sort();
        assert_eq!(found, ["OFSP1/1/2/A".repeat(20), "OFSP1/2/2/B".repeat(20)]);
        assert_eq!(codes(&drawn(&["".to_owned()]).unwrap(), |_| false), Ok(vec![String::new()]));
    }

    #[test]
    fn any_jpeg_is_refused_or_read_and_never_ends_the_program() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/format/paper/");
        let mut seed = 9_u32;
        for name in ["photo.jpg", "progressive.jpg"] {
            let photo = std::fs::read(format!("{folder}{name}")).unwrap();
            assert_eq!(codes(&photo, |codes| codes.len() == 3).unwrap().len(), 3);
            for round in 0..16 {
                let mut bad = photo.clone();
                for _ in 0..6 {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    // The headers of every other one, where the sizes and the tables are.
                    let most = if round % 2 == 0 { 700 } else { bad.len() };
                    let at = seed as usize % most;
                    bad[at] ^= (seed >> 24) as u8 | 1;
                }
                let _ = codes(&bad, |_| true);
            }
        }
    }

    #[test]
    fn any_bytes_are_refused_or_read_and_never_end_the_program() {
        assert_eq!(codes(b"hello", |_| true), Err(Error::Form));
        assert_eq!(codes(&[], |_| true), Err(Error::Form));
        assert_eq!(codes(&vec![0; MAX_BYTES + 1], |_| true), Err(Error::TooLarge));
        let page = page();
        for cut in (0..page.len()).step_by(61) {
            let _ = codes(&page[..cut], |_| true);
        }
        let mut seed = 7_u32;
        for _ in 0..60 {
            let mut bad = page.clone();
            for _ in 0..8 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = seed as usize % bad.len();
                bad[at] ^= (seed >> 24) as u8 | 1;
            }
            let _ = codes(&bad, |_| true);
        }
    }

    #[test]
    fn a_picture_that_claims_to_be_huge_is_refused_before_room_is_taken() {
        let mut huge = page();
        // Width and height of IHDR, and its checksum, which is not looked at before the size is.
        huge[16..24].copy_from_slice(&[0, 0, 0x3f, 0xff, 0, 0, 0x3f, 0xff]);
        let crc = crc(&huge[12..29]);
        huge[29..33].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(codes(&huge, |_| true).map(|_| ()), Err(Error::TooLarge));
        // The same of a JPEG: start, a frame of 65535 by 65535, and nothing else.
        let frame = [
            &b"\xff\xd8\xff\xc0\x00\x0b\x08\xff\xff\xff\xff\x01\x01\x11\x00"[..],
            b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\x00",
        ]
        .concat();
        assert!(codes(&frame, |_| true).is_err());
    }

    fn crc(bytes: &[u8]) -> u32 {
        let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
    }
}
