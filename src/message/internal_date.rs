//! INTERNALDATE as servers write it. It must never stop at a date that is not to the letter.

pub(crate) use mail_parser::DateTime;

/// Reads an INTERNALDATE such as `17-Jul-1996 02:44:25 -0700` (RFC 9051, section 9,
/// `date-time`; the day may be padded with a space).
pub(crate) fn parse_internal_date(text: &str) -> Option<DateTime> {
    parse_strict_date(text.as_bytes()).or_else(|| parse_loose_date(text))
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// The form of RFC 9051, to the letter: `17-Jul-1996 02:44:25 -0700`, the day perhaps with a space
/// before it. A tenth of the work, and nearly every server sends it.
fn parse_strict_date(text: &[u8]) -> Option<DateTime> {
    let text: &[u8; 26] = text.try_into().ok()?;
    let digit = |at: usize| text[at].is_ascii_digit().then(|| text[at] - b'0');
    let two = |at: usize| Some(digit(at)? * 10 + digit(at + 1)?);
    let marks = [
        (2, b'-'),
        (6, b'-'),
        (11, b' '),
        (14, b':'),
        (17, b':'),
        (20, b' '),
    ];
    if marks.iter().any(|(at, mark)| text[*at] != *mark) || !matches!(text[21], b'+' | b'-') {
        return None;
    }
    let month = MONTHS
        .iter()
        .position(|name| name.as_bytes() == &text[3..6])?;
    let date = DateTime {
        year: u16::from(two(7)?) * 100 + u16::from(two(9)?),
        month: month as u8 + 1,
        day: match text[0] {
            b' ' => digit(1)?,
            _ => two(0)?,
        },
        hour: two(12)?,
        minute: two(15)?,
        second: two(18)?,
        tz_before_gmt: text[21] == b'-',
        tz_hour: two(22)?,
        tz_minute: two(24)?,
    };
    date.is_valid().then_some(date)
}

/// The same with other numbers of digits, in any case, or without a zone.
fn parse_loose_date(text: &str) -> Option<DateTime> {
    let mut words = text.split_ascii_whitespace();
    let mut date = words.next()?.splitn(3, '-');
    let day = date.next()?.parse().ok()?;
    let month = date.next()?;
    let month = MONTHS
        .iter()
        .position(|name| name.eq_ignore_ascii_case(month))? as u8
        + 1;
    let year = date.next()?.parse().ok()?;
    let mut time = words
        .next()?
        .splitn(3, ':')
        .map(|part| part.parse::<u8>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let zone = words.next().unwrap_or("+0000");
    let date = DateTime {
        year,
        month,
        day,
        hour,
        minute,
        second,
        tz_before_gmt: zone.starts_with('-'),
        tz_hour: zone.get(1..3)?.parse().ok()?,
        tz_minute: zone.get(3..5)?.parse().ok()?,
    };
    date.is_valid().then_some(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strict_form_of_a_date_is_read_as_the_loose_one_is() {
        for text in [
            "17-Jul-1996 02:44:25 -0700",
            " 7-Dec-2026 23:59:59 +0000",
            "07-Jan-0001 00:00:00 +1400",
            "31-Feb-2026 02:44:25 -0700",
            "17-Jul-1996 24:44:25 -0700",
            "17-Jul-1996 02:44:25 -9999",
        ] {
            assert_eq!(text.len(), 26);
            assert_eq!(
                parse_strict_date(text.as_bytes()),
                parse_loose_date(text),
                "{text}"
            );
        }
        for loose in [
            "17-JUL-1996 02:44:25 -0700",
            "1-Jul-1996 02:44:25 -0700",
            "17-Jul-1996 02:44:25",
        ] {
            assert_eq!(parse_strict_date(loose.as_bytes()), None);
            assert!(parse_loose_date(loose).is_some(), "{loose}");
        }
    }

    #[test]
    fn reads_internal_dates() {
        let date = parse_internal_date("17-Jul-1996 02:44:25 -0700").unwrap();
        assert_eq!(date.to_rfc3339(), "1996-07-17T02:44:25-07:00");
        assert_eq!(date.to_timestamp(), 837_596_665);
        let padded = parse_internal_date(" 1-feb-2026 00:00:00 +0000").unwrap();
        assert_eq!(padded.to_rfc3339(), "2026-02-01T00:00:00Z");
        for odd in [
            "",
            "NIL",
            "31-Foo-2026 00:00:00 +0000",
            "1-Jan-2026",
            "1-Jan-2026 1:2:3 +é00",
            "1-Jan-2026 1:2:3 +0é0",
            "1-Jan-2026 1:2:3 \u{fffd}7",
        ] {
            assert_eq!(parse_internal_date(odd), None, "{odd}");
        }
    }
}
