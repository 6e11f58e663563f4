//! Whom the targets of a step stand for, as of now.
//!
//! The rules are the escalation's own (`escalation::alert`); here they are asked through answers that a server
//! gives, too.

use std::collections::BTreeMap;

use escalation::directory::Directory;
use escalation::event::Urgency;
use escalation::name::Name;
use escalation::person::NotificationStep;
use escalation::plan::{OnCall as Wanted, Target};
use escalation::team::Team;
use jiff::{SignedDuration, Timestamp};

use super::night::Row;
use crate::cli::on_call::{OnCall, Person, Source};

/// How far the next and the previous people are looked for; further only if nobody is found.
const NEAR: SignedDuration = SignedDuration::from_hours(60 * 24);
const FAR: SignedDuration = SignedDuration::from_hours(366 * 24);

/// Goes through the steps of one team's plan.
pub(super) struct Resolver<'a> {
    source: &'a Source,
    directory: &'a Directory,
    team: &'a Team,
    on_call: &'a OnCall,
    /// Who was paged by an earlier step, and when.
    paged: BTreeMap<String, SignedDuration>,
    /// When the step fires, after the alert has come in.
    after: SignedDuration,
    /// What is wrong, each once.
    wrong: Vec<String>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(
        source: &'a Source,
        directory: &'a Directory,
        team: &'a Team,
        on_call: &'a OnCall,
    ) -> Self {
        Self {
            source,
            directory,
            team,
            on_call,
            paged: BTreeMap::new(),
            after: SignedDuration::ZERO,
            wrong: Vec::new(),
        }
    }

    /// What was found to be wrong.
    pub(super) fn into_wrong(self) -> Vec<String> {
        self.wrong
    }

    /// The last resort pages everybody again.
    pub(super) fn forget_who_was_paged(&mut self) {
        self.paged.clear();
    }

    /// Whom a step pages that fires so long after the alert has come in.
    pub(super) async fn rows(
        &mut self,
        targets: &[Target],
        after: SignedDuration,
    ) -> anyhow::Result<Vec<Row>> {
        self.after = after;
        let mut rows: Vec<Row> = Vec::new();
        for target in targets {
            match target {
                Target::OnCall(wanted) => {
                    let people = self.now(wanted).await?;
                    if people.is_empty() {
                        self.says(format!("nobody is on call as {}", described(wanted)));
                    }
                    for name in people {
                        self.add(&mut rows, &name, &format!("on call, {}", described(wanted)));
                    }
                }
                Target::NextOnCall(wanted) => {
                    let order = self.around(wanted, true).await?;
                    self.add_first(&mut rows, &order, &format!("next on call, {}", described(wanted)));
                }
                Target::PreviousOnCall(wanted) => {
                    let order = self.around(wanted, false).await?;
                    self.add_first(&mut rows, &order, &format!("on call before, {}", described(wanted)));
                }
                Target::RoundRobin => self.add_turns(&mut rows),
                Target::RoundRobinOf(names) => {
                    self.says(format!("one of {} in turn: which one is not known before", names.len()));
                }
                Target::Member(place) => {
                    if let Some(name) = self.team.members.get(usize::from(*place)) {
                        self.add(&mut rows, name.as_str(), "member by place");
                    }
                }
                Target::Team(team) => self.says(format!("the steps of the team {team} are not shown here")),
                Target::Person(name) => self.add(&mut rows, name.as_str(), "by name"),
                Target::AllMembers => {
                    if self.team.members.is_empty() {
                        self.says("the team has no members".to_owned());
                    }
                    for name in &self.team.members {
                        self.add(&mut rows, name.as_str(), "member");
                    }
                }
                Target::Role(contact) => rows.push(Row {
                    who: contact.to_string(),
                    people: Vec::new(),
                    why: "an address".to_owned(),
                    still_rings: false,
                    contacts: Vec::new(),
                }),
            }
        }
        Ok(rows)
    }

    /// How a person is reached; says so if that is impossible.
    pub(super) fn reach(&mut self, name: &str) -> Option<Vec<String>> {
        let Some(person) = self.directory.people.get(name) else {
            self.says(format!("there is no person \"{name}\""));
            return None;
        };
        let Some(plan) = person.plan(Urgency::High) else {
            self.says(format!("{} can't be reached: no contact", self.full_name(name)));
            return None;
        };
        let mut contacts: Vec<String> = Vec::new();
        for step in plan.steps {
            let contact = step.contact.to_string();
            if !contacts.contains(&contact) {
                contacts.push(contact);
            }
        }
        Some(contacts)
    }

    fn says(&mut self, wrong: String) {
        if !self.wrong.contains(&wrong) {
            self.wrong.push(wrong);
        }
    }

    fn full_name(&self, name: &str) -> String {
        Name::new(name).map_or_else(|_| name.to_owned(), |name| self.directory.full_name(&name).to_owned())
    }

    /// Adds a person who can be paged.
    fn add(&mut self, rows: &mut Vec<Row>, name: &str, why: &str) {
        if rows.iter().flat_map(|row| &row.people).any(|person| person.name == name) {
            return;
        }
        let Some(contacts) = self.reach(name) else { return };
        let begun = self.paged.get(name).copied();
        let still_rings = begun
            .is_some_and(|begun| self.plan_length(name).is_none_or(|length| begun + length > self.after));
        if !still_rings {
            self.paged.insert(name.to_owned(), self.after);
        }
        let full_name = self.full_name(name);
        let person = Person { name: name.to_owned(), full_name: full_name.clone() };
        rows.push(Row { who: full_name, people: vec![person], why: why.to_owned(), still_rings, contacts });
    }

    /// How long a person's plan goes on; nothing: until somebody answers.
    fn plan_length(&self, name: &str) -> Option<SignedDuration> {
        let plan = self.directory.people.get(name)?.plan(Urgency::High)?;
        let repeats = plan.steps.last().is_some_and(|step| step.every.is_some());
        (!repeats).then(|| plan.steps.iter().map(NotificationStep::effective_wait).sum())
    }

    /// Adds the first who was not paged yet and can be.
    fn add_first(&mut self, rows: &mut Vec<Row>, order: &[String], why: &str) {
        let unpaged: Vec<&String> = order.iter().filter(|name| !self.paged.contains_key(*name)).collect();
        for name in unpaged {
            if self.reach(name).is_some() {
                return self.add(rows, name, why);
            }
        }
    }

    /// Each alert begins one member further: which one that is, is not known before.
    fn add_turns(&self, rows: &mut Vec<Row>) {
        let left = self.team.members.iter().filter(|name| !self.paged.contains_key(name.as_str()));
        let people: Vec<Person> = left
            .map(|name| Person { name: name.to_string(), full_name: self.full_name(name.as_str()) })
            .collect();
        let names: Vec<&str> = people.iter().map(|person| person.full_name.as_str()).collect();
        if !names.is_empty() {
            rows.push(Row {
                who: format!("one of {}", names.join(", ")),
                why: "in turn".to_owned(),
                still_rings: false,
                contacts: Vec::new(),
                people,
            });
        }
    }

    /// Who is on call now.
    async fn now(&self, wanted: &Wanted) -> anyhow::Result<Vec<String>> {
        let Some(schedule) = &wanted.schedule else {
            let role = self.on_call.roles.iter().find(|role| role.role == wanted.role());
            let shift = role.and_then(|role| role.now.as_ref());
            return Ok(shift.map_or_else(Vec::new, |shift| named(&shift.people)));
        };
        let now = self.on_call.at;
        let soon = now.checked_add(SignedDuration::from_secs(1))?;
        let shifts = self.source.shifts(schedule.as_str(), (now, soon), Some(wanted.role())).await?;
        Ok(shifts.items.first().map_or_else(Vec::new, |shift| named(&shift.people)))
    }

    /// Who comes on call after those who are, or was before them, nearest first, each once.
    async fn around(&self, wanted: &Wanted, is_after: bool) -> anyhow::Result<Vec<String>> {
        let now = self.now(wanted).await?;
        let named_schedule = wanted.schedule.as_ref().map(Name::as_str);
        let Some(schedule) = named_schedule.or(self.on_call.schedule.as_deref()) else {
            return Ok(self.members_around(&now, is_after));
        };
        for length in [NEAR, FAR] {
            let at = self.on_call.at;
            let between = if is_after {
                (at, at.checked_add(length).unwrap_or(Timestamp::MAX))
            } else {
                (at.checked_sub(length).unwrap_or(Timestamp::MIN), at)
            };
            let mut shifts = self.source.shifts(schedule, between, Some(wanted.role())).await?.items;
            if !is_after {
                shifts.reverse();
            }
            let mut found: Vec<String> = Vec::new();
            for name in shifts.iter().flat_map(|shift| named(&shift.people)) {
                if !now.contains(&name) && !found.contains(&name) {
                    found.push(name);
                }
            }
            if found.iter().any(|name| !self.paged.contains_key(name)) {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }

    /// The members in order, from the one who is on call around, without those on leave.
    fn members_around(&self, now: &[String], is_after: bool) -> Vec<String> {
        let away: Vec<&str> = self
            .on_call
            .roles
            .iter()
            .filter_map(|role| role.now.as_ref())
            .flat_map(|shift| shift.instead_of.iter().map(|person| person.name.as_str()))
            .collect();
        let members: Vec<&Name> = self.team.members.iter().collect();
        let place = members.iter().position(|name| now.iter().any(|other| other == name.as_str()));
        let (before, after) = members.split_at(place.unwrap_or(0));
        let mut around: Vec<String> = after.iter().chain(before).map(ToString::to_string).collect();
        if !is_after {
            around.reverse();
        }
        let at = self.on_call.at;
        let is_there = |name: &String| {
            let on_leave = Name::new(name).is_ok_and(|name| self.directory.is_on_leave(&name, at));
            !now.contains(name) && !away.contains(&name.as_str()) && !on_leave
        };
        around.retain(is_there);
        around
    }
}

fn named(people: &[Person]) -> Vec<String> {
    people.iter().map(|person| person.name.clone()).collect()
}

/// `primary`, or `secondary of "db"`.
fn described(wanted: &Wanted) -> String {
    match &wanted.schedule {
        Some(schedule) => format!("{} of {schedule}", wanted.role()),
        None => wanted.role().to_owned(),
    }
}
