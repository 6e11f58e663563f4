//! Who is on call for an audience: the questions that steps ask of schedules.
//!
//! Read next: [`rota::schedule`], which answers them.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rota::schedule::Schedule;

use crate::alert::Audience;
use crate::directory::Directory;
use crate::name::Name;
use crate::plan::OnCall;

/// The role that is meant where none is named.
pub const PRIMARY: &str = "primary";
/// How far a schedule is searched for followers and predecessors.
const SEARCH: SignedDuration = SignedDuration::from_hours(366 * 24);
/// The first stretch that is searched; each next one is four times as long.
const FIRST_SEARCH: SignedDuration = SignedDuration::from_hours(4 * 24);
/// The most followers and predecessors that are looked for.
const MOST: usize = 50;

/// Who is on call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Duty {
    /// Who is asked; nobody in a gap.
    pub people: Vec<Name>,
    /// Who is told, and not asked.
    pub shadows: Vec<Name>,
}

impl Directory {
    /// The schedule that is meant: the named one, or the team's own, or the order of the team's members.
    pub fn roster(&self, audience: &Audience, schedule: Option<&Name>) -> Option<&Arc<Schedule>> {
        if let Some(schedule) = schedule {
            return self.schedules.get(schedule);
        }
        let Audience::Team(team) = audience else { return None };
        match self.teams.get(team)?.schedule.as_ref() {
            Some(schedule) => self.schedules.get(schedule),
            None => self.rosters.get(team),
        }
    }

    /// Who is on call at an instant.
    pub fn on_call(&self, audience: &Audience, wanted: &OnCall, at: Timestamp) -> Duty {
        match self.roster(audience, wanted.schedule.as_ref()) {
            Some(roster) => {
                let duty = roster.on_call(at, wanted.role());
                Duty { people: names(&duty.people), shadows: names(&duty.shadows) }
            }
            None if wanted.schedule.is_some() || wanted.role.is_some() => Duty::default(),
            None => Duty {
                people: self.members(audience).first().into_iter().cloned().collect(),
                shadows: Vec::new(),
            },
        }
    }

    /// Who comes on call after those who are, nearest first, each once.
    pub fn followers(&self, audience: &Audience, wanted: &OnCall, at: Timestamp) -> Vec<Name> {
        self.around(audience, wanted, at, true)
    }

    /// Who was on call before those who are, nearest first, each once.
    pub fn predecessors(&self, audience: &Audience, wanted: &OnCall, at: Timestamp) -> Vec<Name> {
        self.around(audience, wanted, at, false)
    }

    fn around(&self, audience: &Audience, wanted: &OnCall, at: Timestamp, is_after: bool) -> Vec<Name> {
        let now = self.on_call(audience, wanted, at).people;
        let in_schedule = match audience {
            _ if wanted.schedule.is_some() => true,
            Audience::Team(team) => self.teams.get(team).is_some_and(|team| team.schedule.is_some()),
            Audience::Person(_) => false,
        };
        if in_schedule {
            let roster = self.roster(audience, wanted.schedule.as_ref());
            return roster.map_or_else(Vec::new, |roster| search(roster, wanted.role(), at, is_after, &now));
        }
        // The members in order, from the one who is on call around.
        let members = self.members(audience);
        let place = members.iter().position(|member| now.contains(member)).unwrap_or(0);
        let (before, after) = members.split_at(place);
        let mut around: Vec<Name> = after.iter().chain(before).cloned().collect();
        if !is_after {
            around.reverse();
        }
        around.retain(|member| !now.contains(member) && !self.is_on_leave(member, at));
        around
    }

    /// Whether a person is on leave at an instant.
    pub fn is_on_leave(&self, person: &Name, at: Timestamp) -> bool {
        self.leave.get(person.as_str()).is_some_and(|leave| leave.contains(at))
    }

    /// The teams that a person is a member of.
    pub fn teams_of(&self, person: &Name) -> impl Iterator<Item = &Name> {
        self.teams.values().filter(move |team| team.members.contains(person)).map(|team| &team.name)
    }
}

fn search(roster: &Schedule, role: &str, at: Timestamp, is_after: bool, now: &[Name]) -> Vec<Name> {
    let mut stretch = FIRST_SEARCH;
    loop {
        // Around the ends of time there is nothing more to find.
        let shifts: Vec<_> = if is_after {
            let end = at.checked_add(stretch).unwrap_or(Timestamp::MAX);
            roster.shifts(at, end, role).take(MOST * 4).collect()
        } else {
            let begin = at.checked_sub(stretch).unwrap_or(Timestamp::MIN);
            let mut shifts: Vec<_> = roster.shifts(begin, at, role).collect();
            shifts.reverse();
            shifts
        };
        let mut found: Vec<Name> = Vec::new();
        for person in shifts.iter().flat_map(|shift| names(&shift.duty.people)) {
            if !now.contains(&person) && !found.contains(&person) && found.len() < MOST {
                found.push(person);
            }
        }
        if stretch >= SEARCH || found.len() >= 5 {
            return found;
        }
        stretch = (stretch * 4).min(SEARCH);
    }
}

/// Names were checked when the schedule was made: none is left out.
fn names(people: &[Arc<str>]) -> Vec<Name> {
    people.iter().filter_map(|name| Name::new(name).ok()).collect()
}

impl OnCall {
    /// The role that is meant.
    pub fn role(&self) -> &str {
        self.role.as_ref().map_or(PRIMARY, Name::as_str)
    }
}
