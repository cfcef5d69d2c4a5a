//! Who is held out.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use example_classify::split::split;
use example_classify::{Example, Letter, made_up};
use parallel_mailbox::Query;
use parallel_mailbox::testing::{Server, TestMessage};

fn examples(mail: Vec<TestMessage>, is_spam: bool) -> Vec<Example> {
    let server = Server::builder().messages(mail).start().unwrap();
    let mailbox = server.client().workers(2).connect().unwrap();
    let matches = mailbox.search(Query::all()).unwrap();
    let letters = matches.map(|message| Letter::of(&message)).unwrap();
    let examples = letters
        .into_iter()
        .map(|letter| Example { letter, is_spam });
    examples.collect()
}

fn contents(examples: &[Example]) -> BTreeSet<Vec<String>> {
    let contents = examples.iter().map(|example| {
        let words = example.letter.words().map(str::to_owned);
        words.collect()
    });
    contents.collect()
}

#[test]
fn letters_with_the_same_words_are_never_on_both_sides_whatever_mailbox_they_are_in() {
    let made_up::Sorted { mut ham, mut spam } = made_up::sorted();
    // Beside the copies that there are, some in both.
    spam.extend(ham[..50].iter().cloned());
    ham.extend(spam[..50].iter().cloned());
    let mut all = examples(ham, false);
    all.extend(examples(spam, true));
    let count = all.len();
    let different = contents(&all).len();
    assert!(different < count * 95 / 100, "{different} of {count}");
    let (known, held_out) = split(all);
    assert_eq!(known.len() + held_out.len(), count);
    assert!(contents(&known).is_disjoint(&contents(&held_out)));
}

#[test]
fn thirty_of_a_hundred_are_held_out_on_either_side() {
    let made_up::Sorted { ham, spam } = made_up::sorted();
    let (hams, spams) = (ham.len(), spam.len());
    let mut all = examples(ham, false);
    all.extend(examples(spam, true));
    let (_, held_out) = split(all);
    let spam = held_out.iter().filter(|example| example.is_spam).count();
    for (part, whole) in [(spam, spams), (held_out.len() - spam, hams)] {
        let percent = 100.0 * part as f64 / whole as f64;
        assert!((27.0..33.0).contains(&percent), "{percent}");
    }
}

#[test]
fn what_is_in_the_header_beside_the_subject_makes_no_difference() {
    let letter = |head: &str, text: &str| {
        let raw = format!("{head}Subject: The offer\r\n\r\n{text}\r\n");
        let examples = examples(vec![TestMessage::new(raw.into_bytes())], true);
        examples[0].letter.words().map(str::to_owned).collect()
    };
    let words: Vec<String> = letter("X-Spam: yes\r\nFrom: a@example.org\r\n", "Buy 5 lamps");
    assert_eq!(words, ["0", "buy", "lamps", "subject:offer", "subject:the"]);
    let html = "Content-Type: text/html\r\n";
    let other: Vec<String> = letter(html, "<td class=x>BUY</td><td>7</td> <b>lamps</b>");
    assert_eq!(other, words);
}
