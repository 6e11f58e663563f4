//! Who would be on call differently, and when, if definitions changed.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rota::schedule::Schedule;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::definition::time::instant;
use crate::definition::{Definitions, Kind, Lies};

/// Others are on call for a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DutyChange {
    /// The schedule; none: it is about a team.
    pub schedule: Option<String>,
    /// The team that has another schedule than before, or none.
    pub team: Option<String>,
    /// For what, such as `primary`.
    pub role: String,
    /// The first instant.
    #[serde(with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// The first instant after it.
    #[serde(with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// Who would have been; nobody: a gap, or there was no such role.
    pub before: Vec<String>,
    /// Who will be.
    pub after: Vec<String>,
    /// The zone of the schedule.
    pub zone: String,
}

/// How far ahead an edit is told to change who is on call.
pub const AHEAD: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Every stretch between two instants in which others are on call, by schedule, team and role, in order of time.
///
/// A schedule that is new has nobody who would be on call differently, nor has one that is gone; a team that has
/// another schedule, or none any more, is told as a team.
pub fn differences(
    before: &Definitions,
    after: &Definitions,
    from: Timestamp,
    to: Timestamp,
) -> Vec<DutyChange> {
    let mut changes = Vec::new();
    for name in after.names(Kind::Schedule) {
        let over = Lies::Schedule(name.to_owned());
        if let (Some(one), Some(other)) = (before.roster(&over), after.roster(&over)) {
            changes.extend(differences_of(&over, one, other, (from, to)));
        }
    }
    for team in after.names(Kind::Team) {
        let (Some(one), Some(other)) = (before.roster_of(team), after.roster_of(team)) else { continue };
        // With the same schedule as before, the schedule has told it.
        if one == other && matches!(one, Lies::Schedule(_)) {
            continue;
        }
        if let (Some(one), Some(other)) = (before.roster(&one), after.roster(&other)) {
            changes.extend(differences_of(&Lies::Team(team.to_owned()), one, other, (from, to)));
        }
    }
    changes
}

fn differences_of(
    over: &Lies,
    before: &Arc<Schedule>,
    after: &Arc<Schedule>,
    (from, to): (Timestamp, Timestamp),
) -> Vec<DutyChange> {
    if Arc::ptr_eq(before, after) {
        return Vec::new();
    }
    let roles = |schedule: &Schedule| -> Vec<Arc<str>> {
        schedule.roles().iter().map(|role| role.name.clone()).collect()
    };
    let mut names = roles(before);
    names.extend(roles(after));
    names.sort();
    names.dedup();
    let zone = after.zone().iana_name().unwrap_or("UTC");
    let (schedule, team) = match over {
        Lies::Schedule(name) => (Some(name.clone()), None),
        Lies::Team(name) => (None, Some(name.clone())),
    };
    let mut changes: Vec<DutyChange> = Vec::new();
    for role in names {
        let (one, other) = (stretches(before, &role, from, to), stretches(after, &role, from, to));
        let mut at = from;
        while at < to {
            let (before, until_one) = holder(&one, at, to);
            let (after, until_other) = holder(&other, at, to);
            let until = until_one.min(until_other);
            if before != after {
                match changes.last_mut() {
                    Some(last)
                        if last.until == at
                            && *last.role == *role
                            && last.before == before
                            && last.after == after =>
                    {
                        last.until = until;
                    }
                    _ => changes.push(DutyChange {
                        schedule: schedule.clone(),
                        team: team.clone(),
                        role: role.to_string(),
                        from: at,
                        until,
                        before: before.to_vec(),
                        after: after.to_vec(),
                        zone: zone.to_owned(),
                    }),
                }
            }
            at = until;
        }
    }
    changes
}

/// Who is on call from when on.
type Stretch = (Timestamp, Vec<String>);

fn stretches(schedule: &Schedule, role: &str, from: Timestamp, to: Timestamp) -> Vec<Stretch> {
    let shifts = schedule.shifts(from, to, role);
    shifts
        .map(|shift| {
            let mut people: Vec<String> = shift.duty.people.iter().map(ToString::to_string).collect();
            people.sort();
            (shift.from.max(from), people)
        })
        .collect()
}

/// Who is on call at an instant, and until when that is so at least.
fn holder(stretches: &[Stretch], at: Timestamp, to: Timestamp) -> (&[String], Timestamp) {
    let begun = stretches.partition_point(|(from, _)| *from <= at);
    let people = begun.checked_sub(1).map_or(&[][..], |place| stretches[place].1.as_slice());
    (people, stretches.get(begun).map_or(to, |(from, _)| *from))
}
