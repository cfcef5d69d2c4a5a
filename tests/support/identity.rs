//! The ordinary user as whom a real server runs: whoever runs the tests, or `nobody` where that is
//! root.

use std::fs;
use std::os::unix::fs::lchown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use rustix::process::{getegid, geteuid};

/// A user and its group, by number and by name: servers' settings want names.
pub(crate) struct Identity {
    pub(crate) user: String,
    pub(crate) group: String,
    pub(crate) user_id: u32,
    pub(crate) group_id: u32,
    /// Whether this is someone else than who runs the tests.
    changed: bool,
}

impl Identity {
    pub(crate) fn for_the_server() -> Self {
        if geteuid().is_root() {
            let user_id = number(&["-u", "nobody"]);
            let group_id = number(&["-g", "nobody"]);
            let group = ask(&["-gn", "nobody"]);
            return Self {
                user: "nobody".to_owned(),
                group,
                user_id,
                group_id,
                changed: true,
            };
        }
        Self {
            user: ask(&["-un"]),
            group: ask(&["-gn"]),
            user_id: geteuid().as_raw(),
            group_id: getegid().as_raw(),
            changed: false,
        }
    }

    /// Whether this is someone else than who runs the tests.
    pub(crate) fn is_another(&self) -> bool {
        self.changed
    }

    /// Makes a command run as this user.
    pub(crate) fn apply(&self, command: &mut Command) {
        if self.changed {
            command.uid(self.user_id).gid(self.group_id);
        }
    }

    /// Gives a folder and all in it to this user.
    pub(crate) fn take_over(&self, path: &Path) {
        if !self.changed {
            return;
        }
        lchown(path, Some(self.user_id), Some(self.group_id)).expect("give a file away");
        if path
            .symlink_metadata()
            .is_ok_and(|metadata| metadata.is_dir())
        {
            for entry in fs::read_dir(path).expect("list a folder") {
                self.take_over(&entry.expect("list a folder").path());
            }
        }
    }
}

/// Asks `id`, which also knows users that are in no file.
fn ask(arguments: &[&str]) -> String {
    let output = Command::new("id").args(arguments).output().expect("run id");
    assert!(
        output.status.success(),
        "id {arguments:?}: the server needs a user and a group by name"
    );
    String::from_utf8(output.stdout)
        .expect("a name in ASCII")
        .trim_end()
        .to_owned()
}

fn number(arguments: &[&str]) -> u32 {
    ask(arguments).parse().expect("a number")
}
