//! Starting one instance, and waiting until it answers.

use std::fs::{self, File};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::configuration::greeting;
use crate::support::identity::Identity;
use crate::support::process_group::ProcessGroup;
use crate::support::raw_client::greets;
use crate::support::wait;

/// How long a start may take, on a busy machine.
const START: Duration = Duration::from_secs(30);

/// Why an instance did not start.
#[derive(Debug)]
pub(super) enum Failure {
    /// Another process has one of the ports.
    PortTaken,
    /// It ended; the log says why.
    Ended,
    /// It runs, but does not answer.
    NoAnswer,
}

/// The installed program. Debian keeps it in a folder that only root's `PATH` has.
pub(super) fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .map(|folder| folder.join("dovecot"))
        .find(|program| program.is_file())
}

/// Starts the instance configured in `folder` and waits until both ports answer.
pub(super) fn start(
    program: &Path,
    folder: &Path,
    identity: &Identity,
    plain_port: u16,
    tls_port: u16,
) -> Result<ProcessGroup, Failure> {
    let log = folder.join("log");
    let log_before = fs::metadata(&log).map_or(0, |metadata| metadata.len());
    // A master that was killed leaves this behind. The next one would take it for a sign of life
    // if the number in it has gone to another process.
    fs::remove_file(folder.join("run/master.pid")).ok();
    let output = File::options()
        .append(true)
        .create(true)
        .open(folder.join("output"));
    let output = output.expect("open a file");
    let mut command = Command::new(program);
    command
        .args(["-F", "-c"])
        .arg(folder.join("dovecot.conf"))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(output.try_clone().expect("duplicate a file"))
        .stderr(output);
    identity.apply(&mut command);
    let mut process = ProcessGroup::start(&mut command, "imap");

    let greeting = greeting(folder);
    let mut ended = false;
    let ready = wait::until(START, || {
        ended = process.has_ended();
        ended || greets(plain_port, &greeting)
    });
    if ended {
        // An earlier start may have left the same words in the log.
        let log = fs::read(&log).unwrap_or_default();
        let log = String::from_utf8_lossy(log.get(log_before as usize..).unwrap_or_default());
        let taken = log.contains("Address already in use");
        return Err(if taken {
            Failure::PortTaken
        } else {
            Failure::Ended
        });
    }
    // All listeners are made before any process runs, so this one is not waited for.
    if !ready || TcpStream::connect(("127.0.0.1", tls_port)).is_err() {
        return Err(Failure::NoAnswer);
    }
    Ok(process)
}
