//! A way to a server on which connections are counted, without a look into them.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A port on loopback that leads to another one.
pub(crate) struct Forward {
    port: u16,
    connections: Arc<AtomicUsize>,
}

impl Forward {
    /// Leads to a server on loopback, named by its URL.
    pub(crate) fn to(url: &str) -> Self {
        let there: u16 = url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its port").port();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                count.fetch_add(1, Ordering::SeqCst);
                let far = TcpStream::connect(("127.0.0.1", there)).expect("the server");
                copy(near.try_clone().expect("a stream"), far.try_clone().expect("a stream"));
                copy(far, near);
            }
        });
        Self { port, connections }
    }

    /// Where it answers: `https://localhost:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Carries what comes on one to the other until it ends, in a thread of its own.
fn copy(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
}
