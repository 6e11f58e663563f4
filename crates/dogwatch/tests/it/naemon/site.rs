//! A large site, made at random, and a small evaluator of Naemon's rules that shares nothing with the importer: the people
//! whom the imported plans page are those whom Naemon would tell.
//!
//! Notification number n belongs to the step of the plan that begins with the highest number not above n.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use escalation::plan::Target;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{imported, in_force};

/// Days and hours of a week, in UTC: Sunday is 0.
const PERIODS: [(&str, &[u8], u32, u32); 6] = [
    ("always", &[0, 1, 2, 3, 4, 5, 6], 0, 24),
    ("days", &[1, 2, 3, 4, 5], 8, 18),
    ("evenings", &[1, 2, 3, 4, 5], 18, 24),
    ("weekend", &[0, 6], 0, 24),
    ("mornings", &[0, 1, 2, 3, 4, 5, 6], 0, 8),
    ("office", &[1, 2, 3, 4, 5], 9, 17),
];
const DAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

fn is_in(period: usize, at: Timestamp) -> bool {
    let (_, days, from, to) = PERIODS[period];
    let clock = at.to_zoned(TimeZone::UTC);
    let day = clock.weekday().to_sunday_zero_offset() as u8;
    let hour = clock.hour() as u32;
    days.contains(&day) && (from..to).contains(&hour)
}

struct Escalation {
    first: u32,
    last: u32,
    period: Option<usize>,
    contacts: BTreeSet<usize>,
    groups: BTreeSet<usize>,
    adds: bool,
}

struct Object {
    name: String,
    is_service: bool,
    period: usize,
    contacts: BTreeSet<usize>,
    groups: BTreeSet<usize>,
    escalations: Vec<Escalation>,
}

struct Site {
    /// When each contact is told of hosts, and of services.
    contacts: Vec<[usize; 2]>,
    groups: Vec<BTreeSet<usize>>,
    objects: Vec<Object>,
}

impl Site {
    /// Whom Naemon tells of the critical state of an object at an instant, as notification number n.
    fn told(&self, object: &Object, number: u32, at: Timestamp) -> BTreeSet<String> {
        if !is_in(object.period, at) {
            return BTreeSet::new();
        }
        let valid: Vec<&Escalation> = object
            .escalations
            .iter()
            .filter(|one| one.first <= number && (one.last == 0 || number <= one.last))
            .filter(|one| one.period.is_none_or(|period| is_in(period, at)))
            .collect();
        let mut contacts: BTreeSet<usize> = BTreeSet::new();
        let mut add = |direct: &BTreeSet<usize>, groups: &BTreeSet<usize>| {
            contacts.extend(direct);
            contacts.extend(groups.iter().flat_map(|group| &self.groups[*group]));
        };
        if valid.is_empty() {
            add(&object.contacts, &object.groups);
        }
        for one in valid {
            add(&one.contacts, &one.groups);
            if one.adds {
                add(&object.contacts, &object.groups);
            }
        }
        let which = usize::from(object.is_service);
        let on_duty = contacts.into_iter().filter(|contact| is_in(self.contacts[*contact][which], at));
        on_duty.map(|contact| format!("c{contact}")).collect()
    }
}

fn some(chance: &mut StdRng, among: usize, least: usize, most: usize) -> BTreeSet<usize> {
    let count = chance.random_range(least..=most);
    (0..count).map(|_| chance.random_range(0..among)).collect()
}

fn list(prefix: &str, numbers: &BTreeSet<usize>) -> String {
    numbers.iter().map(|number| format!("{prefix}{number}")).collect::<Vec<_>>().join(",")
}

