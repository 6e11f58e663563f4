//! Who was, is and will be on call: the questions that people and programs ask.
//!
//! An instant in the past is answered by the schedule that was in force then, whatever became of it since; the
//! present and the future by the one in force now. The answers themselves are [`rota::schedule`]'s.

pub mod difference;
pub mod feed;

mod by_layer;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, time};
use jiff::tz::TimeZone;
use rota::period::Interval;
use rota::schedule::{Balance, Duty, Overlap, Schedule, Shift, Source};

use crate::definition::{Definitions, Lies, PRIMARY, Subject};
use crate::store::{InForce, Store, StoreError};

pub use by_layer::LayerShifts;

/// The hour at which the night is over.
const MORNING: i8 = 8;
/// Before this hour the morning is that of the same day.
const STILL_NIGHT: i8 = 6;

/// A schedule, or the order of a team's members, through time.
#[derive(Clone, Debug)]
pub struct Roster {
    /// Which, as it is now, or was last.
    pub over: Lies,
    /// Each with since when it is in force, in order; never empty.
    editions: Vec<InForce>,
}

impl Roster {
    /// As it is now, for questions about now and later.
    pub fn current(definitions: &Definitions, over: Lies) -> Option<Self> {
        let roster = definitions.roster(&over)?.clone();
        let first = InForce { since: Timestamp::MIN, over: over.clone(), roster };
        Some(Self { over, editions: vec![first] })
    }

    /// As it was and is, for questions from an instant on.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn since(
        store: &Store,
        over: Lies,
        from: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Self>, StoreError> {
        Self::of(store, Subject::Roster(over), from, now).await
    }

    /// As it was and is for a team, whatever said it there at the time.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn of_team_since(
        store: &Store,
        team: &str,
        from: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Self>, StoreError> {
        Self::of(store, Subject::Team(team.to_owned()), from, now).await
    }

