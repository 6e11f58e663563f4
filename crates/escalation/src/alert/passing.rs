//! Passing an alert on, and asking one more person.

use crate::alert::{Audience, Status, Turn, Verdict};
use crate::effect::EntryKind;
use crate::event::{Actor, Route};
use crate::name::Name;
use crate::page::{Asks, EndedWhy, Paged};

impl Turn<'_> {
    /// Others are to answer for it: everybody who is asked now need not any more, and their plan begins.
    pub(super) fn reassign(&mut self, by: &Actor, to: &Audience) -> Verdict {
        if !self.directory.knows(to) {
            return Verdict::Refused("there is no such team or person");
        }
        let whom = match to {
            Audience::Team(team) => format!("the team {team}"),
            Audience::Person(person) => self.directory.full_name(person).to_owned(),
        };
        self.tell_reached(by, &format!("{by} passed it on to {whom}; nothing more to do"));
        self.leave_answered();
        self.end_pages(EndedWhy::Reassigned);
        self.state.wakes.clear();
        let alert = &mut self.state.alert;
        alert.since_round = alert.round.saturating_add(1);
        alert.audience = to.clone();
        // They have a plan and a way of their own.
        alert.route = Route::default();
        alert.insists = true;
        self.record(EntryKind::Reassigned, |entry| {
            entry.by = Some(by.clone());
            entry.text.clone_from(&whom);
        });
        self.new_round(0, "it was passed on");
        Verdict::Done
    }

    /// One more person is asked, and has to answer for himself.
    pub(super) fn add_responder(&mut self, by: &Actor, person: &Name) -> Verdict {
        let alert = &self.state.alert;
        let owner = alert.acknowledged.as_ref().and_then(|act| act.by.person.as_ref());
        let has_it = alert.status == Status::Acknowledged && owner == Some(person);
        let is_asked =
            |page: &crate::page::Page| page.person == *person && page.is_live() && page.asks.is_for_himself();
        if has_it || self.state.pages.iter().any(is_asked) {
            return Verdict::Already;
        }
        let step = alert.position.next_step.saturating_sub(1);
        if self.ask(person, step, Asks::Besides) == Paged::Unreachable {
            return Verdict::Refused("there is no such person, or no contact to try");
        }
        self.record(EntryKind::ResponderAdded, |entry| {
            entry.by = Some(by.clone());
            entry.people.push(person.clone());
        });
        Verdict::Done
    }

    /// Whoever was asked besides says yes, while somebody else has the alert. None: this person was not asked.
    pub(super) fn accept(&mut self, by: &Actor) -> Option<Verdict> {
        let person = by.person.as_ref()?;
        let place = self
            .state
            .pages
            .iter()
            .position(|page| page.is_live() && page.person == *person && page.asks.is_for_himself())?;
        self.end_page(place, EndedWhy::Accepted);
        self.record(EntryKind::Accepted, |entry| entry.by = Some(by.clone()));
        self.tell_owner(by, &format!("{by} comes, too"));
        Some(Verdict::Done)
    }
}
