//! How an alert goes through its escalation plan: steps, rounds, the last resort, unanswered.

use crate::alert::{Audience, Position, Status, Turn};
use crate::contact::Contact;
use crate::delivery::Purpose;
use crate::effect::EntryKind;
use crate::name::Name;
use crate::page::Paged;
use crate::plan::{Escalate, LAST_RESORT_WAIT, OnCall, Target};
use crate::wake::Wake;

/// Whom a step found to page.
#[derive(Default)]
struct Found {
    people: Vec<Name>,
    roles: Vec<Contact>,
    running: Vec<Name>,
    unreachable: Vec<Name>,
    /// Who is told, and not asked.
    shadows: Vec<Name>,
    /// Who was named and is on leave.
    on_leave: Vec<Name>,
    /// Targets that stood for nobody, in words.
    nobody: Vec<&'static str>,
}

impl Turn<'_> {
    /// Fires the next step; when nobody is to be paged in it, the one after it, and so on: an empty step
    /// costs no waiting. Ends because each pass moves the position forward: a pass in which no step found
    /// anybody is not repeated.
    pub(crate) fn escalate(&mut self) {
        let (steps, repeat) = self.directory.escalation(&self.state.alert.audience, self.now);
        loop {
            let position = self.state.alert.position;
            if let Some(step) = steps.get(usize::from(position.next_step)) {
                let index = position.next_step;
                self.state.alert.position.next_step = index + 1;
                let found = self.find(&step.notify, index);
                let is_empty = found.people.is_empty() && found.roles.is_empty();
                self.tell_gaps(&found, Some(index));
                if is_empty {
                    continue;
                }
                self.state.alert.position.fired = true;
                self.record(EntryKind::Step, |entry| {
                    entry.step = Some(index);
                    entry.people.clone_from(&found.people);
                    entry.contacts.clone_from(&found.roles);
                });
                let Escalate::After(after) = step.escalate;
                self.state.wakes.insert(Wake::Escalate, self.now + after);
                return;
            }
            if position.fired && position.passes < repeat {
                self.state.alert.round += 1;
                self.state.alert.round_started_at = self.now;
                self.state.alert.position = Position { passes: position.passes + 1, ..Position::default() };
                self.record(EntryKind::Round, |entry| entry.text = "nobody has answered yet".to_owned());
                continue;
            }
            return self.last_resort();
        }
    }

    /// The plan has ended and nobody answered.
    fn last_resort(&mut self) {
        self.state.wakes.remove(&Wake::Escalate);
        if self.state.alert.position.last_resort {
            return self.give_up();
        }
        // A plan may have become shorter than the position: whatever the number, this is past its end.
        let index = self.state.alert.position.next_step;
        self.state.alert.position.next_step = index.saturating_add(1);
        self.state.alert.position.last_resort = true;
        let targets = self.directory.last_resort(&self.state.alert.audience).to_vec();
        let found = self.find(&targets, index);
        self.tell_gaps(&found, None);
        let is_empty = found.people.is_empty() && found.roles.is_empty();
        if is_empty {
            if targets.is_empty() {
                self.record(EntryKind::Gap, |entry| {
                    entry.text = "no last resort is set, for the team or for the service".to_owned();
                });
            }
            return self.give_up();
        }
        self.record(EntryKind::LastResort, |entry| {
            entry.people = found.people;
            entry.contacts = found.roles;
        });
        self.state.wakes.insert(Wake::GiveUp, self.now + LAST_RESORT_WAIT);
    }

    /// Everybody was paged and nobody answered. Pages that repeat go on, less often.
    pub(crate) fn give_up(&mut self) {
        self.state.wakes.remove(&Wake::Escalate);
        self.state.wakes.remove(&Wake::GiveUp);
        if self.state.alert.status != Status::Triggered {
            return;
        }
        self.state.alert.status = Status::Unanswered;
        self.slow_down();
        self.record(EntryKind::Unanswered, |_| {});
        self.warn_operators("nobody has answered; everybody in the plan and the last resort was paged");
    }

    /// Starts a new round at step `next` (from 0; anything past the plan's end is the last resort).
    pub(crate) fn new_round(&mut self, next: u16, why: &str) {
        self.leave_answered();
        self.state.alert.round += 1;
        self.state.alert.status = Status::Triggered;
        self.state.alert.round_started_at = self.now;
        let (steps, repeat) = self.directory.escalation(&self.state.alert.audience, self.now);
        // A plan has at most a few steps, or one a member: its length fits.
        let end = u16::try_from(steps.len()).unwrap_or(u16::MAX - 1);
        let is_past = next >= end;
        self.state.alert.position = Position {
            next_step: next.min(end),
            // Past the end there is nothing left to repeat: only the last resort.
            passes: if is_past { repeat } else { 0 },
            ..Position::default()
        };
        self.state.wakes.remove(&Wake::GiveUp);
        self.record(EntryKind::Round, |entry| entry.text = why.to_owned());
        self.escalate();
    }

    /// When every page of the newest step has failed, and every role: nobody is waiting for an answer
    /// that could come, so the next step fires now. A new round is not begun so: it waits for its time, or
    /// a dead provider would be sent all rounds of the plan within a second.
    pub(crate) fn escalate_if_all_failed(&mut self) {
        let alert = &self.state.alert;
        let position = alert.position;
        if alert.status != Status::Triggered || position.roles > 0 {
            return;
        }
        let newest = position.next_step.saturating_sub(1);
        let somebody_may_answer = self.state.pages.iter().any(|page| {
            page.round == alert.round && page.escalation_step == newest && page.is_live() && !page.failed
        });
        if somebody_may_answer {
            return;
        }
        self.record(EntryKind::Gap, |entry| {
            entry.step = Some(newest).filter(|_| !position.last_resort);
            entry.text = "everything that this step sent has failed".to_owned();
        });
        let (steps, repeat) = self.directory.escalation(&self.state.alert.audience, self.now);
        let is_through = usize::from(position.next_step) >= steps.len();
        if !(is_through && position.fired && position.passes < repeat) {
            self.escalate();
        }
    }

    /// Pages everybody that `targets` stand for.
    fn find(&mut self, targets: &[Target], index: u16) -> Found {
        let audience = self.state.alert.audience.clone();
        let members = self.directory.members(&audience);
        let mut found = Found::default();
        let mut people: Vec<Name> = Vec::new();
        for target in targets {
            match target {
                Target::OnCall(wanted) => self.on_call(wanted, &mut people, &mut found),
                Target::NextOnCall(wanted) => {
                    let followers = self.directory.followers(&audience, wanted, self.now);
                    match self.first_unpaged(&followers, &people, &mut found) {
                        Some(next) => people.push(next),
                        None => {
                            found.nobody.push("nobody is next: everybody in the team was paged in this round")
                        }
                    }
                }
                Target::PreviousOnCall(wanted) => {
                    let predecessors = self.directory.predecessors(&audience, wanted, self.now);
                    match self.first_unpaged(&predecessors, &people, &mut found) {
                        Some(previous) => people.push(previous),
                        None => {
                            found.nobody.push("nobody was on call before who was not paged in this round")
                        }
                    }
                }
                Target::RoundRobin => {
                    // Each alert begins one member further than the one before it.
                    let length = members.len().max(1) as u64;
                    let place = usize::try_from(self.state.alert.number % length).unwrap_or(0);
                    let (before, after) = members.split_at(place.min(members.len()));
                    let order: Vec<Name> = after.iter().chain(before).cloned().collect();
                    let order: Vec<Name> = order
                        .into_iter()
                        .filter(|member| !self.directory.is_on_leave(member, self.now))
                        .collect();
                    match self.first_unpaged(&order, &people, &mut found) {
                        Some(member) => people.push(member),
                        None => found.nobody.push("no member is left who was not paged in this round"),
                    }
                }
                Target::Person(name) => {
                    people.push(name.clone());
                    if self.directory.is_on_leave(name, self.now) {
                        self.stand_in(name, &mut people, &mut found);
                    }
                }
                Target::AllMembers => {
                    if members.is_empty() {
                        found.nobody.push("the team has no members");
                    }
                    people.extend(members.iter().cloned());
                }
                Target::Role(contact) => {
                    if !found.roles.contains(contact) {
                        found.roles.push(contact.clone());
                    }
                }
            }
        }
        let people = &people;
        let mut seen: Vec<&Name> = Vec::new();
        for person in people {
            if seen.contains(&person) {
                continue;
            }
            seen.push(person);
            match self.page(person, index) {
                Paged::Started => found.people.push(person.clone()),
                Paged::Running => found.running.push(person.clone()),
                Paged::Unreachable => found.unreachable.push(person.clone()),
            }
        }
        self.state.alert.position.roles = u16::try_from(found.roles.len()).unwrap_or(u16::MAX);
        self.tell_shadows(&found);
        for role in &found.roles {
            self.deliver(None, None, role.clone(), Purpose::Page, index, "");
        }
        found
    }

    /// Shadows learn whom a step has paged; they owe no answer.
    fn tell_shadows(&mut self, found: &Found) {
        if found.people.is_empty() {
            return;
        }
        let names: Vec<&str> = found.people.iter().map(|name| self.directory.full_name(name)).collect();
        let text = format!("You are shadowing: {} is paged.", names.join(", "));
        let shadows = found.shadows.iter().filter(|shadow| !found.people.contains(shadow));
        for shadow in shadows.cloned().collect::<Vec<_>>() {
            let contact = self.directory.people.get(&shadow).and_then(|person| person.quiet_contact());
            if let Some(contact) = contact {
                self.deliver(None, Some(shadow), contact, Purpose::Notice, 0, &text);
            }
        }
    }

    fn on_call(&self, wanted: &OnCall, people: &mut Vec<Name>, found: &mut Found) {
        let duty = self.directory.on_call(&self.state.alert.audience, wanted, self.now);
        if duty.people.is_empty() {
            let has_members = !self.directory.members(&self.state.alert.audience).is_empty();
            let is_team = wanted.schedule.is_none() && !has_members;
            found.nobody.push(if is_team {
                "nobody is on call: the team has no members"
            } else {
                "nobody is on call: the schedule has a gap"
            });
        }
        people.extend(duty.people);
        found.shadows.extend(duty.shadows);
    }

    /// Somebody is paged by name who is on leave: whoever is on call for that person's team is paged, too.
    fn stand_in(&self, person: &Name, people: &mut Vec<Name>, found: &mut Found) {
        found.on_leave.push(person.clone());
        let audience = &self.state.alert.audience;
        let teams: Vec<Audience> = match audience {
            Audience::Team(_) => vec![audience.clone()],
            Audience::Person(_) => self.directory.teams_of(person).cloned().map(Audience::Team).collect(),
        };
        let on_call = |team: &Audience| self.directory.on_call(team, &OnCall::default(), self.now).people;
        people.extend(teams.iter().flat_map(on_call));
    }

    /// The first who can be paged and was not yet, in this step or this round. Who can't be reached is noted.
    fn first_unpaged(&self, order: &[Name], people: &[Name], found: &mut Found) -> Option<Name> {
        let round = self.state.alert.round;
        let urgency = self.state.alert.severity.urgency();
        let was_paged =
            |name: &Name| self.state.pages.iter().any(|page| page.person == *name && page.round == round);
        let mut unpaged = order.iter().filter(|name| !people.contains(name) && !was_paged(name));
        let next = unpaged.find(|name| {
            let known = self.directory.people.get(*name);
            let can_be_paged = known.is_some_and(|person| person.plan(urgency).is_some());
            if !can_be_paged {
                found.unreachable.push((*name).clone());
            }
            can_be_paged
        });
        next.cloned()
    }

    /// Puts into the history whom a step could not page.
    fn tell_gaps(&mut self, found: &Found, step: Option<u16>) {
        if !found.on_leave.is_empty() {
            self.record(EntryKind::Gap, |entry| {
                entry.step = step;
                entry.people.clone_from(&found.on_leave);
                entry.text = "on leave; whoever is on call is paged as well".to_owned();
            });
        }
        if !found.unreachable.is_empty() {
            self.record(EntryKind::Gap, |entry| {
                entry.step = step;
                entry.people.clone_from(&found.unreachable);
                entry.text = "no such person, or no contact to try".to_owned();
            });
        }
        for words in &found.nobody {
            self.record(EntryKind::Gap, |entry| {
                entry.step = step;
                entry.text = (*words).to_owned();
            });
        }
        if found.people.is_empty() && found.roles.is_empty() && !found.running.is_empty() {
            self.record(EntryKind::Gap, |entry| {
                entry.step = step;
                entry.people.clone_from(&found.running);
                entry.text = "everybody in this step has been paged in this round".to_owned();
            });
        }
    }
}
