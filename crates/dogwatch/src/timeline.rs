//! An alert's story in plain sentences, from its history and its deliveries; and what comes next.
//!
//! The API, the pages and the command line all tell it in these words.

use escalation::alert::{Alert, Audience, State, Status, step};
use escalation::contact::{Contact, Kind};
use escalation::delivery::{Purpose, State as DeliveryState};
use escalation::directory::Directory;
use escalation::effect::{Effect, EntryKind};
use escalation::event::{Input, Via};
use escalation::id::Ids;
use escalation::name::Name;
use escalation::receipt::Receipt;
use escalation::wake::Wake;
use jiff::Timestamp;

use crate::message::sentence;
use crate::store::{AlertRecord, Attempt, DeliveryRecord, HistoryEntry};

/// One line of the story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// The kind: an entry of the history, or `delivery`.
    pub kind: &'static str,
    /// The sentence.
    pub text: String,
    /// The people that it speaks of.
    pub people: Vec<String>,
    /// The contact that it speaks of.
    pub contact: Option<String>,
    /// It is something to look into.
    pub is_trouble: bool,
}

/// What happens next if nobody does anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// When.
    pub at: Timestamp,
    /// What.
    pub text: String,
}

/// The story, oldest first.
pub fn tell(record: &AlertRecord, directory: &Directory) -> Vec<Line> {
    let mut lines = history(record, directory);
    for delivery in &record.deliveries {
        lines.extend(tell_delivery(delivery, directory));
    }
    // Stable: what the history says of an instant comes before what was sent because of it.
    lines.sort_by_key(|line| line.at);
    lines
}

/// A line for each entry of the history, in order.
pub(crate) fn history(record: &AlertRecord, directory: &Directory) -> Vec<Line> {
    let alert = &record.state.alert;
    record.history.iter().map(|entry| tell_entry(entry, alert, directory)).collect()
}

/// A line for each attempt of a delivery that has an outcome.
pub(crate) fn delivery(record: &DeliveryRecord, directory: &Directory) -> Vec<Line> {
    tell_delivery(record, directory)
}

/// With a small letter first.
pub(crate) fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// What comes next, soonest first.
pub fn next(record: &AlertRecord, directory: &Directory) -> Vec<Next> {
    let state = &record.state;
    let mut next: Vec<Next> = state
        .wakes
        .iter()
        .map(|(wake, at)| {
            let text = match wake {
                Wake::Escalate => next_step(state, *at, directory),
                Wake::GiveUp => "the alert counts as unanswered, and the operators are told".to_owned(),
                Wake::Page(id) => match state.pages.iter().find(|page| page.id == *id) {
                    Some(page) => format!("{} is tried again", full(directory, page.person.as_str())),
                    None => "a page is looked at again".to_owned(),
                },
                Wake::AskOwner => format!("{} is asked: still on it?", owner(&state.alert)),
                Wake::AckTimeout => {
                    format!("people are paged again, if {} does not answer", owner(&state.alert))
                }
                Wake::SnoozeEnd => "people are paged again".to_owned(),
                Wake::SilenceEnd => "the silence ends, and people are paged".to_owned(),
                Wake::Quiet => "it counts as over, if it is not reported again".to_owned(),
            };
            Next { at: *at, text }
        })
        .collect();
    let collected = record.deliveries.iter().map(|record| &record.delivery).filter(|delivery| {
        let is_page = delivery.purpose == Purpose::Page && delivery.state == DeliveryState::Ready;
        is_page && delivery.attempt == 0 && delivery.not_before > delivery.created_at
    });
    next.extend(collected.map(|delivery| {
        let person = delivery.person.as_ref().map(|name| directory.full_name(name));
        let to = contact_words(person, &delivery.contact);
        Next {
            at: delivery.not_before,
            text: format!("{to} gets it, in one message with what else has come"),
        }
    }));
    next.sort_by_key(|next| next.at);
    next
}

fn owner(alert: &Alert) -> &str {
    alert.acknowledged.as_ref().map_or("whoever has it", |act| act.by.label.as_str())
}

/// The most wakes that are played before the escalation's own.
const MOST_PLAYED: usize = 200;

