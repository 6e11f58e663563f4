//! What a delivery says: the words that a person reads or hears, whatever carries them.
//!
//! The first 40 characters say severity, team and what is wrong; then come the reader's local time and
//! what may be done. Pure: the time and the addresses come in. What may be pressed is in `message/button.rs`.

mod button;
mod catalogue;
mod language;

pub mod sms;
pub mod speech;
pub mod template;

use escalation::alert::{Alert, Audience};
use escalation::contact::Contact;
use escalation::delivery::{Delivery, Purpose};
use escalation::directory::Directory;
use escalation::event::Urgency;
use escalation::id::{DeliveryId, PageId};
use escalation::page::{Asks, Page};
use jiff::Timestamp;

use crate::store::Claim;

pub use button::{Button, Press, Pressed};
pub use catalogue::say;
pub use language::{Language, voice};

/// A finished message.
#[derive(Clone, Debug)]
pub struct Message {
    /// The delivery; with the attempt it names this message to the receiver.
    pub delivery: DeliveryId,
    /// Which attempt this is, from 1.
    pub attempt: u8,
    /// When this attempt began.
    pub sent_at: Timestamp,
    /// What it is for.
    pub purpose: Purpose,
    /// What its page asks, and of whom.
    pub asks: Asks,
    /// What it means for its reader: the highest urgency of what it holds.
    pub urgency: Urgency,
    /// Where it goes.
    pub contact: Contact,
    /// Who reads it: the person's identity and full name; none for a role.
    pub reader: Option<(String, String)>,
    /// BCP 47 tag of the language that the reader is spoken to in.
    pub language: String,
    /// The digits by which this reader answers in a short message; none: there are no such.
    pub code: Option<String>,
    /// The whole alert, for receivers that are programs; none where it speaks of duty.
    pub subject: Option<Alert>,
    /// One line: `CRITICAL ops: disk full on db1`.
    pub headline: String,
    /// Since when, on the reader's own clock: where it is about one alert.
    pub since: Option<String>,
    /// More lines: what it is about, when, who.
    pub lines: Vec<String>,
    /// What the sender of the event added; may be empty.
    pub details: String,
    /// Where the alert is shown, if there is one.
    pub alert_url: Option<String>,
    /// Where this reader answers for this page, or for all that this message holds; only in pages for people.
    pub answer_url: Option<String>,
    /// What the address of a reply holds, where a mail may be answered by mail; only in pages for people.
    pub reply_code: Option<String>,
    /// What its reader may press, where the channel has buttons.
    pub buttons: Vec<Button>,
    /// The operators have put words of their own in the place of ours.
    pub is_reworded: bool,
    /// What else this message holds; nothing, if it is about one thing.
    pub others: Vec<Other>,
}

impl Message {
    /// The language of its words.
    pub fn language(&self) -> Language {
        Language::of(&self.language)
    }

    /// Whether an answer to it is still of use to anybody.
    pub fn asks_somebody(&self) -> bool {
        self.buttons.iter().any(|button| button.press == Press::Acknowledge)
    }

    /// A sentence of ours, in the language of its reader.
    pub fn say(&self, text: &str) -> String {
        say(text, self.language())
    }

    /// Everything below the headline, in at most `most` bytes: the lines, and of the details what there is room
    /// for. Control characters are gone but for the ends of lines.
    pub fn body(&self, most: usize) -> String {
        let lines = self.lines.join("\n");
        let all = if self.details.is_empty() { lines } else { format!("{lines}\n\n{}", self.details) };
        cut(&plain(&all), most)
    }

    /// Whether it is to wake its reader.
    pub fn is_urgent(&self) -> bool {
        self.purpose == Purpose::Test || self.purpose == Purpose::Page && self.urgency == Urgency::High
    }
}

/// One more that a message holds.
#[derive(Clone, Debug)]
pub struct Other {
    /// One line.
    pub headline: String,
    /// The digits by which this reader answers for it alone in a short message.
    pub code: Option<String>,
    /// The whole alert, for receivers that are programs.
    pub subject: Option<Alert>,
    /// Where the alert is shown.
    pub alert_url: Option<String>,
    /// Where this reader answers for this page alone.
    pub answer_url: Option<String>,
}

impl Other {
    fn of(claim: &Claim, addresses: &Addresses<'_>, language: Language) -> Self {
        Self {
            headline: heading(claim, language),
            code: None,
            alert_url: claim.alert.as_ref().map(|alert| addresses.of_alert(alert)),
            answer_url: addresses.of_page(claim.page.as_ref()),
            subject: claim.alert.clone(),
        }
    }
}

/// The most that a message lists line by line.
const MOST_LISTED: usize = 50;

/// The line that begins every message: severity, team, what is wrong. In English, as pages show it.
pub fn headline(alert: &Alert) -> String {
    headline_in(alert, Language::English)
}

