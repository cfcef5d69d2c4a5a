//! README and crate documentation begin with the same program.

#![allow(clippy::unwrap_used, clippy::expect_used)]

/// The first block that is fenced by three backticks and says `no_run`.
fn first_program(text: &str) -> Vec<String> {
    let mut lines = text.lines().skip_while(|line| !line.contains("no_run"));
    assert!(lines.next().is_some(), "there is a program");
    lines
        .take_while(|line| !line.starts_with("```"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_first_program_is_the_same() {
    let readme = include_str!("../README.md");
    let library = include_str!("../src/lib.rs");
    let documentation: Vec<&str> = library
        .lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    let program = first_program(readme);
    assert!(program.len() > 10);
    assert_eq!(program, first_program(&documentation.join("\n")));
}

#[test]
fn the_readme_names_the_two_commands() {
    let readme = include_str!("../README.md");
    for command in ["cargo run --release --example quickstart", "cargo test"] {
        assert!(readme.lines().any(|line| line == command), "{command}");
    }
}
