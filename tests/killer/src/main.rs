//! Runs a command, counts every call of all its processes that changes a file, a name or a pipe, and kills all of them
//! together before a chosen one: what strace's injection does to one process, for the whole tree at once.
//!
//! ```text
//! killer LOG SKIP NUMBER LAST SPARED UNDER PROGRAM ARGUMENTS…
//! ```
//!
//! It kills at the latest before a step after step LAST is announced (0: any may be).
//! Writes to files whose path ends with SPARED (`-`: none) are not counted: what empties a file and writes it anew in place
//! cannot be interrupted there by anybody who is to go on; nor are writes to files without a name, which end with whoever
//! has them open. Only calls about paths that begin with UNDER count (`-`: any).
//! Counting begins when the command has announced SKIP steps (a text to its standard error that begins as `\n[7/22]`);
//! NUMBER 0 kills nobody. LOG gets a line for each counted call: number, process, name, and what it is about.
//! Ends with 137 after a kill, else as the command did.

use std::{
    env,
    ffi::OsString,
    fs::File,
    io::{BufWriter, Write},
    process::{Command, ExitCode},
};

use killer::trace::{self, Event, Stops};

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let mut next =
        || arguments.next().expect("killer LOG SKIP NUMBER LAST SPARED UNDER PROGRAM ARGUMENTS…");
    let number =
        |text: OsString| text.to_str().and_then(|t| t.parse::<u64>().ok()).expect("a number");
    let (log, mut skip, at, last) = (next(), number(next()), number(next()), number(next()));
    let spared = next().into_string().expect("the end of a path");
    let under = next().into_string().expect("the beginning of a path");
    let mut command = Command::new(next());
    command.args(arguments);
    let mut log = BufWriter::new(File::create(log).expect("a log"));
    let mut traced = trace::start(&mut command, Stops::Calls);
    let mut counted = 0;
    loop {
        match traced.next() {
            Event::Ended(code) => return ExitCode::from(code),
            Event::Leaving(_) => traced.go_on(),
            Event::Call(call) => {
                let announced = call.announces();
                skip -= u64::from(skip > 0 && announced.is_some());
                let (process, name, object) = (call.process, call.name(), call.object());
                let is_spared =
                    name == "write" && object.ends_with(&spared) || object.ends_with(" (deleted)");
                let is_there = under == "-" || object.starts_with(&under);
                let counts = skip == 0 && is_there && !is_spared;
                if counts {
                    counted += 1;
                    writeln!(log, "{counted} {process} {name} {object}").expect("a log");
                }
                let is_beyond = last > 0 && announced.is_some_and(|step| step > last);
                if is_beyond || counts && counted == at {
                    log.flush().expect("a log");
                    traced.kill();
                    return ExitCode::from(137);
                }
                traced.go_on();
            }
        }
    }
}
