//! The programs of Cyrus, wherever they are: in a folder of their own, into which
//! `.ci/extract-cyrus` puts Debian's packages, or where the system has them.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::identity::Identity;

/// Names a folder with Cyrus in it, as packages would fill the root of a system.
const FOLDER: &str = "PARALLEL_MAILBOX_CYRUS";

pub(super) struct Installation {
    /// `/` if it is the system's own.
    root: PathBuf,
}

impl Installation {
    /// The folder that the environment names; else `target/cyrus`; else the system.
    pub(super) fn find() -> Option<Self> {
        let named = std::env::var_os(FOLDER).map(PathBuf::from);
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/cyrus");
        let roots = match named {
            Some(named) => vec![named],
            None => vec![own, PathBuf::from("/")],
        };
        let installations = roots.into_iter().map(|root| Self { root });
        installations
            .filter_map(|installation| {
                // The programs are started in another folder.
                let root = fs::canonicalize(&installation.root).ok()?;
                Some(Self { root })
            })
            .find(|installation| {
                [
                    installation.master(),
                    installation.imapd(),
                    installation.saslpasswd2(),
                ]
                .iter()
                .all(|program| program.is_file())
            })
    }

    /// The same, or a copy of it in `folder` where the server's user could not get at it: a
    /// checkout of root's may be out of reach for `nobody`.
    pub(super) fn within_reach_of(self, identity: &Identity, folder: &Path) -> Self {
        let is_open = |place: &Path| {
            place
                .metadata()
                .is_ok_and(|metadata| metadata.permissions().mode() & 0o001 != 0)
        };
        if !identity.is_another() || self.root.ancestors().all(is_open) {
            return self;
        }
        let root = folder.join("programs");
        let copied = Command::new("cp")
            .arg("-R")
            .arg(&self.root)
            .arg(&root)
            .status();
        assert!(copied.expect("run cp").success(), "copy Cyrus");
        Self { root }
    }

    pub(super) fn master(&self) -> PathBuf {
        self.root.join("usr/lib/cyrus/bin/master")
    }

    pub(super) fn imapd(&self) -> PathBuf {
        self.root.join("usr/lib/cyrus/bin/imapd")
    }

    fn saslpasswd2(&self) -> PathBuf {
        self.root.join("usr/sbin/saslpasswd2")
    }

    /// A program that finds the libraries beside it.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if self.root != Path::new("/") {
            let libraries = self.library_folders();
            let plugins = libraries.iter().map(|folder| folder.join("sasl2"));
            let plugins: Vec<PathBuf> = plugins.filter(|folder| folder.is_dir()).collect();
            if !plugins.is_empty() {
                command.env("SASL_PATH", joined(&plugins));
            }
            command.env("LD_LIBRARY_PATH", joined(&libraries));
        }
        command
    }

    /// Adds a user to a database of SASL's, which it makes.
    pub(super) fn add_user(&self, database: &Path, realm: &str, user: &str, password: &str) {
        let mut child = self
            .command(&self.saslpasswd2())
            .args(["-p", "-c", "-u", realm, "-f"])
            .arg(database)
            .arg(user)
            .stdin(Stdio::piped())
            .spawn()
            .expect("run saslpasswd2");
        let mut input = child.stdin.take().expect("it is piped");
        input
            .write_all(password.as_bytes())
            .expect("give the password");
        drop(input);
        let status = child.wait().expect("wait for saslpasswd2");
        assert!(status.success(), "saslpasswd2: {status}");
    }

    /// `usr/lib` and `lib`, and the folders in them by the name of the machine.
    fn library_folders(&self) -> Vec<PathBuf> {
        let mut folders = Vec::new();
        for folder in ["usr/lib", "lib"] {
            let folder = self.root.join(folder);
            let inner = fs::read_dir(&folder).into_iter().flatten().flatten();
            folders.extend(inner.map(|entry| entry.path()));
            folders.push(folder);
        }
        folders.retain(|folder| folder.is_dir());
        folders
    }
}

fn joined(folders: &[PathBuf]) -> OsString {
    std::env::join_paths(folders).expect("no colon in the name of a folder")
}
