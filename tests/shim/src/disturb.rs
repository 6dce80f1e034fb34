//! The rules of `shim.conf`: which call is disturbed, and how.

use std::{
    ffi::c_int,
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    process, slice,
    sync::Mutex,
    thread,
    time::Duration,
};

use super::{attack, functions::NAMES};

unsafe extern "C" {
    fn kill(process: c_int, signal: c_int) -> c_int;
    fn getppid() -> c_int;
}

const SIGKILL: c_int = 9;

/// On which side of the real call a rule is played.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum When {
    After,
    Before,
}

enum Action {
    Abort,
    Attack(Vec<PathBuf>),
    /// Bits of a token's flags, set and cleared.
    Flags(usize, usize),
    /// What a token says of its firmware.
    Firmware(u8, u8),
    Garbage,
    Hang,
    Keep,
    Kill(Victim),
    /// What a token says of its maker and model.
    Model(String, String),
    /// What somebody types on its own pad.
    Pad(String),
    Return(usize),
    Sleep(Duration),
    /// The time that a slow token takes for an answer, and not for the length of one.
    Work(Duration),
}

enum Victim {
    Both,
    Group,
    Parent,
    Itself,
}

/// One line of `shim.conf`.
pub(crate) struct Rule {
    /// One function, or all of them.
    function: Option<usize>,
    /// Its nth call, or each.
    number: Option<u64>,
    when: When,
    action: Action,
}

impl Rule {
    /// Reads a line; a mistake in it ends the process, so that no test passes by one.
    pub(crate) fn read(line: &str) -> Self {
        let wrong = || -> ! { panic!("shim.conf: `{line}`") };
        let words: Vec<_> = line.split_whitespace().collect();
        let [function, number, when, action, rest @ ..] = words.as_slice() else { wrong() };
        let function = (*function != "call")
            .then(|| NAMES.iter().position(|name| name == function).unwrap_or_else(|| wrong()));
        let number = (*number != "every").then(|| number.parse().unwrap_or_else(|_| wrong()));
        let when = match *when {
            "after" => When::After,
            "before" => When::Before,
            _ => wrong(),
        };
        let action = match (*action, rest) {
            ("abort", []) => Action::Abort,
            ("attack", paths) => Action::Attack(paths.iter().map(PathBuf::from).collect()),
            ("flags", [set, clear])
                if when == When::After
                    && function.is_some_and(|f| NAMES[f] == "C_GetTokenInfo") =>
            {
                Action::Flags(
                    code_of(set).unwrap_or_else(|| wrong()),
                    code_of(clear).unwrap_or_else(|| wrong()),
                )
            }
            ("firmware", [major, minor])
                if when == When::After
                    && function.is_some_and(|f| NAMES[f] == "C_GetTokenInfo") =>
            {
                let number = |text: &str| text.parse().unwrap_or_else(|_| wrong());
                Action::Firmware(number(major), number(minor))
            }
            ("garbage", []) if when == When::After && function.is_some() => Action::Garbage,
            ("hang", []) => Action::Hang,
            ("keep", []) if function.is_some_and(|f| NAMES[f] == "C_Login") => Action::Keep,
            ("kill", ["both"]) => Action::Kill(Victim::Both),
            ("kill", ["group"]) => Action::Kill(Victim::Group),
            ("kill", ["parent"]) => Action::Kill(Victim::Parent),
            ("kill", ["self"]) => Action::Kill(Victim::Itself),
            ("model", [maker, model])
                if when == When::After
                    && function.is_some_and(|f| NAMES[f] == "C_GetTokenInfo") =>
            {
                let text = |words: &str| words.replace('_', " ");
                Action::Model(text(maker), text(model))
            }
            ("pad", [pin])
                if when == When::Before && function.is_some_and(|f| NAMES[f] == "C_Login") =>
            {
                Action::Pad((*pin).to_owned())
            }
            ("return", [code]) => Action::Return(code_of(code).unwrap_or_else(|| wrong())),
            ("sleep", [ms]) => {
                Action::Sleep(Duration::from_millis(ms.parse().unwrap_or_else(|_| wrong())))
            }
            ("work", [ms]) if function.is_some_and(|f| NAMES[f] == "C_Sign") => {
                Action::Work(Duration::from_millis(ms.parse().unwrap_or_else(|_| wrong())))
            }
            _ => wrong(),
        };
        Self { function, number, when, action }
    }

    /// Whether the rule is for this call: `all`th of all, `own`th of its function.
    pub(crate) fn matches(&self, function: usize, all: u64, own: u64, when: When) -> bool {
        let number = if self.function.is_some() { own } else { all };
        self.when == when
            && self.function.is_none_or(|f| f == function)
            && self.number.is_none_or(|n| n == number)
    }

