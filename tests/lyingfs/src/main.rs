//! `lyingfs POINT FOLDER`: mounts an empty volume in memory at POINT, and disturbs the operations that FOLDER/lies names.
//!
//! ```text
//! write 3 fail ENOSPC        the 3rd write fails: EIO, ENOSPC, EROFS
//! create 2 fill              full from here on, and its free space says so: ENOSPC
//! mkdir 1 lock               read-only from here on: EROFS
//! sync 1 vanish              gone from here on, whatever is asked: ENOTCONN
//! write 2 lose               taken without complaint, and zeros when it is read back
//! rename 1 lose              said to be done, and not done; so too `create` and `mkdir`
//! write every flip           taken without complaint, and one bit is another when it is read back
//! open every flip            whoever opens a file again reads other bytes than at first
//! read 1 hang                never answered
//! change 7 flip              the same with the first write among the 7th change and those after it
//! ```
//!
//! Operations: `create`, `list` (of a folder), `look` (at a name or what it has), `mkdir`, `open`, `read`, `remove`,
//! `rename`, `sync` (of a file or a folder), `truncate`, `write`; `change` is whatever of these changes the volume, all
//! counted together. FOLDER/trace gets a line for each, before it is done: its number among its like, its kind, its
//! path; and after the one that was disturbed the line `lied`.
//! Another file FOLDER/lies begins all this anew: a volume that was gone is there again, with what it held.
//! Nothing is cached: what is read back is what the volume holds.

mod lie;
mod tree;
mod volume;

use std::{env, path::PathBuf, sync::Mutex};

use lie::Lies;
use tree::Tree;
use volume::Volume;

fn main() {
    let arguments: Vec<_> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [point, folder] = arguments.as_slice() else { panic!("usage: lyingfs POINT FOLDER") };
    let lies = Mutex::new(Lies::read(folder.clone()));
    let volume = Volume { tree: Mutex::new(Tree::empty()), lies };
    fuser::mount(volume, point, &fuser::Config::default()).expect("a mounted volume");
}
