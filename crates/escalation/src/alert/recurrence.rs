//! A problem that is reported again, one that comes back, and one that falls quiet.

use jiff::Timestamp;

use crate::alert::{Act, Status, Turn, Verdict};
use crate::duration;
use crate::effect::EntryKind;
use crate::event::{Actor, Severity, Trigger, Urgency};
use crate::page::EndedWhy;
use crate::plan::UNANSWERED_ROUND;
use crate::wake::Wake;

impl Turn<'_> {
    /// Counted; people are paged anew only if it has become urgent, or nobody has answered for long.
    pub(super) fn trigger_again(&mut self, trigger: &Trigger) -> Verdict {
        let now = self.now;
        self.count(trigger);
        let alert = &self.state.alert;
        let is_stale = alert.status == Status::Unanswered && now >= alert.round_started_at + UNANSWERED_ROUND;
        let rose = self.grow_to(trigger.severity);
        if !rose && is_stale {
            self.new_round_unless_silenced("it was reported again, and nobody has answered");
        }
        Verdict::Done
    }

    fn count(&mut self, trigger: &Trigger) {
        let alert = &mut self.state.alert;
        alert.triggers = alert.triggers.saturating_add(1);
        alert.triggered_at = self.now;
        self.record(EntryKind::TriggeredAgain, |entry| {
            entry.by = Some(trigger.by.clone());
            entry.text.clone_from(&trigger.summary);
        });
    }

    /// The sender says it in other words, or means something graver.
    pub(super) fn amend(
        &mut self,
        by: &Actor,
        summary: Option<&str>,
        details: Option<&str>,
        severity: Option<Severity>,
    ) -> Verdict {
        let alert = &mut self.state.alert;
        let summary = summary.filter(|summary| alert.summary != *summary);
        let details = details.filter(|details| alert.details != *details);
        let severity = severity.filter(|severity| *severity > alert.severity);
        if let Some(details) = details {
            details.clone_into(&mut alert.details);
        }
        let text = match (summary, details, severity) {
            (Some(summary), ..) => {
                summary.clone_into(&mut alert.summary);
                summary.to_owned()
            }
            (None, Some(_), _) => "more details".to_owned(),
            (None, None, Some(severity)) => severity.word().to_owned(),
            (None, None, None) => return Verdict::Already,
        };
        self.record(EntryKind::Amended, |entry| {
            entry.by = Some(by.clone());
            entry.text = text;
        });
        if let Some(severity) = severity {
            self.grow_to(severity);
        }
        Verdict::Done
    }

    /// Takes on a severity if it is graver. Says whether it has become urgent by that: then people are paged anew,
    /// whoever had it.
    pub(super) fn grow_to(&mut self, severity: Severity) -> bool {
        let before = self.urgency();
        let alert = &mut self.state.alert;
        let is_graver = severity > alert.severity;
        alert.severity = alert.severity.max(severity);
        let rises = before == Urgency::Low && self.urgency() == Urgency::High;
        if rises {
            self.new_round_unless_silenced("it became urgent");
        } else if is_graver && self.state.alert.status == Status::Silenced {
            // It may be another matter for what silences it.
            self.look_at_silences();
        }
        rises
    }

    fn new_round_unless_silenced(&mut self, why: &str) {
        if !self.hold_back() {
            self.new_round(0, why);
        }
    }

    /// It was reported again after its end: it opens again if that was a short while ago, and keeps its place. Steps
    /// before the one reached are not fired again.
    pub(super) fn reopen(&mut self, trigger: &Trigger) -> Verdict {
        let alert = &self.state.alert;
        let within = self.directory.lifecycle(&alert.audience).reopen_within;
        let ended = alert.resolved.as_ref().filter(|_| alert.merged_into.is_none()).map(|act| act.at);
        let (Some(within), Some(ended)) = (within, ended) else {
            return Verdict::Refused(super::lifecycle::RESOLVED);
        };
        let since = self.now.duration_since(ended);
        if since > within {
            return Verdict::Refused(super::lifecycle::RESOLVED);
        }
        self.count(trigger);
        let step = self.step_reached();
        let alert = &mut self.state.alert;
        alert.severity = alert.severity.max(trigger.severity);
        alert.resolved = None;
        alert.insists = false;
        alert.since_round = alert.round.saturating_add(1);
        // Nobody is asked yet: what follows begins a round, or silences it.
        alert.status = Status::Triggered;
        let reached = match step {
            0 => String::new(),
            u16::MAX => "; every step has fired before, so it goes on with the last resort".to_owned(),
            1 => "; step 1 has fired before and is not fired again".to_owned(),
            step => format!("; steps 1 to {step} have fired before and are not fired again"),
        };
        self.record(EntryKind::Reopened, |entry| {
            entry.text = format!("{} after its end{reached}", duration::print(since));
        });
        self.resume("it came back");
        Verdict::Done
    }

    /// When it counts as over unless it is reported again. Never while it is urgent and nobody has answered: that its
    /// sender fell silent is no answer.
    fn quiet_at(&self) -> Option<Timestamp> {
        let alert = &self.state.alert;
        let limit = self.directory.lifecycle(&alert.audience).resolve_after?;
        let answered = match alert.status {
            Status::Resolved => return None,
            Status::Acknowledged => alert.acknowledged.as_ref().map(|act| act.at),
            Status::Snoozed => alert.snoozed.as_ref().map(|snooze| snooze.act.at),
            Status::Triggered | Status::Unanswered | Status::Silenced => None,
        };
        if answered.is_none() && self.urgency() == Urgency::High {
            return None;
        }
        answered.into_iter().chain([alert.triggered_at]).max().map(|since| since + limit)
    }

    /// Sets when it counts as over, as it stands now.
    pub(super) fn set_quiet(&mut self) {
        match self.quiet_at() {
            Some(at) => self.state.wakes.insert(Wake::Quiet, at),
            None => self.state.wakes.remove(&Wake::Quiet),
        };
    }

    /// It has not been reported for so long that it counts as over.
    pub(super) fn fell_quiet(&mut self) {
        let limit = self.directory.lifecycle(&self.state.alert.audience).resolve_after;
        let (Some(limit), true) = (limit, self.quiet_at().is_some_and(|at| at <= self.now)) else { return };
        let by = Actor::dogwatch();
        let text = format!("not reported for {}", duration::print(limit));
        self.end(&by, &text);
    }

    /// The problem is gone.
    pub(super) fn end(&mut self, by: &Actor, text: &str) {
        let since_round = self.state.alert.since_round;
        self.leave_answered();
        let alert = &mut self.state.alert;
        alert.since_round = since_round;
        alert.status = Status::Resolved;
        alert.resolved = Some(Act { by: by.clone(), at: self.now });
        self.state.wakes.clear();
        self.end_pages(EndedWhy::Resolved);
        self.record(EntryKind::Resolved, |entry| {
            entry.by = Some(by.clone());
            text.clone_into(&mut entry.text);
        });
        self.tell_recovered(by);
    }
}
