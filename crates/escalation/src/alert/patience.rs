//! When a step has had its time, and whether it counts at all.
//!
//! The time is known when the step fires: a duration, or what the notification plans of the people paged add up
//! to. A failure brings it forward; a plan that runs late, because nothing ran meanwhile, is waited for.

use jiff::Timestamp;

use crate::alert::{Status, Turn};
use crate::course::CourseStep;
use crate::id::PageId;
use crate::page::{Asks, Page};
use crate::plan::{Condition, DEFAULT_AFTER, Escalate, LAST_RESORT_WAIT};
use crate::wake::Wake;

impl Turn<'_> {
    /// Why a step is skipped now; nothing: it counts. Hours in the own zone of the paged are asked for each
    /// person alone.
    pub(super) fn why_skipped(&self, step: &CourseStep<'_>) -> Option<String> {
        let alert = &self.state.alert;
        step.only.iter().find_map(|condition| match condition {
            Condition::During(hours) => (hours.zone.is_some()
                && !self.directory.within(hours, None, self.now))
            .then(|| format!("not during \"{}\"", hours.period)),
            Condition::Severity(least) => {
                (alert.severity < *least).then(|| format!("only for {} and graver", least.word()))
            }
            Condition::MoreThan { alerts, within } => {
                let since = self.now - *within;
                // This alert is one of them, however long ago it began: a late step is still about it.
                let own = u64::from(alert.created_at < since);
                let begun = (self.recent)(&alert.audience, since).saturating_add(own);
                (begun <= u64::from(*alerts)).then(|| {
                    let within = crate::duration::print(*within);
                    format!("not more than {alerts} alerts within {within}: there are {begun}")
                })
            }
        })
    }

    /// The live pages that the newest step has asked for: not those of responders, whom people have asked for.
    fn newest_pages(&self) -> impl Iterator<Item = &Page> {
        self.pages_of_newest().filter(|page| page.is_live())
    }

    /// The same with those that have ended.
    fn pages_of_newest(&self) -> impl Iterator<Item = &Page> {
        let alert = &self.state.alert;
        let newest = alert.position.next_step.saturating_sub(1);
        let is_of = move |page: &&Page| page.round == alert.round && page.escalation_step == newest;
        self.state.pages.iter().filter(is_of).filter(|page| page.asks != Asks::Besides)
    }

    /// When the step that has just fired has had its time.
    pub(super) fn step_ends(&self, escalate: Escalate) -> Timestamp {
        match escalate {
            Escalate::After(after) => {
                // While everybody waits for the hours of a plan, the clock stands still.
                let begins = |page: &Page| page.deferred_until.unwrap_or(self.now).max(self.now);
                self.newest_pages().map(begins).min().unwrap_or(self.now) + after
            }
            Escalate::AfterPlanStep(_) | Escalate::AfterPlan => {
                self.plans_end(escalate).unwrap_or(self.now + DEFAULT_AFTER)
            }
        }
    }

    /// When the plans of everybody whom the newest step has paged have no answer; nothing where it waits for a
    /// time, or has paged addresses only.
    fn plans_end(&self, escalate: Escalate) -> Option<Timestamp> {
        let wanted = escalate.plan_step()?;
        let ends = |page: &Page| page.unanswered_at(self.plan_of(page).as_ref(), wanted);
        // One that nobody can answer any more ends now.
        self.newest_pages().map(ends).max().map(|at| at.max(self.now))
    }

    fn newest_escalate(&self) -> Option<Escalate> {
        let position = self.state.alert.position;
        if position.last_resort || self.state.alert.status != Status::Triggered {
            return None;
        }
        let course = self.directory.course_of(&self.state.alert, self.now);
        let newest = usize::from(position.next_step.checked_sub(1)?);
        course.steps.get(newest).map(|step| step.escalate)
    }

    /// When the newest step has had its time, by the plans of the people as they run now.
    pub(super) fn newest_step_ends(&self) -> Option<Timestamp> {
        self.plans_end(self.newest_escalate()?)
    }

    /// A page has got on, or ended, before its time: the next step may come sooner. A new round may not.
    pub(crate) fn plans_moved(&mut self) {
        let Some(escalate) = self.newest_escalate().filter(|escalate| escalate.plan_step().is_some()) else {
            return;
        };
        let Some(set) = self.state.wakes.get(&Wake::Escalate).copied() else { return };
        if self.pages_of_newest().next().is_none() {
            return;
        }
        // Without a page that lives nobody can answer any more.
        let at = self.plans_end(escalate).unwrap_or(self.now).max(self.now);
        if at < set && !self.ends_a_pass() {
            self.state.wakes.insert(Wake::Escalate, at);
        }
    }

    /// An address that owes no answer has been reached. Where the step waits for plans and has paged nobody else,
    /// it has done what it was for.
    pub(super) fn role_is_done(&mut self) {
        let waits_for_plans = self.newest_escalate().is_some_and(|escalate| escalate.plan_step().is_some());
        if !waits_for_plans || self.newest_pages().next().is_some() {
            return;
        }
        let roles = &mut self.state.alert.position.roles;
        *roles = roles.saturating_sub(1);
        if *roles == 0 && !self.ends_a_pass() {
            self.state.wakes.insert(Wake::Escalate, self.now);
        }
    }

    /// A deferred page has begun, or waits for later hours: the time of its step runs from the first page that begins.
    pub(crate) fn clock_starts(&mut self, id: PageId) {
        let is_of_newest = self.newest_pages().any(|page| page.id == id);
        let has_run = self.newest_pages().any(|page| page.id != id && page.deferred_until.is_none());
        if !is_of_newest || has_run {
            return;
        }
        let (wake, escalate) = if self.state.alert.position.last_resort {
            (Wake::GiveUp, Some(Escalate::After(LAST_RESORT_WAIT)))
        } else {
            (Wake::Escalate, self.newest_escalate())
        };
        if let Some(escalate @ Escalate::After(_)) = escalate {
            let at = self.step_ends(escalate);
            self.state.wakes.entry(wake).and_modify(|set| *set = at.max(*set));
        }
    }
}
