//! QR codes (ISO/IEC 18004, level M) of short texts: as SVG for print, as PNG, and as blocks on a terminal.
//!
//! Roof, pure.

use qrcode::{Color, EcLevel, QrCode};

/// Dark or light, row by row, with the quiet zone around.
struct Modules {
    width: usize,
    dark: Vec<bool>,
}

impl Modules {
    /// The code of a text; none of one that is too long for any code.
    fn of(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
        let (inner, width) = (code.width(), code.width() + 2 * QUIET);
        let mut dark = vec![false; width * width];
        for (at, color) in code.to_colors().into_iter().enumerate() {
            let (row, column) = (at / inner + QUIET, at % inner + QUIET);
            dark[row * width + column] = color == Color::Dark;
        }
        Some(Self { width, dark })
    }

    fn is_dark(&self, row: usize, column: usize) -> bool {
        self.dark.get(row * self.width + column).copied().unwrap_or(false)
    }

    /// Where dark runs begin in a row, and how long they are.
    fn runs(&self, row: usize) -> Vec<(usize, usize)> {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for column in (0..self.width).filter(|column| self.is_dark(row, *column)) {
            match runs.last_mut() {
                Some((start, length)) if *start + *length == column => *length += 1,
                _ => runs.push((column, 1)),
            }
        }
        runs
    }
}

/// One SVG picture of several codes, one beside the other, that needs nothing else; none if a text is too long.
pub fn svg<T: AsRef<str>>(texts: &[T]) -> Option<String> {
    let codes: Vec<Modules> = drawn(texts)?;
    let height = codes.iter().map(|code| code.width).max()?;
    let (mut path, mut width) = (String::new(), 0);
    for code in &codes {
        for row in 0..code.width {
            for (column, length) in code.runs(row) {
                path += &format!("M{} {row}h{length}v1h-{length}z", width + column);
            }
        }
        width += code.width;
    }
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{width}v{height}h-{width}z\"/>\
         <path fill=\"#000\" d=\"{path}\"/></svg>\n"
    ))
}

/// One PNG picture of several codes, one beside the other; none if a text is too long.
pub fn png<T: AsRef<str>>(texts: &[T]) -> Option<Vec<u8>> {
    let codes = drawn(texts)?;
    let height = codes.iter().map(|code| code.width).max()? * DOTS;
    let width = codes.iter().map(|code| code.width * DOTS).sum::<usize>();
    let mut dots = Vec::with_capacity(width * height);
    for row in 0..height {
        for code in &codes {
            let dot = |column| if code.is_dark(row / DOTS, column / DOTS) { 0 } else { u8::MAX };
            dots.extend((0..code.width * DOTS).map(dot));
        }
    }
    let mut file = Vec::new();
    let (width, height) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&dots).ok()?;
    writer.finish().ok()?;
    Some(file)
}

/// Two rows in a line; light is lit, since terminals are dark. None of a text that is too long.
pub(super) fn blocks(text: &str) -> Option<String> {
    let code = Modules::of(text)?;
    let mut lines = String::from("\n");
    for row in (0..code.width).step_by(2) {
        for column in 0..code.width {
            let below = row + 1 >= code.width || code.is_dark(row + 1, column);
            lines.push(match (code.is_dark(row, column), below) {
                (false, false) => '█',
                (false, true) => '▀',
                (true, false) => '▄',
                (true, true) => ' ',
            });
        }
        lines.push('\n');
    }
    Some(lines)
}

fn drawn<T: AsRef<str>>(texts: &[T]) -> Option<Vec<Modules>> {
    texts.iter().map(|text| Modules::of(text.as_ref())).collect()
}

/// Modules of light around a code.
const QUIET: usize = 4;
/// Dots of a module in a PNG.
const DOTS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_250_letters_fits_print_and_terminal() {
        let text = "A1/".repeat(83);
        let code = Modules::of(&text).unwrap();
        assert!(code.width <= 57 + 2 * QUIET, "{}", code.width);
        let drawn = blocks(&text).unwrap();
        assert!(drawn.lines().all(|line| line.chars().count() <= 80));
        assert!(svg(&[&text]).unwrap().matches("v1h-").count() > 500);
        assert!(png(&[text.clone(), text]).unwrap().starts_with(b"\x89PNG"));
        assert!(svg(&["A".repeat(5000)]).is_none() && png::<&str>(&[]).is_none());
    }
}
