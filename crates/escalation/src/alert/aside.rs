//! Putting an alert aside: by a person for a while, or by a silence for as long as it holds.
//!
//! Either way it is looked at again by itself, and if it is still open then, whoever is on call then is paged. A
//! silence holds back what machines report, not what people ask for.

use jiff::{SignedDuration, Timestamp};

use crate::alert::{Act, Silenced, Snooze, Status, Turn, Verdict};
use crate::duration;
use crate::effect::EntryKind;
use crate::event::{Actor, Severity};
use crate::page::{Asks, EndedWhy};
use crate::wake::Wake;

/// The longest that an alert may be put aside.
pub const MAX_SNOOZE: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Turn<'_> {
    pub(super) fn snooze(&mut self, by: &Actor, until: Timestamp) -> Verdict {
        let length = until.duration_since(self.now);
        if length <= SignedDuration::ZERO {
            return Verdict::Refused("that time is over; name one that is still to come");
        }
        if length > MAX_SNOOZE {
            return Verdict::Refused("an alert is put aside for seven days at most");
        }
        let words = duration::print(length);
        self.tell_reached(by, &format!("{by} put it aside for {words}"));
        self.leave_answered();
        self.state.alert.status = Status::Snoozed;
        self.state.alert.snoozed = Some(Snooze { act: Act { by: by.clone(), at: self.now }, until });
        self.state.wakes.clear();
        self.state.wakes.insert(Wake::SnoozeEnd, until);
        self.end_pages(EndedWhy::Snoozed);
        self.record(EntryKind::Snoozed, |entry| {
            entry.by = Some(by.clone());
            entry.text.clone_from(&words);
        });
        Verdict::Done
    }

    pub(super) fn snooze_ends(&mut self) {
        self.resume("it was put aside until now");
    }

    /// Looks whether a silence holds the alert back now, or no more.
    pub(super) fn look_at_silences(&mut self) -> Verdict {
        match self.state.alert.status {
            status if status.waits() => {
                if self.hold_back() {
                    Verdict::Done
                } else {
                    Verdict::Already
                }
            }
            Status::Silenced => {
                if self.is_silent_as_before() {
                    return Verdict::Already;
                }
                if !self.hold_back() {
                    // By its wake: so that of many the gravest come first, as at the end of a silence.
                    let until = gravest_first(self.now, self.state.alert.severity);
                    self.state.wakes.insert(Wake::SilenceEnd, until);
                    if let Some(silenced) = &mut self.state.alert.silenced {
                        silenced.until = self.now;
                    }
                }
                Verdict::Done
            }
            _ => Verdict::Already,
        }
    }

    /// What silenced it has had its time.
    pub(super) fn silence_ends(&mut self) {
        self.resume("nothing silences it any more");
    }

    /// Whether what holds it back, and until when, is what was known, and its time has not come.
    fn is_silent_as_before(&self) -> bool {
        let alert = &self.state.alert;
        let found = self.directory.silence(alert, self.now);
        let (Some((silence, until)), Some(known)) = (found, &alert.silenced) else { return false };
        silence.name == known.by
            && silence.told() == known.why
            && until == known.until
            && self.state.wakes.contains_key(&Wake::SilenceEnd)
    }

    /// Silences the alert if something holds it back now, and says whether it does.
    pub(crate) fn hold_back(&mut self) -> bool {
        if self.state.alert.insists {
            return false;
        }
        let found = self.directory.silence(&self.state.alert, self.now);
        let Some((by, why, until)) =
            found.map(|(silence, until)| (silence.name.clone(), silence.told(), until))
        else {
            return false;
        };
        let is_new = self.state.alert.status != Status::Silenced;
        if is_new {
            let text = format!("silenced by {why}; nothing to do for now");
            self.tell_reached(&Actor::dogwatch(), &text);
        }
        let known = self.state.alert.silenced.take();
        self.leave_answered();
        let since = known.as_ref().map_or(self.now, |known| known.since);
        let is_same = known.is_some_and(|known| known.by == by && known.until == until);
        self.state.alert.status = Status::Silenced;
        self.state.alert.silenced = Some(Silenced { by: by.clone(), why: why.clone(), since, until });
        if is_new {
            self.end_pages_but(EndedWhy::Silenced, |page| page.asks.is_for_himself());
            self.keep_wakes_of_pages();
        }
        self.state.wakes.insert(Wake::SilenceEnd, gravest_first(until, self.state.alert.severity));
        if !is_same {
            let length = duration::print(until.duration_since(self.now));
            self.record(EntryKind::Silenced, |entry| {
                entry.text = format!("for {length} by {by} ({why})");
            });
        }
        true
    }

    /// People are paged again: from the step reached, with whoever is on call now, unless a silence holds it back.
    pub(crate) fn resume(&mut self, why: &str) {
        if !self.hold_back() {
            self.new_round(self.step_reached(), why);
        }
    }

    /// The step that fired last; past the plan's end where the last resort was paged.
    pub(super) fn step_reached(&self) -> u16 {
        let position = self.state.alert.position;
        let audience = &self.state.alert.audience;
        let steps = self.directory.course_of(&self.state.alert, self.now).steps;
        if position.last_resort && !self.directory.last_resort(audience).is_empty() {
            return u16::MAX;
        }
        let last = u16::try_from(steps.len().saturating_sub(1)).unwrap_or(u16::MAX);
        position.next_step.saturating_sub(1).min(last)
    }

    /// Forgets what belongs to an alert that is in somebody's hands, or held back, because it is so no more.
    pub(crate) fn leave_answered(&mut self) {
        let alert = &mut self.state.alert;
        if matches!(alert.status, Status::Acknowledged | Status::Snoozed) {
            // Whoever was told who has it is not told again by an answer to what follows.
            alert.since_round = alert.round.saturating_add(1);
        }
        alert.snoozed = None;
        alert.silenced = None;
        for wake in [Wake::AskOwner, Wake::AckTimeout, Wake::SnoozeEnd, Wake::SilenceEnd] {
            self.state.wakes.remove(&wake);
        }
        for place in 0..self.state.pages.len() {
            if self.state.pages[place].is_live() && self.state.pages[place].asks == Asks::StillOnIt {
                self.end_page(place, EndedWhy::Moot);
            }
        }
    }

    /// Drops every wake but those of pages that go on.
    pub(super) fn keep_wakes_of_pages(&mut self) {
        self.state.wakes.retain(|wake, _| wake.page().is_some());
    }
}

/// Of many alerts whose silence ends at one instant the gravest come first: each severity a millisecond after the
/// one above it. Within a severity the oldest comes first, as its id does.
fn gravest_first(until: Timestamp, severity: Severity) -> Timestamp {
    let place = Severity::ALL.iter().position(|known| *known == severity).unwrap_or(0);
    let later = SignedDuration::from_millis(i64::try_from(place).unwrap_or(0));
    until.checked_add(later).unwrap_or(until)
}
