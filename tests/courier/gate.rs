//! A way to a real server on loopback, without TLS, at which every request is seen: it is let through, lost before the
//! server has it or after, or the last that its asker ever sent.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use super::fake::{Asked, Fake};

/// What becomes of a request, or of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// The asker is killed, and nothing goes on.
    Kill,
    /// The connection ends without an answer.
    Lose,
    /// It goes on.
    Pass,
}

/// When it is decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// Before the server has the request.
    Before,
    /// After the server has answered it.
    After,
}

type Rule = Box<dyn FnMut(&Asked, Moment) -> Act + Send>;

/// The way to a server.
pub(super) struct Gate {
    pub(super) fake: Fake,
    inner: Arc<Inner>,
}

struct Inner {
    port: u16,
    rule: Mutex<Rule>,
    /// The process that asks.
    asker: Mutex<Option<u32>>,
    /// The first lines of the requests that the server got.
    reached: Mutex<Vec<String>>,
}

impl Gate {
    /// Leads to a server on loopback, named by its URL.
    pub(super) fn to(url: &str) -> Self {
        let port = url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        let (rule, asker): (Rule, _) = (Box::new(|_, _| Act::Pass), Mutex::default());
        let inner =
            Arc::new(Inner { port, rule: Mutex::new(rule), asker, reached: Mutex::default() });
        let own = Arc::clone(&inner);
        let fake = Fake::new(move |asked, stream| own.pass(asked, stream));
        Self { fake, inner }
    }

    /// From now on requests go by this rule.
    pub(super) fn rule(&self, rule: impl FnMut(&Asked, Moment) -> Act + Send + 'static) {
        *self.inner.rule.lock().unwrap() = Box::new(rule);
    }

    /// The first lines of the requests that the server got since the last time.
    pub(super) fn reached(&self) -> Vec<String> {
        std::mem::take(&mut self.inner.reached.lock().unwrap())
    }

    /// Starts a command, which is the one that a rule kills.
    pub(super) fn start(&self, command: &mut Command) -> Child {
        // Nothing is asked until it is known who asks.
        let mut asker = self.inner.asker.lock().unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().expect("a program");
        *asker = Some(child.id());
        child
    }
}

impl Inner {
    fn pass(&self, asked: &Asked, stream: &mut TcpStream) {
        let body = asked.header("content-length").map(|_| asked.body(stream)).unwrap_or_default();
        if !self.goes_on(asked, Moment::Before) {
            return;
        }
        self.reached.lock().unwrap().push(asked.line.clone());
        let answer = self.relay(asked, &body);
        if self.goes_on(asked, Moment::After) {
            let _ = stream.write_all(&answer);
        }
    }

    fn goes_on(&self, asked: &Asked, moment: Moment) -> bool {
        // One after the other, so that a rule may count.
        let act = (self.rule.lock().unwrap())(asked, moment);
        if act == Act::Kill {
            let asker = self.asker.lock().unwrap().and_then(|id| i32::try_from(id).ok());
            let asker = asker.and_then(rustix::process::Pid::from_raw).expect("somebody asks");
            rustix::process::kill_process(asker, rustix::process::Signal::KILL).expect("killed");
        }
        act == Act::Pass
    }

    fn relay(&self, asked: &Asked, body: &str) -> Vec<u8> {
        let mut server = TcpStream::connect(("127.0.0.1", self.port)).expect("the server");
        let head = asked.head.iter().filter(|line| !line.to_lowercase().starts_with("connection:"));
        let head: String = head.map(|line| format!("{line}\r\n")).collect();
        write!(server, "{head}Connection: close\r\n\r\n{body}").expect("asked");
        let mut answer = Vec::new();
        server.read_to_end(&mut answer).expect("answered");
        answer
    }
}
