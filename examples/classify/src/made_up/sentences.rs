//! The sentences, with gaps such as `{day}`, and what may stand in the gaps.

use super::random::Random;

/// Fills the gaps of a sentence. Whoever writes spam has a leaning to the later half of some lists,
/// and whoever does not to the earlier one.
pub(super) fn fill(sentence: &str, is_spam: bool, random: &mut Random) -> String {
    let mut text = String::new();
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('{') {
        let (gap, after) = after.split_once('}').unwrap_or((after, ""));
        text.push_str(before);
        match gap {
            "number" => text.push_str(&(100 + random.below(90_000)).to_string()),
            "money" => text.push_str(&format!("€{}", 10 * (1 + random.below(400)))),
            "percent" => text.push_str(&format!("{} %", 5 * (1 + random.below(16)))),
            "link" => {
                let host = leaning(HOSTS, is_spam, random);
                text.push_str(&format!("https://{host}/{}", random.below(10_000)));
            }
            "goods" => text.push_str(leaning(GOODS, is_spam, random)),
            "good" => text.push_str(leaning(GOOD, is_spam, random)),
            "host" => text.push_str(leaning(HOSTS, is_spam, random)),
            _ => text.push_str(random.of(choices(gap))),
        }
        rest = after;
    }
    text + rest
}

