//! Made-up mail that has what the charts show: more of it every month, less at night and at the
//! weekend, a few who write most, answers to answers, and sizes from a line to some megabytes.

use chrono::{DateTime, Datelike, FixedOffset, TimeDelta};
use parallel_mailbox::testing::TestMessage;

/// 2024-01-01 00:00:00 UTC, a Monday.
const FIRST: i64 = 1_704_067_200;

const DAYS: f64 = 730.0;

/// Names with what is hard to draw, and the zones they live in, in hours from UTC.
const PEOPLE: [(&str, &str, i32); 16] = [
    ("Build server", "build@ci.example.org", 0),
    ("Åsa Lindqvist", "asa@lindqvist.example", 1),
    ("Dmitri Orlov", "dmitri@orlov.example", 3),
    (
        "Maria do Carmo Fernandes de Almeida e Sousa",
        "maria.do.carmo@example.com",
        0,
    ),
    (
        "Weekly Gardening Newsletter",
        "newsletter@garden.example",
        -5,
    ),
    ("Ольга Петрова", "olga@petrova.example", 3),
    ("Tom O'Brien", "tom@obrien.example", 1),
    ("", "no-reply@bank.example", -5),
    ("Ελένη Παπαδοπούλου", "eleni@papadopoulou.example", 2),
    ("Zoë <zoe> & friends", "zoe@friends.example", 1),
    ("Wei Zhang", "wei@zhang.example", 8),
    ("佐藤 花子", "hanako@sato.example", 9),
    ("Jan Novák", "jan@novak.example", 1),
    ("Priya Raman", "priya@raman.example", 5),
    ("Ada", "ada@example.net", 0),
    ("Lost and found", "lost@found.example", 2),
];

/// How much is written in each hour of a day.
const DAY: [u32; 24] = [
    3, 1, 1, 1, 2, 4, 10, 22, 48, 70, 74, 66, 44, 52, 64, 62, 52, 40, 26, 22, 24, 22, 14, 7,
];

/// So many messages, the same every time.
pub fn mail(count: usize) -> impl Iterator<Item = TestMessage> {
    let mut random = Random(1);
    let mut dates: Vec<i64> = (0..count).map(|_| date(&mut random)).collect();
    dates.sort_unstable();
    // The threads that are going on: how a message of it is answered.
    let mut threads: Vec<Vec<usize>> = Vec::new();
    dates.into_iter().enumerate().map(move |(number, seconds)| {
        // The square lets a few write most.
        let person = (random.share().powi(2) * PEOPLE.len() as f64) as usize;
        let (name, address, zone) = PEOPLE[person];
        let references = if random.share() < 0.55 && !threads.is_empty() {
            let last = threads.len().min(12);
            let thread = threads.len() - 1 - (random.share().powi(2) * last as f64) as usize;
            let references = threads[thread].clone();
            threads[thread].push(number);
            references
        } else {
            threads.push(vec![number]);
            Vec::new()
        };
        // Local working hours: the clock of the date is the sender's.
        let zone = FixedOffset::east_opt(zone * 3_600);
        let zone = zone.unwrap_or(const { FixedOffset::east_opt(0).unwrap() });
        let local = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
        let date = (local - TimeDelta::seconds(zone.local_minus_utc().into())).with_timezone(&zone);
        let mut text = format!(
            "Date: {}\r\nFrom: \"{name}\" <{address}>\r\nSubject: {number}\r\n\
             Message-ID: <{number}@made-up.example>\r\n",
            date.to_rfc2822(),
        );
        if let Some(parent) = references.last() {
            text.push_str(&format!(
                "In-Reply-To: <{parent}@made-up.example>\r\nReferences:"
            ));
            for reference in &references {
                text.push_str(&format!("\r\n <{reference}@made-up.example>"));
            }
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        // About a bell on a logarithmic scale, from a line to some megabytes.
        let bell: f64 = (0..6).map(|_| random.share() - 0.5).sum();
        let lines = (60.0 * (bell * 2.9).exp()) as usize;
        text.push_str(
            &"0123456789 abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ.\r\n"
                .repeat(lines.min(40_000)),
        );
        TestMessage::new(text).internal_date(date.timestamp() + 2)
    })
}

fn date(random: &mut Random) -> i64 {
    loop {
        // The root lets it grow.
        let day = (random.share().sqrt() * DAYS) as i64;
        let hour = (random.share() * 24.0) as i64;
        let seconds = FIRST + day * 86_400 + hour * 3_600 + (random.share() * 3_600.0) as i64;
        let date = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
        let is_weekend = date.weekday().num_days_from_monday() >= 5;
        let often = f64::from(DAY[hour as usize]) / 74.0 * if is_weekend { 0.25 } else { 1.0 };
        if random.share() < often {
            return seconds;
        }
    }
}

/// SplitMix64: short, and the same on every machine.
struct Random(u64);

impl Random {
    /// From 0 to below 1.
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}
