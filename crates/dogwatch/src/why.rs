//! Why somebody's phone rang for an alert, or did not: from the record, in order of time, in plain sentences.
//!
//! What was said of duty is asked of the schedules that were in force then; whom a step pages is in the history.
//! Which schedule a step asks is read from the plan in force now: plans have no history of their own here.
//!
//! Read next: `timeline.rs`, whose sentences these are, and [`crate::duty`].

mod held;
mod on_duty;

use escalation::alert::{Alert, Audience};
use escalation::delivery::{Purpose, State as DeliveryState};
use escalation::directory::Directory;
use escalation::effect::EntryKind;
use escalation::name::Name;
use escalation::page::{EndedWhy, Page};
use jiff::Timestamp;

use crate::store::{AlertRecord, Attempt, HistoryEntry, Store, StoreError};
use crate::timeline::{self, Line, list};
use held::Held;
use on_duty::OnDuty;

/// The answer.
#[derive(Clone, Debug)]
pub struct Why {
    /// A page has come in, or may have.
    pub rang: bool,
    /// The answer in one sentence.
    pub summary: String,
    /// What led to it, oldest first.
    pub reasons: Vec<Reason>,
}

/// One thing that led to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// When.
    pub at: Timestamp,
    /// What sort of thing: `step`, `duty`, `page`, `delivery`, `collected`, or an entry of the history.
    pub kind: &'static str,
    /// The sentence.
    pub text: String,
}

/// Explains an alert to one person, at the time `now`.
///
/// # Errors
///
/// [`StoreError`].
pub async fn explain(
    store: &Store,
    record: &AlertRecord,
    person: &Name,
    now: Timestamp,
) -> Result<Why, StoreError> {
    let definitions = store.definitions();
    let duty = OnDuty::gather(store, &record.state.alert, now).await?;
    let held = Held::gather(store, record, person).await?;
    Ok(Teller { record, person, directory: definitions.directory(), duty, held }.tell())
}

struct Teller<'a> {
    record: &'a AlertRecord,
    person: &'a Name,
    directory: &'a Directory,
    duty: OnDuty,
    held: Held,
}

/// The kind of reason that says why something waited.
const COLLECTED: &str = "collected";

