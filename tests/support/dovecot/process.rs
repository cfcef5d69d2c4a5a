//! The processes of one instance: the master, which is our child and leads a process group, and
//! all that it starts. Every wait in here has a limit.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};

use super::configuration::greeting;
use super::identity::Identity;
use crate::support::wait;

/// How long a start may take, on a busy machine.
const START: Duration = Duration::from_secs(30);

/// How long sessions may take to end before they are forced, and then all to be gone.
const END: Duration = Duration::from_secs(10);

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

/// Kills a process at once, unless it has ended by itself meanwhile.
pub(super) fn kill(process_id: u32) {
    signal(process_id, Signal::KILL);
}

/// Asks a process to end, unless it has.
pub(super) fn terminate(process_id: u32) {
    signal(process_id, Signal::TERM);
}

fn signal(process_id: u32, signal: Signal) {
    match kill_process(pid(process_id), signal) {
        Ok(()) | Err(Errno::SRCH) => {}
        Err(error) => panic!("signal a process: {error}"),
    }
}

/// A running instance; dropping it ends it.
pub(super) struct Process {
    master: Child,
    watchdog: Child,
}

impl Process {
    /// Starts the instance configured in `folder` and waits until both ports answer.
    pub(super) fn start(
        program: &Path,
        folder: &Path,
        identity: &Identity,
        plain_port: u16,
        tls_port: u16,
    ) -> Result<Self, Failure> {
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
            .stderr(output)
            .process_group(0);
        identity.apply(&mut command);
        let master = command.spawn().expect("run Dovecot");
        let watchdog = watchdog(&master);
        let mut process = Self { master, watchdog };

        let greeting = greeting(folder);
        let mut ended = false;
        let ready = wait::until(START, || {
            ended = process
                .master
                .try_wait()
                .expect("ask for a child")
                .is_some();
            ended || answers(plain_port, &greeting)
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

    /// The master's process id.
    pub(super) fn id(&self) -> u32 {
        self.master.id()
    }

    /// All living processes of the instance, the master among them.
    pub(super) fn members(&self) -> Vec<u32> {
        members(self.id())
            .into_iter()
            .map(|member| member.id)
            .collect()
    }

    /// The master's children that run a program of this name, in the order in which they began.
    pub(super) fn children_named(&self, name: &str) -> Vec<u32> {
        let mut children = members(self.id());
        children.retain(|child| child.parent == self.id() && child.name == name);
        children.sort_unstable_by_key(|child| (child.began, child.id));
        children.into_iter().map(|child| child.id).collect()
    }
}

/// What `/proc` says of a process.
struct Member {
    id: u32,
    name: String,
    parent: u32,
    group: u32,
    began: u64,
}

/// The processes of a group that are alive; those that only wait for their parent to take notice
/// of their end do not count. Linux only; none elsewhere.
fn members(group: u32) -> Vec<Member> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| {
            let id = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // proc_pid_stat(5): id (name) state parent group …; the 22nd field is the start time.
            let (start, rest) = stat.rsplit_once(')')?;
            let fields: Vec<&str> = rest.split_whitespace().collect();
            let member = Member {
                id,
                name: start.split_once('(')?.1.to_owned(),
                parent: fields.get(1)?.parse().ok()?,
                group: fields.get(2)?.parse().ok()?,
                began: fields.get(19)?.parse().ok()?,
            };
            (fields[0] != "Z" && member.group == group).then_some(member)
        })
        .collect()
}

impl Drop for Process {
    fn drop(&mut self) {
        // First the watchdog: it must not signal a process id that is no longer ours.
        self.watchdog.kill().ok();
        self.watchdog.wait().ok();

        // As long as the master is not waited for, its number, which is the group's as well, is not
        // given to another process.
        let id = self.id();
        let group = pid(id);
        kill_process(group, Signal::TERM).ok();
        // The master would tell the sessions to end a second later, and itself takes longer still,
        // with nothing to do that matters here.
        for session in self.children_named("imap") {
            kill_process(pid(session), Signal::TERM).ok();
        }
        wait::until(END, || {
            let over = !matches!(self.master.try_wait(), Ok(None));
            over || members(id).iter().all(|member| member.name != "imap")
        });
        kill_process_group(group, Signal::KILL).ok();
        self.master.wait().ok();
        wait::until(END, || {
            test_kill_process_group(group).is_err()
                || (Path::new("/proc/self").exists() && members(id).is_empty())
        });
    }
}

/// A shell that ends the instance when this process dies without dropping it, by Ctrl-C or by a
/// time limit: then, and only then, its standard input comes to an end.
fn watchdog(master: &Child) -> Child {
    Command::new("sh")
        .args(["-c", "read -r line; kill -TERM \"$1\"", "watchdog"])
        .arg(master.id().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("run a shell")
}

/// Whether this very instance greets on the port, and not another that took it.
fn answers(port: u16, greeting: &str) -> bool {
    let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let mut line = Vec::new();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .is_ok()
        && BufReader::new(stream).read_until(b'\n', &mut line).is_ok()
        && String::from_utf8_lossy(&line).contains(greeting)
}

fn pid(process_id: u32) -> Pid {
    let number = i32::try_from(process_id).expect("process ids are small");
    Pid::from_raw(number).expect("process ids are not 0")
}
