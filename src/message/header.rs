//! Where the header of a message or of a part ends, and the fields in it. It copies nothing.

use std::ops::ControlFlow;

/// Fields in their order.
#[derive(Debug)]
pub(crate) struct Header<'a>(Vec<(&'a [u8], &'a [u8])>);

/// Whose header it is: that of a message is read on after a line that is no field, as long as fields
/// follow. In that of a part the text begins there, since some leave out the empty line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Message,
    Part,
}

impl<'a> Header<'a> {
    /// Takes a header off the beginning; returns what follows the empty line.
    pub(crate) fn split(raw: &'a [u8], owner: Owner) -> (Self, &'a [u8]) {
        let mut header = Self(Vec::new());
        let mut rest = raw;
        while let ControlFlow::Continue(after) = header.take_field(rest, owner) {
            rest = after;
        }
        let body = match rest {
            [b'\r', b'\n', body @ ..] | [b'\n', body @ ..] => body,
            body => body,
        };
        (header, body)
    }

    /// The first field of this name.
    pub(crate) fn field(&self, name: &str) -> Option<&'a [u8]> {
        let mut fields = self.0.iter();
        let is_it = |field: &[u8]| field.eq_ignore_ascii_case(name.as_bytes());
        fields
            .find(|(field, _)| is_it(field))
            .map(|(_, body)| *body)
    }

    fn take_field(&mut self, rest: &'a [u8], owner: Owner) -> ControlFlow<(), &'a [u8]> {
        if rest.is_empty() || rest.starts_with(b"\n") || rest.starts_with(b"\r\n") {
            return ControlFlow::Break(());
        }
        let (field, after) = rest.split_at(end_of_field(rest));
        if let Some(named) = name_of(field) {
            self.0.push(named);
            return ControlFlow::Continue(after);
        }
        // The envelope of an mbox, and whatever went wrong on the way.
        match next_field(after).filter(|_| owner == Owner::Message) {
            Some(rest) => ControlFlow::Continue(rest),
            None => ControlFlow::Break(()),
        }
    }
}

/// With the lines that begin with white space (RFC 5322, section 2.2.3), and one that should: what
/// follows a semicolon and is no field and no empty line.
fn end_of_field(text: &[u8]) -> usize {
    let ends = memchr::memchr_iter(b'\n', text).map(|end| end + 1);
    let mut ends = ends.filter(|end| {
        let after = &text[*end..];
        let is_forgotten = || {
            let line = after
                .split(|byte| *byte == b'\n')
                .next()
                .unwrap_or_default();
            text[..*end].trim_ascii_end().ends_with(b";")
                && !line.trim_ascii().is_empty()
                && name_of(line).is_none()
        };
        !matches!(after.first(), Some(b' ' | b'\t')) && !is_forgotten()
    });
    ends.next().unwrap_or(text.len())
}

/// The text from the next field on, if there is one before the next line without a text.
fn next_field(mut text: &[u8]) -> Option<&[u8]> {
    loop {
        let end = memchr::memchr(b'\n', text).map_or(text.len(), |end| end + 1);
        let line = text[..end].trim_ascii();
        if line.is_empty() {
            return None;
        }
        if name_of(&text[..end]).is_some() {
            return Some(text);
        }
        text = &text[end..];
    }
}

/// The name and the body of a field.
fn name_of(field: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', field)?;
    let name = field[..colon].trim_ascii_end();
    is_name(name).then_some((name, &field[colon + 1..]))
}

/// Printable ASCII without spaces (RFC 5322, section 3.6.8).
fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(raw: &str, owner: Owner) -> (Option<String>, String) {
        let (header, body) = Header::split(raw.as_bytes(), owner);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (header.field("x").map(text), text(body))
    }

    #[test]
    fn a_header_ends_at_the_empty_line() {
        for (raw, field, body) in [
            ("X: 1\r\n 2\r\n\r\nbody", Some(" 1\r\n 2\r\n"), "body"),
            ("a: b\nX : 1\n\nbody\n", Some(" 1\n"), "body\n"),
            ("X:1", Some("1"), ""),
            ("\r\nbody: text", None, "body: text"),
            ("", None, ""),
        ] {
            let expected = (field.map(str::to_owned), body.to_owned());
            assert_eq!(split(raw, Owner::Message), expected, "{raw:?}");
            assert_eq!(split(raw, Owner::Part), expected, "{raw:?}");
        }
    }

    #[test]
    fn a_parameter_on_a_line_without_indentation_belongs_to_its_field() {
        let raw = "X: a;\r\nb=c;\r\nd=e\r\nY: z\r\n\r\nbody";
        let field = Some(" a;\r\nb=c;\r\nd=e\r\n".to_owned());
        assert_eq!(split(raw, Owner::Part), (field, "body".to_owned()));
        let ends = "X: a;\n\nbody";
        assert_eq!(
            split(ends, Owner::Part),
            (Some(" a;\n".to_owned()), "body".to_owned())
        );
    }

    #[test]
    fn a_line_that_is_no_field_begins_the_text_of_a_part_and_is_nothing_in_a_message() {
        let raw = "From ann Mon Apr  6\r\nX:1\r\n\r\nbody";
        assert_eq!(
            split(raw, Owner::Message),
            (Some("1\r\n".to_owned()), "body".to_owned())
        );
        let raw = "Hello you,\r\nhere is: text\r\n\r\nmore";
        assert_eq!(split(raw, Owner::Part), (None, raw.to_owned()));
        // The empty line is not there, or has a space in it.
        for raw in [
            "A: b\r\nX: 1\r\ntext, and\r\nmore\r\n",
            "X: 1\n \ntext\n\nnot: a field\n",
        ] {
            let (field, body) = split(raw, Owner::Message);
            assert!(
                field.unwrap().trim() == "1" && body.starts_with("text"),
                "{body}"
            );
        }
    }
}