/// In 75 of a hundred cases one of its own half.
fn leaning(list: &[&'static str], is_spam: bool, random: &mut Random) -> &'static str {
    let (ham, spam) = list.split_at(list.len() / 2);
    let is_own = random.below(100) < 75;
    random.of(if is_spam == is_own { spam } else { ham })
}

fn choices(gap: &str) -> &'static [&'static str] {
    match gap {
        "name" => NAMES,
        "day" => DAYS,
        "document" => DOCUMENTS,
        "project" => PROJECTS,
        "place" => PLACES,
        _ => &["…"],
    }
}

const NAMES: &[&str] = &[
    "Anna", "Ben", "Clara", "David", "Emma", "Felix", "Greta", "Hugo", "Ida", "Jonas", "Karla",
    "Leo", "Maria", "Noah", "Olga", "Paul",
];

const DAYS: &[&str] = &[
    "today",
    "tomorrow",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "this week",
    "the end of the month",
];

const HOSTS: &[&str] = &[
    "example.org",
    "shop.example",
    "bank.example",
    "mail.example",
    "example.net",
    "cloud.example",
    "portal.example",
    "secure.example",
];

const DOCUMENTS: &[&str] = &[
    "contract",
    "report",
    "budget",
    "invoice",
    "draft",
    "list",
    "presentation",
    "offer",
    "statement",
    "spreadsheet",
    "plan",
    "form",
];

const PROJECTS: &[&str] = &[
    "the migration",
    "the new office",
    "the audit",
    "the website",
    "the payroll",
    "the trade fair",
    "the supplier",
    "the warehouse",
    "the customer survey",
    "the account in Lyon",
];

const PLACES: &[&str] = &[
    "the lake",
    "our house",
    "the station",
    "Vienna",
    "the garden",
    "the café",
    "the theatre",
    "the island",
    "school",
    "the market",
];

const GOODS: &[&str] = &[
    "shoes",
    "tickets",
    "books",
    "lamps",
    "bicycles",
    "coffee",
    "flights",
    "watches",
    "phones",
    "vitamins",
    "insurance",
    "software",
    "loans",
    "medicine",
];

const GOOD: &[&str] = &[
    "new",
    "best",
    "special",
    "last",
    "great",
    "personal",
    "free",
    "exclusive",
    "limited",
    "cheap",
    "secure",
    "easy",
];

pub(super) const GREETINGS: &[&str] = &[
    "Hello,",
    "Hello {name},",
    "Dear {name},",
    "Dear customer,",
    "Hi {name},",
    "Hi,",
    "Good morning,",
    "Dear Sir or Madam,",
];

pub(super) const CLOSINGS: &[&str] = &[
    "Best wishes, {name}",
    "Kind regards, {name}",
    "Thanks, {name}",
    "Yours, {name}",
    "Your team of {host}",
    "See you, {name}",
    "{name}",
];

/// What everybody writes.
pub(super) const COMMON: &[&str] = &[
    "Thank you for your answer of {day}.",
    "Please let me know by {day}.",
    "See here: {link}",
    "You find the {document} attached.",
    "I hope you are well.",
    "Do you have a minute {day}?",
    "If you have questions, write to {name}.",
    "I have tried to call you {day}.",
    "Please read this before {day}.",
    "Sorry for the late answer.",
    "It is about {document} number {number}.",
    "More about it: {link}",
    "This message was sent to you because you have an account with us.",
    "{name} has told me about you.",
    "I am looking forward to your answer.",
    "Please do not answer this message.",
];

pub(super) const WORK: &[&str] = &[
    "Can you look over the {document} before {day}?",
    "The meeting about {project} moves to {day}.",
    "{name} needs the {document} for {project}.",
    "I am in a meeting and cannot talk now.",
    "We have to pay the supplier by {day}, can you see to it?",
    "The numbers of {project} are in the {document}.",
    "Who of you takes over {project} from {name}?",
    "The server was down on {day}, and we do not know why yet.",
    "Please send me the {document} of last year.",
    "I have changed section {number} of the {document}.",
    "The customer wants to see {project} {day}.",
    "Could you do something for me, quickly and without much ado?",
    "{name} is on holiday, so it is up to us.",
    "We are over budget on {project} by {money}.",
    "The new colleague starts on {day}.",
    "Have you got the key of the {document} folder?",
    "The board decides about {project} on {day}.",
    "I have booked the room for {day}.",
];

pub(super) const HOME: &[&str] = &[
    "Shall we meet at {place} on {day}?",
    "The children loved {place}.",
    "{name} has her birthday on {day}, and wishes for {goods}.",
    "We were at {place} with {name}.",
    "Mother is in hospital, and we are all a little worried.",
    "I still have your {goods}.",
    "It rained all day at {place}.",
    "Do you remember {name} from {place}?",
    "I dream of going away to {place} for good.",
    "Can you lend me {money} until {day}?",
    "The dog has eaten my {goods}.",
    "We have found a flat near {place}.",
    "Greetings from {place}!",
    "My family and I trust in you.",
    "{name} and {name} are getting married at {place}.",
    "Bring {goods} when you come to {place}.",
];

/// What shops, banks and newsletters write, and who looks like them.
pub(super) const MONEY: &[&str] = &[
    "Only until {day}: {percent} off all {goods}.",
    "Your invoice {number} over {money} is attached.",
    "Your order {number} of {goods} has been sent.",
    "The {good} {goods} of the season are here.",
    "Please pay {money} by {day}.",
    "To see your account, click here: {link}",
    "You get this because you are subscribed; to unsubscribe: {link}",
    "Free delivery of {goods} from {money}.",
    "Your {good} offer: {goods} for {money}.",
    "We have received your payment of {money}.",
    "Your contract for {goods} is renewed on {day}.",
    "Save {percent} with your {good} code {number}.",
    "Track your parcel {number}: {link}",
    "Your card will be charged with {money} on {day}.",
    "New terms apply from {day}.",
    "Win one of {number} {good} {goods} among our readers.",
    "Your bank statement of {day} is ready: {link}",
    "Order {goods} now and pay {day}.",
];

/// What frauds write, and who warns of them.
pub(super) const TRICKS: &[&str] = &[
    "Your account has been locked; confirm your password here: {link}",
    "We have noticed a login from {place}.",
    "You have won {money}, and it waits for you.",
    "Buy gift cards over {money} and send me the codes.",
    "Please transfer {money} to the new account {number} {day}.",
    "Nobody must know of this until {day}.",
    "Act now, or lose your {good} account.",
    "Confirm your data within {number} hours: {link}",
    "It is {percent} a month, without any risk.",
    "Your parcel is held; pay {money} to release it: {link}",
    "We never ask for your password.",
    "My late husband left {money} in a bank in Vienna.",
    "Doctors are amazed by this {good} medicine.",
    "Verify your card to keep using your account: {link}",
    "This is your last warning about invoice {number}.",
    "You have been chosen for a {good} loan of {money}.",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_gap_is_left_open() {
        let mut random = Random::new(3);
        let pools = [GREETINGS, CLOSINGS, COMMON, WORK, HOME, MONEY, TRICKS];
        for sentence in pools.concat() {
            let text = fill(sentence, false, &mut random);
            assert!(!text.contains(['{', '}', '…']), "{sentence} became {text}");
        }
    }
}
