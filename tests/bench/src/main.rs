//! Measures what ceremonies and couriers cost, and lays out ceremonies for whole fleets: `sh tests/bench/run.sh`.

mod figure;
mod figures;
mod fleet;
mod keys;
mod plot;
mod process;
mod raw;
mod report;
mod roots;
mod soft;
mod suite;
mod token;
mod verify;

use std::path::Path;
use std::time::Duration;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["suite", rest @ ..] => suite::main(rest),
        ["genesis", folder, count] => fleet::Room::new(Path::new(folder), number(count)).genesis(),
        ["rotate", folder, count] => fleet::Room::new(Path::new(folder), number(count)).rotate(),
        ["names", count] => {
            for name in fleet::Room::new(Path::new("."), number(count)).names() {
                println!("{name}");
            }
        }
        ["genesis-at", folder, count, key] => {
            fleet::Room::new(Path::new(folder), number(count)).genesis_at(Path::new(key));
        }
        ["rotate-at", folder, count, ceremony] => {
            let ceremony = ceremony.parse().expect("a number");
            fleet::Room::new(Path::new(folder), number(count)).rotate_at(ceremony);
        }
        ["root", folder, ceremony, name] => {
            let ceremony = ceremony.parse().expect("a number");
            let name = name.parse().expect("a name");
            println!("{}", fleet::Room::new(Path::new(folder), 0).root(ceremony, &name).display());
        }
        ["raw-sign", module, count] => took(raw::sign(Path::new(module), number(count))),
        ["child-sign", program, count, tokens @ ..] => {
            let (tokens, []) = tokens.as_chunks::<2>() else { panic!("a module without a token") };
            let tokens: Vec<_> =
                tokens.iter().map(|[module, folder]| (module.into(), folder.into())).collect();
            took(token::sign(Path::new(program), number(count), &tokens));
        }
        ["verify", count, threads] => {
            verify::roots(number(count), number(threads)).into_iter().for_each(took);
        }
        ["make-chains", folder, count] => verify::write_chains(Path::new(folder), number(count)),
        ["walk", profile, folder] => took(verify::walk(profile, Path::new(folder))),
        ["walk-raw", dialect, folder] => took(verify::walk_raw(dialect, Path::new(folder))),
        _ => {
            eprintln!("usage: bench genesis|rotate FOLDER COUNT, or sh tests/bench/run.sh");
            std::process::exit(2);
        }
    }
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

/// What a part of this program measured by itself, in nanoseconds.
fn took(time: Duration) {
    println!("{}", time.as_nanos());
}
