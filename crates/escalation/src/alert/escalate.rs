//! How an alert goes through its escalation plan: steps, rounds, the last resort, unanswered.
//!
//! Whom a step pages is in [`super::targets`], when it has had its time in [`super::patience`].

use super::targets::Asked;
use crate::alert::{Position, Status, Turn};
use crate::effect::EntryKind;
use crate::page::Asks;
use crate::plan::{Escalate, LAST_RESORT_WAIT};
use crate::wake::Wake;

impl Turn<'_> {
    /// The wake of the escalation came due. It is asked again whether the time has come: the first page may be
    /// held back, and plans of people may have begun later than was thought.
    pub(crate) fn escalation_is_due(&mut self) {
        if self.hold_back() {
            return;
        }
        let alert = &self.state.alert;
        let has_begun = alert.round > 1 || alert.position != Position::default();
        let course = self.directory.course_of(alert, self.now);
        if let Some(hold) = course.hold.filter(|_| !has_begun) {
            let until = alert.created_at + hold;
            if until > self.now {
                self.state.wakes.insert(Wake::Escalate, until);
                return self.record(EntryKind::Held, |entry| entry.text = until.to_string());
            }
        }
        match self.newest_step_ends() {
            Some(at) if has_begun && at > self.now => {
                self.state.wakes.insert(Wake::Escalate, at);
            }
            _ => self.escalate(),
        }
    }

    /// Fires the next step; when nobody is to be paged in it, the one after it, and so on: an empty step
    /// costs no waiting. Ends because each pass moves the position forward: a pass in which no step found
    /// anybody is not repeated.
    pub(crate) fn escalate(&mut self) {
        let directory = self.directory;
        let course = directory.course_of(&self.state.alert, self.now);
        loop {
            let position = self.state.alert.position;
            if let Some(step) = course.steps.get(usize::from(position.next_step)) {
                let index = position.next_step;
                self.state.alert.position.next_step = index + 1;
                if let Some(why) = self.why_skipped(step) {
                    self.record(EntryKind::Skipped, |entry| {
                        entry.step = Some(index);
                        entry.text = why;
                    });
                    continue;
                }
                let found = self.find(&Asked::of(step, &self.state.alert.audience), index);
                let is_empty = found.people.is_empty() && found.roles.is_empty();
                self.tell_gaps(&found, Some(index));
                if is_empty {
                    continue;
                }
                self.state.alert.position.fired = true;
                self.record(EntryKind::Step, |entry| {
                    entry.step = Some(index);
                    entry.people.clone_from(&found.people);
                    entry.contacts.clone_from(&found.roles);
                    entry.text = step.team.map(ToString::to_string).unwrap_or_default();
                });
                let at = self.step_ends(step.escalate);
                self.state.wakes.insert(Wake::Escalate, at);
                return;
            }
            if position.fired && position.passes < course.repeat {
                self.state.alert.round += 1;
                self.state.alert.round_started_at = self.now;
                self.state.alert.position = Position { passes: position.passes + 1, ..Position::default() };
                self.record(EntryKind::Round, |entry| entry.text = "nobody has answered yet".to_owned());
                continue;
            }
            return self.last_resort();
        }
    }

    /// The plan has ended and nobody answered.
    fn last_resort(&mut self) {
        self.state.wakes.remove(&Wake::Escalate);
        if self.state.alert.position.last_resort {
            return self.give_up();
        }
        // A plan may have become shorter than the position: whatever the number, this is past its end.
        let index = self.state.alert.position.next_step;
        self.state.alert.position.next_step = index.saturating_add(1);
        self.state.alert.position.last_resort = true;
        let directory = self.directory;
        let targets = directory.last_resort(&self.state.alert.audience);
        let found = self.find(&Asked::last_resort(targets, &self.state.alert.audience), index);
        self.tell_gaps(&found, None);
        let is_empty = found.people.is_empty() && found.roles.is_empty();
        if is_empty {
            if targets.is_empty() {
                self.record(EntryKind::Gap, |entry| {
                    entry.text = "no last resort is set, for the team or for the service".to_owned();
                });
            }
            return self.give_up();
        }
        self.record(EntryKind::LastResort, |entry| {
            entry.people = found.people;
            entry.contacts = found.roles;
        });
        let at = self.step_ends(Escalate::After(LAST_RESORT_WAIT));
        self.state.wakes.insert(Wake::GiveUp, at);
    }

    /// Everybody was paged and nobody answered. Pages that repeat go on, less often.
    pub(crate) fn give_up(&mut self) {
        self.state.wakes.remove(&Wake::Escalate);
        self.state.wakes.remove(&Wake::GiveUp);
        if self.state.alert.status != Status::Triggered {
            return;
        }
        self.state.alert.status = Status::Unanswered;
        self.slow_down();
        self.record(EntryKind::Unanswered, |_| {});
        self.warn_operators("nobody has answered; everybody in the plan and the last resort was paged");
    }

    /// Starts a new round at step `next` (from 0; anything past the plan's end is the last resort).
    pub(crate) fn new_round(&mut self, next: u16, why: &str) {
        self.leave_answered();
        self.state.alert.round += 1;
        self.state.alert.status = Status::Triggered;
        self.state.alert.round_started_at = self.now;
        let course = self.directory.course_of(&self.state.alert, self.now);
        // A plan has at most a few steps, or one a member: its length fits.
        let end = u16::try_from(course.steps.len()).unwrap_or(u16::MAX - 1);
        let is_past = next >= end;
        self.state.alert.position = Position {
            next_step: next.min(end),
            // Past the end there is nothing left to repeat: only the last resort.
            passes: if is_past { course.repeat } else { 0 },
            ..Position::default()
        };
        self.state.wakes.remove(&Wake::GiveUp);
        self.record(EntryKind::Round, |entry| entry.text = why.to_owned());
        self.escalate();
    }

    /// When every page of the newest step has failed, and every role: nobody is waiting for an answer
    /// that could come, so the next step fires now. A new round is not begun so: it waits for its time, or
    /// a dead provider would be sent all rounds of the plan within a second.
    pub(crate) fn escalate_if_all_failed(&mut self) {
        let alert = &self.state.alert;
        let position = alert.position;
        if alert.status != Status::Triggered || position.roles > 0 {
            return;
        }
        let newest = position.next_step.saturating_sub(1);
        let somebody_may_answer = self.state.pages.iter().any(|page| {
            page.round == alert.round
                && page.escalation_step == newest
                && page.asks != Asks::Besides
                && page.is_live()
                && (!page.failed || page.accepted > 0)
        });
        if somebody_may_answer {
            return;
        }
        self.record(EntryKind::Gap, |entry| {
            entry.step = Some(newest).filter(|_| !position.last_resort);
            entry.text = "everything that this step sent has failed".to_owned();
        });
        if !self.ends_a_pass() {
            self.escalate();
        }
    }

    /// Whether what comes next is a new round.
    pub(super) fn ends_a_pass(&self) -> bool {
        let position = self.state.alert.position;
        let course = self.directory.course_of(&self.state.alert, self.now);
        let is_through = usize::from(position.next_step) >= course.steps.len();
        is_through && position.fired && position.passes < course.repeat
    }
}
