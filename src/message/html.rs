//! The text of HTML as a person reads it. Tags are found by a tokenizer after the standard; which of
//! them part words and lines is decided here. Scripts, styles and comments are never text.

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, State, Tokenizer};

/// Returns the text, with a line for each block, a tab between the cells of a table, and `> ` before
/// what is quoted.
pub(crate) fn to_text(html: &str) -> String {
    let mut page = Page::default();
    page.read(html, 0);
    page.text
}

/// How often swallowed text is looked at again.
const DEEPEST: usize = 3;

/// What is written so far, and what has to come before the next letter.
#[derive(Debug, Default)]
struct Page {
    text: String,
    gap: Gap,
    /// Of `blockquote`.
    quotations: usize,
    /// Of elements whose white space counts.
    preformatted: usize,
}

/// In the order in which one hides the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    #[default]
    None,
    Space,
    Cell,
    Line,
    Paragraph,
}

enum Token {
    Start(String),
    End(String),
    Text(String),
}

impl Page {
    fn read(&mut self, html: &str, depth: usize) {
        let mut name = String::new();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| match event {
            CallbackEvent::OpenStartTag { name: opened } => {
                name = text(opened);
                None
            }
            CallbackEvent::CloseStartTag { .. } => Some(Token::Start(std::mem::take(&mut name))),
            CallbackEvent::EndTag { name } => Some(Token::End(text(name))),
            CallbackEvent::String { value } => Some(Token::Text(text(value))),
            _ => None,
        });
        let mut tokens = Tokenizer::new_with_emitter(html, emitter);
        // The element that is no text, and what is in it.
        let mut hidden: Option<(String, String)> = None;
        while let Some(Ok(token)) = tokens.next() {
            match token {
                Token::Text(text) => match &mut hidden {
                    Some((_, swallowed)) => swallowed.push_str(&text),
                    None => self.write(&text),
                },
                Token::Start(name) => {
                    if let Some(state) = state_after(&name) {
                        tokens.set_state(state);
                    }
                    match is_hidden(&name) {
                        true => hidden = Some((name, String::new())),
                        false => self.start(&name),
                    }
                }
                Token::End(name) => {
                    if hidden.take_if(|(hidden, _)| *hidden == name).is_none() {
                        self.end(&name);
                    }
                }
            }
        }
        // Never closed, so it was not meant to have all the rest.
        if let Some((name, swallowed)) = hidden.filter(|_| depth < DEEPEST) {
            let is_code = matches!(name.as_str(), "script" | "style");
            let start = if is_code {
                swallowed.find('<')
            } else {
                Some(0)
            };
            self.read(start.map_or("", |start| &swallowed[start..]), depth + 1);
        }
    }

    fn start(&mut self, name: &str) {
        self.part(name);
        match name {
            "br" if self.gap >= Gap::Line => self.gap = Gap::Paragraph,
            "br" => self.gap = Gap::Line,
            "li" => self.write("* "),
            "blockquote" => self.quotations += 1,
            "pre" | "listing" | "xmp" | "plaintext" => self.preformatted += 1,
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        self.part(name);
        match name {
            "br" => self.part("p"),
            "blockquote" => self.quotations = self.quotations.saturating_sub(1),
            "pre" | "listing" | "xmp" => self.preformatted = self.preformatted.saturating_sub(1),
            _ => {}
        }
    }

    /// What stands before a tag and what stands after it are apart.
    fn part(&mut self, name: &str) {
        let gap = match name {
            "address" | "article" | "aside" | "body" | "caption" | "center" | "dd" | "details"
            | "dialog" | "div" | "dt" | "fieldset" | "figcaption" | "figure" | "footer"
            | "form" | "frame" | "head" | "header" | "hgroup" | "html" | "legend" | "li"
            | "main" | "menu" | "nav" | "option" | "search" | "section" | "select" | "summary"
            | "tbody" | "tfoot" | "thead" | "tr" => Gap::Line,
            "blockquote" | "dl" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "hr" | "listing"
            | "ol" | "p" | "plaintext" | "pre" | "table" | "ul" | "xmp" => Gap::Paragraph,
            "td" | "th" => Gap::Cell,
            "button" | "iframe" | "img" | "input" | "object" | "textarea" => Gap::Space,
            _ => return,
        };
        self.gap = self.gap.max(gap);
    }

    fn write(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '\n' if self.preformatted > 0 && self.gap >= Gap::Line => self.gap = Gap::Paragraph,
                '\n' if self.preformatted > 0 => self.gap = Gap::Line,
                // Where a word may be broken, or nothing at all.
                '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}' => {}
                ' ' if self.preformatted > 0 => self.letter(' '),
                _ if character.is_whitespace() => self.gap = self.gap.max(Gap::Space),
                _ => self.letter(character),
            }
        }
    }

    fn letter(&mut self, letter: char) {
        let is_first = self.text.is_empty();
        let gap = std::mem::take(&mut self.gap);
        match gap {
            _ if is_first => {}
            Gap::None => {}
            Gap::Space => self.text.push(' '),
            Gap::Cell => self.text.push('\t'),
            Gap::Line => self.text.push('\n'),
            Gap::Paragraph => self.text.push_str("\n\n"),
        }
        if is_first || gap >= Gap::Line {
            let mark = "> ";
            self.text.extend(std::iter::repeat_n(
                mark,
                self.quotations.min(DEEPEST_QUOTATION),
            ));
        }
        self.text.push(letter);
    }
}