impl Teller<'_> {
    fn alert(&self) -> &Alert {
        &self.record.state.alert
    }

    fn name(&self) -> &str {
        self.directory.full_name(self.person)
    }

    fn pages(&self) -> impl Iterator<Item = &Page> {
        self.record.state.pages.iter().filter(|page| page.person == *self.person)
    }

    fn tell(&self) -> Why {
        let mut reasons: Vec<Reason> = Vec::new();
        for (entry, line) in self.record.history.iter().zip(timeline::history(self.record, self.directory)) {
            reasons.extend(self.of_entry(entry, line));
        }
        for page in self.pages() {
            reasons.extend(self.of_page(page));
        }
        reasons.extend(self.of_deliveries());
        // Stable: a step comes before the page that it starts, and a page before what is sent for it.
        reasons.sort_by_key(|reason| reason.at);
        let (rang, summary) = self.sum_up(&reasons);
        Why { rang, summary, reasons }
    }

    /// What an entry of the history has to do with this person.
    fn of_entry(&self, entry: &HistoryEntry, line: Line) -> Vec<Reason> {
        let is_named = entry.people.iter().any(|name| name == self.person.as_str());
        let is_by = entry.by.as_ref().is_some_and(|by| by.person.as_ref() == Some(self.person));
        let own = Reason { at: entry.at, kind: line.kind, text: line.text };
        match entry.kind {
            EntryKind::Step | EntryKind::LastResort => self.of_step(entry, own, is_named),
            // A gap that names others explains nothing to this one; one that names nobody may.
            EntryKind::Gap if !is_named && !entry.people.is_empty() => Vec::new(),
            EntryKind::TriggeredAgain | EntryKind::Note if !is_by => Vec::new(),
            EntryKind::ResponderAdded | EntryKind::Asked | EntryKind::AckTimeout | EntryKind::NotMe
                if !is_named && !is_by =>
            {
                Vec::new()
            }
            _ => vec![own],
        }
    }

    /// A step: whether it pages this person, and what was said of duty then.
    fn of_step(&self, entry: &HistoryEntry, mut own: Reason, is_paged: bool) -> Vec<Reason> {
        if !is_paged {
            own.text = format!("{}, not {}", own.text, self.name());
        }
        let step = entry.step.filter(|_| entry.kind == EntryKind::Step);
        let mut reasons = vec![own];
        if self.passed_on().is_some_and(|at| entry.at < at) {
            // Whose plan it was then is not known any more.
            return reasons;
        }
        for text in self.duty.explain(self.alert(), self.directory, step, self.person, entry.at) {
            reasons.push(Reason { at: entry.at, kind: "duty", text });
        }
        reasons
    }

    /// When the alert was passed on last.
    fn passed_on(&self) -> Option<Timestamp> {
        let passed = self.record.history.iter().filter(|entry| entry.kind == EntryKind::Reassigned);
        passed.map(|entry| entry.at).max()
    }

    fn of_page(&self, page: &Page) -> Vec<Reason> {
        let name = self.name();
        let urgency = page.urgency.word();
        let begin = format!("A page for {name} begins, by the notification plan for {urgency} urgency");
        let mut reasons = vec![Reason { at: page.started_at, kind: "page", text: begin }];
        if let Some(ended) = page.ended {
            let why = match ended.why {
                EndedWhy::Acknowledged => "the alert was acknowledged",
                EndedWhy::Accepted => "the answer was yes",
                EndedWhy::Resolved => "the alert was resolved",
                EndedWhy::Snoozed => "the alert was put aside",
                EndedWhy::Silenced => "a silence held the alert back",
                EndedWhy::Reassigned => "the alert was passed on",
                EndedWhy::Merged => "the alert went into another one",
                EndedWhy::NotMe => "the answer was \"not me\"",
                EndedWhy::Relieved => "somebody else took over the duty",
                EndedWhy::Restarted => "another page took its place",
                EndedWhy::Empty => "no contact was left to try",
                EndedWhy::Moot => "the answer was needed no more",
                EndedWhy::Fault => "a fault of Dogwatch stopped it",
            };
            let text = format!("The page for {name} ends: {why}");
            reasons.push(Reason { at: ended.at, kind: "page", text });
        }
        reasons
    }

    /// What was sent to this person, with every receipt, and what was not sent after all.
    fn of_deliveries(&self) -> Vec<Reason> {
        let own = self.record.deliveries.iter();
        let own = own.filter(|record| record.delivery.person.as_ref() == Some(self.person));
        let mut reasons = Vec::new();
        for record in own {
            let delivery = &record.delivery;
            let held = self.held.explain(delivery, self.name());
            reasons.extend(held.map(|text| Reason { at: delivery.created_at, kind: COLLECTED, text }));
            for line in timeline::delivery(record, self.directory) {
                reasons.push(Reason { at: line.at, kind: "delivery", text: line.text });
            }
            let what = delivery.purpose.word();
            let unsent = match delivery.state {
                DeliveryState::Withdrawn => {
                    Some(format!("A {what} to {} is not sent any more: it was not wanted", delivery.contact))
                }
                DeliveryState::Ready if record.attempts.is_empty() => {
                    Some(format!("A {what} to {} waits to be sent", delivery.contact))
                }
                DeliveryState::Claimed => Some(format!("A {what} to {} is being sent", delivery.contact)),
                _ => None,
            };
            if let Some(text) = unsent {
                reasons.push(Reason { at: delivery.created_at, kind: "delivery", text });
            }
        }
        reasons
    }

    /// The answer, and whether a page has come in.
    fn sum_up(&self, reasons: &[Reason]) -> (bool, String) {
        let (name, number) = (self.name(), self.alert().number);
        let own = self.record.deliveries.iter();
        let pages: Vec<_> = own
            .filter(|record| record.delivery.person.as_ref() == Some(self.person))
            .filter(|record| record.delivery.purpose == Purpose::Page)
            .collect();
        let arrived = |outcome: &str| matches!(outcome, "accepted" | "unknown");
        let rings: Vec<_> = pages
            .iter()
            .flat_map(|record| record.attempts.iter().map(move |attempt| (record, attempt)))
            .filter(|(_, attempt)| arrived(&attempt.outcome))
            // A provider may have said later that it did not arrive.
            .filter(|(record, attempt)| {
                let is_denial =
                    |later: &Attempt| later.attempt == attempt.attempt && later.outcome == "failed";
                !record.attempts.iter().any(is_denial)
            })
            .map(|(record, attempt)| (&record.delivery.contact, attempt))
            .collect();
        if let Some((contact, _)) = rings.first() {
            let times = if rings.len() == 1 { "once".to_owned() } else { format!("{} times", rings.len()) };
            let mut ways: Vec<String> = Vec::new();
            for way in rings.iter().map(|(contact, _)| contact.to_string()) {
                if !ways.contains(&way) {
                    ways.push(way);
                }
            }
            let through = if ways.is_empty() { contact.to_string() } else { list(&ways) };
            return (true, format!("Yes: {name} was paged {times} for #{number}, through {through}."));
        }
        let why = if let Some(failed) = pages.iter().find_map(|record| record.attempts.last()) {
            format!("everything that was sent failed; the first try: {}", failed.detail)
        } else if let Some(held) = reasons.iter().rfind(|reason| reason.kind == COLLECTED) {
            timeline::lower(&held.text)
        } else if !pages.is_empty() {
            "a page was begun, and ended before anything was sent".to_owned()
        } else if self.pages().next().is_some() {
            "a page was begun, and nothing was to be sent".to_owned()
        } else if let Some(gap) = reasons.iter().rfind(|reason| reason.kind == EntryKind::Gap.word()) {
            timeline::lower(&gap.text)
        } else if let Some(silenced) = &self.alert().silenced {
            format!("the alert is silenced by {}", silenced.why)
        } else {
            self.not_asked()
        };
        (false, format!("No: {name} was not paged for #{number}: {why}."))
    }

    /// Why no step paged this person.
    fn not_asked(&self) -> String {
        let fired = |entry: &&HistoryEntry| matches!(entry.kind, EntryKind::Step | EntryKind::LastResort);
        let steps = self.record.history.iter().filter(fired).count();
        let audience = match &self.alert().audience {
            Audience::Team(team) => format!("the team {team}"),
            Audience::Person(person) => self.directory.full_name(person).to_owned(),
        };
        match steps {
            0 => format!("no step of the plan for {audience} has fired"),
            1 => format!("one step of the plan for {audience} fired, and it paged others"),
            steps => format!("{steps} steps of the plan for {audience} fired, and they paged others"),
        }
    }
}
