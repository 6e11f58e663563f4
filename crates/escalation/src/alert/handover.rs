//! What happens to an open alert when the duty for which people were paged changes hands.
//!
//! While it waits for an answer, whoever comes on call is paged at once, and whoever was asked goes on being
//! asked; only a takeover ends that. When the next step fires is left alone. An alert that somebody has stays
//! with that person.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::alert::{Alert, Audience, Status, Turn, Verdict};
use crate::directory::Directory;
use crate::effect::EntryKind;
use crate::event::Handover;
use crate::name::Name;
use crate::page::{Asks, EndedWhy, Paged};
use crate::plan::{OnCall, Target};

/// A step that has fired.
struct Fired<'a> {
    index: u16,
    /// Of whom on call and members are asked.
    audience: Audience,
    targets: Cow<'a, [Target]>,
    each: bool,
}

/// The steps that have fired in this round; the last resort counts as one more.
fn fired_steps<'a>(alert: &Alert, directory: &'a Directory, now: Timestamp) -> Vec<Fired<'a>> {
    let position = alert.position;
    let steps = directory.course_of(alert, now).steps;
    let fired = (0..).zip(steps.into_iter().take(usize::from(position.next_step)));
    let mut fired: Vec<Fired<'a>> = fired
        .map(|(index, step)| Fired {
            index,
            audience: step.team.map_or_else(|| alert.audience.clone(), |team| Audience::Team(team.clone())),
            targets: step.notify,
            each: step.each,
        })
        .collect();
    if position.last_resort {
        let targets = Cow::Borrowed(directory.last_resort(&alert.audience));
        let index = position.next_step.saturating_sub(1);
        fired.push(Fired { index, audience: alert.audience.clone(), targets, each: false });
    }
    fired
}

impl Turn<'_> {
    pub(super) fn duty_changed(&mut self, handover: &Handover) -> Verdict {
        let waits = matches!(self.state.alert.status, Status::Triggered | Status::Unanswered);
        let directory = self.directory;
        let steps = fired_steps(&self.state.alert, directory, self.now);
        let asks = |fired: &Fired<'_>| {
            fired.targets.iter().any(|target| self.is_about(&fired.audience, target, handover))
        };
        let concerned: Vec<u16> = steps.iter().filter(|fired| asks(fired)).map(|fired| fired.index).collect();
        let (Some(newest), true) = (concerned.last().copied(), waits) else { return Verdict::Already };

        let each = steps.iter().any(|fired| fired.index == newest && fired.each);
        let mut unreachable: Vec<Name> = Vec::new();
        for person in handover.newcomers() {
            if self.page(person, newest, Asks::of_step(each)) == Paged::Unreachable {
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

    /// Whether a target stands for whoever has this duty.
    fn is_about(&self, audience: &Audience, target: &Target, handover: &Handover) -> bool {
        let wanted = match target {
            Target::OnCall(wanted) => wanted.clone(),
            Target::Team(_) => OnCall::default(),
            _ => return false,
        };
        let team = match target {
            Target::Team(team) => &Audience::Team(team.clone()),
            _ => audience,
        };
        self.directory.roster(team, wanted.schedule.as_ref()).as_ref() == Some(&handover.roster)
            && wanted.role() == handover.role.as_str()
    }

    /// Ends the pages of those from whom the duty was taken, and says where they stand. Not before somebody who
    /// has it now is being asked, and not of a person whom a step pages for another reason, too.
    fn relieve(&mut self, handover: &Handover, concerned: &[u16], steps: &[Fired<'_>]) -> Vec<usize> {
        let is_asked =
            |name: &Name| self.state.pages.iter().any(|page| page.is_live() && page.person == *name);
        if !handover.after.iter().any(is_asked) {
            return Vec::new();
        }
        let others: Vec<(&Audience, &Target)> = steps
            .iter()
            .flat_map(|fired| fired.targets.iter().map(|target| (&fired.audience, target)))
            .filter(|(audience, target)| !self.is_about(audience, target, handover))
            .collect();
        let ends = |place: &usize| {
            let page = &self.state.pages[*place];
            page.is_live()
                && page.asks == Asks::Anybody
                && handover.relieved().any(|name| *name == page.person)
                && concerned.contains(&page.escalation_step)
                && !others.iter().any(|(audience, target)| self.stands_for(audience, target, &page.person))
        };
        let ended: Vec<usize> = (0..self.state.pages.len()).filter(ends).collect();
        for place in &ended {
            self.end_page(*place, EndedWhy::Relieved);
        }
        ended
    }

    /// Whether a target stands for a person now, by name or by another duty.
    fn stands_for(&self, audience: &Audience, target: &Target, person: &Name) -> bool {
        let has = |audience: &Audience, wanted: &OnCall| {
            self.directory.on_call(audience, wanted, self.now).people.contains(person)
        };
        match target {
            Target::OnCall(wanted) => has(audience, wanted),
            Target::Team(team) => has(&Audience::Team(team.clone()), &OnCall::default()),
            Target::Member(place) => {
                self.directory.members(audience).get(usize::from(*place)) == Some(person)
            }
            Target::Person(name) => name == person,
            Target::AllMembers => self.directory.members(audience).contains(person),
            Target::NextOnCall(_)
            | Target::PreviousOnCall(_)
            | Target::RoundRobin
            | Target::RoundRobinOf(_)
            | Target::Role(_) => false,
        }
    }
}
