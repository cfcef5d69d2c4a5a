//! The processes of one real server: its leader, which is our child and leads a process group, and
//! all that it starts. Every wait in here has a limit.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};

use super::wait;

/// How long sessions may take to end before they are forced, and then all to be gone.
const END: Duration = Duration::from_secs(10);

/// A running server; dropping it ends it.
pub(crate) struct ProcessGroup {
    leader: Child,
    watchdog: Child,
    /// What the processes that serve sessions are called.
    sessions: &'static str,
}

impl ProcessGroup {
    /// Starts the leader, in a group of its own.
    pub(crate) fn start(command: &mut Command, sessions: &'static str) -> Self {
        let leader = command.process_group(0).spawn().expect("run the server");
        let watchdog = watchdog(&leader);
        Self {
            leader,
            watchdog,
            sessions,
        }
    }

    /// The leader's process id, which is the group's as well.
    pub(crate) fn id(&self) -> u32 {
        self.leader.id()
    }

    /// Whether the leader has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.leader.try_wait().expect("ask for a child").is_some()
    }

    /// All living processes of the group, the leader among them. Linux only; empty elsewhere.
    pub(crate) fn members(&self) -> Vec<u32> {
        members(self.id())
            .into_iter()
            .map(|member| member.id)
            .collect()
    }

    /// The leader's children that serve sessions, in the order in which they began. Linux only;
    /// empty elsewhere.
    pub(crate) fn sessions(&self) -> Vec<u32> {
        let mut children = members(self.id());
        children.retain(|child| child.parent == self.id() && child.name == self.sessions);
        children.sort_unstable_by_key(|child| (child.began, child.id));
        children.into_iter().map(|child| child.id).collect()
    }
}

/// Kills a process at once, unless it has ended by itself meanwhile.
pub(crate) fn kill(process_id: u32) {
    signal(process_id, Signal::KILL);
}

/// Asks a process to end, unless it has.
pub(crate) fn terminate(process_id: u32) {
    signal(process_id, Signal::TERM);
}

fn signal(process_id: u32, signal: Signal) {
    match kill_process(pid(process_id), signal) {
        Ok(()) | Err(Errno::SRCH) => {}
        Err(error) => panic!("signal a process: {error}"),
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        // First the watchdog: it must not signal a process id that is no longer ours.
        self.watchdog.kill().ok();
        self.watchdog.wait().ok();

        // As long as the leader is not waited for, its number, which is the group's as well, is not
        // given to another process.
        let id = self.id();
        let group = pid(id);
        kill_process(group, Signal::TERM).ok();
        // Dovecot's would tell the sessions to end a second later, and itself takes longer still, with
        // nothing to do that matters here.
        for session in self.sessions() {
            kill_process(pid(session), Signal::TERM).ok();
        }
        wait::until(END, || {
            let over = !matches!(self.leader.try_wait(), Ok(None));
            over || members(id)
                .iter()
                .all(|member| member.name != self.sessions)
        });
        kill_process_group(group, Signal::KILL).ok();
        self.leader.wait().ok();
        wait::until(END, || {
            test_kill_process_group(group).is_err()
                || (Path::new("/proc/self").exists() && members(id).is_empty())
        });
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

/// A shell that ends the server when this process dies without dropping it, by Ctrl-C or by a
/// time limit: then, and only then, its standard input comes to an end.
fn watchdog(leader: &Child) -> Child {
    Command::new("sh")
        .args(["-c", "read -r line; kill -TERM \"$1\"", "watchdog"])
        .arg(leader.id().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("run a shell")
}

fn pid(process_id: u32) -> Pid {
    let number = i32::try_from(process_id).expect("process ids are small");
    Pid::from_raw(number).expect("process ids are not 0")
}
