//! Who is on call for an audience: the questions that steps ask of schedules.
//!
//! Read next: [`rota::schedule`], which answers them.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rota::schedule::Schedule;

use crate::alert::Audience;
use crate::course::MAX_DEPTH;
use crate::directory::Directory;
use crate::name::Name;
use crate::plan::{OnCall, Target};
use crate::team::Team;

/// The role that is meant where none is named.
pub const PRIMARY: &str = "primary";
/// How far a schedule is searched for followers and predecessors.
const SEARCH: SignedDuration = SignedDuration::from_hours(366 * 24);
/// The most followers and predecessors that are looked for.
const MOST: usize = 50;
/// The most shifts that are looked through for followers.
const MOST_SHIFTS: usize = 200;

/// What says who is on call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Roster {
    /// A schedule.
    Schedule(Name),
    /// The order of the members of a team that has no schedule.
    Team(Name),
}

impl Roster {
    /// The name of the schedule or team.
    pub fn name(&self) -> &Name {
        match self {
            Self::Schedule(name) | Self::Team(name) => name,
        }
    }
}

/// Who is on call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Duty {
    /// Who is asked; nobody in a gap.
    pub people: Vec<Name>,
    /// Who is told, and not asked.
    pub shadows: Vec<Name>,
}

impl Directory {
    /// What is meant: the named schedule, or the team's own, or the order of the team's members.
    pub fn roster(&self, audience: &Audience, schedule: Option<&Name>) -> Option<Roster> {
        if let Some(schedule) = schedule {
            return Some(Roster::Schedule(schedule.clone()));
        }
        let Audience::Team(team) = audience else { return None };
        Some(match self.teams.get(team)?.schedule.as_ref() {
            Some(schedule) => Roster::Schedule(schedule.clone()),
            None => Roster::Team(team.clone()),
        })
    }

    /// A roster, ready to be asked.
    pub fn compiled(&self, roster: &Roster) -> Option<&Arc<Schedule>> {
        match roster {
            Roster::Schedule(schedule) => self.schedules.get(schedule),
            Roster::Team(team) => self.rosters.get(team),
        }
    }

    /// Every roster there is, ready to be asked.
    pub fn all_rosters(&self) -> impl Iterator<Item = (Roster, &Arc<Schedule>)> {
        let schedules = self.schedules.iter().map(|(name, it)| (Roster::Schedule(name.clone()), it));
        schedules.chain(self.rosters.iter().map(|(name, it)| (Roster::Team(name.clone()), it)))
    }

    /// The teams that ask a roster: it is their own, or their escalation plan or last resort names it.
    pub fn teams_on(&self, roster: &Roster) -> impl Iterator<Item = &Arc<Team>> {
        self.teams.values().filter(move |team| {
            let audience = Audience::Team(team.name.clone());
            let is_own = self.roster(&audience, None).as_ref() == Some(roster);
            let mut asked = Vec::new();
            self.rosters_of(&team.name, 0, &mut asked);
            asked
                .extend(self.last_resort(&audience).iter().filter_map(|it| self.roster_asked(&audience, it)));
            is_own || asked.contains(roster)
        })
    }

    /// The rosters that a team's plan asks, with those of the teams that it names.
    fn rosters_of(&self, team: &Name, depth: usize, asked: &mut Vec<Roster>) {
        let audience = Audience::Team(team.clone());
        let Some(known) = self.teams.get(team) else { return };
        let plan = known.escalation_plan.as_ref().and_then(|plan| self.plans.get(plan));
        if depth > 0 && plan.is_none() {
            asked.extend(self.roster(&audience, None));
        }
        for target in plan.iter().flat_map(|plan| &plan.steps).flat_map(|step| &step.notify) {
            match target {
                Target::Team(other) if depth < MAX_DEPTH => self.rosters_of(other, depth + 1, asked),
                target => asked.extend(self.roster_asked(&audience, target)),
            }
        }
    }

    /// The roster that a target asks.
    fn roster_asked(&self, audience: &Audience, target: &Target) -> Option<Roster> {
        match target {
            Target::OnCall(wanted) | Target::NextOnCall(wanted) | Target::PreviousOnCall(wanted) => {
                self.roster(audience, wanted.schedule.as_ref())
            }
            Target::Team(team) => self.roster(&Audience::Team(team.clone()), None),
            _ => None,
        }
    }

    /// Who is on call at an instant.
    pub fn on_call(&self, audience: &Audience, wanted: &OnCall, at: Timestamp) -> Duty {
        match self.asked(audience, wanted) {
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

    fn asked(&self, audience: &Audience, wanted: &OnCall) -> Option<&Arc<Schedule>> {
        self.compiled(&self.roster(audience, wanted.schedule.as_ref())?)
    }

    fn around(&self, audience: &Audience, wanted: &OnCall, at: Timestamp, is_after: bool) -> Vec<Name> {
        let now = self.on_call(audience, wanted, at).people;
        let in_schedule = match audience {
            _ if wanted.schedule.is_some() => true,
            Audience::Team(team) => self.teams.get(team).is_some_and(|team| team.schedule.is_some()),
            Audience::Person(_) => false,
        };
        if in_schedule {
            let roster = self.asked(audience, wanted);
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

/// Who is on call after or before an instant, nearest first, each once, without those who are now.
fn search(roster: &Schedule, role: &str, at: Timestamp, is_after: bool, now: &[Name]) -> Vec<Name> {
    // Around the ends of time there is nothing more to find.
    let shifts: Vec<_> = if is_after {
        let end = at.saturating_add(SEARCH).unwrap_or(Timestamp::MAX);
        roster.shifts(at, end, role).take(MOST_SHIFTS).collect()
    } else {
        let begin = at.saturating_sub(SEARCH).unwrap_or(Timestamp::MIN);
        let mut shifts: Vec<_> = roster.shifts(begin, at, role).collect();
        shifts.reverse();
        shifts
    };
    let mut found: Vec<Name> = Vec::new();
    for person in shifts.iter().flat_map(|shift| names(&shift.duty.people)) {
        if !now.contains(&person) && !found.contains(&person) {
            found.push(person);
        }
    }
    found.truncate(MOST);
    found
}

/// Names were checked when the schedule was made: none is left out.
pub(crate) fn names(people: &[Arc<str>]) -> Vec<Name> {
    people.iter().filter_map(|name| Name::new(name).ok()).collect()
}

impl OnCall {
    /// The role that is meant.
    pub fn role(&self) -> &str {
        self.role.as_ref().map_or(PRIMARY, Name::as_str)
    }
}
