//! The names that a file may get. What is safe in a name is decided by the crate.

use std::iter;

use unicode_normalization::UnicodeNormalization;

/// More after the last dot is no extension.
const LONGEST_EXTENSION: usize = 16;

/// The names that a file of this content may get, as there may be others of the name: the name
/// itself, then with more and more of the digest.
pub(crate) fn candidates(name: &str, digest: &str) -> impl Iterator<Item = String> {
    // Some write `ü` as two characters, which many a file system takes for the same.
    let name: String = name.nfc().collect();
    let (stem, extension) = match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= LONGEST_EXTENSION => name.split_at(dot),
        _ => (name.as_str(), ""),
    };
    let (stem, extension) = (stem.to_owned(), extension.to_owned());
    let lengths = (8..=digest.len()).step_by(8);
    let distinguished =
        lengths.map(move |length| format!("{stem}-{}{extension}", &digest[..length]));
    iter::once(name).chain(distinguished)
}

#[cfg(test)]
mod tests {
    use super::candidates;

    #[test]
    fn a_name_that_is_taken_gets_a_part_of_the_digest() {
        let names: Vec<_> = candidates("u\u{308}.tar.gz", "0123456789abcdef").collect();
        assert_eq!(
            names,
            ["ü.tar.gz", "ü.tar-01234567.gz", "ü.tar-0123456789abcdef.gz"]
        );
    }
}
