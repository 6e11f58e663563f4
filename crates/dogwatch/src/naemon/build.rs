//! From levels to definitions: people, periods, schedules, teams, escalation plans.
//!
//! Naemon tells everybody of a group whose period is on. A schedule has one winner at a time: contacts whose periods
//! never meet become layers of one schedule, those whose periods meet get schedules of their own, and a step asks all of
//! them. So nobody is left out, and nobody is added.

use std::collections::{BTreeMap, BTreeSet};

use escalation::plan::MAX_TARGETS;
use escalation::team::MAX_MEMBERS;
use jiff::{SignedDuration, Timestamp};
use rota::diagnostic::Spanned;
use rota::period::{Days, Definition, Hours, Rule, Weekday, ZonedPeriod, compile, flatten};
use rota::syntax::Document;
use serde_json::{Value, json};

use super::level::{Alike, Level, Part, tells_of_trouble};
use super::name::Names;
use super::period_name::PeriodNames;
use super::report::{Report, Sort};
use super::site::{Contact, Site};
use super::{Imported, Settings};
use crate::definition::time::print_instant;
use crate::definition::{Kind, PeriodSpec};

/// How far ahead two periods are looked at for whether they meet.
const LOOKED_AT: SignedDuration = SignedDuration::from_hours(4 * 366 * 24);
/// The most stretches of a period that are compared; beyond that it counts as meeting every other.
const MOST_STRETCHES: usize = 20_000;
/// The most people of a layer.
const MOST_IN_A_LAYER: usize = 50;
/// The longest that a step waits.
const LONGEST: u64 = 7 * 86_400;

/// People by the period in which they are told; none: always.
type ByPeriod = Vec<(Option<String>, BTreeSet<String>)>;

struct Builder<'a> {
    site: &'a Site,
    settings: &'a Settings,
    report: Report,
    documents: Vec<(Kind, Value)>,
    people: Names,
    schedules: Names,
    teams: Names,
    sources: BTreeMap<String, Definition>,
    zoned: BTreeMap<String, Option<ZonedPeriod>>,
    meet: BTreeMap<(String, String), bool>,
    /// The schedules that were made for some people and periods.
    made: BTreeMap<ByPeriod, Vec<String>>,
    /// The shortest interval at which somebody is told again, in seconds.
    shortest: BTreeMap<String, u64>,
}

/// Builds the definitions.
pub(super) fn build(
    document: &Document,
    site: &Site,
    alike: &[Alike],
    settings: &Settings,
    report: Report,
) -> Imported {
    let mut report = report;
    let periods = PeriodNames::of(document, &mut report);
    let (site, alike) = (periods.in_site(site), periods.in_levels(alike));
    let (site, alike) = (&site, alike.as_slice());
    let flat = flatten(&document.definitions).into_iter().map(|one| periods.in_definition(one));
    let sources = flat.filter_map(|one| Some((one.name.as_ref()?.value.clone(), one)));
    let mut builder = Builder {
        site,
        settings,
        report,
        documents: Vec::new(),
        people: Names::default(),
        schedules: Names::default(),
        teams: Names::default(),
        sources: sources.collect(),
        zoned: BTreeMap::new(),
        meet: BTreeMap::new(),
        made: BTreeMap::new(),
        shortest: BTreeMap::new(),
    };
    let (mut routes, mut numbers) = (Vec::new(), Vec::new());
    for one in alike {
        let Some((team, begins)) = builder.team(one) else { continue };
        routes.extend(one.watched.iter().map(|place| (site.watched[*place].name.clone(), team.clone())));
        numbers.push((team, begins));
    }
    for contact in site.contacts.values() {
        builder.person(contact);
    }
    builder.general_notes(document, alike);
    let periods = std::mem::take(&mut builder.sources);
    let periods = periods.values().map(|one| (Kind::Period, json!(PeriodSpec::of(one))));
    let mut documents: Vec<(Kind, Value)> = periods.collect();
    documents.extend(builder.documents);
    routes.sort();
    Imported { documents, routes, numbers, report: builder.report }
}