/// What the escalation will do at `at`, as it would be decided with what is known now: the machine itself is
/// asked, what it answers is told, and nothing of it is kept. What pages do until then is played first: a
/// page that has gone through its plan is started again by a later step, one that runs is not.
fn next_step(state: &State, at: Timestamp, directory: &Directory) -> String {
    let mut drawn = 0_u64;
    let mut chance = || {
        drawn += 1;
        drawn
    };
    let mut take =
        |state, now, wake| step(state, &Input::Due(wake), directory, Ids { now, chance: &mut chance });
    let due = "the next step is due".to_owned();
    let mut before = state.clone();
    for _ in 0..MOST_PLAYED {
        let first = before.wakes.iter().map(|(wake, at)| (*at, *wake)).min();
        let Some((now, wake)) = first.filter(|(now, wake)| *now < at && *wake != Wake::Escalate) else {
            break;
        };
        let Ok(played) = take(before, now, wake) else { return due };
        before = played.state;
    }
    // What the pages do may itself have brought the step forward, or made it needless.
    let Some(at) = before.wakes.get(&Wake::Escalate).copied() else { return due };
    let Ok(stepped) = take(before, at, Wake::Escalate) else { return due };
    let round = stepped.state.alert.round;
    let entries = stepped.effects.iter().filter_map(|effect| match effect {
        Effect::Record(entry) => Some(entry),
        Effect::Deliver(_) | Effect::Withdraw { .. } => None,
    });
    let mut told = entries.filter_map(|entry| {
        let people = entry.people.iter().map(|name| directory.full_name(name).to_owned());
        let whom: Vec<String> = people.chain(entry.contacts.iter().map(ToString::to_string)).collect();
        let verb = if whom.len() == 1 { "is" } else { "are" };
        let again = if round == state.alert.round { String::new() } else { format!(", round {round}") };
        match (entry.kind, entry.step) {
            (EntryKind::Step, Some(step)) => {
                Some(format!("{} {verb} paged (step {}{again})", list(&whom), step + 1))
            }
            (EntryKind::LastResort, _) => Some(format!("{} {verb} paged (last resort)", list(&whom))),
            (EntryKind::Unanswered, _) => Some(
                "nobody is left to page; the alert counts as unanswered, and the operators are told"
                    .to_owned(),
            ),
            _ => None,
        }
    });
    told.next_back().unwrap_or(due)
}

fn full(directory: &Directory, name: &str) -> String {
    Name::new(name).map_or_else(|_| name.to_owned(), |name| directory.full_name(&name).to_owned())
}

fn names(directory: &Directory, entry: &HistoryEntry) -> String {
    let people = entry.people.iter().map(|name| full(directory, name));
    list(&people.chain(entry.contacts.iter().cloned()).collect::<Vec<_>>())
}

