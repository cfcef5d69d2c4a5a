//! The configuration file, in the syntax of the Dovecot that is installed: 2.3 and 2.4 do not read
//! each other's.

use std::path::Path;
use std::process::Command;

use crate::support::identity::Identity;

pub(super) const PASSWORD: &str = "open-sesame";

/// The plugin that speaks COMPRESS, and the one that it is built upon.
const COMPRESS_2_3: &str = "
mail_plugins = zlib
protocol imap {
  mail_plugins = zlib imap_zlib
}
";

/// Which syntax a Dovecot reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    /// 2.3 and what came before.
    Old,
    /// 2.4, which renamed settings and wants names on sections.
    New,
}

impl Syntax {
    pub(super) fn of(program: &Path) -> Self {
        let output = Command::new(program)
            .arg("--version")
            .output()
            .expect("run Dovecot");
        let version = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut numbers = version
            .split('.')
            .map_while(|part| part.trim().parse::<u32>().ok());
        let (major, minor) = (numbers.next(), numbers.next());
        let major = major.unwrap_or_else(|| panic!("no version of Dovecot: {version:?}"));
        if (major, minor.unwrap_or(0)) < (2, 4) {
            Self::Old
        } else {
            Self::New
        }
    }
}

/// What differs from one instance to the next.
pub(super) struct Configuration<'a> {
    pub(super) folder: &'a Path,
    pub(super) identity: &'a Identity,
    pub(super) plain_port: u16,
    pub(super) tls_port: u16,
    pub(super) connections_per_user: u32,
    pub(super) compress: bool,
    pub(super) wants_client_certificates: bool,
    pub(super) extra: &'a str,
}

impl Configuration<'_> {
    pub(super) fn text(&self, syntax: Syntax) -> String {
        let (first, own) = match syntax {
            Syntax::Old => ("", self.of_2_3()),
            // Has to be the first setting. The lowest 2.4, so that every 2.4 takes it and has the
            // same defaults.
            Syntax::New => ("dovecot_config_version = 2.4.0\n", self.of_2_4()),
        };
        let compress = match (self.compress, syntax) {
            (true, Syntax::Old) => COMPRESS_2_3,
            // 2.4 has it built in and announces it always, as far as its manual says; not tried.
            _ => "",
        };
        let client = match self.wants_client_certificates {
            true => self.client_certificates(syntax),
            false => String::new(),
        };
        format!(
            "{first}{}{own}{compress}{client}{}",
            self.common(),
            self.extra
        )
    }

    /// Without a list of certificates that were called back, which 2.3 wants else.
    fn client_certificates(&self, syntax: Syntax) -> String {
        let folder = self.folder.display();
        let own = match syntax {
            Syntax::Old => format!(
                "ssl_ca = <{folder}/client-root.pem\nssl_verify_client_cert = yes\n\
                 ssl_require_crl = no\n"
            ),
            // Written after the 2.4 manual, not tried.
            Syntax::New => format!(
                "ssl_server_ca_file = {folder}/client-root.pem\n\
                 ssl_server_request_client_cert = yes\nssl_server_require_crl = no\n"
            ),
        };
        format!("{own}auth_ssl_require_client_cert = yes\n")
    }

    /// What both read.
    fn common(&self) -> String {
        let folder = self.folder.display();
        let Identity { user, group, .. } = self.identity;
        let Self {
            plain_port,
            tls_port,
            connections_per_user,
            ..
        } = self;
        let greeting = greeting(self.folder);
        // Without the penalty, a refused password does not slow down whoever comes next from
        // 127.0.0.1, which is every other test.
        format!(
            "
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
login_greeting = {greeting}
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 0
auth_mechanisms = plain login
auth_failure_delay = 0
mail_fsync = never
mail_max_userip_connections = {connections_per_user}
ssl = yes
namespace inbox {{
  inbox = yes
  separator = /
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap {{
  process_limit = 1024
}}
service imap-login {{
  chroot =
  process_limit = 1024
  inet_listener imap {{
    port = {plain_port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
"
        )
    }

    /// Tried with 2.3.19 (Debian 12).
    fn of_2_3(&self) -> String {
        let folder = self.folder.display();
        let Identity {
            user_id, group_id, ..
        } = self.identity;
        // UTF-8: names of mailboxes are on disk as they are, not in modified UTF-7.
        format!(
            "
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail:INDEX={folder}/index:UTF-8
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/key.pem
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={user_id} gid={group_id} home={folder}/home
}}
"
        )
    }

    /// Written after the 2.4 manual (upgrading from 2.3, settings, static databases), not tried.
    fn of_2_4(&self) -> String {
        let folder = self.folder.display();
        let Identity {
            user_id, group_id, ..
        } = self.identity;
        format!(
            "
dovecot_storage_version = 2.4.0
auth_allow_cleartext = yes
mail_driver = maildir
mail_path = {folder}/mail
mail_inbox_path = {folder}/mail
mail_index_path = {folder}/index
mailbox_list_utf8 = yes
ssl_server_cert_file = {folder}/certificate.pem
ssl_server_key_file = {folder}/key.pem
passdb static {{
  password = {PASSWORD}
}}
userdb static {{
  fields {{
    uid = {user_id}
    gid = {group_id}
    home = {folder}/home
  }}
}}
"
        )
    }
}

/// The greeting, by which an instance is known from any other: the folder's name is unique.
pub(super) fn greeting(folder: &Path) -> String {
    let name = folder
        .file_name()
        .expect("a folder has a name")
        .to_string_lossy();
    format!("fixture {name} ready")
}