impl Builder<'_> {
    /// The team and the plan of what tells alike; nothing, if there is nobody to tell.
    fn team(&mut self, alike: &Alike) -> Option<(String, Vec<u32>)> {
        let label = self.label(alike);
        let mut steps: Vec<(u32, Vec<String>, u64)> = Vec::new();
        let mut waits: u64 = 0;
        for (index, level) in alike.levels.iter().enumerate() {
            let next = alike.levels.get(index + 1).map(|next| u64::from(next.number - level.number));
            let wait = level.seconds.saturating_mul(next.unwrap_or(1));
            let schedules: Vec<String> = self.schedules_of(level, alike);
            if schedules.is_empty() {
                let text = format!(
                    "nobody can be told from notification {} on of what team \"{label}\" answers for; the step is left out",
                    level.number
                );
                self.report.note(Sort::Left, None, text);
                match steps.last_mut() {
                    Some(last) => last.2 = last.2.saturating_add(wait),
                    None => waits = waits.saturating_add(wait),
                }
                continue;
            }
            match steps.last_mut() {
                Some(last) if last.1 == schedules => last.2 = last.2.saturating_add(wait),
                _ => steps.push((level.number, schedules, wait)),
            }
        }
        if waits > 0 && !steps.is_empty() {
            let text =
                format!("team \"{label}\": nobody was told at first; here the first step comes at once");
            self.report.note(Sort::Changed, None, text);
        }
        let schedule = steps.first()?.1.first()?.clone();
        let team = self.teams.new_like(&label);
        let members = self.members(alike);
        let begins: Vec<u32> = steps.iter().map(|(number, ..)| *number).collect();
        self.plan(&team, steps);
        self.documents.push((
            Kind::Team,
            json!({ "name": team, "members": members, "schedule": schedule, "escalation_plan": team }),
        ));
        if let Some(period) = &alike.period {
            self.quiet(&team, period);
        }
        Some((team, begins))
    }

    fn plan(&mut self, team: &str, steps: Vec<(u32, Vec<String>, u64)>) {
        let mut written = Vec::new();
        for (number, schedules, wait) in steps {
            let notify: Vec<String> = schedules.iter().map(|name| format!("on_call:{name}")).collect();
            let wait = if wait == 0 { 1_800 } else { wait };
            if wait > LONGEST {
                let text =
                    format!("team \"{team}\": the wait after notification {number} is cut to seven days");
                self.report.note(Sort::Changed, None, text);
            }
            written.push(json!({ "notify": notify, "after": span(wait.clamp(1, LONGEST)) }));
        }
        self.documents.push((Kind::EscalationPlan, json!({ "name": team, "steps": written })));
    }

    /// Outside of the notification period alerts are held back until it begins.
    fn quiet(&mut self, team: &str, period: &str) {
        if self.is_always(period) {
            return;
        }
        let Some(outside) = self.complement(period) else { return };
        let text = format!(
            "notification_period \"{period}\": outside of it alerts of team \"{team}\" are held back by a maintenance window \
             and page whoever is on call when it begins"
        );
        self.report.note(Sort::Changed, None, text);
        self.documents.push((
            Kind::Maintenance,
            json!({
                "name": format!("outside-{team}").chars().take(64).collect::<String>(),
                "team": team,
                "from": print_instant(self.settings.now),
                "period": outside,
                "zone": self.settings.zone,
                "reason": format!("outside of the notification period {period}").chars().take(200).collect::<String>(),
                "made_by": "import naemon",
            }),
        ));
    }

    /// What the team is best called: the groups, or the contacts, that are told first.
    fn label(&self, alike: &Alike) -> String {
        let first = alike.levels.iter().find(|level| !level.parts.is_empty());
        let part = first
            .and_then(|level| level.parts.iter().find(|part| part.within.is_none()).or(level.parts.first()));
        let Some(part) = part else { return "team".to_owned() };
        let names = if part.groups.is_empty() { &part.contacts } else { &part.groups };
        names.iter().take(3).cloned().collect::<Vec<_>>().join("-")
    }

    /// Everybody who may be told, level by level, each once.
    fn members(&mut self, alike: &Alike) -> Vec<String> {
        let mut members: Vec<String> = Vec::new();
        for part in alike.levels.iter().flat_map(|level| &level.parts) {
            for contact in self.contacts_of(part) {
                let name = self.people.of(&contact);
                if !members.contains(&name) {
                    members.push(name);
                }
            }
        }
        if members.len() > MAX_MEMBERS {
            let text = format!(
                "more than {MAX_MEMBERS} people in one team: the others are on its schedules, and no members"
            );
            self.report.note(Sort::Changed, None, text);
            members.truncate(MAX_MEMBERS);
        }
        members
    }

    fn contacts_of(&self, part: &Part) -> BTreeSet<String> {
        let in_groups = part.groups.iter().filter_map(|group| self.site.groups.get(group)).flatten();
        let all = part.contacts.iter().chain(in_groups).cloned();
        all.filter(|name| self.site.contacts.contains_key(name)).collect()
    }

    /// The schedules that together name whom a level tells.
    fn schedules_of(&mut self, level: &Level, alike: &Alike) -> Vec<String> {
        let mut schedules: Vec<String> = Vec::new();
        for part in &level.parts {
            // A group for itself, so that its schedule is that of the group wherever it is told.
            let groups = part.groups.iter().map(|group| Part {
                contacts: BTreeSet::new(),
                groups: BTreeSet::from([group.clone()]),
                ..part.clone()
            });
            let direct = Part { groups: BTreeSet::new(), ..part.clone() };
            for part in groups.chain([direct]) {
                for schedule in self.schedules_of_part(&part, level.seconds, alike.is_service) {
                    if !schedules.contains(&schedule) {
                        schedules.push(schedule);
                    }
                }
            }
        }
        if schedules.len() > MAX_TARGETS {
            let names = schedules.split_off(MAX_TARGETS).join(", ");
            let text = format!("a step asks {MAX_TARGETS} schedules at most; left out: {names}");
            self.report.note(Sort::Left, None, text);
        }
        schedules
    }

    fn schedules_of_part(&mut self, part: &Part, seconds: u64, is_service: bool) -> Vec<String> {
        let mut by_period: BTreeMap<Option<String>, BTreeSet<String>> = BTreeMap::new();
        for name in self.contacts_of(part) {
            let contact = &self.site.contacts[&name];
            let which = usize::from(is_service);
            if !contact.enabled[which] || !tells_of_trouble(contact.options[which].as_deref(), is_service) {
                let what = if is_service { "services" } else { "hosts" };
                let text = format!(
                    "contact \"{name}\" is not told of trouble with {what}, and is on no schedule for them"
                );
                self.report.note(Sort::Changed, contact.span, text);
                continue;
            }
            let base = contact.periods[which].clone();
            if base.as_ref().is_some_and(|period| !self.sources.contains_key(period)) {
                let text = format!(
                    "contact \"{name}\" has a period that does not exist; the contact is on no schedule"
                );
                self.report.note(Sort::Left, contact.span, text);
                continue;
            }
            let shortest = self.shortest.entry(name.clone()).or_insert(u64::MAX);
            if seconds > 0 {
                *shortest = seconds.min(*shortest);
            }
            let Some(period) = self.limited(base, part) else { continue };
            by_period.entry(period).or_default().insert(name);
        }
        let label = part.groups.iter().chain(&part.contacts).take(3).cloned().collect::<Vec<_>>().join("-");
        self.schedules_for(by_period.into_iter().collect(), &label)
    }

    /// The period in which somebody is told who is told in `base`: within, and outside of, those of the part. Nothing,
    /// if one of them does not exist.
    #[expect(clippy::option_option, reason = "no period at all is not the same as none that limits")]
    fn limited(&mut self, base: Option<String>, part: &Part) -> Option<Option<String>> {
        let base = base.filter(|period| !self.is_always(period));
        let within = part.within.clone().filter(|period| !self.is_always(period));
        if within.is_none() && part.outside.is_empty() {
            return Some(base);
        }
        let mut name = base.clone().unwrap_or_else(|| "always".to_owned());
        let mut definition = match &base {
            Some(base) => self.sources.get(base)?.clone(),
            None => all_week(),
        };
        if let Some(within) = &within {
            let outside = self.complement(within)?;
            name = format!("{name}-within-{within}");
            definition.exclude.push(Spanned { value: outside, span: None });
        }
        for outside in &part.outside {
            self.sources.get(outside)?;
            name = format!("{name}-outside-{outside}");
            definition.exclude.push(Spanned { value: outside.clone(), span: None });
        }
        Some(Some(self.add_period(&name, definition)))
    }

    /// The period of everything outside of another.
    fn complement(&mut self, period: &str) -> Option<String> {
        self.sources.get(period)?;
        let exclude = vec![Spanned { value: period.to_owned(), span: None }];
        Some(self.add_period(&format!("not-{period}"), Definition { exclude, ..all_week() }))
    }

    /// Adds a period that is made of others. Names that are too long are cut and numbered.
    fn add_period(&mut self, name: &str, definition: Definition) -> String {
        let short: String = name.chars().take(60).collect();
        for number in 1_u32.. {
            let name = if number == 1 { short.clone() } else { format!("{short}-{number}") };
            let definition = Definition {
                name: Some(Spanned { value: name.clone(), span: None }),
                alias: None,
                ..definition.clone()
            };
            match self.sources.get(&name) {
                Some(known) if *known == definition => return name,
                Some(_) => {}
                None => {
                    self.sources.insert(name.clone(), definition);
                    return name;
                }
            }
        }
        short
    }

    fn schedules_for(&mut self, key: ByPeriod, label: &str) -> Vec<String> {
        if key.is_empty() {
            return Vec::new();
        }
        if let Some(made) = self.made.get(&key) {
            return made.clone();
        }
        // Each goes into the first schedule in which it meets nobody.
        let mut sets: Vec<ByPeriod> = Vec::new();
        // A layer names so many and no more.
        let small = key.iter().flat_map(|(period, people)| {
            let people: Vec<String> = people.iter().cloned().collect();
            let chunks: Vec<BTreeSet<String>> =
                people.chunks(MOST_IN_A_LAYER).map(|chunk| chunk.iter().cloned().collect()).collect();
            chunks.into_iter().map(move |chunk| (period.clone(), chunk))
        });
        for (period, people) in &small.collect::<Vec<_>>() {
            let free = sets.iter().position(|set| set.iter().all(|(other, _)| !self.do_meet(period, other)));
            match free {
                Some(place) => sets[place].push((period.clone(), people.clone())),
                None => sets.push(vec![(period.clone(), people.clone())]),
            }
        }
        if sets.len() > 1 {
            let text = format!(
                "\"{label}\": there are times at which several are told; those whose periods meet have schedules of their own, \
                 and a step asks all of them"
            );
            self.report.note(Sort::Changed, None, text);
        }
        let mut names = Vec::new();
        for set in sets {
            let name = self.schedules.new_like(label);
            let layers: Vec<Value> = set
                .iter()
                .map(|(period, people)| {
                    let people: Vec<String> = people.iter().map(|person| self.people.of(person)).collect();
                    match period {
                        Some(period) => {
                            json!({ "name": layer_name(period), "people": people, "period": period })
                        }
                        None => json!({ "name": "always", "people": people }),
                    }
                })
                .collect();
            self.documents.push((
                Kind::Schedule,
                json!({ "name": name, "zone": self.settings.zone, "layers": layers, "remind": [] }),
            ));
            names.push(name);
        }
        self.made.insert(key, names.clone());
        names
    }

    fn do_meet(&mut self, one: &Option<String>, other: &Option<String>) -> bool {
        let (Some(one), Some(other)) = (one, other) else { return true };
        let key = (one.min(other).clone(), one.max(other).clone());
        if let Some(known) = self.meet.get(&key) {
            return *known;
        }
        let (from, to) =
            (self.settings.now, self.settings.now.saturating_add(LOOKED_AT).unwrap_or(Timestamp::MAX));
        let mut stretches = |name: &str| -> Option<Vec<(Timestamp, Timestamp)>> {
            let zoned = self.zoned(name)?;
            let all: Vec<_> =
                zoned.intervals(from, to).take(MOST_STRETCHES).map(|it| (it.start, it.end)).collect();
            (all.len() < MOST_STRETCHES).then_some(all)
        };
        let (one, other) = (stretches(one), stretches(other));
        let meets = match (one, other) {
            (Some(one), Some(other)) => meet(&one, &other),
            _ => true,
        };
        self.meet.insert(key, meets);
        meets
    }

    fn zoned(&mut self, name: &str) -> Option<&ZonedPeriod> {
        if !self.zoned.contains_key(name) {
            let all: Vec<Definition> = self.needed(name);
            let zone = rota::zone::find(&self.settings.zone).unwrap_or(jiff::tz::TimeZone::UTC);
            let compiled = compile(&all, jiff::civil::Date::MIN);
            let zoned = compiled.find(name).map(|period| period.in_zone(zone));
            self.zoned.insert(name.to_owned(), zoned);
        }
        self.zoned.get(name)?.as_ref()
    }

    /// A period and all that it excludes, however deep.
    fn needed(&self, name: &str) -> Vec<Definition> {
        let mut wanted = vec![name.to_owned()];
        let mut found: BTreeMap<String, Definition> = BTreeMap::new();
        while let Some(name) = wanted.pop() {
            if let Some(definition) = self.sources.get(&name).filter(|_| !found.contains_key(&name)) {
                wanted.extend(definition.exclude.iter().map(|excluded| excluded.value.clone()));
                found.insert(name, definition.clone());
            }
        }
        found.into_values().collect()
    }

    /// Whether a period is every hour of every day.
    fn is_always(&self, name: &str) -> bool {
        let Some(definition) = self.sources.get(name) else { return false };
        let is_whole =
            |rule: &Rule| rule.hours.iter().any(|hours| hours.value == Hours { start: 0, end: 1_440 });
        let days = definition.rules.iter().filter(|rule| is_whole(rule));
        let days: BTreeSet<_> = days
            .filter_map(|rule| match rule.days.value {
                Days::Weekday(day) => Some(day as u8),
                _ => None,
            })
            .collect();
        let only_weekdays = definition.rules.iter().all(|rule| matches!(rule.days.value, Days::Weekday(_)));
        days.len() == 7 && only_weekdays && definition.exclude.is_empty()
    }

    fn person(&mut self, contact: &Contact) {
        let name = self.people.of(&contact.name);
        if name != contact.name {
            self.report.note(
                Sort::Changed,
                contact.span,
                format!("contact \"{}\" is person \"{name}\"", contact.name),
            );
        }
        let mut contacts: Vec<String> = Vec::new();
        for (field, address) in &contact.addresses {
            let is_mail = address.contains('@') && !address.contains(char::is_whitespace);
            let ours = if is_mail { Some(format!("email:{address}")) } else { web(address) };
            match ours.filter(|ours| ours.parse::<escalation::contact::Contact>().is_ok()) {
                Some(ours) if contacts.contains(&ours) => {}
                Some(ours) => contacts.push(ours),
                None => {
                    let text = format!(
                        "{field} \"{address}\" of contact \"{}\" is no address that can be reached yet",
                        contact.name
                    );
                    self.report.note(Sort::Left, contact.span, text);
                }
            }
        }
        if contacts.is_empty() {
            contacts.push(format!("handset:{name}"));
            let text = format!(
                "contact \"{}\" has no address that can be reached; it has a handset instead",
                contact.name
            );
            self.report.note(Sort::Changed, contact.span, text);
        }
        let shortest = self.shortest.get(&contact.name).copied().filter(|seconds| *seconds < u64::MAX);
        let every = shortest.map(|seconds| span(seconds.clamp(60, LONGEST)));
        let last = contacts.len() - 1;
        let steps: Vec<Value> = contacts
            .iter()
            .enumerate()
            .map(|(place, contact)| match &every {
                Some(every) if place == last => json!({ "contact": contact, "every": every }),
                _ => json!({ "contact": contact, "wait": "5m" }),
            })
            .collect();
        self.options_note(contact);
        let addresses = contacts.join(", ");
        self.report.note(
            Sort::Carried,
            contact.span,
            format!("contact \"{}\": person \"{name}\", {addresses}", contact.name),
        );
        let full_name = contact.alias.clone().unwrap_or_default();
        let full_name: String = full_name.chars().filter(|letter| !letter.is_control()).take(200).collect();
        self.documents.push((
            Kind::Person,
            json!({
                "name": name, "full_name": full_name, "zone": self.settings.zone, "contacts": contacts,
                "notification_plans": { "high": { "steps": steps } },
            }),
        ));
    }

    /// Which states somebody is told of has no counterpart.
    fn options_note(&mut self, contact: &Contact) {
        for (options, all, what) in
            [(&contact.options[0], ['d', 'u'], "host"), (&contact.options[1], ['c', 'w'], "service")]
        {
            let Some(options) = options.as_ref().filter(|options| !options.contains(&'a')) else { continue };
            if all.iter().any(|letter| !options.contains(letter)) {
                let shown: Vec<String> = options.iter().map(char::to_string).collect();
                let text = format!(
                    "{what}_notification_options {} of contact \"{}\": here people are told of whatever their team is paged \
                     for",
                    shown.join(","),
                    contact.name
                );
                self.report.note(Sort::Left, contact.span, text);
            }
        }
    }

    /// What holds for the whole site, where it depends on it.
    fn general_notes(&mut self, document: &Document, alike: &[Alike]) {
        let mut note = |sort, text: &str| self.report.note(sort, None, text);
        for definition in &document.definitions {
            if let Some(name) = definition.name.as_ref().filter(|_| definition.register) {
                note(Sort::Carried, &format!("timeperiod \"{}\": period of that name", name.value));
            }
        }
        for (group, members) in &self.site.groups {
            let people: Vec<String> = members.iter().map(|member| self.people.of(member)).collect();
            let text =
                format!("contact group \"{group}\": {} on the schedules of its name", people.join(", "));
            self.report.note(Sort::Carried, None, text);
        }
        for one in self.site.escalations.iter().filter(|one| one.last.is_some()) {
            let until = match one.last {
                Some(0) | None => "on".to_owned(),
                Some(last) => format!("to {last}"),
            };
            let whom: Vec<&String> = one.groups.iter().chain(&one.contacts).collect();
            let whom = whom.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
            let text = format!("escalation from notification {} {until}: {whom}", one.first);
            self.report.note(Sort::Carried, one.span, text);
        }
        let mut note = |sort, text: &str| self.report.note(sort, None, text);
        if self.site.contacts.values().any(|contact| contact.addresses.len() > 1) {
            note(
                Sort::Changed,
                "contacts with several addresses: Naemon's commands use all of them at once; here one after the other, 5 \
                 minutes apart, until somebody answers",
            );
        }
        let has_periods =
            alike.iter().flat_map(|one| one.levels.iter().take(1)).flat_map(|level| &level.parts);
        let may_be_off = has_periods.into_iter().any(|part| {
            let in_groups = part.groups.iter().filter_map(|group| self.site.groups.get(group)).flatten();
            let mut contacts =
                part.contacts.iter().chain(in_groups).filter_map(|name| self.site.contacts.get(name));
            contacts.any(|contact| contact.periods.iter().flatten().any(|period| period != "24x7"))
        });
        if may_be_off && alike.iter().any(|one| one.levels.len() > 1) {
            self.report.note(
                Sort::Changed,
                None,
                "an escalation while nobody of the first level is on duty: in Naemon the notification number does not grow \
                 then, and the escalation never fires; here the next step is taken at once",
            );
        }
        if alike.iter().any(|one| one.levels.len() > 1) {
            self.report.note(
                Sort::Changed,
                None,
                "an escalation tells others instead: here those who were paged before are paged on until somebody answers, \
                 and the next level in addition",
            );
        }
        self.report.note(
            Sort::Changed,
            None,
            "notifications go on every notification_interval: here a person's own plan repeats, at the shortest interval of \
             what that person is told of, until somebody acknowledges; when the last step has had its time, the alert counts \
             as unanswered, and repeats go on at least 5 minutes apart",
        );
        self.report.note(
            Sort::Changed,
            None,
            "recoveries go to those who were told last: here to everybody whom a page has reached",
        );
        self.report.note(
            Sort::Left,
            None,
            "checks, dependencies, flapping and downtimes stay with Naemon; use its acknowledgements or silences here",
        );
    }
}

