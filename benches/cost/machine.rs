//! What the figures were measured on, as the table's heading tells it.

use std::process::Command;

/// One line of Markdown.
pub(crate) fn description() -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("an unknown CPU", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = output("uname", &["-sr"]);
    let dovecot = output("/usr/sbin/dovecot", &["--version"]);
    let dovecot = dovecot.or(output("dovecot", &["--version"]));
    let dovecot = dovecot.map_or("no Dovecot".to_owned(), |version| {
        format!("Dovecot {}", version.split(' ').next().unwrap_or_default())
    });
    format!(
        "{}; {cores} cores of {model}, shared with the servers; {}; {dovecot}; {}; commit {}.",
        output("date", &["-u", "+%Y-%m-%d"]).unwrap_or_default(),
        kernel.unwrap_or_default(),
        output("rustc", &["--version"]).unwrap_or_default(),
        output("git", &["rev-parse", "--short", "HEAD"]).unwrap_or_default(),
    )
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
