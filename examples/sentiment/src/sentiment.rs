//! The sentiment of a text and the words of it that say what it is about.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use unicode_segmentation::UnicodeSegmentation;
use vader_sentimental::SentimentIntensityAnalyzer;

/// Sentiments are whole numbers of this: the sum of fractions depends on their order.
pub(crate) const UNIT: f64 = 10_000.0;

/// The mean of the sentences, from -10,000 to 10,000. A text without words is neutral.
pub(crate) fn sentiment(text: &str) -> i64 {
    let analyzer = SentimentIntensityAnalyzer::new();
    let (mut count, mut sum) = (0_u32, 0.0);
    for paragraph in paragraphs(text) {
        for sentence in paragraph.unicode_sentences() {
            count += 1;
            sum += analyzer.polarity_scores(sentence).compound;
        }
    }
    // Between -1 and 1, so it fits.
    (sum / f64::from(count.max(1)) * UNIT).round() as i64
}

/// Each in one line: mail is wrapped within sentences, and a line's end would count as a
/// sentence's.
fn paragraphs(text: &str) -> Vec<String> {
    let mut paragraphs = vec![String::new()];
    for line in text.lines() {
        match (line.trim(), paragraphs.last_mut()) {
            (line, Some(paragraph)) if !line.is_empty() => {
                paragraph.push_str(line);
                paragraph.push(' ');
            }
            _ => paragraphs.push(String::new()),
        }
    }
    paragraphs
}

/// The words that are no stop words, each once, in lower case.
pub(crate) fn topical_words(text: &str) -> BTreeSet<String> {
    static STOP_WORDS: LazyLock<BTreeSet<&str>> =
        LazyLock::new(|| stop_words::get("en").iter().copied().collect());
    let words = text.unicode_words().map(str::to_lowercase);
    words
        .map(|word| word.replace('’', "'"))
        .filter(|word| (3..=30).contains(&word.chars().count()))
        .filter(|word| {
            word.chars()
                .all(|letter| letter.is_alphabetic() || letter == '\'')
        })
        .filter(|word| !STOP_WORDS.contains(word.as_str()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_is_above_bad_and_negation_turns_it_round() {
        let good = sentiment("This is a wonderful idea. I love it.");
        assert!(good > 3_000, "{good}");
        assert!(sentiment("This is a terrible idea. I hate it.") < -3_000);
        assert!(sentiment("This is not a good idea.") < 0);
        let wrapped = sentiment("This is not\r\na good idea.\r\n\r\nThe meeting\r\nis at ten.\r\n");
        assert_eq!(
            wrapped,
            sentiment("This is not a good idea. The meeting is at ten.")
        );
        assert_eq!(sentiment("The meeting is at ten."), 0);
        assert_eq!(sentiment(""), 0);
    }

    #[test]
    fn what_says_nothing_is_no_topic() {
        let words = topical_words("The server, and the SERVER's 20 disks: they don't work at all.");
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(words, ["disks", "server", "server's"]);
    }
}