/// More marks than this say nothing.
const DEEPEST_QUOTATION: usize = 20;

/// Elements within which other rules hold (the standard, section 13.2.6.4.4), for a reader without
/// scripts.
fn state_after(name: &str) -> Option<State> {
    Some(match name {
        "title" | "textarea" => State::RcData,
        "script" => State::ScriptData,
        "style" | "xmp" | "iframe" | "noembed" | "noframes" => State::RawText,
        "plaintext" => State::PlainText,
        _ => return None,
    })
}

fn is_hidden(name: &str) -> bool {
    matches!(
        name,
        "iframe" | "noembed" | "noframes" | "script" | "style" | "title"
    )
}

#[cfg(test)]
mod tests {
    use super::to_text;

    #[test]
    fn cells_items_and_headings_are_apart() {
        let html = "<table><tr><td>Invoice</td><td>4711</td></tr><tr><td>Sum</td><td>99,50</td></tr>\
                    </table><ul><li>Apple</li><li>Pear</li></ul><div>Sunday</div><div>Monday</div>\
                    <h1>Title</h1>Text<br>line<BR/>line";
        assert_eq!(
            to_text(html),
            "Invoice\t4711\nSum\t99,50\n\n* Apple\n* Pear\n\nSunday\nMonday\n\nTitle\n\nText\nline\nline"
        );
        assert_eq!(
            to_text("wo<b>rd</b>, <i>two</i>\n  words<span></span>!"),
            "word, two words!"
        );
    }

    #[test]
    fn white_space_is_one_space_but_in_what_is_preformatted() {
        assert_eq!(to_text("  a \r\n\t b&nbsp;&nbsp;c  "), "a b c");
        assert_eq!(
            to_text("a<pre>  b\n    c\n\n\nd</pre> e"),
            "a\n\n  b\n    c\n\nd\n\ne"
        );
    }

    #[test]
    fn comments_scripts_and_styles_are_no_text() {
        for html in [
            "<p>one</p><!------------ END OF HEADER ------------><p>two</p>",
            "<p>one</p><!-- <p>no</p> -- > --!><p>two</p>",
            "<p>one</p><!--><p>two</p>",
            "<!--[if mso]><p>no</p><![endif]--><p>one</p><![if !mso]><p>two</p><![endif]>",
            "<?xml no?><p>one</p><script>if (a < b) '<p>no</p>'</script><p>two</p>",
            "<style>p > a { no: </p> }</style><p>one</p><SCRIPT>no</SCRIPT ><p>two</p>",
            "<head><title>no</title></head><p>one</p><p a='>' b=\">\">two</p>",
        ] {
            assert_eq!(to_text(html), "one\n\ntwo", "{html}");
        }
    }

    #[test]
    fn a_tag_that_is_never_closed_does_not_swallow_the_message() {
        for html in [
            "<html><head><title>t</title><meta charset=utf-8><body><p>word</p>",
            "<head><title><p>word</p>",
            "<style>no { } <p>word</p>",
            "<script>no <p>word</p>",
            "<iframe src=x><p>word</p>",
            "<table><tr><td>word",
            "<noscript><p>word</p>",
            "word<",
            "word</",
        ] {
            let text = to_text(html);
            assert!(
                text.trim_end_matches(['<', '/']) == "word",
                "{html}: {text}"
            );
        }
    }

    #[test]
    fn characters_are_decoded_and_words_are_whole() {
        let html = "Gr&uuml;&szlig;e &amp; &#128512; &#x4f1a;议 Zu&shy;cker&#8203;hut &lt;b&gt; &unknown; a & b";
        assert_eq!(
            to_text(html),
            "Grüße & 😀 会议 Zuckerhut <b> &unknown; a & b"
        );
    }

    #[test]
    fn quotations_are_marked() {
        let html = "Yes.<blockquote>Really?<br>Sure?<BLOCKQUOTE>Who?</BLOCKQUOTE></blockquote>Bye.";
        assert_eq!(
            to_text(html),
            "Yes.\n\n> Really?\n> Sure?\n\n> > Who?\n\nBye."
        );
    }

    #[test]
    fn nothing_takes_long_or_stops() {
        for piece in [
            "<",
            "<a ",
            "</a",
            "<!--",
            "<title>",
            "<blockquote>",
            "&",
            "<table><td>",
            "é<",
        ] {
            let text = to_text(&piece.repeat(20_000));
            assert!(text.len() < 2_000_000, "{piece}");
        }
    }
}
