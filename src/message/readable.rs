//! A part's bytes as a text to read, by its type. Which parts are read is not decided here.

use crate::message::{charset, html};

/// The text of a part of this type, and whether all of it could be read.
pub(crate) fn text_of(kind: &str, charset: Option<&str>, bytes: &[u8]) -> (String, bool) {
    let of_html = (kind == "text/html" && charset.is_none()).then(|| charset::of_html(bytes));
    let charset = charset.map(str::to_owned).or(of_html.flatten());
    let (text, is_readable) = charset::decode(bytes, charset.as_deref());
    let text = match kind {
        "text/html" | "text/enriched" | "text/richtext" => html::to_text(&text),
        _ => text.replace("\r\n", "\n"),
    };
    (text, is_readable)
}
