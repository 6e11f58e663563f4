//! What each input does to the alert.

use crate::alert::{Act, Status, Turn, Verdict};
use crate::delivery::Purpose;
use crate::effect::EntryKind;
use crate::event::{Actor, Input, Sent, Settled, Trigger, Urgency};
use crate::name::Name;
use crate::page::{EndedWhy, Page};
use crate::plan::UNANSWERED_ROUND;
use crate::wake::Wake;

/// The answer to anything that is done to a resolved alert.
const RESOLVED: &str = "the alert is resolved; a new trigger opens a new one";

impl Turn<'_> {
    pub(super) fn take(&mut self, input: &Input) -> Verdict {
        let status = self.state.alert.status;
        match input {
            Input::Due(wake) => {
                self.due(*wake);
                Verdict::Done
            }
            Input::Settled(settled) => {
                self.settled(settled);
                Verdict::Done
            }
            Input::Note { by, text } => {
                self.record(EntryKind::Note, |entry| {
                    entry.by = Some(by.clone());
                    entry.text.clone_from(text);
                });
                Verdict::Done
            }
            Input::Resolve(_) if status == Status::Resolved => Verdict::Already,
            _ if status == Status::Resolved => Verdict::Refused(RESOLVED),
            Input::Trigger(trigger) => self.trigger_again(trigger),
            Input::Acknowledge { by, take_over } => self.acknowledge(by, *take_over),
            Input::Unacknowledge(by) => self.unacknowledge(by),
            Input::Resolve(by) => self.resolve(by),
            Input::Escalate { by, to } => self.escalate_now(by, *to),
            Input::NotMe { person, by } => self.not_me(person, by),
            Input::DutyChanged(handover) => self.duty_changed(handover),
        }
    }

    fn due(&mut self, wake: Wake) {
        // The wake is asked for here and not trusted: it may have been moved since it was read.
        if self.state.wakes.get(&wake).is_none_or(|at| *at > self.now) {
            return;
        }
        self.state.wakes.remove(&wake);
        match wake {
            Wake::Escalate => self.escalation_is_due(),
            Wake::GiveUp => self.give_up(),
            Wake::Page(page) => {
                self.page_is_due(page);
                self.plans_moved();
            }
        }
    }

    fn settled(&mut self, settled: &Settled) {
        if settled.purpose != Purpose::Page {
            return;
        }
        match settled.page {
            Some(page) => self.page_settled(page, settled),
            None => self.role_settled(settled),
        }
    }

    /// A role has no page: that it was reached, or can't be, is noted on the alert.
    fn role_settled(&mut self, settled: &Settled) {
        let alert = &mut self.state.alert;
        if settled.sent != Sent::Failed && !alert.roles_reached.contains(&settled.contact) {
            alert.roles_reached.push(settled.contact.clone());
            self.tell_role_late(&settled.contact);
        }
        // For the plan's timing an unknown outcome is a failure.
        let alert = &mut self.state.alert;
        let is_newest = settled.round == alert.round && settled.step + 1 == alert.position.next_step;
        if settled.sent == Sent::Accepted && is_newest {
            self.role_is_done();
        } else if is_newest && settled.attempt == 1 {
            alert.position.roles = alert.position.roles.saturating_sub(1);
            self.escalate_if_all_failed();
        }
    }

    fn trigger_again(&mut self, trigger: &Trigger) -> Verdict {
        let now = self.now;
        let alert = &mut self.state.alert;
        alert.triggers = alert.triggers.saturating_add(1);
        alert.triggered_at = now;
        let urgency = |severity| self.directory.urgency(&alert.audience, severity, now);
        let before = urgency(alert.severity);
        let severity = alert.severity.max(trigger.severity);
        let rises = before == Urgency::Low && urgency(severity) == Urgency::High;
        alert.severity = severity;
        let is_stale = alert.status == Status::Unanswered && now >= alert.round_started_at + UNANSWERED_ROUND;
        self.record(EntryKind::TriggeredAgain, |entry| {
            entry.by = Some(trigger.by.clone());
            entry.text.clone_from(&trigger.summary);
        });
        if rises {
            self.new_round(0, "it became urgent");
        } else if is_stale {
            self.new_round(0, "it was reported again, and nobody has answered");
        }
        Verdict::Done
    }

    fn acknowledge(&mut self, by: &Actor, take_over: bool) -> Verdict {
        if let (Status::Acknowledged, Some(act)) = (self.state.alert.status, &self.state.alert.acknowledged) {
            let same = match (&act.by.person, &by.person) {
                (Some(one), Some(other)) => one == other,
                (None, None) => act.by.label == by.label,
                _ => false,
            };
            if same {
                return Verdict::Already;
            }
            if !take_over {
                return Verdict::HasIt(act.clone());
            }
        }
        if !take_over && let Some(verdict) = self.answer_for_one(by) {
            return verdict;
        }
        let before =
            self.state.alert.acknowledged.take().filter(|_| self.state.alert.status == Status::Acknowledged);
        self.state.alert.status = Status::Acknowledged;
        self.state.alert.acknowledged = Some(Act { by: by.clone(), at: self.now });
        self.state.wakes.clear();
        self.end_pages(EndedWhy::Acknowledged);
        self.record(EntryKind::Acknowledged, |entry| entry.by = Some(by.clone()));
        self.tell_who_has_it(by, before.as_ref());
        Verdict::Done
    }

    /// While others have to answer for themselves, an answer ends the answerer's own page, and those of all who
    /// need not: the alert is acknowledged with the last one. Nothing: this answer is for everybody.
    fn answer_for_one(&mut self, by: &Actor) -> Option<Verdict> {
        let round = self.state.alert.round;
        let is_own = |page: &Page| by.person.as_ref() == Some(&page.person);
        let pages = &self.state.pages;
        let owed: Vec<Name> = pages
            .iter()
            .filter(|page| page.is_live() && page.each && !is_own(page))
            .map(|page| page.person.clone())
            .collect();
        if owed.is_empty() {
            return None;
        }
        let ends: Vec<usize> = (0..pages.len())
            .filter(|place| pages[*place].is_live() && (is_own(&pages[*place]) || !pages[*place].each))
            .collect();
        let has_answered = |page: &Page| {
            let why = page.ended.map(|ended| ended.why);
            is_own(page) && page.round == round && why == Some(EndedWhy::Acknowledged)
        };
        if ends.is_empty() && pages.iter().any(has_answered) {
            return Some(Verdict::Already);
        }
        for place in ends {
            self.end_page(place, EndedWhy::Acknowledged);
        }
        self.record(EntryKind::Answered, |entry| {
            entry.by = Some(by.clone());
            entry.people = owed;
        });
        Some(Verdict::Done)
    }

    fn unacknowledge(&mut self, by: &Actor) -> Verdict {
        if self.state.alert.status != Status::Acknowledged {
            return Verdict::Refused("nobody has acknowledged the alert, so it is being paged already");
        }
        self.record(EntryKind::Unacknowledged, |entry| entry.by = Some(by.clone()));
        // From the step reached: the one that fired last, asked again who is on call.
        let position = self.state.alert.position;
        let audience = &self.state.alert.audience;
        let steps = self.directory.course(audience, self.now).steps;
        let paged_last_resort = position.last_resort && !self.directory.last_resort(audience).is_empty();
        let last = u16::try_from(steps.len().saturating_sub(1)).unwrap_or(u16::MAX);
        let reached = position.next_step.saturating_sub(1).min(last);
        self.new_round(if paged_last_resort { u16::MAX } else { reached }, "nobody has it any more");
        Verdict::Done
    }

    fn resolve(&mut self, by: &Actor) -> Verdict {
        self.state.alert.status = Status::Resolved;
        self.state.alert.resolved = Some(Act { by: by.clone(), at: self.now });
        self.state.wakes.clear();
        self.end_pages(EndedWhy::Resolved);
        self.record(EntryKind::Resolved, |entry| entry.by = Some(by.clone()));
        self.tell_recovered(by);
        Verdict::Done
    }

    fn escalate_now(&mut self, by: &Actor, to: Option<u16>) -> Verdict {
        let steps = self.directory.course(&self.state.alert.audience, self.now).steps;
        if to.is_some_and(|to| usize::from(to) >= steps.len()) {
            return Verdict::Refused("the escalation plan has no such step; leave it out for the next one");
        }
        self.record(EntryKind::Escalated, |entry| {
            entry.by = Some(by.clone());
            entry.step = to;
        });
        match self.state.alert.status {
            // The last resort has its time running out: a chosen step gets a time of its own.
            Status::Triggered if to.is_some() && self.state.alert.position.last_resort => {
                self.new_round(to.unwrap_or(0), "somebody asked for a step again");
            }
            Status::Triggered => {
                if let Some(to) = to {
                    self.state.alert.position.next_step = to;
                }
                self.escalate();
            }
            Status::Acknowledged => {
                let next = to.unwrap_or(self.state.alert.position.next_step);
                let is_past = usize::from(next) >= steps.len();
                let nobody_left =
                    is_past && self.directory.last_resort(&self.state.alert.audience).is_empty();
                self.new_round(if nobody_left { 0 } else { next }, "somebody asked for more people");
            }
            Status::Unanswered | Status::Resolved => {
                self.new_round(to.unwrap_or(0), "somebody asked for more people")
            }
        }
        Verdict::Done
    }

    fn not_me(&mut self, person: &Name, by: &Actor) -> Verdict {
        let live = self.state.pages.iter().position(|page| page.person == *person && page.is_live());
        let Some(place) = live else {
            return Verdict::Refused("no page of yours is open for this alert");
        };
        self.end_page(place, EndedWhy::NotMe);
        self.record(EntryKind::NotMe, |entry| {
            entry.by = Some(by.clone());
            entry.people.push(person.clone());
        });
        // While somebody of the last resort may answer, its time is not cut short.
        let others = self.state.pages.iter().any(|page| page.is_live());
        if self.state.alert.status == Status::Triggered && !(self.state.alert.position.last_resort && others)
        {
            self.escalate();
        }
        Verdict::Done
    }
}
