//! A rotation of a fleet, from the request to synced media: time on the wall, and memory.

use super::batch::raw;
use crate::figure::{Figure, Target};
use crate::process;
use crate::soft::{MODULE, Soft};
use crate::suite::Suite;

/// Beside the raw loop over as many signatures, and the memory of a bare process that signs.
pub(crate) fn measure(suite: &Suite) -> Vec<Figure> {
    let folder = suite.folder("rotation");
    let token = Soft::make(&folder.join("token"), "token");
    let size = suite.size;
    let [few, many] = size.fleets;
    let rooms = [few, many].map(|count| (count, suite.room(count)));
    let title = format!("rotation of {many} repositories, three signatures each");
    let mut time = Figure::new("rotation", title, "s");
    let mut memory = Figure::new("memory", "memory of that beyond what the module takes", "MiB");
    for round in 0..size.long_rounds {
        let raw = raw(suite, &token, 3 * many);
        time.reference(&format!("raw loop: {} signatures", 3 * many), raw);
        let [_, (_, room)] = &rooms;
        // Whoever looks at memory every few milliseconds takes time from what is looked at: each has a run of its own.
        let spent = room.copy(&folder.join(format!("round-{round}"))).conduct(suite, 2);
        let who = "officiant conduct: request to synced media";
        time.ours(who, Target::AtMost(5.0), spent.wall.as_secs_f64());
        // Long enough to be looked at more than once.
        let mut bare = token.command(std::env::current_exe().expect("this program"));
        bare.args(["raw-sign", MODULE, "3000"]);
        let bare = process::watched(&mut bare).memory.beyond(0);
        let [less, more] = rooms.each_ref().map(|(count, room)| {
            // It stays until the end: for minutes ext4 looks at every inode that was let go, and that would be measured.
            let here = folder.join(format!("round-{round}-{count}"));
            mebibytes(room.copy(&here).conduct_watched(suite, 2).memory.beyond(bare))
        });
        memory.peer("bare process that signs, which is taken off for each token", mebibytes(bare));
        memory.ours(&format!("{many} repositories, all processes"), Target::AtMost(32.0), more);
        memory.peer(&format!("{few} repositories, all processes"), less);
        let grown = format!("grown from {few} to {many}");
        memory.ours(&grown, Target::Below(2.0), more - less);
    }
    vec![time, memory]
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