/// The same in the language of its reader.
pub fn headline_in(alert: &Alert, language: Language) -> String {
    let severity = say(alert.severity.word(), language).to_uppercase();
    format!("{severity} {}: {}", alert.audience.name(), alert.summary)
}

/// What stands before the headline of a page that asks for more than that somebody has it.
pub fn asked(asks: Asks) -> &'static str {
    match asks {
        Asks::Anybody => "",
        Asks::Himself | Asks::Besides => "Come, too: ",
        Asks::StillOnIt => "Still on it? ",
    }
}

/// How long something has been, in one unit or two: `40 s`, `5 min`, `3 h 10 min`.
pub fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(since).as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 if seconds % 3_600 < 60 => format!("{} h", seconds / 3_600),
        3_600..172_800 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// The addresses that a message names.
pub struct Addresses<'a> {
    /// Where Dogwatch is reached, without a slash at its end.
    pub public_url: &'a str,
    /// The path at which a page's own person answers it.
    pub page: &'a dyn Fn(PageId) -> String,
    /// The path at which everything in one message is answered, by the first delivery in it.
    pub all: &'a dyn Fn(DeliveryId) -> String,
    /// What the address of a reply to a message holds.
    pub reply: &'a dyn Fn(DeliveryId) -> String,
    /// What comes back when a button is pressed.
    pub code: &'a dyn Fn(Press, Pressed) -> String,
}

impl Addresses<'_> {
    fn of_alert(&self, alert: &Alert) -> String {
        format!("{}/alerts/{}", self.public_url, alert.number)
    }

    fn of_page(&self, page: Option<&Page>) -> Option<String> {
        page.map(|page| format!("{}{}", self.public_url, (self.page)(page.id)))
    }
}

/// Makes the message of a claimed delivery, and of what goes out with it.
pub fn compose(claim: &Claim, directory: &Directory, addresses: &Addresses<'_>, now: Timestamp) -> Message {
    let tag = language_tag(&claim.delivery, directory);
    compose_in(claim, directory, addresses, now, tag)
}

/// The same in a language that is given, as BCP 47 tag.
pub fn compose_in(
    claim: &Claim,
    directory: &Directory,
    addresses: &Addresses<'_>,
    now: Timestamp,
    tag: String,
) -> Message {
    let delivery = &claim.delivery;
    let language = Language::of(&tag);
    let alone = heading(claim, language);
    let mut message = Message {
        delivery: delivery.id,
        attempt: delivery.attempt,
        sent_at: now,
        purpose: delivery.purpose,
        asks: claim.page.as_ref().map(|page| page.asks).unwrap_or_default(),
        urgency: urgency(claim, directory, now),
        contact: delivery.contact.clone(),
        reader: reader(delivery, directory),
        language: tag,
        code: None,
        headline: alone,
        since: None,
        lines: Vec::new(),
        details: claim.alert.as_ref().map_or_else(String::new, |alert| alert.details.clone()),
        alert_url: claim.alert.as_ref().map(|alert| addresses.of_alert(alert)),
        subject: claim.alert.clone(),
        answer_url: addresses.of_page(claim.page.as_ref()),
        reply_code: claim.page.as_ref().map(|_| (addresses.reply)(delivery.id)),
        buttons: addresses.buttons(claim, language),
        is_reworded: false,
        others: claim.others.iter().map(|other| Other::of(other, addresses, language)).collect(),
    };
    if claim.others.is_empty() {
        if let Some(alert) = &claim.alert {
            let person = delivery.person.as_ref().and_then(|name| directory.people.get(name));
            let zone = person.map_or("UTC", |person| person.zone.as_str());
            let since = rota::zone::wall_clock(alert.created_at, zone);
            message.lines = about_alert(alert, &since, directory, language, now);
            message.since = Some(since);
        }
        message.lines.push(say(ask(claim), language));
    } else {
        gather(&mut message, claim, addresses, now);
    }
    message
}

/// What a message means for its reader. A page runs the plan of one urgency; where there is none, the team says it;
/// what is about no alert is for somebody who has to act.
fn urgency(claim: &Claim, directory: &Directory, now: Timestamp) -> Urgency {
    let of_one = |claim: &Claim| match (&claim.page, &claim.alert) {
        (Some(page), _) => page.urgency,
        (None, Some(alert)) => directory.urgency_of(alert, now),
        (None, None) => Urgency::High,
    };
    let held = std::iter::once(claim).chain(&claim.others);
    held.map(of_one).max().unwrap_or(Urgency::High)
}

