//! Which file may name what: the layers, and the one place of each foreign crate.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// The sources of the library, without the test server, relative to `src`.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&root, &mut found);
    let mut sources = Vec::new();
    for path in found {
        let name = path
            .strip_prefix(&root)
            .unwrap()
            .to_str()
            .unwrap()
            .replace('\\', "/");
        if !name.starts_with("testing/") && !name.starts_with("fuzzing") {
            // Code only: prose may name what it likes.
            let text = fs::read_to_string(&path).unwrap();
            let code = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            sources.push((name, code.collect::<Vec<_>>().join("\n")));
        }
    }
    assert!(sources.len() > 30);
    sources
}

fn names_crate(code: &str, name: &str) -> bool {
    [
        format!("use {name}::"),
        format!("{name}::"),
        format!("use {name};"),
    ]
    .iter()
    .any(|pattern| {
        code.match_indices(pattern.as_str()).any(|(at, _)| {
            let before = code[..at].chars().next_back();
            // Not a part of a longer path or name: `self::imap::`, `try_imap::`.
            !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
        })
    })
}

#[test]
fn each_foreign_crate_has_one_place() {
    for (name, place) in [
        ("imap", "session/"),
        ("memmap2", "octets/shelf.rs"),
        ("native_tls", "transport/tls.rs"),
        ("flate2", "transport/deflate"),
        ("mail_parser", "message"),
        ("html5gum", "message/html.rs"),
        ("thiserror", "error.rs"),
        ("socket2", "transport/tcp.rs"),
        ("num_cpus", "builder.rs"),
        ("zeroize", "credentials/secret.rs"),
        ("base64", "session/login/encoding.rs"),
        ("rsasl", "session/login/scram.rs"),
        ("stringprep", "session/login/scram.rs"),
    ] {
        let mut uses = 0;
        for (file, code) in sources() {
            if names_crate(&code, name) {
                assert!(
                    file.starts_with(place),
                    "{file} names {name}, which is for {place} alone"
                );
                uses += 1;
            }
        }
        assert!(uses > 0, "nobody names {name}: is the test still right?");
    }
}

/// Layers from the bottom. A file may name its own layer and those before it.
const LAYERS: [&[&str]; 5] = [
    &[
        "counter",
        "credentials",
        "deadline",
        "error",
        "event",
        "limits",
        "mailbox_name",
        "gmail",
        "message",
        "octets",
        "pulse",
        "query",
        "refusal",
        "status",
        "stop",
        "uid_set",
        "unwind",
        "url",
    ],
    &["transport"],
    &["session", "fetch"],
    &["pool"],
    &[
        "builder", "iter", "launch", "mailbox", "matches", "progress", "report",
    ],
];

fn layer_of(module: &str) -> usize {
    LAYERS
        .iter()
        .position(|layer| layer.contains(&module))
        .unwrap_or_else(|| panic!("module {module} is in no layer; put it into one"))
}

#[test]
fn layers_import_only_what_is_below_them() {
    for (file, code) in sources() {
        let module = file.split(['/', '.']).next().unwrap();
        if module == "lib" {
            continue;
        }
        let own = layer_of(module);
        for line in code
            .lines()
            .filter(|line| line.trim_start().starts_with("use crate::"))
        {
            let path = line.trim_start().trim_start_matches("use crate::");
            let other = path.split([':', ';', '{', ' ']).next().unwrap();
            // Names of the crate's root, such as `Uid`, are not modules.
            if other.is_empty() || other.starts_with(char::is_uppercase) {
                continue;
            }
            let other_layer = layer_of(other);
            assert!(
                other_layer <= own,
                "{file} ({module}, layer {own}) uses {other} of layer {other_layer}"
            );
        }
    }
}

#[test]
fn values_do_no_input_and_output() {
    for (file, code) in sources() {
        let module = file.split(['/', '.']).next().unwrap();
        if module == "lib" || layer_of(module) > 0 {
            continue;
        }
        for name in ["std::net", "std::fs", "std::io", "std::process"] {
            // An address is a value.
            let code = code.replace("std::net::Ipv6Addr", "");
            assert!(!code.contains(name), "{file} names {name}");
        }
    }
}
