//! A PKCS#11 module between an application and a real one: it counts every call and, where told, disturbs one.
//!
//! It finds its own folder by `dladdr`, because the children of `officiant` have no environment to speak of; each
//! test copies it to a folder of its own, which room.toml lets it write. There it reads `shim.conf`:
//!
//! ```text
//! module /usr/lib/softhsm/libsofthsm2.so
//! call 17 before kill self           the 17th call of all, over all processes
//! C_Sign 3 before return 0x30        the 3rd call of this function
//! C_Sign every before sleep 100      each call, milliseconds
//! C_Sign every before work 5         each signature, not what asks for its length
//! ```
//!
//! Actions: `kill self|group|parent|both` (SIGKILL; a child of `officiant` may kill nobody else, so for the last two its own
//! number and its parent's go into the pipe `victims`, and the test kills), `return CKR`, `sleep MS`, `work MS` (only of `C_Sign`), `hang`, `abort`,
//! `keep` (only of `C_Login`: its PIN stays in memory), `garbage` (only `after`: what the real module answered is overwritten), `flags SET CLEAR`, `model MAKER MODEL` and
//! `firmware MAJOR MINOR` (only after `C_GetTokenInfo`: bits of its flags, or what it says that it is, `_` for blanks), `pad PIN` (only before `C_Login`: it takes
//! none from the application, and this one is typed on its pad), `attack PATH…` (all that a module could do to
//! the ceremony; `attacks` says what came of it). It writes `counts`, 64-bit little-endian numbers: of all calls, then of
//! each function in the order of the standard; and `trace`, one line for each call: its number, process and name.
#![allow(non_snake_case, reason = "the names are the standard's")]

mod attack;
mod disturb;
mod functions;

use std::{
    ffi::{CStr, CString, OsStr, c_char, c_int, c_void},
    fs::{self, OpenOptions},
    io::Write,
    os::unix::{ffi::OsStrExt, fs::FileExt},
    path::{Path, PathBuf},
    process,
    sync::OnceLock,
};

use disturb::{Rule, When};
use functions::{COUNT, NAMES};

/// `CK_FUNCTION_LIST` of version 2.40: its functions as bare addresses.
#[repr(C)]
struct List {
    version: [u8; 2],
    functions: [usize; COUNT],
}

struct Shim {
    folder: PathBuf,
    rules: Vec<Rule>,
    real: &'static List,
    own: List,
}

#[repr(C)]
struct DlInfo {
    file: *const c_char,
    base: *mut c_void,
    name: *const c_char,
    address: *mut c_void,
}

unsafe extern "C" {
    fn dladdr(address: *const c_void, info: *mut DlInfo) -> c_int;
    fn dlopen(file: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
}

const RTLD_NOW: c_int = 2;

static SHIM: OnceLock<Shim> = OnceLock::new();

/// Gives the list of functions, as every PKCS#11 module does.
///
/// # Safety
/// `list` points to room for one pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn C_GetFunctionList(list: *mut *const c_void) -> usize {
    if list.is_null() {
        return 7; // CKR_ARGUMENTS_BAD
    }
    let shim = SHIM.get_or_init(Shim::load);
    unsafe { *list = (&raw const shim.own).cast() };
    0
}

/// The function of the real module at that place of the list.
fn real(index: usize) -> usize {
    SHIM.get_or_init(Shim::load).real.functions[index]
}

/// Counts a call, disturbs it where a rule says so, and forwards it.
fn call(index: usize, arguments: &[usize], forward: impl FnOnce(usize) -> usize) -> usize {
    let shim = SHIM.get_or_init(Shim::load);
    let (all, own) = shim.count(index);
    for rule in shim.rules.iter().filter(|rule| rule.matches(index, all, own, When::Before)) {
        if let Some(code) = rule.play(&shim.folder, index, arguments) {
            return code;
        }
    }
    let mut code = forward(shim.real.functions[index]);
    for rule in shim.rules.iter().filter(|rule| rule.matches(index, all, own, When::After)) {
        code = rule.play(&shim.folder, index, arguments).unwrap_or(code);
    }
    code
}

impl Shim {
    fn load() -> Self {
        let folder = folder();
        let text = fs::read_to_string(folder.join("shim.conf")).expect("shim.conf beside the shim");
        let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let module = lines[0].strip_prefix("module ").expect("shim.conf begins with `module PATH`");
        let rules = lines[1..].iter().map(|line| Rule::read(line)).collect();
        let real = open(Path::new(module));
        let mut functions = functions::addresses();
        for (own, real) in functions.iter_mut().zip(real.functions) {
            if real == 0 {
                *own = 0;
            }
        }
        Self { folder, rules, real, own: List { version: real.version, functions } }
    }

    /// Counts the call over all processes; returns its number among all, and among those of its function.
    fn count(&self, index: usize) -> (u64, u64) {
        let options =
            || OpenOptions::new().read(true).write(true).create(true).truncate(false).to_owned();
        let file = options().open(self.folder.join("counts")).expect("counts");
        file.lock().expect("the lock on counts");
        let mut bytes = [0; 8 * (COUNT + 1)];
        let _ = file.read_exact_at(&mut bytes, 0);
        let mut raise = |at: usize| {
            let field = &mut bytes[8 * at..8 * at + 8];
            let number = u64::from_le_bytes(field.try_into().expect("eight bytes")) + 1;
            field.copy_from_slice(&number.to_le_bytes());
            number
        };
        let numbers = (raise(0), raise(index + 1));
        file.write_all_at(&bytes, 0).expect("counts");
        let mut trace = OpenOptions::new()
            .append(true)
            .create(true)
            .open(self.folder.join("trace"))
            .expect("trace");
        let line = format!("{} {} {}\n", numbers.0, process::id(), NAMES[index]);
        trace.write_all(line.as_bytes()).expect("trace");
        numbers
    }
}

/// The folder that this module was loaded from.
fn folder() -> PathBuf {
    let mut info = DlInfo {
        file: std::ptr::null(),
        base: std::ptr::null_mut(),
        name: std::ptr::null(),
        address: std::ptr::null_mut(),
    };
    // Not what it exports: who loaded it may export the same.
    let own = folder as *const c_void;
    let name = unsafe {
        assert_ne!(dladdr(own, &raw mut info), 0, "the path of the shim is not known");
        CStr::from_ptr(info.file)
    };
    let mut file = PathBuf::from(OsStr::from_bytes(name.to_bytes()));
    if file.starts_with("/proc/self/fd") {
        // Loaded from a copy in memory, which is called by the path of the file.
        let copy = fs::read_link(&file).expect("an open file");
        let name = copy.to_str().expect("a plain path").strip_prefix("/memfd:");
        file = name.and_then(|name| name.strip_suffix(" (deleted)")).expect("a path").into();
    }
    file.parent().expect("a folder").to_owned()
}

/// Loads the real module and asks for its functions.
fn open(path: &Path) -> &'static List {
    let name = CString::new(path.as_os_str().as_bytes()).expect("a path");
    unsafe {
        let library = dlopen(name.as_ptr(), RTLD_NOW);
        assert!(!library.is_null(), "cannot load {}", path.display());
        let function = dlsym(library, c"C_GetFunctionList".as_ptr());
        assert!(!function.is_null(), "{} is no PKCS#11 module", path.display());
        let function: unsafe extern "C" fn(*mut *const List) -> usize =
            std::mem::transmute(function);
        let mut list = std::ptr::null();
        assert_eq!(function(&raw mut list), 0, "{} gives no functions", path.display());
        &*list
    }
}