    async fn of(
        store: &Store,
        subject: Subject,
        from: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Self>, StoreError> {
        if from >= now {
            let definitions = store.definitions();
            return Ok(definitions.subject(&subject).and_then(|over| Self::current(&definitions, over)));
        }
        let editions = store.rosters_since(subject, from).await?;
        let over = editions.last().map(|last| last.over.clone());
        Ok(over.map(|over| Self { over, editions }))
    }

    /// What said it at an instant.
    pub fn over_at(&self, at: Timestamp) -> &Lies {
        &self.edition(at).1.over
    }

    /// What is in force now.
    pub fn schedule(&self) -> &Schedule {
        // There is at least one edition: both constructors see to it.
        &self.editions[self.editions.len() - 1].roster
    }

    /// The zone in which its times are read best.
    pub fn zone(&self) -> &TimeZone {
        self.schedule().zone()
    }

    /// The names of its roles.
    pub fn roles(&self) -> Vec<Arc<str>> {
        self.schedule().roles().iter().map(|role| role.name.clone()).collect()
    }

    /// What was in force at an instant, and since when until when.
    fn edition(&self, at: Timestamp) -> (Timestamp, &InForce, Timestamp) {
        let begun = self.editions.partition_point(|edition| edition.since <= at).max(1);
        let until = self.editions.get(begun).map_or(Timestamp::MAX, |next| next.since);
        let edition = &self.editions[begun - 1];
        let since = if begun == 1 { Timestamp::MIN } else { edition.since };
        (since, edition, until)
    }

    /// Who was, is or will be on call at an instant.
    pub fn on_call(&self, at: Timestamp, role: &str) -> Duty {
        self.edition(at).1.roster.on_call(at, role)
    }

    /// The whole shift at an instant; nothing for a role that is not there.
    pub fn shift(&self, at: Timestamp, role: &str) -> Option<Shift> {
        let (since, edition, until) = self.edition(at);
        let shift = edition.roster.shift(at, role)?;
        let end = shift.until.map_or(until, |end| end.min(until));
        let until = (end < Timestamp::MAX).then_some(end);
        Some(Shift { from: shift.from.max(since), until, ..shift })
    }

    /// The next shift that has people, and others.
    pub fn next(&self, at: Timestamp, role: &str) -> Option<Shift> {
        let mut at = at;
        loop {
            let (_, edition, until) = self.edition(at);
            let next = edition.roster.next(at, role).filter(|shift| shift.from < until);
            if next.is_some() || until == Timestamp::MAX {
                return next;
            }
            let before = edition.roster.on_call(at, role).people;
            let shift = self.shift(until, role)?;
            if !shift.duty.people.is_empty() && shift.duty.people != before {
                return Some(shift);
            }
            at = until;
        }
    }

    /// The shift before, if it had people, and others. Looks no further back than what it was made for.
    pub fn previous(&self, at: Timestamp, role: &str) -> Option<Shift> {
        self.edition(at).1.roster.previous(at, role)
    }

    /// The shifts between two instants, without holes: a gap is a shift without people.
    pub fn shifts(&self, from: Timestamp, to: Timestamp, role: &str) -> Vec<Shift> {
        let mut shifts: Vec<Shift> = Vec::new();
        let mut at = from;
        while at < to {
            let (_, edition, until) = self.edition(at);
            let end = until.min(to);
            for shift in edition.roster.shifts(at, end, role) {
                match shifts.last_mut() {
                    Some(last) if last.duty == shift.duty => last.until = shift.until,
                    _ => shifts.push(shift),
                }
            }
            at = end;
        }
        shifts
    }

    /// When nobody is on call between two instants.
    pub fn gaps(&self, from: Timestamp, to: Timestamp, role: &str) -> Vec<Interval> {
        let mut gaps: Vec<Interval> = Vec::new();
        for shift in self.shifts(from, to, role).into_iter().filter(|shift| shift.duty.people.is_empty()) {
            let end = shift.until.unwrap_or(to);
            match gaps.last_mut() {
                // Shadows come and go in a gap.
                Some(last) if last.end == shift.from => last.end = end,
                _ => gaps.push(Interval { start: shift.from, end }),
            }
        }
        gaps
    }

    /// When one source hides another between two instants, by what is in force now.
    pub fn overlaps(&self, from: Timestamp, to: Timestamp, role: &str) -> Vec<Overlap> {
        self.schedule().overlaps(from, to, role)
    }

    /// How much each person is on call between two instants.
    pub fn balance(&self, from: Timestamp, to: Timestamp, roles: &[&str]) -> BTreeMap<Arc<str>, Balance> {
        let mut sum: BTreeMap<Arc<str>, Balance> = BTreeMap::new();
        let mut at = from;
        while at < to {
            let (_, edition, until) = self.edition(at);
            let end = until.min(to);
            for (person, part) in edition.roster.balance(at, end, roles) {
                let whole = sum.entry(person).or_default();
                whole.total += part.total;
                whole.nights += part.nights;
                whole.weekends += part.weekends;
                whole.holidays += part.holidays;
            }
            at = end;
        }
        sum
    }

    /// Whether somebody was, is or will be on leave at an instant, as far as it concerns this roster.
    pub fn is_on_leave_at(&self, person: &str, at: Timestamp) -> bool {
        let roster = &self.edition(at).1.roster;
        roster.leave().get(person).is_some_and(|leave| leave.contains(at))
    }

    /// What put somebody on call at an instant, in words.
    pub fn because(&self, at: Timestamp, role: &str, source: Option<Source>) -> String {
        let edition = self.edition(at).1;
        let schedule = &edition.roster;
        match source {
            None => "nobody is named".to_owned(),
            Some(Source::Override(place)) => {
                let id = schedule.overrides().get(place).map_or("", |lies| &*lies.id);
                format!("override {id}")
            }
            Some(Source::Layer(place)) => {
                let role = schedule.roles().iter().find(|known| *known.name == *role);
                let layer = role.and_then(|role| role.layers.get(place));
                match (&edition.over, layer) {
                    (_, None) => String::new(),
                    (Lies::Team(_), Some(_)) => "the order of the team".to_owned(),
                    (Lies::Schedule(_), Some(layer)) => format!("layer \"{}\"", layer.name),
                }
            }
        }
    }

    /// The role to ask for where none was named: `primary`, or the first.
    pub fn default_role(&self) -> Arc<str> {
        let roles = self.roles();
        roles
            .iter()
            .find(|role| ***role == *PRIMARY)
            .or(roles.first())
            .cloned()
            .unwrap_or_else(|| PRIMARY.into())
    }
}

/// The next morning; in the small hours that of the same day.
pub fn morning(now: Timestamp, zone: &TimeZone) -> Timestamp {
    let reading = zone.to_datetime(now);
    let today: Date = reading.date();
    let day = if reading.hour() < STILL_NIGHT { today } else { today.tomorrow().unwrap_or(today) };
    let morning = zone.to_ambiguous_zoned(day.to_datetime(time(MORNING, 0, 0, 0))).compatible();
    morning.map_or(now, |zoned| zoned.timestamp())
}
