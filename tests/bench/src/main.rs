//! Lays out ceremonies for whole fleets.

mod fleet;

use std::path::Path;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["genesis", folder, count] => {
            fleet::Room::new(Path::new(folder), count.parse().expect("a number")).genesis();
        }
        ["rotate", folder, count] => {
            fleet::Room::new(Path::new(folder), count.parse().expect("a number")).rotate();
        }
        _ => {
            eprintln!("usage: bench genesis|rotate FOLDER COUNT");
            std::process::exit(2);
        }
    }
}