/// A site, and the configuration that says it: with templates in templates, `+` and `null`.
fn generate(chance: &mut StdRng) -> (Site, String) {
    let mut text = String::new();
    for (name, days, from, to) in PERIODS {
        let _ = writeln!(text, "define timeperiod {{\n timeperiod_name {name}\n alias {name}");
        for day in days {
            let _ = writeln!(text, " {} {from:02}:00-{to:02}:00", DAYS[*day as usize]);
        }
        text += "}\n";
    }
    // Whoever says nothing is told of hosts always and of services by day.
    text += "define contact {\n name base\n register 0\n host_notification_period always\n service_notification_period office\n \
             host_notification_options d,u,r\n service_notification_options w,c\n}\n\
             define contact {\n name middle\n use base\n register 0\n service_notification_period days\n}\n";
    let mut contacts = Vec::new();
    for number in 0..300 {
        let mut periods = [0, 1];
        let _ = writeln!(
            text,
            "define contact {{\n contact_name c{number}\n use middle\n email c{number}@example.org"
        );
        for (which, word) in ["host", "service"].into_iter().enumerate() {
            if chance.random_bool(0.6) {
                periods[which] = chance.random_range(0..PERIODS.len());
                let _ = writeln!(text, " {word}_notification_period {}", PERIODS[periods[which]].0);
            }
        }
        text += "}\n";
        contacts.push(periods);
    }
    let mut groups: Vec<BTreeSet<usize>> = Vec::new();
    for number in 0..80 {
        let mut members = some(chance, 300, 1, 6);
        let _ = writeln!(
            text,
            "define contactgroup {{\n contactgroup_name g{number}\n members {}",
            list("c", &members)
        );
        if number > 0 && chance.random_bool(0.25) {
            let inner = chance.random_range(0..number);
            members.extend(groups[inner].clone());
            let _ = writeln!(text, " contactgroup_members g{inner}");
        }
        text += "}\n";
        groups.push(members);
    }
    // Three deep; the groups add up.
    text += "define host {\n name h-base\n register 0\n notification_interval 20\n notification_period always\n contact_groups g1\n}\n\
             define host {\n name h-plus\n use h-base\n register 0\n contact_groups +g2\n}\n\
             define host {\n name h-days\n use h-plus\n register 0\n notification_period days\n contact_groups null\n}\n";
    let mut objects: Vec<Object> = Vec::new();
    for number in 0..60 {
        let template = ["h-base", "h-plus", "h-days"][chance.random_range(0..3)];
        let (mut period, inherited): (usize, &[usize]) = match template {
            "h-base" => (0, &[1]),
            "h-plus" => (0, &[1, 2]),
            _ => (1, &[]),
        };
        let _ = writeln!(text, "define host {{\n host_name h{number}\n use {template}");
        let mut own: BTreeSet<usize> = inherited.iter().copied().collect();
        let more = some(chance, 80, 1, 2);
        match chance.random_range(0..3) {
            0 => {
                let _ = writeln!(text, " contact_groups +{}", list("g", &more));
                own.extend(more);
            }
            1 => {
                let _ = writeln!(text, " contact_groups {}", list("g", &more));
                own = more;
            }
            _ => {}
        }
        let direct = some(chance, 300, usize::from(own.is_empty()), 2);
        if !direct.is_empty() {
            let _ = writeln!(text, " contacts {}", list("c", &direct));
        }
        if chance.random_bool(0.3) {
            period = chance.random_range(0..PERIODS.len());
            let _ = writeln!(text, " notification_period {}", PERIODS[period].0);
        }
        text += "}\n";
        let name = format!("h{number}");
        objects.push(Object {
            name,
            is_service: false,
            period,
            contacts: direct,
            groups: own,
            escalations: Vec::new(),
        });
    }
    for number in 0..120 {
        let host = chance.random_range(0..60);
        let mut service = Object {
            name: format!("h{host};s{number}"),
            is_service: true,
            period: objects[host].period,
            contacts: objects[host].contacts.clone(),
            groups: objects[host].groups.clone(),
            escalations: Vec::new(),
        };
        let _ = writeln!(
            text,
            "define service {{\n host_name h{host}\n service_description s{number}\n notification_interval 15"
        );
        if chance.random_bool(0.5) {
            service.groups = some(chance, 80, 1, 2);
            service.contacts = BTreeSet::new();
            let _ = writeln!(text, " contact_groups {}", list("g", &service.groups));
        }
        if chance.random_bool(0.3) {
            service.period = chance.random_range(0..PERIODS.len());
            let _ = writeln!(text, " notification_period {}", PERIODS[service.period].0);
        }
        text += "}\n";
        objects.push(service);
    }
    for _ in 0..200 {
        let place = chance.random_range(0..objects.len());
        let object = &mut objects[place];
        let first = chance.random_range(1..6);
        let last = if chance.random_bool(0.4) { 0 } else { first + chance.random_range(0..4) };
        let period = chance.random_bool(0.4).then(|| chance.random_range(0..PERIODS.len()));
        let (groups, adds) = (some(chance, 80, 1, 2), chance.random_bool(0.3));
        let (kind, description) = match object.name.split_once(';') {
            Some((host, service)) => ("serviceescalation", format!("{host}\n service_description {service}")),
            None => ("hostescalation", object.name.clone()),
        };
        let _ = writeln!(
            text,
            "define {kind} {{\n host_name {description}\n first_notification {first}\n last_notification {last}\n \
             notification_interval {}",
            chance.random_range(5..60)
        );
        if let Some(period) = period {
            let _ = writeln!(text, " escalation_period {}", PERIODS[period].0);
        }
        let sign = if adds { "+" } else { "" };
        let _ = writeln!(text, " contact_groups {sign}{}", list("g", &groups));
        // With `+` the groups of the object count, and its contacts only if they are asked for in the same way.
        let mut contacts = BTreeSet::new();
        if adds {
            contacts = some(chance, 300, 1, 1);
            let _ = writeln!(text, " contacts +{}", list("c", &contacts));
        }
        text += "}\n";
        object.escalations.push(Escalation { first, last, period, contacts, groups, adds });
    }
    (Site { contacts, groups, objects }, text)
}

