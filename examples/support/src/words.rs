//! Words of a text, in scripts with spaces and without. There a word has no mark where it ends, so
//! each character stands for itself: a search for several in a row finds every place where they
//! stand, which a dictionary would not, as it parts words in one way here and in another there.

use std::ops::Range;

/// A piece of a text that is searched for as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// In bytes.
    pub place: Range<usize>,
    /// Whether it is a character of a script without spaces.
    pub is_character: bool,
}

/// The words of a text, in their order: letters and digits in a row, or single characters.
pub fn words(text: &str) -> impl Iterator<Item = Word> {
    let mut rest = text.char_indices().peekable();
    std::iter::from_fn(move || {
        loop {
            let (start, first) = rest.next()?;
            let end = start + first.len_utf8();
            if has_no_spaces(first) {
                return Some(Word {
                    place: start..end,
                    is_character: true,
                });
            }
            if !first.is_alphanumeric() {
                continue;
            }
            let mut end = end;
            let goes_on = |next: &(usize, char)| is_within_word(next.1);
            while let Some((at, next)) = rest.next_if(goes_on) {
                end = at + next.len_utf8();
            }
            return Some(Word {
                place: start..end,
                is_character: false,
            });
        }
    })
}

fn is_within_word(character: char) -> bool {
    (character.is_alphanumeric() || is_mark(character)) && !has_no_spaces(character)
}

/// Marks that are put onto letters, which `is_alphanumeric` does not count: points of Hebrew, signs
/// of vowels in the scripts of India.
fn is_mark(character: char) -> bool {
    matches!(
        character,
        '\u{300}'..='\u{36f}'
            | '\u{483}'..='\u{487}'
            | '\u{591}'..='\u{5bd}'
            | '\u{610}'..='\u{61a}'
            | '\u{64b}'..='\u{65f}'
            | '\u{900}'..='\u{903}'
            | '\u{93a}'..='\u{94f}'
            | '\u{951}'..='\u{957}'
            | '\u{981}'..='\u{983}'
            | '\u{9bc}'..='\u{9cd}'
            | '\u{a3c}'..='\u{a4d}'
            | '\u{abc}'..='\u{acd}'
            | '\u{b3c}'..='\u{b4d}'
            | '\u{bbe}'..='\u{bcd}'
            | '\u{c3e}'..='\u{c4d}'
            | '\u{cbc}'..='\u{ccd}'
            | '\u{d3b}'..='\u{d4d}'
            | '\u{200c}'
            | '\u{200d}'
    )
}

/// Scripts that are written without spaces between words, and Korean, where what a word means for its
/// sentence is written onto its end.
fn has_no_spaces(character: char) -> bool {
    matches!(
        character,
        // Thai, Lao, Burmese, Khmer.
        '\u{e01}'..='\u{e3a}' | '\u{e40}'..='\u{e4e}' | '\u{e81}'..='\u{ece}'
            | '\u{1000}'..='\u{103f}' | '\u{1780}'..='\u{17d3}'
            // Korean.
            | '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7a3}'
            // Japanese and Chinese.
            | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{3096}' | '\u{309d}'..='\u{309f}'
            | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}' | '\u{3100}'..='\u{312f}'
            | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3fffd}'
    )
}

#[cfg(test)]
mod tests {
    use super::words;

    fn of(text: &str) -> Vec<&str> {
        words(text).map(|word| &text[word.place]).collect()
    }

    #[test]
    fn words_are_letters_in_a_row_or_single_characters() {
        assert_eq!(
            of("Don't pay €1,200 [NOW]!"),
            ["Don", "t", "pay", "1", "200", "NOW"]
        );
        assert_eq!(
            of("明日の会議はABC社で、"),
            ["明", "日", "の", "会", "議", "は", "ABC", "社", "で"]
        );
        assert_eq!(of("附件中的合同。"), ["附", "件", "中", "的", "合", "同"]);
        assert_eq!(of("ประชุม 9"), ["ป", "ร", "ะ", "ช", "ุ", "ม", "9"]);
        assert_eq!(of("회의는"), ["회", "의", "는"]);
        assert_eq!(of("हिन्दी में"), ["हिन्दी", "में"]);
        assert_eq!(of("u\u{308}ber"), ["u\u{308}ber"]);
        assert!(of(" -- \u{1b}").is_empty());
    }
}
