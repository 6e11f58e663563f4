//! Two alerts that are one problem: one goes on, the others end and go into it.
//!
//! Nothing is lost: what was reported is counted on the one that goes on, and so are later reports of the
//! same, for as long as it is open.

use crate::alert::{Act, Alert, Status, Turn, Verdict};
use crate::effect::EntryKind;
use crate::event::{Absorbed, Actor};
use crate::page::EndedWhy;

/// The most alerts that go into another at once.
pub const MAX_MERGED: usize = 50;

/// Whether these may go into `into`; the store asks before it begins, so that either all do or none.
///
/// # Errors
///
/// Why not, and what to do instead.
pub fn check_merge(into: &Alert, others: &[&Alert]) -> Result<(), &'static str> {
    if into.status == Status::Resolved {
        return Err("the alert is resolved; merge into one that is open");
    }
    if others.iter().any(|other| other.id == into.id) {
        return Err("an alert can't go into itself");
    }
    if others.iter().any(|other| other.status == Status::Resolved) {
        return Err("one of the others is resolved already; leave it out");
    }
    Ok(())
}

impl Alert {
    /// What of it goes into another alert.
    pub fn absorbed(&self) -> Absorbed {
        Absorbed {
            number: self.number,
            summary: self.summary.clone(),
            severity: self.severity,
            triggered_at: self.triggered_at,
            triggers: self.triggers,
        }
    }
}

impl Turn<'_> {
    pub(super) fn absorb(&mut self, by: &Actor, other: &Absorbed) -> Verdict {
        let alert = &mut self.state.alert;
        alert.triggers = alert.triggers.saturating_add(other.triggers);
        alert.triggered_at = alert.triggered_at.max(other.triggered_at);
        self.record(EntryKind::Merged, |entry| {
            entry.by = Some(by.clone());
            entry.text = format!("#{} {}", other.number, other.summary);
        });
        self.grow_to(other.severity);
        Verdict::Done
    }

    pub(super) fn merge_into(&mut self, by: &Actor, number: u64) -> Verdict {
        self.tell_reached(by, &format!("it goes on as #{number}, says {by}"));
        self.leave_answered();
        let alert = &mut self.state.alert;
        alert.status = Status::Resolved;
        alert.resolved = Some(Act { by: by.clone(), at: self.now });
        alert.merged_into = Some(number);
        self.state.wakes.clear();
        self.end_pages(EndedWhy::Merged);
        self.record(EntryKind::MergedInto, |entry| {
            entry.by = Some(by.clone());
            entry.text = format!("#{number}");
        });
        Verdict::Done
    }
}