/// A webhook, for an address that is one.
fn web(address: &str) -> Option<String> {
    (address.starts_with("https://") || address.starts_with("http://")).then(|| format!("webhook:{address}"))
}

fn layer_name(period: &str) -> String {
    let name: String = period.chars().take(64).collect();
    if name.is_empty() { "layer".to_owned() } else { name }
}

/// Whether two rows of stretches have an instant in common.
fn meet(one: &[(Timestamp, Timestamp)], other: &[(Timestamp, Timestamp)]) -> bool {
    let (mut i, mut j) = (0, 0);
    while let (Some(a), Some(b)) = (one.get(i), other.get(j)) {
        if a.0 < b.1 && b.0 < a.1 {
            return true;
        }
        if a.1 <= b.1 { i += 1 } else { j += 1 }
    }
    false
}

/// Every hour of every day.
fn all_week() -> Definition {
    let days = [
        Weekday::Sunday,
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
    ];
    let rule = |day| Rule {
        days: Spanned { value: Days::Weekday(day), span: None },
        hours: vec![Spanned { value: Hours { start: 0, end: 1_440 }, span: None }],
    };
    Definition { rules: days.into_iter().map(rule).collect(), register: true, ..Definition::default() }
}

/// Seconds as definitions write them.
fn span(seconds: u64) -> String {
    match seconds {
        seconds if seconds % 86_400 == 0 => format!("{}d", seconds / 86_400),
        seconds if seconds % 3_600 == 0 => format!("{}h", seconds / 3_600),
        seconds if seconds % 60 == 0 => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}
