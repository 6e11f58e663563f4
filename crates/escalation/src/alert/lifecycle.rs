//! What each input does to the alert.

use crate::alert::{Act, Status, Turn, Verdict};
use crate::delivery::Purpose;
use crate::effect::EntryKind;
use crate::event::{Actor, Input, Sent, Settled};
use crate::name::Name;
use crate::page::{Asks, EndedWhy};
use crate::wake::Wake;

/// The answer to anything that is done to a resolved alert.
pub(super) const RESOLVED: &str = "the alert is resolved; a new trigger opens a new one";

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
            Input::Resolve(_) | Input::SilencesChanged if status == Status::Resolved => Verdict::Already,
            Input::Trigger(trigger) if status == Status::Resolved => self.reopen(trigger),
            _ if status == Status::Resolved => Verdict::Refused(RESOLVED),
            Input::Trigger(trigger) => self.trigger_again(trigger),
            Input::Acknowledge { by, take_over } => self.acknowledge(by, *take_over),
            Input::Unacknowledge(by) => self.unacknowledge(by),
            Input::Resolve(by) => {
                self.end(by, "");
                Verdict::Done
            }
            Input::Escalate { by, to } => self.escalate_now(by, *to),
            Input::NotMe { person, by } => self.not_me(person, by),
            Input::Snooze { by, until } => self.snooze(by, *until),
            Input::Reassign { by, to } => self.reassign(by, to),
            Input::AddResponder { by, person } => self.add_responder(by, person),
            Input::Absorb { by, other } => self.absorb(by, other),
            Input::MergeInto { by, number } => self.merge_into(by, *number),
            Input::Amend { by, summary, details, severity } => {
                self.amend(by, summary.as_deref(), details.as_deref(), *severity)
            }
            Input::SilencesChanged => self.look_at_silences(),
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
            Wake::AskOwner => self.ask_owner(),
            Wake::AckTimeout => self.owner_is_silent(),
            Wake::SnoozeEnd => self.snooze_ends(),
            Wake::SilenceEnd => self.silence_ends(),
            Wake::Quiet => self.fell_quiet(),
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
        if settled.sent.may_have_come_in() && !alert.roles_reached.contains(&settled.contact) {
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

    fn acknowledge(&mut self, by: &Actor, take_over: bool) -> Verdict {
        if let (Status::Acknowledged, Some(act)) = (self.state.alert.status, &self.state.alert.acknowledged) {
            let same = match (&act.by.person, &by.person) {
                (Some(one), Some(other)) => one == other,
                (None, None) => act.by.label == by.label,
                _ => false,
            };
            if same {
                return self.still_on_it(by);
            }
            if !take_over {
                let has_it = Verdict::HasIt(act.clone());
                return self.accept(by).unwrap_or(has_it);
            }
        }
        let before =
            self.state.alert.acknowledged.take().filter(|_| self.state.alert.status == Status::Acknowledged);
        // Whoever was told who has it hears it again from a take over.
        let since_round = self.state.alert.since_round;
        self.leave_answered();
        let alert = &mut self.state.alert;
        alert.since_round = since_round;
        alert.status = Status::Acknowledged;
        alert.acknowledged = Some(Act { by: by.clone(), at: self.now });
        alert.insists = false;
        self.end_pages_but(EndedWhy::Acknowledged, |page| {
            page.asks.is_for_himself() && by.person.as_ref() != Some(&page.person)
        });
        self.keep_wakes_of_pages();
        self.watch_owner();
        self.record(EntryKind::Acknowledged, |entry| entry.by = Some(by.clone()));
        self.tell_who_has_it(by, before.as_ref());
        Verdict::Done
    }

    fn unacknowledge(&mut self, by: &Actor) -> Verdict {
        match self.state.alert.status {
            Status::Acknowledged | Status::Snoozed => {}
            Status::Silenced => {
                return Verdict::Refused(
                    "a silence holds the alert back; escalate it to page people all the same",
                );
            }
            _ => return Verdict::Refused("nobody has acknowledged the alert, so it is being paged already"),
        }
        self.record(EntryKind::Unacknowledged, |entry| entry.by = Some(by.clone()));
        self.resume("nobody has it any more");
        Verdict::Done
    }

    fn escalate_now(&mut self, by: &Actor, to: Option<u16>) -> Verdict {
        let steps = self.directory.course_of(&self.state.alert, self.now).steps;
        if to.is_some_and(|to| usize::from(to) >= steps.len()) {
            return Verdict::Refused("the escalation plan has no such step; leave it out for the next one");
        }
        self.record(EntryKind::Escalated, |entry| {
            entry.by = Some(by.clone());
            entry.step = to;
        });
        // What people ask for is not held back.
        self.state.alert.insists = true;
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
            Status::Acknowledged | Status::Snoozed | Status::Silenced => {
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
        let asks = self.state.pages[place].asks;
        self.end_page(place, EndedWhy::NotMe);
        self.record(EntryKind::NotMe, |entry| {
            entry.by = Some(by.clone());
            entry.people.push(person.clone());
        });
        let others = self.state.pages.iter().any(|page| page.is_live());
        match (self.state.alert.status, asks) {
            (Status::Acknowledged, Asks::StillOnIt) => self.resume("whoever had it can't go on"),
            // Somebody who was asked besides takes nothing away from those who are asked.
            (Status::Triggered, Asks::Besides) if others => {}
            // While somebody of the last resort may answer, its time is not cut short.
            (Status::Triggered, _) if !(self.state.alert.position.last_resort && others) => self.escalate(),
            (Status::Acknowledged, _) => self.tell_owner(by, &format!("{by} can't come")),
            _ => {}
        }
        Verdict::Done
    }
}
