//! Who is told what without being asked for an answer: who has it, that it is over, that nobody came.

use crate::alert::{Act, Audience, Status, Turn};
use crate::contact::Contact;
use crate::delivery::Purpose;
use crate::event::Actor;
use crate::name::Name;
use crate::plan::Target;

impl Turn<'_> {
    /// Tells everybody whom a page has reached since somebody last had it, and whoever had it before, that `by` has it.
    pub(super) fn tell_who_has_it(&mut self, by: &Actor, before: Option<&Act>) {
        let text = format!("{by} has it");
        let mut reached = self.reached(self.state.alert.since_round);
        if let Some(person) = before.and_then(|act| act.by.person.clone())
            && !reached.iter().any(|(name, _)| *name == person)
            && let Some(first) = self.first_contact(&person)
        {
            reached.push((person, first));
        }
        self.notify_reached(reached, by, &text);
    }

    /// Tells everybody whom a page had reached, in any round, that it is over.
    pub(super) fn tell_recovered(&mut self, by: &Actor) {
        let text = format!("resolved by {by}; nothing more to do");
        let reached = self.reached(1);
        self.notify_reached(reached, by, &text);
    }

    /// Tells everybody whom a page has reached since somebody last had it, and whoever has it, what became of it.
    pub(super) fn tell_reached(&mut self, by: &Actor, text: &str) {
        let mut reached = self.reached(self.state.alert.since_round);
        let alert = &self.state.alert;
        let owner = alert.acknowledged.as_ref().filter(|_| alert.status == Status::Acknowledged);
        if let Some(owner) = owner.and_then(|act| act.by.person.clone())
            && !reached.iter().any(|(name, _)| *name == owner)
            && let Some(first) = self.first_contact(&owner)
        {
            reached.push((owner, first));
        }
        self.notify_reached(reached, by, text);
    }

    /// Tells whoever has it.
    pub(super) fn tell_owner(&mut self, by: &Actor, text: &str) {
        let alert = &self.state.alert;
        let owner = alert.acknowledged.as_ref().filter(|_| alert.status == Status::Acknowledged);
        if let Some(owner) = owner.and_then(|act| act.by.person.clone())
            && by.person.as_ref() != Some(&owner)
            && let Some(contact) = self.first_contact(&owner)
        {
            self.notice(Some(owner), &contact, text);
        }
    }

    fn notify_reached(&mut self, reached: Vec<(Name, Contact)>, by: &Actor, text: &str) {
        for (person, contact) in reached {
            // Who did it knows it.
            if by.person.as_ref() != Some(&person) {
                self.notice(Some(person), &contact, text);
            }
        }
        for role in self.state.alert.roles_reached.clone() {
            self.notice(None, &role, text);
        }
    }

    /// A page came in after the answer, from a send that was under way: that person is told, too.
    pub(crate) fn tell_late(&mut self, place: usize) {
        let page = &self.state.pages[place];
        let (person, contact) = (page.person.clone(), page.reached.clone());
        if let (Some(contact), Some((text, by))) = (contact, self.ending())
            && by.person.as_ref() != Some(&person)
        {
            self.notice(Some(person), &contact, &text);
        }
    }

    /// The same for a role.
    pub(super) fn tell_role_late(&mut self, role: &Contact) {
        if let Some((text, _)) = self.ending() {
            self.notice(None, role, &text);
        }
    }

    /// How the alert ended, if it has, and who ended it.
    fn ending(&self) -> Option<(String, Actor)> {
        let alert = &self.state.alert;
        match alert.status {
            Status::Acknowledged => {
                alert.acknowledged.as_ref().map(|act| (format!("{} has it", act.by), act.by.clone()))
            }
            Status::Resolved if alert.merged_into.is_some() => {
                let act = alert.resolved.as_ref()?;
                let number = alert.merged_into.unwrap_or_default();
                Some((format!("it goes on as #{number}, says {}", act.by), act.by.clone()))
            }
            Status::Snoozed => {
                let act = &alert.snoozed.as_ref()?.act;
                Some((format!("{} put it aside", act.by), act.by.clone()))
            }
            Status::Silenced => {
                let silenced = alert.silenced.as_ref()?;
                Some((format!("silenced by {}; nothing to do for now", silenced.why), Actor::dogwatch()))
            }
            Status::Resolved => {
                let act = alert.resolved.as_ref()?;
                Some((format!("resolved by {}; nothing more to do", act.by), act.by.clone()))
            }
            Status::Triggered | Status::Unanswered => None,
        }
    }

    /// People whom a page has reached from round `since` on, each with the contact that did so last.
    fn reached(&self, since: u32) -> Vec<(Name, Contact)> {
        let mut reached: Vec<(Name, Contact)> = Vec::new();
        for page in self.state.pages.iter().filter(|page| page.round >= since) {
            let Some(contact) = &page.reached else { continue };
            match reached.iter_mut().find(|(name, _)| *name == page.person) {
                Some(known) => known.1.clone_from(contact),
                None => reached.push((page.person.clone(), contact.clone())),
            }
        }
        reached
    }

    pub(super) fn first_contact(&self, person: &Name) -> Option<Contact> {
        self.directory.people.get(person)?.contacts.first().cloned()
    }

    pub(super) fn notice(&mut self, person: Option<Name>, contact: &Contact, text: &str) {
        let known = person.as_ref().and_then(|name| self.directory.people.get(name));
        let contact = match known {
            Some(person) => person.notice_contact(contact),
            None => (!contact.kind().is_voice()).then(|| contact.clone()),
        };
        if let Some(contact) = contact {
            self.deliver(None, person, contact, Purpose::Notice, 0, text);
        }
    }

    /// Tells the operators that something needs a human.
    pub(super) fn warn_operators(&mut self, text: &str) {
        for contact in self.directory.service.operators.clone() {
            self.deliver(None, None, contact, Purpose::Warning, 0, text);
        }
    }

    /// Tells the operators and, past all plans, every contact of the last resort.
    pub(super) fn warn_everybody(&mut self, text: &str) {
        self.warn_operators(text);
        let audience = self.state.alert.audience.clone();
        for target in self.directory.last_resort(&audience).to_vec() {
            let people: Vec<Name> = match target {
                Target::Role(contact) => {
                    self.deliver(None, None, contact, Purpose::Warning, 0, text);
                    continue;
                }
                Target::Person(name) => vec![name],
                Target::RoundRobinOf(names) => names,
                Target::Team(team) => self.directory.members(&Audience::Team(team)).to_vec(),
                Target::OnCall(_)
                | Target::NextOnCall(_)
                | Target::PreviousOnCall(_)
                | Target::RoundRobin
                | Target::Member(_)
                | Target::AllMembers => self.directory.members(&audience).to_vec(),
            };
            for name in people {
                let contacts =
                    self.directory.people.get(&name).map_or_else(Vec::new, |person| person.contacts.clone());
                for contact in contacts {
                    self.deliver(None, Some(name.clone()), contact, Purpose::Warning, 0, text);
                }
            }
        }
    }
}