/// Several names in a sentence.
pub(crate) fn list(names: &[String]) -> String {
    match names {
        [] => "nobody".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

fn by(entry: &HistoryEntry) -> String {
    let Some(actor) = &entry.by else { return String::new() };
    match actor.via {
        Via::Handset => format!("{}, by handset", actor.label),
        Via::Link => format!("{}, by the link in a message", actor.label),
        Via::Sms => format!("{}, by SMS", actor.label),
        Via::Phone => format!("{}, by telephone", actor.label),
        Via::Ntfy => format!("{}, by a button in ntfy", actor.label),
        Via::Telegram => format!("{}, by a button in Telegram", actor.label),
        Via::Slack => format!("{}, by a button in Slack", actor.label),
        Via::Mattermost => format!("{}, by a button in Mattermost", actor.label),
        Via::Pushover => format!("{}, in Pushover", actor.label),
        Via::Push => format!("{}, by a button of the notification", actor.label),
        Via::Mail => format!("{}, by a reply to a mail", actor.label),
        Via::Web => format!("{}, on the web", actor.label),
        Via::Api => format!("{}, by the API", actor.label),
        Via::Integration => actor.label.clone(),
        Via::Dogwatch => actor.label.clone(),
    }
}

fn tell_entry(entry: &HistoryEntry, alert: &Alert, directory: &Directory) -> Line {
    let who = by(entry);
    let whom = names(directory, entry);
    let step = entry.step.map(|step| step + 1);
    let for_whom = match &alert.audience {
        Audience::Team(team) => format!("the team {team}"),
        Audience::Person(person) => full(directory, person.as_str()),
    };
    let text = match entry.kind {
        EntryKind::Triggered => format!("Triggered for {for_whom} ({who})"),
        EntryKind::TriggeredAgain => format!("Reported again ({who})"),
        EntryKind::Round => format!("Round {} begins: {}", entry.round, entry.text),
        EntryKind::Step if entry.text.is_empty() => format!("Step {} pages {whom}", step.unwrap_or(1)),
        EntryKind::Step => format!("Step {} pages {whom} (team {})", step.unwrap_or(1), entry.text),
        EntryKind::Gap => {
            let place = step.map_or_else(|| "The last resort".to_owned(), |step| format!("Step {step}"));
            let named = if entry.people.is_empty() { String::new() } else { format!(" ({whom})") };
            format!("{place} has a gap: {}{named}", entry.text)
        }
        EntryKind::Skipped if entry.people.is_empty() => {
            format!("Step {} is skipped: {}", step.unwrap_or(1), entry.text)
        }
        EntryKind::Skipped => format!("Step {} leaves out {whom}: {}", step.unwrap_or(1), entry.text),
        EntryKind::Held => format!("The first page is held back until {}", entry.text),
        EntryKind::Deferred => {
            format!("The page to {whom} waits for the hours of the plan, until {}", entry.text)
        }
        EntryKind::LastResort => format!("The last resort pages {whom}"),
        EntryKind::Unanswered => "Nobody has answered; the operators are told".to_owned(),
        EntryKind::Acknowledged => format!("Acknowledged: {who}"),
        EntryKind::Unacknowledged => format!("Given back: {who}"),
        EntryKind::Escalated => match step {
            Some(step) => format!("Step {step} is asked for: {who}"),
            None => format!("The next step is asked for: {who}"),
        },
        EntryKind::NotMe => format!("Can't take it: {who}"),
        EntryKind::Resolved if !entry.text.is_empty() => format!("Resolved: {who}, {}", entry.text),
        EntryKind::Resolved => format!("Resolved: {who}"),
        EntryKind::Asked if entry.text.is_empty() => format!("{whom} is asked: still on it?"),
        EntryKind::Asked => format!("It is time to ask whether somebody is still on it; {}", entry.text),
        EntryKind::StillOnIt => format!("Still on it: {who}"),
        EntryKind::AckTimeout if entry.people.is_empty() => "Nobody said that he is still on it".to_owned(),
        EntryKind::AckTimeout => format!("{whom} did not say that he is still on it"),
        EntryKind::Snoozed => format!("Put aside for {}: {who}", entry.text),
        EntryKind::Silenced => format!("Silenced {}", entry.text),
        EntryKind::Reassigned => format!("Passed on to {}: {who}", entry.text),
        EntryKind::ResponderAdded => format!("{whom} is asked to come, too: {who}"),
        EntryKind::Accepted => format!("Comes, too: {who}"),
        EntryKind::Merged => format!("Took in {}: {who}", entry.text),
        EntryKind::MergedInto => format!("Went into {}: {who}", entry.text),
        EntryKind::Reopened => format!("Opened again, {}", entry.text),
        EntryKind::Amended => format!("Said in other words ({who}): {}", entry.text),
        EntryKind::Duty => {
            let are = if entry.people.len() > 1 { "are" } else { "is" };
            match entry.by {
                Some(_) => format!("Duty is taken over ({who}): {whom} {are} on call now"),
                None => format!("Duty changes hands: {whom} {are} on call now"),
            }
        }
        EntryKind::Note => format!("{who}: {}", entry.text),
        EntryKind::Fault => sentence(&entry.text),
    };
    let is_trouble = matches!(
        entry.kind,
        EntryKind::Gap | EntryKind::Unanswered | EntryKind::AckTimeout | EntryKind::Fault
    );
    Line {
        at: entry.at,
        kind: entry.kind.word(),
        text,
        people: entry.people.clone(),
        contact: None,
        is_trouble,
    }
}

fn tell_delivery(record: &DeliveryRecord, directory: &Directory) -> Vec<Line> {
    let delivery = &record.delivery;
    let person = delivery.person.as_ref().map(|name| directory.full_name(name));
    let line = |attempt: &Attempt| {
        let receipt = Receipt::ALL.into_iter().find(|receipt| receipt.word() == attempt.outcome);
        let accepted = match receipt {
            Some(receipt) => receipt.sent().is_none(),
            None => attempt.outcome == "accepted",
        };
        let text = if let Some(receipt) = receipt {
            receipt_words(receipt, &contact_words(person, &delivery.contact), &attempt.detail)
        } else if accepted {
            let sent = sent_words(delivery.purpose, person, &delivery.contact, &delivery.text);
            if delivery.bundle.is_some() { format!("{sent} (in one message with others)") } else { sent }
        } else {
            let to = contact_words(person, &delivery.contact);
            let (what, outcome) = match attempt.outcome.as_str() {
                "unknown" => {
                    ("Perhaps delivered", format!("it is not known whether it arrived: {}", attempt.detail))
                }
                _ => ("Not delivered", attempt.detail.clone()),
            };
            let then = match delivery.state {
                DeliveryState::Ready => "; it is tried again",
                DeliveryState::Failed if attempt.attempt == delivery.attempt => "; it is given up",
                _ => "",
            };
            format!("{what} to {to}, attempt {}: {outcome}{then}", attempt.attempt)
        };
        Line {
            at: attempt.at,
            kind: "delivery",
            text,
            people: delivery.person.iter().map(ToString::to_string).collect(),
            contact: Some(delivery.contact.to_string()),
            is_trouble: !accepted,
        }
    };
    record.attempts.iter().map(line).collect()
}

/// What a provider said after it took something.
fn receipt_words(receipt: Receipt, to: &str, detail: &str) -> String {
    let why = if detail.is_empty() { String::new() } else { format!(": {detail}") };
    match receipt {
        Receipt::Taken | Receipt::Underway => format!("On its way to {to}"),
        Receipt::Completed => format!("The call to {to} was taken up, and is over"),
        Receipt::Failed => format!("It did not arrive: {to}{why}"),
        Receipt::NotTaken => format!("Nobody took the call: {to}{why}"),
        Receipt::Arrived => format!("It has arrived: {to}"),
    }
}

fn contact_words(person: Option<&str>, contact: &Contact) -> String {
    match (person, contact.kind()) {
        (Some(person), Kind::Handset) => format!("{person}'s handset"),
        (Some(person), Kind::Email) => format!("{person} by mail"),
        (Some(person), Kind::Webhook) => format!("{person} by webhook"),
        (Some(person), Kind::Sms) => format!("{person} by SMS"),
        (Some(person), Kind::Phone) => format!("{person} by telephone"),
        (Some(person), Kind::Ntfy) => format!("{person} by ntfy"),
        (Some(person), Kind::Telegram) => format!("{person} in Telegram"),
        (Some(person), Kind::Slack) => format!("{person} in Slack"),
        (Some(person), Kind::Mattermost) => format!("{person} in Mattermost"),
        (Some(person), Kind::Teams) => format!("{person} in Teams"),
        (Some(person), Kind::Pushover) => format!("{person} by Pushover"),
        (Some(person), Kind::Push) => format!("{person}'s browsers"),
        (None, _) => contact.to_string(),
    }
}

fn sent_words(purpose: Purpose, person: Option<&str>, contact: &Contact, text: &str) -> String {
    let to = contact_words(person, contact);
    match (purpose, contact.kind()) {
        (Purpose::Page, Kind::Handset) => format!("{} rings", sentence(&to)),
        (Purpose::Page, Kind::Email) => format!("Page to {to}: the mail server took it"),
        (Purpose::Page, Kind::Webhook) => format!("Page to {to}: the receiver took it"),
        (Purpose::Page, Kind::Sms) => format!("Page to {to}: the provider took the message"),
        (Purpose::Page, Kind::Phone) => format!("Page to {to}: the provider calls"),
        (Purpose::Page, Kind::Ntfy) => format!("Page to {to}: the ntfy server took it"),
        (Purpose::Page, Kind::Telegram) => format!("Page to {to}: Telegram took it"),
        (Purpose::Page, Kind::Slack) => format!("Page to {to}: Slack took it"),
        (Purpose::Page, Kind::Mattermost) => format!("Page to {to}: Mattermost took it"),
        (Purpose::Page, Kind::Teams) => format!("Page to {to}: Teams took it"),
        (Purpose::Page, Kind::Pushover) => format!("Page to {to}: Pushover took it"),
        (Purpose::Page, Kind::Push) => format!("Page to {to}: the push service took it"),
        (Purpose::Notice, _) => format!("{} told: {text}", sentence(&format!("{to} is"))),
        (Purpose::Reminder, _) => format!("Reminder to {to}: {text}"),
        (Purpose::Warning, _) => format!("Warning to {to}: {text}"),
        (Purpose::Test, _) => format!("Test of {to}: {text}"),
    }
}

/// Where an alert stands, in a few words for people.
pub fn standing(alert: &Alert) -> String {
    match alert.status {
        Status::Triggered => "nobody has it yet".to_owned(),
        Status::Unanswered => "nobody answered".to_owned(),
        Status::Acknowledged => {
            format!("{} has it", alert.acknowledged.as_ref().map_or("somebody", |act| act.by.label.as_str()))
        }
        Status::Snoozed => {
            let by = alert.snoozed.as_ref().map_or("somebody", |snooze| snooze.act.by.label.as_str());
            format!("{by} put it aside")
        }
        Status::Silenced => {
            let why = alert.silenced.as_ref().map_or("somebody", |silenced| silenced.why.as_str());
            format!("silenced by {why}")
        }
        Status::Resolved => match alert.merged_into {
            Some(number) => format!("went into #{number}"),
            None => "resolved".to_owned(),
        },
    }
}