#[test]
fn the_imported_plans_page_whom_naemon_would_tell() {
    let mut chance = StdRng::seed_from_u64(7);
    let (site, text) = generate(&mut chance);
    let (imported, report) = imported(&text);
    let definitions = in_force(&imported);
    let directory = definitions.directory();
    let routes: BTreeMap<&str, &str> =
        imported.routes.iter().map(|(object, team)| (object.as_str(), team.as_str())).collect();
    let numbers: BTreeMap<&str, &Vec<u32>> =
        imported.numbers.iter().map(|(team, numbers)| (team.as_str(), numbers)).collect();
    let (mut somebody, mut later) = (0, 0);
    for _ in 0..10_000 {
        let object = &site.objects[chance.random_range(0..site.objects.len())];
        let number = chance.random_range(1..12);
        // Within two years, to the second.
        let at = Timestamp::from_second(1_790_000_000 + chance.random_range(0..63_000_000)).unwrap();
        let wanted = site.told(object, number, at);
        let team = routes[object.name.as_str()];
        let step = numbers[team].partition_point(|begins| *begins <= number) - 1;
        let plan = &directory.plans[team];
        let is_quiet = directory.silences.values().any(|window| {
            window.matches.team.as_ref().is_some_and(|own| own.as_str() == team) && window.is_in_force(at)
        });
        let mut paged: BTreeSet<String> = BTreeSet::new();
        for target in plan.steps[step].notify.iter().filter(|_| !is_quiet) {
            let Target::OnCall(wanted) = target else { panic!("{target:?}") };
            let schedule = &directory.schedules[wanted.schedule.as_ref().unwrap()];
            paged.extend(schedule.on_call(at, "primary").people.iter().map(ToString::to_string));
        }
        assert_eq!(paged, wanted, "{} {number} at {at}, team {team}\n", object.name);
        somebody += usize::from(!wanted.is_empty());
        later += usize::from(step > 0);
    }
    assert!(somebody > 3_000 && later > 1_000, "{somebody} with somebody, {later} escalated");
    assert!(report.lines().count() > 300, "every contact has its line");
}
