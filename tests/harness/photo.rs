//! What a camera makes of a print: turned, seen from aside, unevenly lit, blurred, with noise.

use std::io::Cursor;

/// A picture in shades of grey.
pub(crate) struct Photo {
    width: usize,
    height: usize,
    dots: Vec<f64>,
}

/// How the camera was held.
#[derive(Clone, Copy)]
pub(crate) struct Camera {
    /// By how many degrees it was turned.
    pub(crate) turned: f64,
    /// How much smaller the far side of the print is, as a part of it.
    pub(crate) aside: f64,
    /// Its resolution against that of the print.
    pub(crate) scale: f64,
    /// Over how many dots to each side it blurs.
    pub(crate) blur: usize,
    /// How strong its noise is, of 255.
    pub(crate) noise: f64,
}

impl Photo {
    /// Reads a PNG in shades of grey, as we print it.
    pub(crate) fn of(file: &[u8]) -> Self {
        let mut reader = png::Decoder::new(Cursor::new(file)).read_info().expect("a PNG");
        let mut dots = vec![0; reader.output_buffer_size().expect("a size")];
        let info = reader.next_frame(&mut dots).expect("a frame");
        assert_eq!(info.color_type, png::ColorType::Grayscale);
        let dots = dots.into_iter().map(f64::from).collect();
        Self { width: info.width as usize, height: info.height as usize, dots }
    }

    /// The left part of it, as when the rest was cut off.
    pub(crate) fn left(&self, part: f64) -> Self {
        let width = (self.width as f64 * part) as usize;
        let rows = self.dots.chunks(self.width).flat_map(|row| row[..width].to_vec());
        Self { width, height: self.height, dots: rows.collect() }
    }

    /// What the camera takes of it.
    pub(crate) fn taken(&self, camera: Camera, seed: u64) -> Self {
        let (w, h) = (self.width as f64, self.height as f64);
        // The table around the print.
        let (width, height) = (w * camera.scale * 1.15, h.max(w * 0.45) * camera.scale * 1.4);
        let (sin, cos) = camera.turned.to_radians().sin_cos();
        let mut dots = Vec::new();
        for y in 0..height as usize {
            for x in 0..width as usize {
                let (u, v) = (x as f64 / width - 0.5, y as f64 / height - 0.5);
                let (dx, dy) = (u * width / camera.scale, v * height / camera.scale);
                let (rx, ry) = (dx * cos + dy * sin, dy * cos - dx * sin);
                let far = 1.0 + camera.aside * ry / h;
                let paper = self.at(rx * far + w / 2.0, ry * far + h / 2.0);
                let light = 0.75 + 0.2 * u - 0.1 * v;
                dots.push(paper * light);
            }
        }
        let mut photo = Self { width: width as usize, height: height as usize, dots };
        photo.blurred(camera.blur);
        let mut random = seed;
        for dot in &mut photo.dots {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let noise = (random >> 40) as f64 / f64::from(1 << 24) - 0.5;
            *dot = (*dot + 2.0 * noise * camera.noise).clamp(0.0, 255.0);
        }
        photo
    }

    /// As a PNG.
    pub(crate) fn png(&self) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().expect("a header");
        let dots: Vec<u8> = self.dots.iter().map(|dot| *dot as u8).collect();
        writer.write_image_data(&dots).expect("dots");
        writer.finish().expect("an end");
        file
    }

    /// Between the dots; beside the paper the table is grey.
    fn at(&self, x: f64, y: f64) -> f64 {
        let dot = |x: f64, y: f64| {
            let (column, row) = (x as usize, y as usize);
            let is_on = x >= 0.0 && y >= 0.0 && column < self.width && row < self.height;
            if is_on { self.dots[row * self.width + column] } else { 200.0 }
        };
        let (fx, fy) = (x - x.floor(), y - y.floor());
        let (x, y) = (x.floor(), y.floor());
        let above = dot(x, y) * (1.0 - fx) + dot(x + 1.0, y) * fx;
        let below = dot(x, y + 1.0) * (1.0 - fx) + dot(x + 1.0, y + 1.0) * fx;
        above * (1.0 - fy) + below * fy
    }

    fn blurred(&mut self, by: usize) {
        for (step, rows) in [(1, false), (self.width, true)] {
            let old = self.dots.clone();
            for (at, dot) in self.dots.iter_mut().enumerate() {
                let (place, end) = match rows {
                    false => (at % self.width, self.width),
                    true => (at / self.width, self.height),
                };
                let low = place.saturating_sub(by);
                let high = (place + by).min(end - 1);
                let sum: f64 = (low..=high).map(|p| old[at + p * step - place * step]).sum();
                *dot = sum / (high - low + 1) as f64;
            }
        }
    }
}
