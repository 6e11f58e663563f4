//! What a delivery says: the words that a person reads or hears, whatever carries them.
//!
//! The first 40 characters say severity, team and what is wrong; then come the reader's local time and
//! what may be done. Pure: the time and the addresses come in.

use escalation::alert::{Alert, Audience};
use escalation::contact::Contact;
use escalation::delivery::{Delivery, Purpose};
use escalation::directory::Directory;
use escalation::id::DeliveryId;
use escalation::page::Asks;
use jiff::Timestamp;

use crate::store::Claim;

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
    /// Where it goes.
    pub contact: Contact,
    /// Who reads it: the person's identity and full name; none for a role.
    pub reader: Option<(String, String)>,
    /// The whole alert, for receivers that are programs; none where it speaks of duty.
    pub subject: Option<Alert>,
    /// One line: `CRITICAL ops: disk full on db1`.
    pub headline: String,
    /// More lines: what it is about, when, who.
    pub lines: Vec<String>,
    /// What the sender of the event added; may be empty.
    pub details: String,
    /// Where the alert is shown, if there is one.
    pub alert_url: Option<String>,
    /// Where this reader answers for this page; only in pages for people.
    pub answer_url: Option<String>,
}

/// The line that begins every message: severity, team, what is wrong.
pub fn headline(alert: &Alert) -> String {
    let severity = alert.severity.word().to_uppercase();
    format!("{severity} {}: {}", alert.audience.name(), alert.summary)
}

/// What stands before the headline of a page that asks for more than that somebody has it.
pub fn asked(asks: Asks) -> &'static str {
    match asks {
        Asks::Anybody => "",
        Asks::Himself => "Come, too: ",
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

/// Makes the message of a claimed delivery.
///
/// `public_url` has no slash at its end; `answer_path` is the path of the reader's own answer page.
pub fn compose(
    claim: &Claim,
    directory: &Directory,
    public_url: &str,
    answer_path: Option<String>,
    now: Timestamp,
) -> Message {
    let delivery = &claim.delivery;
    let about = claim.alert.as_ref().map(headline);
    let headline = match (delivery.purpose, about) {
        (Purpose::Page, about) => {
            let asks = claim.page.as_ref().map(|page| page.asks).unwrap_or_default();
            format!("{}{}", asked(asks), about.unwrap_or_default())
        }
        (Purpose::Notice | Purpose::Reminder, Some(about)) => {
            format!("{}: {about}", sentence(&delivery.text))
        }
        (Purpose::Notice | Purpose::Reminder, None) => sentence(&delivery.text),
        (Purpose::Warning, Some(about)) => format!("WARNING {about}: {}", delivery.text),
        (Purpose::Warning, None) => format!("WARNING {}", delivery.text),
    };
    let ask = match (delivery.purpose, &delivery.page) {
        (Purpose::Page, Some(_)) => match claim.page.as_ref().map(|page| page.asks).unwrap_or_default() {
            Asks::Anybody => "Please answer: do you have it?",
            Asks::Himself => "Please answer for yourself: do you come, too?",
            Asks::StillOnIt => "You have it. Still on it? Press 4, or others are paged in 5 minutes.",
        },
        (Purpose::Page, None) => "Somebody has to look at this.",
        (Purpose::Notice | Purpose::Reminder, _) => "You need not answer.",
        (Purpose::Warning, _) => "This needs a human.",
    };
    let mut lines =
        claim.alert.as_ref().map_or_else(Vec::new, |alert| about_alert(alert, delivery, directory, now));
    lines.push(ask.to_owned());
    Message {
        delivery: delivery.id,
        attempt: delivery.attempt,
        sent_at: now,
        purpose: delivery.purpose,
        contact: delivery.contact.clone(),
        reader: reader(delivery, directory),
        headline,
        lines,
        details: claim.alert.as_ref().map_or_else(String::new, |alert| alert.details.clone()),
        alert_url: claim.alert.as_ref().map(|alert| format!("{public_url}/alerts/{}", alert.number)),
        subject: claim.alert.clone(),
        answer_url: answer_path.map(|path| format!("{public_url}{path}")),
    }
}

/// Which alert it is, and since when, in the reader's own time.
fn about_alert(alert: &Alert, delivery: &Delivery, directory: &Directory, now: Timestamp) -> Vec<String> {
    let person = delivery.person.as_ref().and_then(|name| directory.people.get(name));
    let zone = person.map_or("UTC", |person| person.zone.as_str());
    let since = format!(
        "Since {} ({} ago)",
        rota::zone::wall_clock(alert.created_at, zone),
        age(alert.created_at, now)
    );
    let audience = match &alert.audience {
        Audience::Team(team) => format!("Alert #{} for the team {team}", alert.number),
        Audience::Person(person) => format!("Alert #{} for {}", alert.number, directory.full_name(person)),
    };
    vec![audience, since]
}

fn reader(delivery: &Delivery, directory: &Directory) -> Option<(String, String)> {
    let name = delivery.person.as_ref()?;
    Some((name.to_string(), directory.full_name(name).to_owned()))
}

/// With a capital letter first.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
