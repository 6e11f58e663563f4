//! Periods asked by plans: whether a step counts now, and what a severity means now.
//!
//! A period or zone that is gone since the plan was written counts as always: no page is lost by an edit.

use jiff::Timestamp;
use rota::period::ZonedPeriod;

use crate::alert::{Alert, Audience};
use crate::directory::Directory;
use crate::event::{Severity, Urgency};
use crate::name::Name;
use crate::person::{NotificationPlan, Person};
use crate::plan::Hours;

/// What a person's plan comes to for a page that begins now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanNow {
    /// These steps, at least one.
    Runs(NotificationPlan),
    /// No step counts now; the first that does, then. Only for low urgency.
    Deferred(Timestamp),
    /// There is nothing to try.
    Nothing,
}

impl Directory {
    /// Whether an instant lies within hours; for the paged person's own zone, that of `person`, or UTC.
    pub fn within(&self, hours: &Hours, person: Option<&Person>, at: Timestamp) -> bool {
        self.zoned(hours, person).is_none_or(|period| period.contains(at))
    }

    fn zoned(&self, hours: &Hours, person: Option<&Person>) -> Option<ZonedPeriod> {
        let own = || person.map_or("UTC", |person| person.zone.as_str());
        let zone = rota::zone::find(hours.zone.as_deref().unwrap_or_else(own)).ok()?;
        Some(self.periods.get(&hours.period)?.in_zone(zone))
    }

    /// What a severity means for the people of a team, or for a person alone, at an instant.
    pub fn urgency(&self, audience: &Audience, severity: Severity, at: Timestamp) -> Urgency {
        let rules = match audience {
            Audience::Team(name) => self.teams.get(name).map_or(&[][..], |team| team.urgency.as_slice()),
            Audience::Person(_) => &[],
        };
        let counts = |hours: &Option<Hours>| hours.as_ref().is_none_or(|hours| self.within(hours, None, at));
        rules
            .iter()
            .find(|rule| rule.severity == severity && counts(&rule.during))
            .map_or(severity.urgency(), |rule| rule.urgency)
    }

    /// What an alert means for people at an instant.
    pub fn urgency_of(&self, alert: &Alert, at: Timestamp) -> Urgency {
        alert.route.urgency.unwrap_or_else(|| self.urgency(&alert.audience, alert.severity, at))
    }

    /// The steps of a person's plan for a page that begins at `at`. The periods of its steps are asked for that
    /// instant and no other, so that a page keeps to the plan that it began with. A page that wakes people is
    /// never put off: when no step counts, all do; the same where none ever will.
    pub fn plan_at(&self, name: &Name, urgency: Urgency, at: Timestamp) -> PlanNow {
        let Some(person) = self.people.get(name).map(AsRef::as_ref) else { return PlanNow::Nothing };
        let Some(mut plan) = person.plan(urgency) else { return PlanNow::Nothing };
        if plan.steps.iter().all(|step| step.during.is_none()) {
            return PlanNow::Runs(plan);
        }
        let counts =
            |hours: &Option<Hours>| hours.as_ref().is_none_or(|hours| self.within(hours, Some(person), at));
        if plan.steps.iter().any(|step| counts(&step.during)) {
            plan.steps.retain(|step| counts(&step.during));
            return PlanNow::Runs(plan);
        }
        let later =
            plan.steps.iter().filter_map(|step| self.zoned(step.during.as_ref()?, Some(person))?.next_in(at));
        match later.min() {
            Some(later) if urgency == Urgency::Low && later > at => PlanNow::Deferred(later),
            _ => PlanNow::Runs(plan),
        }
    }
}
