//! What TLS costs the client, measured on demand:
//!
//! ```sh
//! cargo test --release --test tls cost -- --ignored --nocapture
//! ```
//!
//! Resumed handshakes, which the crate has no way to, cost 0.4 to 0.5 ms where full ones cost 0.5
//! to 0.9 ms (TLS 1.3), and 0.1 to 0.2 ms where full ones cost 0.7 to 1.1 ms (TLS 1.2). That was
//! measured with the `openssl` crate: an `SslConnector` with `SslSessionCacheMode::CLIENT` keeps
//! what `set_new_session_callback` brings, `set_session` puts it into the next connection, and each
//! is shut down before it is dropped, or OpenSSL forgets its session. The time is that of `connect`
//! and the first read, which takes in the tickets of TLS 1.3, 400 times. For TLS 1.2 `openssl
//! s_time` shows the like with `-new` and `-reuse`; for TLS 1.3 it never gets as far as a ticket.

use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

use native_tls::{Certificate, TlsConnector};
use rustix::time::{ClockId, clock_gettime};

use crate::scripted::Scripted;
use crate::support::certificate::Authority;
use crate::support::front::acceptor;
use crate::support::leaks::Leaks;

const HANDSHAKES: u32 = 200;
const READINGS: u32 = 20;

/// The CPU time that this thread takes for something.
fn time_of(work: impl FnOnce()) -> Duration {
    let now = || {
        let now = clock_gettime(ClockId::ThreadCPUTime);
        let (seconds, nanoseconds) = (now.tv_sec as u64, now.tv_nsec as u32);
        Duration::new(seconds, nanoseconds)
    };
    let before = now();
    work();
    now() - before
}

#[test]
#[ignore = "measures, and takes a release build"]
fn what_a_handshake_and_reading_the_certificates_cost() {
    let leaks = Leaks::watch();
    {
        let root = Authority::new();
        let tls = acceptor(&root.sign(&["localhost"], |_| {}));
        let server = Scripted::start(move |line| {
            let mut line = line.secure(&tls)?;
            line.say("*")?;
            line.wait()
        });
        let mut connector = None;
        let reading = time_of(|| {
            for _ in 0..READINGS {
                let root = Certificate::from_pem(root.pem.as_bytes()).unwrap();
                let mut builder = TlsConnector::builder();
                connector = Some(builder.add_root_certificate(root).build().unwrap());
            }
        });
        let connector = connector.unwrap();
        let handshakes = time_of(|| {
            for _ in 0..HANDSHAKES {
                let stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
                let mut stream = connector.connect("localhost", stream).unwrap();
                stream.read_exact(&mut [0]).unwrap();
            }
        });
        println!(
            "CPU time of the client: a full handshake with the first read {:?}, reading the system's certificates {:?}",
            handshakes / HANDSHAKES,
            reading / READINGS
        );
    }
    leaks.assert_none_left();
}
