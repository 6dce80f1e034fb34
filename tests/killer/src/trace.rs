//! ptrace: a seccomp filter stops nobody but at the calls that are counted; or each process is stopped at its end.

use std::{
    collections::BTreeSet,
    ffi::{c_int, c_long, c_ulong, c_void},
    io,
    os::unix::process::CommandExt,
    process::Command,
    ptr,
};

use crate::call::{self, Call};

unsafe extern "C" {
    fn ptrace(request: c_long, process: c_int, address: *mut c_void, data: *mut c_void) -> c_long;
    fn waitpid(process: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn kill(process: c_int, signal: c_int) -> c_int;
    fn prctl(option: c_int, a: c_ulong, b: c_ulong, c: c_ulong, d: c_ulong) -> c_int;
}

/// A traced command with everything that it starts.
pub struct Traced {
    first: i32,
    alive: BTreeSet<i32>,
    stopped: i32,
}

/// Where traced processes stop.
#[derive(Clone, Copy, PartialEq)]
pub enum Stops {
    /// Before the calls that are counted.
    Calls,
    /// At the end of each.
    Ends,
}

/// What happens next.
pub enum Event {
    /// A process is about to make a call; it waits for [`Traced::go_on`].
    Call(Call),
    /// A process has done all that it will do, its memory is still there; it waits for [`Traced::go_on`].
    Leaving(i32),
    /// All ended; the exit code of the command.
    Ended(u8),
}

/// Starts a command under ptrace.
#[expect(clippy::zombie_processes, reason = "it is waited for with everything that it starts")]
pub fn start(command: &mut Command, stops: Stops) -> Traced {
    let filter = if stops == Stops::Calls { filter() } else { vec![plain(RETURN, ALLOW)] };
    let options = if stops == Stops::Calls { OPTIONS } else { OPTIONS | TRACE_EXIT };
    let trace_me = move || {
        let program = Program { length: filter.len() as u16, filter: filter.as_ptr() };
        // SAFETY: plain system calls between fork and exec; the filter outlives them.
        unsafe {
            let done = ptrace(TRACEME, 0, ptr::null_mut(), ptr::null_mut()) == 0
                && prctl(SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                && prctl(SET_SECCOMP, MODE_FILTER, &raw const program as c_ulong, 0, 0) == 0;
            if done { Ok(()) } else { Err(io::Error::last_os_error()) }
        }
    };
    // SAFETY: the closure allocates nothing and makes system calls alone.
    let child = unsafe { command.pre_exec(trace_me) }.spawn().expect("the command");
    let first = child.id() as i32;
    let mut status = 0;
    // SAFETY: waits for the child's stop at its exec, and sets options on it.
    unsafe {
        assert_eq!(waitpid(first, &raw mut status, WALL), first, "the command's first stop");
        let set = ptrace(SET_OPTIONS, first, ptr::null_mut(), options as *mut c_void);
        assert_eq!(set, 0, "{}", io::Error::last_os_error());
    }
    let traced = Traced { first, alive: BTreeSet::from([first]), stopped: first };
    traced.go_on();
    traced
}

impl Traced {
    /// Waits until somebody stops, or all ended.
    pub fn next(&mut self) -> Event {
        let mut code = 0;
        loop {
            let mut status = 0;
            // SAFETY: waits for any tracee.
            let process = unsafe { waitpid(-1, &raw mut status, WALL) };
            if process < 0 {
                return Event::Ended(code);
            }
            if status & 0xff != 0x7f {
                self.alive.remove(&process);
                if process == self.first {
                    code = if status & 0x7f == 0 {
                        (status >> 8) as u8
                    } else {
                        128 + (status & 0x7f) as u8
                    };
                }
                continue;
            }
            self.stopped = process;
            let is_new = self.alive.insert(process);
            let (signal, event) = ((status >> 8) & 0xff, status >> 16);
            if event == EVENT_SECCOMP {
                return Event::Call(self.call());
            }
            if event == EVENT_EXIT {
                return Event::Leaving(process);
            }
            let is_ours = signal == TRAP || is_new && signal == STOP;
            self.resume(if is_ours { 0 } else { signal });
        }
    }

    /// Lets the process that waits make its call, or end.
    pub fn go_on(&self) {
        self.resume(0);
    }

    /// Kills everybody at once, and waits for their ends.
    pub fn kill(&mut self) {
        // SAFETY: signals and waits for tracees alone.
        unsafe {
            for process in &self.alive {
                kill(*process, KILL);
            }
            let mut status = 0;
            while waitpid(-1, &raw mut status, WALL) > 0 {}
        }
    }

    fn resume(&self, signal: c_int) {
        // SAFETY: the process waits in a stop, or is gone, which this tells and nothing else.
        unsafe { ptrace(CONT, self.stopped, ptr::null_mut(), signal as usize as *mut c_void) };
    }

    fn call(&self) -> Call {
        let mut told = Told::default();
        let size = size_of::<Told>() as *mut c_void;
        // SAFETY: the kernel fills at most the size that it is given.
        unsafe { ptrace(GET_SYSCALL_INFO, self.stopped, size, (&raw mut told).cast()) };
        Call { process: self.stopped, number: told.number, arguments: told.arguments }
    }
}

/// `struct ptrace_syscall_info` at a seccomp stop.
#[repr(C)]
#[derive(Default)]
struct Told {
    operation: u8,
    padding: [u8; 3],
    machine: u32,
    instruction: u64,
    stack: u64,
    number: u64,
    arguments: [u64; 6],
    filter_data: u32,
    reserved: u32,
}

/// `struct sock_filter`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Instruction {
    code: u16,
    yes: u8,
    no: u8,
    value: u32,
}

/// `struct sock_fprog`.
#[repr(C)]
struct Program {
    length: u16,
    filter: *const Instruction,
}

/// Stops at the counted calls, allows all others.
fn filter() -> Vec<Instruction> {
    let mut filter = vec![plain(LOAD_NUMBER, 0)];
    let many = call::numbers().len();
    for (index, value) in call::numbers().enumerate() {
        let yes = u8::try_from(many - index).expect("a short list");
        filter.push(Instruction { code: JUMP_EQUAL, yes, no: 0, value });
    }
    filter.extend([plain(RETURN, ALLOW), plain(RETURN, TRACE)]);
    filter
}

const fn plain(code: u16, value: u32) -> Instruction {
    Instruction { code, yes: 0, no: 0, value }
}

const LOAD_NUMBER: u16 = 0x20;
const JUMP_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;
const ALLOW: u32 = 0x7fff_0000;
const TRACE: u32 = 0x7ff0_0000;

const SET_SECCOMP: c_int = 22;
const MODE_FILTER: c_ulong = 2;
const SET_NO_NEW_PRIVS: c_int = 38;

const TRACEME: c_long = 0;
const CONT: c_long = 7;
const SET_OPTIONS: c_long = 0x4200;
const GET_SYSCALL_INFO: c_long = 0x420e;
/// Forks, vforks, clones, execs, seccomp; and all die with the tracer.
const OPTIONS: usize = 0x2 | 0x4 | 0x8 | 0x10 | 0x80 | 0x10_0000;
const TRACE_EXIT: usize = 0x40;
const EVENT_EXIT: c_int = 6;
const EVENT_SECCOMP: c_int = 7;

const WALL: c_int = 0x4000_0000;
const TRAP: c_int = 5;
const KILL: c_int = 9;
const STOP: c_int = 19;
