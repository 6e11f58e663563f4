//! What an alert's history has to tell: who was asked, how often a plan was gone through, and that an alert was given
//! up only after its last resort. It knows the history alone, and nothing of who wrote it.

use std::collections::{BTreeMap, BTreeSet};

use escalation::alert::Status;
use escalation::effect::EntryKind;

use super::{Found, broken, company};
use crate::store::{AlertRecord, HistoryEntry};

/// What the history of one alert has told until now.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    has_begun: bool,
    /// Pages that were looked at: they are never taken away.
    pages: usize,
    /// Who was named, in which round.
    named: BTreeSet<(u32, String)>,
    /// How often each step has fired since somebody outside last had a hand in it.
    fired: BTreeMap<u16, u32>,
    /// Rounds in which the last resort was asked, or was said to be missing.
    at_last: BTreeSet<u32>,
    /// Rounds in which the alert is known to have been unanswered.
    given_up: BTreeSet<u32>,
}

impl Told {
    /// Takes in the new lines of a record and holds it to what they tell.
    pub(super) fn hear(&mut self, record: &AlertRecord) -> Found {
        let alert = &record.state.alert;
        for entry in &record.history {
            self.take_in(entry);
        }
        if !self.has_begun {
            return broken(
                22,
                format!("the history of alert #{} does not begin with its report", alert.number),
            );
        }
        let unnamed = record
            .state
            .pages
            .iter()
            .skip(self.pages)
            .find(|page| !self.named.contains(&(page.round, page.person.to_string())));
        self.pages = record.state.pages.len();
        if let Some(page) = unnamed {
            let seen = format!("the history of alert #{} does not name {}", alert.number, page.person);
            return broken(22, seen);
        }
        if let Some((step, times)) = self.fired.iter().find(|(_, times)| **times > company::MOST_PASSES) {
            return broken(23, format!("step {step} of alert #{} has fired {times} times", alert.number));
        }
        if alert.status == Status::Unanswered
            && self.given_up.insert(alert.round)
            && !self.at_last.contains(&alert.round)
        {
            return broken(24, format!("alert #{} was given up in round {}", alert.number, alert.round));
        }
        Ok(())
    }

    fn take_in(&mut self, entry: &HistoryEntry) {
        for person in &entry.people {
            self.named.insert((entry.round, person.clone()));
        }
        match (entry.kind, entry.step) {
            (EntryKind::Triggered, _) => self.has_begun = true,
            (EntryKind::Step, Some(step)) => *self.fired.entry(step).or_default() += 1,
            (EntryKind::LastResort | EntryKind::Gap, _) => {
                self.at_last.insert(entry.round);
            }
            // From here on it may begin anew.
            (
                EntryKind::TriggeredAgain
                | EntryKind::Unanswered
                | EntryKind::Acknowledged
                | EntryKind::Unacknowledged
                | EntryKind::Escalated
                | EntryKind::NotMe
                | EntryKind::AckTimeout
                | EntryKind::Snoozed
                | EntryKind::Silenced
                | EntryKind::Reassigned
                | EntryKind::Reopened,
                _,
            ) => self.fired.clear(),
            _ => {}
        }
    }
}
