//! The configuration files of one instance, and the folders that they name.

use std::fs;
use std::path::{Path, PathBuf};

use super::Names;
use crate::support::certificate::Pems;
use crate::support::identity::Identity;

/// What differs from one instance to the next.
pub(super) struct Configuration<'a> {
    pub(super) folder: &'a Path,
    pub(super) imapd: &'a Path,
    pub(super) identity: &'a Identity,
    pub(super) plain_port: u16,
    pub(super) tls_port: u16,
    pub(super) names: Names,
    pub(super) logins_per_user: u32,
}

impl Configuration<'_> {
    pub(super) fn write(&self) {
        write(self.folder, "imapd.conf", &self.imapd_conf());
        write(self.folder, "cyrus.conf", &self.cyrus_conf());
    }

    /// Tried with 3.6.1 (Debian 12).
    fn imapd_conf(&self) -> String {
        let folder = self.folder.display();
        let name = server_name(self.folder);
        let Identity { user, group, .. } = self.identity;
        let logins = self.logins_per_user;
        let (slashes, beside) = match self.names {
            Names::WithDots => ("no", "no"),
            Names::WithSlashes => ("yes", "no"),
            Names::BesideInbox => ("yes", "yes"),
        };
        // A refused password would wait for 3 s, and the databases would wait for the disk.
        format!(
            "
configdirectory: {folder}/state
partition-default: {folder}/mail
defaultpartition: default
servername: {name}
cyrus_user: {user}
cyrus_group: {group}
autocreate_quota: 0
unixhierarchysep: {slashes}
altnamespace: {beside}
munge8bit: no
maxlogins_per_user: {logins}
failedloginpause: 0
skiplist_unsafe: yes
allowplaintext: yes
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {folder}/sasldb2
sasl_mech_list: PLAIN LOGIN
tls_server_cert: {folder}/certificate.pem
tls_server_key: {folder}/key.pem
tls_session_timeout: 0
"
        )
    }

    /// A process serves one connection and ends (`-U 1`), so that as many run as there are
    /// connections.
    fn cyrus_conf(&self) -> String {
        let folder = self.folder.display();
        let imapd = self.imapd.display();
        let Self {
            plain_port,
            tls_port,
            ..
        } = self;
        format!(
            "
START {{
}}
SERVICES {{
  imap cmd=\"{imapd} -C {folder}/imapd.conf -U 1\" listen=\"127.0.0.1:{plain_port}\" prefork=0
  imaps cmd=\"{imapd} -s -C {folder}/imapd.conf -U 1\" listen=\"127.0.0.1:{tls_port}\" prefork=0
}}
"
        )
    }
}

/// Makes what has to be there before the first start.
pub(super) fn prepare(folder: &Path, certificates: &Pems) {
    for part in [
        "mail",
        "state/db",
        "state/msg",
        "state/proc",
        "state/socket",
    ] {
        fs::create_dir_all(folder.join(part)).expect("make a folder");
    }
    write(folder, "certificate.pem", &certificates.certificate);
    write(folder, "key.pem", &certificates.key);
}

/// What is in there is said to every session, which then is closed.
pub(super) fn shutdown_file(folder: &Path) -> PathBuf {
    folder.join("state/msg/shutdown")
}

/// The name in the greeting, by which an instance is known from any other: the folder's name is
/// unique. It also is the realm of the users, which Cyrus looks for in small letters.
pub(super) fn server_name(folder: &Path) -> String {
    let name = folder.file_name().expect("a folder has a name");
    name.to_string_lossy().to_lowercase()
}

fn write(folder: &Path, file: &str, text: &str) {
    fs::write(folder.join(file), text).expect("write a file");
}
