//! Whom a step pages: from targets to people and addresses.
//!
//! When steps fire is not known here; that is [`super::escalate`].

use jiff::Timestamp;

use crate::alert::{Audience, Turn};
use crate::contact::Contact;
use crate::course::CourseStep;
use crate::delivery::Purpose;
use crate::directory::Directory;
use crate::effect::EntryKind;
use crate::name::Name;
use crate::page::{Asks, Paged};
use crate::plan::{Condition, Hours, OnCall, Target};

/// What a step asks for.
pub(super) struct Asked<'a> {
    targets: &'a [Target],
    /// Of whom on call and members are asked.
    audience: Audience,
    /// Hours in which a person is paged, by that person's own clock.
    hours: Vec<&'a Hours>,
    each: bool,
}

impl<'a> Asked<'a> {
    pub(super) fn of(step: &'a CourseStep<'_>, audience: &Audience) -> Self {
        let own = step.only.iter().filter_map(|condition| match condition {
            Condition::During(hours) if hours.zone.is_none() => Some(hours),
            _ => None,
        });
        Self {
            targets: &step.notify,
            audience: step.team.map_or_else(|| audience.clone(), |team| Audience::Team(team.clone())),
            hours: own.collect(),
            each: step.each,
        }
    }

    pub(super) fn last_resort(targets: &'a [Target], audience: &Audience) -> Self {
        Self { targets, audience: audience.clone(), hours: Vec::new(), each: false }
    }

    fn is_for(&self, person: &Name, directory: &Directory, now: Timestamp) -> bool {
        let known = directory.people.get(person).map(AsRef::as_ref);
        self.hours.iter().all(|hours| directory.within(hours, known, now))
    }
}

/// Whom a step found to page.
#[derive(Default)]
pub(super) struct Found {
    pub(super) people: Vec<Name>,
    pub(super) roles: Vec<Contact>,
    running: Vec<Name>,
    unreachable: Vec<Name>,
    /// Who is told, and not asked.
    shadows: Vec<Name>,
    /// Who was named and is on leave.
    on_leave: Vec<Name>,
    /// Who is left out by the hours of the step.
    outside: Vec<Name>,
    /// Targets that stood for nobody, in words.
    nobody: Vec<&'static str>,
}

impl Turn<'_> {
    /// Pages everybody that `targets` stand for.
    pub(super) fn find(&mut self, asked: &Asked<'_>, index: u16) -> Found {
        let audience = &asked.audience;
        let directory = self.directory;
        let members = directory.members(audience);
        let mut found = Found::default();
        let mut people: Vec<Name> = Vec::new();
        for target in asked.targets {
            match target {
                Target::OnCall(wanted) => self.on_call(audience, wanted, &mut people, &mut found),
                Target::NextOnCall(wanted) => {
                    let followers = self.directory.followers(audience, wanted, self.now);
                    match self.first_unpaged(&followers, &people, &mut found) {
                        Some(next) => people.push(next),
                        None => {
                            found.nobody.push("nobody is next: everybody in the team was paged in this round")
                        }
                    }
                }
                Target::PreviousOnCall(wanted) => {
                    let predecessors = self.directory.predecessors(audience, wanted, self.now);
                    match self.first_unpaged(&predecessors, &people, &mut found) {
                        Some(previous) => people.push(previous),
                        None => {
                            found.nobody.push("nobody was on call before who was not paged in this round")
                        }
                    }
                }
                Target::RoundRobin => self.in_turn(members, &mut people, &mut found),
                Target::RoundRobinOf(names) => self.in_turn(names, &mut people, &mut found),
                Target::Member(place) => match members.get(usize::from(*place)) {
                    Some(member) => {
                        people.push(member.clone());
                        if self.directory.is_on_leave(member, self.now) {
                            self.stand_in(audience, member, &mut people, &mut found);
                        }
                    }
                    None => found.nobody.push("the team has not so many members"),
                },
                Target::Team(name) => {
                    let team = Audience::Team(name.clone());
                    self.on_call(&team, &OnCall::default(), &mut people, &mut found);
                }
                Target::Person(name) => {
                    people.push(name.clone());
                    if self.directory.is_on_leave(name, self.now) {
                        self.stand_in(audience, name, &mut people, &mut found);
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
        let mut seen: Vec<&Name> = Vec::new();
        for person in &people {
            if seen.contains(&person) {
                continue;
            }
            seen.push(person);
            if !asked.is_for(person, self.directory, self.now) {
                found.outside.push(person.clone());
                continue;
            }
            match self.page(person, index, Asks::of_step(asked.each)) {
                Paged::Started => found.people.push(person.clone()),
                Paged::Running => found.running.push(person.clone()),
                Paged::Unreachable => found.unreachable.push(person.clone()),
            }
        }
        if !(found.people.is_empty() && found.roles.is_empty()) {
            self.join(&found.running, index, asked.each);
        }
        self.state.alert.position.roles = u16::try_from(found.roles.len()).unwrap_or(u16::MAX);
        self.tell_shadows(&found);
        for role in &found.roles {
            self.deliver(None, None, role.clone(), Purpose::Page, index, "");
        }
        found
    }

    /// The pages of these people, which run already, belong to this step from now on.
    fn join(&mut self, running: &[Name], index: u16, each: bool) {
        for page in self.state.pages.iter_mut().filter(|page| page.is_live()) {
            if running.contains(&page.person) {
                page.escalation_step = index;
                page.asks = page.asks.and(Asks::of_step(each));
            }
        }
    }

    /// One of these: each alert begins one further than the one before it.
    fn in_turn(&self, members: &[Name], people: &mut Vec<Name>, found: &mut Found) {
        let length = members.len().max(1) as u64;
        let place = usize::try_from(self.state.alert.number % length).unwrap_or(0);
        let (before, after) = members.split_at(place.min(members.len()));
        let there = |member: &&Name| !self.directory.is_on_leave(member, self.now);
        let order: Vec<Name> = after.iter().chain(before).filter(there).cloned().collect();
        match self.first_unpaged(&order, people, found) {
            Some(member) => people.push(member),
            None => found.nobody.push("no member is left who was not paged in this round"),
        }
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

    fn on_call(&self, audience: &Audience, wanted: &OnCall, people: &mut Vec<Name>, found: &mut Found) {
        let duty = self.directory.on_call(audience, wanted, self.now);
        if duty.people.is_empty() {
            let has_members = !self.directory.members(audience).is_empty();
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
    fn stand_in(&self, audience: &Audience, person: &Name, people: &mut Vec<Name>, found: &mut Found) {
        found.on_leave.push(person.clone());
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
        let urgency = self.urgency();
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
    pub(super) fn tell_gaps(&mut self, found: &Found, step: Option<u16>) {
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
        if !found.outside.is_empty() {
            self.record(EntryKind::Skipped, |entry| {
                entry.step = step;
                entry.people.clone_from(&found.outside);
                entry.text = "outside the hours of this step, by their own clocks".to_owned();
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