    /// Plays it; the answer, if there is one, is what the application gets.
    pub(crate) fn play(
        &self,
        folder: &Path,
        function: usize,
        arguments: &[usize],
    ) -> Option<usize> {
        match &self.action {
            Action::Abort => process::abort(),
            Action::Attack(paths) => {
                let report = File::create(folder.join("attacks")).expect("a report");
                attack::all(report, paths);
            }
            Action::Flags(set, clear) => {
                // CK_TOKEN_INFO: label, manufacturer, model and serial, then the flags.
                let flags = (arguments[1] + 96) as *mut usize;
                unsafe { *flags = (*flags | set) & !clear };
            }
            Action::Firmware(major, minor) => {
                // CK_TOKEN_INFO: after its flags and ten counts the version of the hardware, and then this.
                let firmware = (arguments[1] + 186) as *mut [u8; 2];
                unsafe { *firmware = [*major, *minor] };
            }
            Action::Garbage => spoil(NAMES[function], arguments),
            Action::Hang => loop {
                thread::park();
            },
            Action::Keep => keep(arguments[2], arguments[3]),
            Action::Kill(victim) => victim.kill(folder),
            Action::Model(maker, model) => {
                write(arguments[1] + 32, 32, maker);
                write(arguments[1] + 64, 16, model);
            }
            Action::Pad(pin) => return Some(type_on_pad(pin, arguments)),
            Action::Return(code) => return Some(*code),
            Action::Sleep(time) => thread::sleep(*time),
            // Who gives no room for the signature asks for its length alone.
            Action::Work(time) => {
                if arguments[3] != 0 {
                    thread::sleep(*time);
                }
            }
        }
        None
    }
}

impl Victim {
    fn kill(&self, folder: &Path) {
        let own = process::id();
        let victims = match self {
            // A signal to oneself is there before the call returns.
            Self::Itself => unsafe { kill(own.cast_signed(), SIGKILL) }.to_string(),
            Self::Group => unsafe { kill(0, SIGKILL) }.to_string(),
            Self::Parent => unsafe { getppid() }.to_string(),
            Self::Both => format!("{} {own}", unsafe { getppid() }),
        };
        let mut pipe = OpenOptions::new().write(true).open(folder.join("victims")).expect("a pipe");
        pipe.write_all(format!("{victims}\n").as_bytes()).expect("a test that reads");
        // The one who is told comes, or the parent's end ends this process.
        loop {
            thread::park();
        }
    }
}

/// Logs in by what is typed on the pad. A PIN that comes from the application is refused, as the standard has it.
fn type_on_pad(pin: &str, arguments: &[usize]) -> usize {
    match arguments {
        [session, user, 0, 0] => {
            let login =
                super::real(NAMES.iter().position(|name| *name == "C_Login").expect("a name"));
            let login: extern "C" fn(usize, usize, usize, usize) -> usize =
                unsafe { std::mem::transmute(login) };
            login(*session, *user, pin.as_ptr() as usize, pin.len())
        }
        _ => 7, // CKR_ARGUMENTS_BAD
    }
}

/// Keeps what was typed, where a module that is careless or means ill would.
fn keep(address: usize, length: usize) {
    let typed = unsafe { slice::from_raw_parts(address as *const u8, length) };
    KEPT.lock().expect("one call at a time").extend_from_slice(typed);
}

static KEPT: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Writes a text padded with blanks, as PKCS#11 pads it.
fn write(address: usize, length: usize, text: &str) {
    let field = unsafe { slice::from_raw_parts_mut(address as *mut u8, length) };
    field.fill(b' ');
    field[..text.len()].copy_from_slice(text.as_bytes());
}

fn code_of(text: &str) -> Option<usize> {
    match text.strip_prefix("0x") {
        Some(digits) => usize::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Turns every bit of what the real module wrote for the application.
fn spoil(name: &str, arguments: &[usize]) {
    match name {
        "C_GetTokenInfo" => turn(arguments[1], 96),
        "C_GenerateRandom" => turn(arguments[1], arguments[2]),
        "C_GetAttributeValue" => {
            for at in 0..arguments[3] {
                // CK_ATTRIBUTE: type, value, length; a length of all ones says that there is no value.
                let [_, value, length] =
                    unsafe { *((arguments[2] + 24 * at) as *const [usize; 3]) };
                if length != usize::MAX {
                    turn(value, length);
                }
            }
        }
        "C_Sign" | "C_Encrypt" | "C_Decrypt" | "C_Digest" => {
            turn(arguments[3], unsafe { *(arguments[4] as *const usize) });
        }
        _ => panic!("shim.conf: no garbage for {name}"),
    }
}

fn turn(address: usize, length: usize) {
    if address != 0 {
        let bytes = unsafe { slice::from_raw_parts_mut(address as *mut u8, length) };
        bytes.iter_mut().for_each(|byte| *byte = !*byte);
    }
}
