//! What the benchmarks need beside the job itself.

// Every benchmark compiles all of this and uses a part of it.
#![allow(dead_code, clippy::unwrap_used)]

pub(crate) mod kind;
pub(crate) mod proxy;

/// Whether this is no benchmark but a check that it starts: `cargo test --benches` gives no
/// `--bench`, and `cargo bench -- --test` says so.
pub(crate) fn is_a_check() -> bool {
    let has = |word: &str| std::env::args().any(|argument| argument == word);
    has("--test") || !has("--bench")
}
