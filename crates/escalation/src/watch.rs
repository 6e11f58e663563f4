//! The watch over duty: what has changed since somebody last looked, whom to remind, when to look again.
//!
//! [`look`] is a pure function of what was seen last, of the schedule and of the time. What it says twice of the
//! same instant is the same once the first answer is stored: a crash repeats nothing and forgets nothing.
//! [`messages`] says who is told.

mod ahead;
mod told;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rota::schedule::{Schedule, Source};

use crate::duty::{Roster, names};
use crate::event::{Actor, Handover};
use crate::name::Name;
use ahead::Ahead;

pub use ahead::Stint;
pub use told::messages;

/// What was seen of one role of a roster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// When.
    pub at: Timestamp,
    /// Who was on call.
    pub people: Vec<Name>,
    /// Who has been reminded of a shift that has not begun.
    pub reminded: Vec<Reminded>,
}

/// Somebody has been reminded of a shift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reminded {
    /// Who.
    pub person: Name,
    /// When the shift begins.
    pub from: Timestamp,
    /// The shortest of the lead times at which that was done.
    pub lead: SignedDuration,
}

/// Somebody is to be reminded now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reminder {
    /// Who.
    pub person: Name,
    /// Of what.
    pub stint: Stint,
    /// It has begun.
    pub has_begun: bool,
}

/// What a look came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// What was seen, for the next look.
    pub seen: Seen,
    /// When to look again; nothing while no change is in sight.
    pub check_at: Option<Timestamp>,
    /// Others are on call than at the last look.
    pub handover: Option<Handover>,
    /// Until when they are, where that is so.
    pub until: Option<Timestamp>,
    /// Whom to remind.
    pub reminders: Vec<Reminder>,
}

/// One role of one roster.
#[derive(Clone, Copy, Debug)]
pub struct Post<'a> {
    /// What says who is on call.
    pub roster: &'a Roster,
    /// For what.
    pub role: &'a Name,
    /// The same, ready to be asked.
    pub schedule: &'a Schedule,
    /// How long before a shift its people are reminded; zero: when it begins.
    pub leads: &'a [SignedDuration],
}

/// Looks at who is on call now.
///
/// `seen` is what the last look saw; at the first look nobody is told anything. `taken_over_by` says of an
/// override, by its id, who made it, if it is a takeover.
pub fn look(
    post: Post<'_>,
    seen: Option<&Seen>,
    taken_over_by: impl Fn(&str) -> Option<Actor>,
    now: Timestamp,
) -> Looked {
    let ahead = Ahead::new(post, now);
    let duty = post.schedule.on_call(now, post.role.as_str());
    let people = names(&duty.people);
    let handover = seen.filter(|seen| !same(&seen.people, &people)).map(|seen| Handover {
        roster: post.roster.clone(),
        role: post.role.clone(),
        before: seen.people.clone(),
        after: people.clone(),
        takeover: override_id(post.schedule, duty.source).and_then(|id| taken_over_by(&id)),
    });
    let due = ahead.due();
    let reminders = seen.map_or_else(Vec::new, |seen| {
        let is_new = |due: &&Reminded| {
            let known = seen.reminded.iter().find(|it| it.person == due.person && it.from == due.from);
            known.is_none_or(|known| known.lead > due.lead)
        };
        let coming = due.iter().filter(is_new).map(|due| Reminder {
            person: due.person.clone(),
            stint: ahead.stint(&due.person, due.from),
            has_begun: false,
        });
        let comes_on = |person: &&Name| !seen.people.contains(person) || ahead.came_back(person, seen.at);
        let begin = people.iter().filter(|_| post.leads.contains(&SignedDuration::ZERO)).filter(comes_on);
        let begun = begin.map(|person| Reminder {
            person: person.clone(),
            stint: ahead.stint(person, now),
            has_begun: true,
        });
        begun.chain(coming).collect()
    });
    let holder = people.first().filter(|_| handover.is_some());
    Looked {
        check_at: ahead.next_look(),
        until: holder.and_then(|person| ahead.stint(person, now).until),
        seen: Seen { at: now, people, reminded: due },
        handover,
        reminders,
    }
}

/// Whether the same people are named, in whatever order.
fn same(one: &[Name], other: &[Name]) -> bool {
    one.len() == other.len() && one.iter().all(|name| other.contains(name))
}

fn override_id(schedule: &Schedule, source: Option<Source>) -> Option<Arc<str>> {
    match source? {
        Source::Override(place) => schedule.overrides().get(place).map(|lies| lies.id.clone()),
        Source::Layer(_) => None,
    }
}
