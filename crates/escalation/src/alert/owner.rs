//! Whether whoever has an alert is still on it: asked after a while, and without an answer people are paged again.

use crate::alert::{Status, Turn, Verdict};
use crate::effect::EntryKind;
use crate::event::{Actor, Urgency};
use crate::page::{Asks, EndedWhy, Paged};
use crate::team::STILL_ON_IT_WAIT;
use crate::wake::Wake;

impl Turn<'_> {
    /// Sets when the owner is asked, if at all: only of what would have woken people.
    pub(super) fn watch_owner(&mut self) {
        let alert = &self.state.alert;
        let timeout = self.directory.lifecycle(&alert.audience).ack_timeout;
        if let (Some(timeout), Urgency::High) = (timeout, self.urgency()) {
            self.state.wakes.insert(Wake::AskOwner, self.now + timeout);
        }
    }

    /// Asks the owner, as a page does.
    pub(super) fn ask_owner(&mut self) {
        let alert = &self.state.alert;
        if alert.status != Status::Acknowledged {
            return;
        }
        let owner = alert.acknowledged.as_ref().and_then(|act| act.by.person.clone());
        let step = alert.position.next_step.saturating_sub(1);
        let is_asked =
            owner.as_ref().is_some_and(|owner| self.ask(owner, step, Asks::StillOnIt) != Paged::Unreachable);
        self.record(EntryKind::Asked, |entry| {
            entry.people.extend(owner);
            if !is_asked {
                entry.text = "there is no way to ask".to_owned();
            }
        });
        self.state.wakes.insert(Wake::AckTimeout, self.now + STILL_ON_IT_WAIT);
    }

    /// The owner has had the time to answer.
    pub(super) fn owner_is_silent(&mut self) {
        let alert = &self.state.alert;
        if alert.status != Status::Acknowledged {
            return;
        }
        let owner = alert.acknowledged.as_ref().and_then(|act| act.by.person.clone());
        self.record(EntryKind::AckTimeout, |entry| entry.people.extend(owner.clone()));
        self.resume("nobody says that he is still on it");
        let Some(owner) = owner else { return };
        let is_paged = self.state.pages.iter().any(|page| page.is_live() && page.person == owner);
        if self.state.alert.status == Status::Triggered
            && !is_paged
            && let Some(contact) = self.first_contact(&owner)
        {
            self.notice(Some(owner), &contact, "you did not say that you are still on it; others are asked");
        }
    }

    /// The owner acknowledges once more: the answer, if he was asked.
    pub(super) fn still_on_it(&mut self, by: &Actor) -> Verdict {
        if self.state.wakes.remove(&Wake::AckTimeout).is_none() {
            return Verdict::Already;
        }
        self.end_pages_but(EndedWhy::Acknowledged, |page| page.asks != Asks::StillOnIt);
        self.record(EntryKind::StillOnIt, |entry| entry.by = Some(by.clone()));
        self.watch_owner();
        Verdict::Done
    }
}