/// Several at once: the first is the headline, and all are listed.
fn gather(message: &mut Message, claim: &Claim, addresses: &Addresses<'_>, now: Timestamp) {
    let language = message.language();
    let held = || std::iter::once(claim).chain(&claim.others);
    let listed = held().take(MOST_LISTED).map(|claim| match &claim.alert {
        Some(alert) => {
            let old = say(&age(alert.created_at, now), language);
            format!("#{} {} ({old})", alert.number, heading(claim, language))
        }
        None => heading(claim, language),
    });
    message.lines = listed.collect();
    let (count, unlisted) = (held().count(), held().count().saturating_sub(MOST_LISTED));
    if unlisted > 0 {
        let more = format!("… and {unlisted} more: {}", addresses.public_url);
        message.lines.push(say(&more, language));
    }
    let ask = match message.purpose {
        Purpose::Page => format!("{count} alerts wait for an answer. Please answer: do you have them?"),
        _ => "You need not answer.".to_owned(),
    };
    message.lines.push(say(&ask, language));
    let more = say(&format!("(and {} more)", claim.others.len()), language);
    message.headline = format!("{} {more}", message.headline);
    // What is said of one of them is not said of all.
    message.details = String::new();
    message.alert_url = None;
    message.buttons = Vec::new();
    if let (Purpose::Page, Some(bundle)) = (message.purpose, claim.delivery.bundle) {
        message.answer_url = Some(format!("{}{}", addresses.public_url, (addresses.all)(bundle)));
        let waiting = held().any(Claim::waits);
        let all = say(&format!("I have all {count}"), language);
        message.buttons = waiting
            .then(|| addresses.button(Press::Acknowledge, all, Pressed::All(bundle)))
            .into_iter()
            .collect();
    }
}

/// The one line that says what a delivery is about.
fn heading(claim: &Claim, language: Language) -> String {
    let delivery = &claim.delivery;
    let about = claim.alert.as_ref().map(|alert| headline_in(alert, language));
    let text = say(&delivery.text, language);
    match (delivery.purpose, about) {
        (Purpose::Page, about) => {
            let asks = claim.page.as_ref().map(|page| page.asks).unwrap_or_default();
            format!("{}{}", say(asked(asks), language), about.unwrap_or_default())
        }
        (Purpose::Notice | Purpose::Reminder | Purpose::Test, Some(about)) => {
            format!("{}: {about}", sentence(&text))
        }
        (Purpose::Notice | Purpose::Reminder | Purpose::Test, None) => sentence(&text),
        (Purpose::Warning, about) => {
            let about = about.map(|about| format!("{about}: ")).unwrap_or_default();
            format!("{}{about}{text}", say("WARNING ", language))
        }
    }
}

fn ask(claim: &Claim) -> &'static str {
    match (claim.delivery.purpose, &claim.delivery.page) {
        (Purpose::Page, Some(_)) => match claim.page.as_ref().map(|page| page.asks).unwrap_or_default() {
            Asks::Anybody => "Please answer: do you have it?",
            Asks::Himself | Asks::Besides => "Please answer for yourself: do you come, too?",
            Asks::StillOnIt => "You have it. Still on it? Press 4, or others are paged in 5 minutes.",
        },
        (Purpose::Page, None) => "Somebody has to look at this.",
        (Purpose::Notice | Purpose::Reminder, _) => "You need not answer.",
        (Purpose::Test, _) => "Did it sound? Please say so under \"My contacts\".",
        (Purpose::Warning, _) => "This needs a human.",
    }
}

/// Which alert it is, and since when, in the reader's own time.
fn about_alert(
    alert: &Alert,
    since: &str,
    directory: &Directory,
    language: Language,
    now: Timestamp,
) -> Vec<String> {
    let old = say(&age(alert.created_at, now), language);
    let audience = match &alert.audience {
        Audience::Team(team) => format!("Alert #{} for the team {team}", alert.number),
        Audience::Person(person) => format!("Alert #{} for {}", alert.number, directory.full_name(person)),
    };
    vec![say(&audience, language), say(&format!("Since {since} ({old} ago)"), language)]
}

fn language_tag(delivery: &Delivery, directory: &Directory) -> String {
    let person = delivery.person.as_ref().and_then(|name| directory.people.get(name));
    person.map_or_else(|| "en".to_owned(), |person| person.language.clone())
}

fn reader(delivery: &Delivery, directory: &Directory) -> Option<(String, String)> {
    let name = delivery.person.as_ref()?;
    Some((name.to_string(), directory.full_name(name).to_owned()))
}

/// Without control characters, but for the ends of lines.
pub fn plain(text: &str) -> String {
    let letters = text.chars().map(|letter| if letter == '\t' { ' ' } else { letter });
    letters.filter(|letter| *letter == '\n' || !letter.is_control()).collect()
}

/// At most so many bytes; where something is left out, it ends in `…`.
pub fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(most.saturating_sub('…'.len_utf8()))])
}

/// With a capital letter first.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
