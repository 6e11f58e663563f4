//! What happens to an open alert when the duty for which people were paged changes hands.
//!
//! While it waits for an answer, whoever comes on call is paged at once, and whoever was asked goes on being
//! asked; only a takeover ends that. When the next step fires is left alone. An alert that somebody has stays
//! with that person.

use crate::alert::{Status, Turn, Verdict};
use crate::effect::EntryKind;
use crate::event::Handover;
use crate::name::Name;
use crate::page::{Asks, EndedWhy, Paged};
use crate::plan::{OnCall, Target};

impl Turn<'_> {
    pub(super) fn duty_changed(&mut self, handover: &Handover) -> Verdict {
        let waits = matches!(self.state.alert.status, Status::Triggered | Status::Unanswered);
        let steps = self.fired_steps();
        let asks = |targets: &[Target]| targets.iter().any(|target| self.is_about(target, handover));
        let concerned: Vec<u16> =
            steps.iter().filter(|(_, targets)| asks(targets)).map(|(index, _)| *index).collect();
        let (Some(newest), true) = (concerned.last().copied(), waits) else { return Verdict::Already };

        let mut unreachable: Vec<Name> = Vec::new();
        for person in handover.newcomers() {
            if self.page(person, newest) == Paged::Unreachable {
                unreachable.push(person.clone());
            }
        }
        let relieved =
            if handover.takeover.is_some() { self.relieve(handover, &concerned, &steps) } else { Vec::new() };
        self.record(EntryKind::Duty, |entry| {
            entry.by.clone_from(&handover.takeover);
            entry.people.clone_from(&handover.after);
        });
        if !unreachable.is_empty() {
            let is_step = !self.state.alert.position.last_resort || concerned.len() > 1;
            self.record(EntryKind::Gap, |entry| {
                entry.step = Some(newest).filter(|_| is_step);
                entry.people = unreachable;
                entry.text = "no such person, or no contact to try".to_owned();
            });
        }
        let names: Vec<&str> = handover.after.iter().map(|name| self.directory.full_name(name)).collect();
        let text = format!("{} took over; you are relieved", names.join(", "));
        for place in relieved {
            let page = &self.state.pages[place];
            // Whom no page has reached has nothing to forget.
            if let Some(reached) = page.reached.clone() {
                let person = page.person.clone();
                self.notice(Some(person), &reached, &text);
            }
        }
        Verdict::Done
    }

    /// The steps that have fired in this round, with whom they page; the last resort counts as one more.
    fn fired_steps(&self) -> Vec<(u16, Vec<Target>)> {
        let (alert, position) = (&self.state.alert, self.state.alert.position);
        let (steps, _) = self.directory.escalation(&alert.audience, self.now);
        let fired = steps.into_iter().take(usize::from(position.next_step));
        let mut fired: Vec<(u16, Vec<Target>)> = (0..).zip(fired.map(|step| step.notify)).collect();
        if position.last_resort {
            let targets = self.directory.last_resort(&alert.audience).to_vec();
            fired.push((position.next_step.saturating_sub(1), targets));
        }
        fired
    }

    /// Whether a target stands for whoever has this duty.
    fn is_about(&self, target: &Target, handover: &Handover) -> bool {
        let Target::OnCall(wanted) = target else { return false };
        self.directory.roster(&self.state.alert.audience, wanted.schedule.as_ref()).as_ref()
            == Some(&handover.roster)
            && wanted.role() == handover.role.as_str()
    }

    /// Ends the pages of those from whom the duty was taken, and says where they stand. Not before somebody who
    /// has it now is being asked, and not of a person whom a step pages for another reason, too.
    fn relieve(
        &mut self,
        handover: &Handover,
        concerned: &[u16],
        steps: &[(u16, Vec<Target>)],
    ) -> Vec<usize> {
        let is_asked =
            |name: &Name| self.state.pages.iter().any(|page| page.is_live() && page.person == *name);
        if !handover.after.iter().any(is_asked) {
            return Vec::new();
        }
        let others: Vec<&Target> = steps
            .iter()
            .flat_map(|(_, targets)| targets)
            .filter(|target| !self.is_about(target, handover))
            .collect();
        let ends = |place: &usize| {
            let page = &self.state.pages[*place];
            page.is_live()
                && page.asks == Asks::Anybody
                && handover.relieved().any(|name| *name == page.person)
                && concerned.contains(&page.escalation_step)
                && !others.iter().any(|target| self.stands_for(target, &page.person))
        };
        let ended: Vec<usize> = (0..self.state.pages.len()).filter(ends).collect();
        for place in &ended {
            self.end_page(*place, EndedWhy::Relieved);
        }
        ended
    }

    /// Whether a target stands for a person now, by name or by another duty.
    fn stands_for(&self, target: &Target, person: &Name) -> bool {
        let audience = &self.state.alert.audience;
        let has =
            |wanted: &OnCall| self.directory.on_call(audience, wanted, self.now).people.contains(person);
        match target {
            Target::OnCall(wanted) => has(wanted),
            Target::Person(name) => name == person,
            Target::AllMembers => self.directory.members(audience).contains(person),
            Target::NextOnCall(_) | Target::PreviousOnCall(_) | Target::RoundRobin | Target::Role(_) => false,
        }
    }
}
