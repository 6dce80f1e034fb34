//! `lyingfs POINT FOLDER`: mounts an empty volume in memory at POINT, and disturbs the operations that FOLDER/lies names.
//!
//! ```text
//! write 3 fail ENOSPC        the 3rd write fails: EIO, ENOSPC, EROFS
//! sync 1 vanish              the volume is gone from here on: ENOTCONN
//! write 2 lose               taken without complaint, and zeros when it is read back
//! write every flip           taken without complaint, and one bit is another when it is read back
//! open every flip            whoever opens a file again reads other bytes than at first
//! read 1 hang                never answered
//! ```
//!
//! Operations: `create`, `mkdir`, `open`, `read`, `remove`, `rename`, `sync` (of a file or a folder), `truncate`,
//! `write`. FOLDER/trace gets a line for each, before it is done: its number among its like, its kind, its name.
//! Nothing is cached: what is read back is what the volume holds.

mod lie;
mod volume;

use std::{env, fs, path::PathBuf, sync::Mutex};

use lie::Lies;
use volume::{Tree, Volume};

fn main() {
    let arguments: Vec<_> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [point, folder] = arguments.as_slice() else { panic!("usage: lyingfs POINT FOLDER") };
    let rules = fs::read_to_string(folder.join("lies")).expect("FOLDER/lies");
    let lies = Lies::read(&rules, &folder.join("trace"));
    let volume = Volume { tree: Mutex::new(Tree::empty()), lies: Mutex::new(lies) };
    fuser::mount(volume, point, &fuser::Config::default()).expect("a mounted volume");
}
