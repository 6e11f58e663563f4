//! What is said after a key was pressed.
//!
//! The address remembers which key, for which alert, and whether that did anything: somebody may open it by
//! hand, or once more much later. Therefore what is said is read from the alert as it is now and from its
//! history, and that something was done is said only of what stands there.

use escalation::alert::{Act, Alert, Status, Verdict};
use escalation::directory::Directory;
use escalation::effect::EntryKind;
use escalation::name::Name;

use super::url;
use crate::reply::Key;
use crate::store::AlertRecord;
use crate::timeline::{self, list};

/// What came of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It changed something.
    Done,
    /// It changed nothing.
    Nothing,
}

impl Outcome {
    pub(super) fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Done => Self::Done,
            Verdict::Already | Verdict::HasIt(_) | Verdict::Refused(_) => Self::Nothing,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Nothing => "nothing",
        }
    }
}

/// The key that was pressed last: `did=LABEL.NUMBER.OUTCOME`, and `did=6.NUMBER` after a first 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Did {
    pub(super) key: Key,
    pub(super) number: u64,
    /// None: nothing was to be done yet, or the address was not made by us.
    pub(super) outcome: Option<Outcome>,
    /// A first 6, which only asks.
    pub(super) asks: bool,
}

impl Did {
    /// A first 6.
    pub(super) fn asked(number: u64) -> Self {
        Self { key: Key::Resolve, number, outcome: None, asks: true }
    }

    /// A key that was carried out.
    pub(super) fn pressed(key: Key, number: u64, verdict: &Verdict) -> Self {
        Self { key, number, outcome: Some(Outcome::of(verdict)), asks: false }
    }

    pub(super) fn read(query: Option<&str>) -> Option<Self> {
        let did = url::form_value(query?, "did")?;
        let mut parts = did.split('.');
        let label = parts.next()?;
        let number = parts.next()?.parse().ok()?;
        let outcome = [Outcome::Done, Outcome::Nothing];
        let outcome =
            parts.next().and_then(|word| outcome.into_iter().find(|outcome| outcome.word() == word));
        let key = if label == "66" { Key::Resolve } else { Key::read(label)? };
        Some(Self { key, number, outcome, asks: label == "6" })
    }

    pub(super) fn query(self) -> String {
        let label = match self.key {
            Key::Acknowledge => "4",
            Key::Resolve if self.asks => "6",
            Key::Resolve => "66",
            Key::NotMe => "8",
            Key::Repeat => "1",
        };
        let outcome = self.outcome.map(|outcome| format!(".{}", outcome.word())).unwrap_or_default();
        format!("?did={label}.{}{outcome}", self.number)
    }

    /// What to say to `me`, for whom it `rings` or does not.
    pub(super) fn say(self, record: &AlertRecord, directory: &Directory, me: &Name, rings: bool) -> String {
        let stands = standing(record, directory, me);
        match (self.key, self.outcome) {
            (Key::Resolve, _) if self.asks && rings => "Press 6 once more to say that it is over.".to_owned(),
            (Key::Resolve, _) if self.asks => format!("Nothing rings here. {stands}"),
            (Key::Repeat, _) if rings => "Once more:".to_owned(),
            (Key::Repeat, _) | (_, None) => stands,
            (Key::NotMe, Some(Outcome::Done)) if was_done(record, me, EntryKind::NotMe) => {
                if rings {
                    format!("You passed #{} on, and it has come back to you.", self.number)
                } else {
                    format!("You passed it on. {stands}")
                }
            }
            (Key::Acknowledge, Some(Outcome::Nothing)) if has_it(&record.state.alert, me) => {
                format!("You have #{} already. Nobody else is paged any more.", self.number)
            }
            (Key::Acknowledge, Some(Outcome::Done)) if has_it(&record.state.alert, me) => stands,
            (Key::Acknowledge, Some(Outcome::Done)) if was_done(record, me, EntryKind::Accepted) => {
                format!("You come, too. {stands}")
            }
            (Key::Acknowledge, Some(Outcome::Done)) if was_done(record, me, EntryKind::Acknowledged) => {
                format!("You had it. {stands}")
            }
            (Key::Acknowledge, Some(Outcome::Nothing))
                if record.state.alert.status == Status::Acknowledged =>
            {
                let owner = label(record.state.alert.acknowledged.as_ref());
                format!("Nothing was done: {owner} has #{} already. You need not do anything.", self.number)
            }
            (_, Some(Outcome::Nothing)) => format!("Nothing was done. {stands}"),
            // That it was done shows in how the alert stands; or the address claims more than the history.
            (_, Some(Outcome::Done)) => stands,
        }
    }
}

/// Whether the history has this, done by `me`.
fn was_done(record: &AlertRecord, me: &Name, kind: EntryKind) -> bool {
    record
        .history
        .iter()
        .any(|entry| entry.kind == kind && entry.by.as_ref().is_some_and(|by| by.person.as_ref() == Some(me)))
}

fn has_it(alert: &Alert, me: &Name) -> bool {
    let owner = alert.acknowledged.as_ref().filter(|_| alert.status == Status::Acknowledged);
    owner.is_some_and(|act| act.by.person.as_ref() == Some(me))
}

fn label(act: Option<&Act>) -> &str {
    act.map_or("somebody", |act| act.by.label.as_str())
}

/// How the alert stands for `me`, in whole sentences.
fn standing(record: &AlertRecord, directory: &Directory, me: &Name) -> String {
    let alert = &record.state.alert;
    let number = alert.number;
    match alert.status {
        Status::Acknowledged if has_it(alert, me) => {
            format!("You have #{number}. Nobody else is paged any more.")
        }
        Status::Acknowledged => {
            format!("{} has #{number}. You need not do anything.", label(alert.acknowledged.as_ref()))
        }
        Status::Snoozed | Status::Silenced => {
            format!("#{number}: {}. You need not do anything.", timeline::standing(alert))
        }
        Status::Resolved => {
            let by_me = alert.resolved.as_ref().is_some_and(|act| act.by.person.as_ref() == Some(me));
            if by_me {
                format!("You resolved #{number}. Everybody who was paged is told.")
            } else {
                format!(
                    "#{number} is over: resolved by {}. You need not do anything.",
                    label(alert.resolved.as_ref())
                )
            }
        }
        Status::Triggered | Status::Unanswered => {
            let live = record.state.pages.iter().filter(|page| page.is_live() && page.person != *me);
            let others: Vec<String> = live.map(|page| directory.full_name(&page.person).to_owned()).collect();
            match (others.as_slice(), alert.status) {
                ([], Status::Unanswered) => format!("Nobody has answered #{number}."),
                ([], _) => format!("Nobody has #{number} yet."),
                ([_], _) => format!("Nobody has #{number} yet; {} is being paged.", list(&others)),
                _ => format!("Nobody has #{number} yet; {} are being paged.", list(&others)),
            }
        }
    }
}
