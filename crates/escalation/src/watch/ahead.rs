//! What comes: who begins a shift when, for how long, and after how long to look again.

use jiff::{SignedDuration, Timestamp};
use rota::schedule::SEARCH_YEARS;

use super::{Post, Reminded};
use crate::duty::names;
use crate::name::Name;

/// The most shifts that are looked through for the end of somebody's stint.
const MOST: usize = 400;

/// Time during which one person is on call without a break, whoever else is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stint {
    /// The first instant.
    pub from: Timestamp,
    /// The first instant after it; nothing when no end is in sight.
    pub until: Option<Timestamp>,
    /// Who is on call then; nobody in a gap.
    pub next: Vec<Name>,
}

/// The shifts from now on, as far as reminders reach.
pub(super) struct Ahead<'a> {
    post: Post<'a>,
    now: Timestamp,
    change: Option<Timestamp>,
    /// Who begins to be on call, and when: later than now, in order.
    begins: Vec<(Timestamp, Vec<Name>)>,
}

impl<'a> Ahead<'a> {
    pub(super) fn new(post: Post<'a>, now: Timestamp) -> Self {
        let role = post.role.as_str();
        let change = post.schedule.next_change(now, role);
        let longest = post.leads.iter().copied().max().unwrap_or_default();
        let mut begins = Vec::new();
        // At the change somebody looks again: what is to be done later is known then.
        if let Some(change) = change.filter(|_| !longest.is_zero()) {
            let end = change.saturating_add(longest).unwrap_or(Timestamp::MAX);
            let mut before: Option<Vec<Name>> = None;
            for shift in post.schedule.shifts(now, end, role) {
                let people = names(&shift.duty.people);
                if let Some(before) = before {
                    let new: Vec<Name> = people.iter().filter(|it| !before.contains(it)).cloned().collect();
                    begins.push((shift.from, new));
                }
                before = Some(people);
            }
        }
        Self { post, now, change, begins }
    }

    /// The lead times that come before a shift.
    fn leads(&self) -> impl Iterator<Item = SignedDuration> {
        self.post.leads.iter().copied().filter(|lead| !lead.is_zero())
    }

    /// Of whose shifts to come a reminder is due by now, each with the shortest lead time that has come.
    pub(super) fn due(&self) -> Vec<Reminded> {
        let due = self.begins.iter().flat_map(|(from, people)| {
            let lead = self.leads().filter(|lead| from.duration_since(self.now) <= *lead).min();
            let reminded =
                move |lead| move |person: &Name| Reminded { person: person.clone(), from: *from, lead };
            lead.into_iter().flat_map(move |lead| people.iter().map(reminded(lead)))
        });
        due.collect()
    }

    /// When to look again: at the next change, or when the next reminder is due.
    pub(super) fn next_look(&self) -> Option<Timestamp> {
        let shifts = self.begins.iter().filter(|(_, people)| !people.is_empty());
        let reminders = shifts.flat_map(|(from, _)| {
            self.leads().filter_map(|lead| from.checked_sub(lead).ok()).filter(|at| *at > self.now)
        });
        self.change.into_iter().chain(reminders).min()
    }

    /// The stint of somebody who is on call at `from`.
    pub(super) fn stint(&self, person: &Name, from: Timestamp) -> Stint {
        let search = SignedDuration::from_hours(SEARCH_YEARS * 366 * 24);
        let end = from.saturating_add(search).unwrap_or(Timestamp::MAX);
        let shifts = self.post.schedule.shifts(from, end, self.post.role.as_str()).take(MOST);
        let mut later = shifts.map(|shift| (shift.from, names(&shift.duty.people)));
        match later.find(|(_, people)| !people.contains(person)) {
            Some((until, next)) => Stint { from, until: Some(until), next },
            None => Stint { from, until: None, next: Vec::new() },
        }
    }

    /// Whether somebody who is on call now, and was at `seen_at`, was not in between.
    pub(super) fn came_back(&self, person: &Name, seen_at: Timestamp) -> bool {
        let shifts = self.post.schedule.shifts(seen_at, self.now, self.post.role.as_str());
        let mut had = shifts.map(|shift| names(&shift.duty.people).contains(person));
        had.next().is_some_and(|had| had) && had.any(|had| !had)
    }
}
