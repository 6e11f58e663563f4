//! Who is told of which notification number: Naemon's rules for one host or service, as a list of levels.
//!
//! An escalation is valid from its first number to its last, in its period, for its states. If any is valid, those it
//! names are told instead of those of the object; if several are, all of them. The interval is the smallest of those that
//! are valid. (Naemon, notifications.c: `check_escalation_condition`, `create_notification_list_from_…`.)

use std::collections::{BTreeMap, BTreeSet};

use super::Settings;
use super::report::{Report, Sort};
use super::site::{Escalation, Site, Watched};

/// The units of an interval where nothing is written.
pub(super) const DEFAULT_INTERVAL: f64 = 30.0;
/// The most levels: steps of an escalation plan.
const MOST_LEVELS: usize = escalation::plan::MAX_STEPS;

/// Some who are told, within a period and outside of others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part {
    pub(super) contacts: BTreeSet<String>,
    pub(super) groups: BTreeSet<String>,
    pub(super) within: Option<String>,
    pub(super) outside: BTreeSet<String>,
}

/// What holds from one notification number on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Level {
    pub(super) number: u32,
    pub(super) parts: BTreeSet<Part>,
    /// Seconds from one number to the next; 0: there is no next.
    pub(super) seconds: u64,
}

/// Hosts and services that tell the same people in the same way.
#[derive(Clone, Debug)]
pub(super) struct Alike {
    pub(super) is_service: bool,
    pub(super) period: Option<String>,
    pub(super) levels: Vec<Level>,
    /// Where they stand in the site.
    pub(super) watched: Vec<usize>,
}

/// Everything that notifies, put together by how it does.
pub(super) fn of_site(site: &Site, settings: &Settings, report: &mut Report) -> Vec<Alike> {
    let mut alike: BTreeMap<(bool, Option<String>, Vec<Level>), Vec<usize>> = BTreeMap::new();
    for (place, one) in site.watched.iter().enumerate() {
        let what = if one.is_service { "service" } else { "host" };
        if !one.enabled {
            let text = format!("{what} \"{}\" has notifications_enabled 0: no team answers for it", one.name);
            report.note(Sort::Left, one.span, text);
            continue;
        }
        if one.period.as_deref() == Some("none") {
            report.note(
                Sort::Left,
                one.span,
                format!("{what} \"{}\" has notification_period none: no team", one.name),
            );
            continue;
        }
        if !tells_of_trouble(one.options.as_deref(), one.is_service) {
            let text = format!("{what} \"{}\" tells nobody that it is down or critical: no team", one.name);
            report.note(Sort::Left, one.span, text);
            continue;
        }
        if one.options.is_some() {
            let text = "notification_options of hosts and services: send to Dogwatch what people are to be told of; here a \
                        team is paged for whatever it is sent";
            report.note(Sort::Changed, one.span, text);
        }
        if one.first_delay > 0.0 {
            let text = format!(
                "first_notification_delay of {what} \"{}\": the first page goes out at once",
                one.name
            );
            report.note(Sort::Left, one.span, text);
        }
        let levels = of_one(one, &site.escalations, settings, report);
        if levels.iter().all(|level| level.parts.is_empty()) {
            report.note(
                Sort::Left,
                one.span,
                format!("{what} \"{}\" names nobody to tell: no team", one.name),
            );
            continue;
        }
        alike.entry((one.is_service, one.period.clone(), levels)).or_default().push(place);
    }
    let alike = alike.into_iter();
    alike
        .map(|((is_service, period, levels), watched)| Alike { is_service, period, levels, watched })
        .collect()
}

/// Whether a list of options holds the gravest state: down, or critical.
pub(super) fn tells_of_trouble(options: Option<&[char]>, is_service: bool) -> bool {
    let letter = if is_service { 'c' } else { 'd' };
    options.is_none_or(|options| options.contains(&letter) || options.contains(&'a'))
}

fn of_one(one: &Watched, all: &[Escalation], settings: &Settings, report: &mut Report) -> Vec<Level> {
    let mut own: Vec<(&Escalation, u32)> = Vec::new();
    for escalation in one.escalations.iter().filter_map(|place| all.get(*place)) {
        let Some(last) = escalation.last else { continue };
        if !tells_of_trouble(escalation.options.as_deref(), one.is_service) {
            let text = "an escalation whose escalation_options leave out the gravest state: severity is not looked at yet, \
                        and it is left out";
            report.note(Sort::Left, escalation.span, text);
            continue;
        }
        if escalation.options.is_some() {
            let text = "escalation_options: here the step is taken for every severity";
            report.note(Sort::Changed, escalation.span, text);
        }
        own.push((escalation, last));
    }
    let mut numbers: BTreeSet<u32> = BTreeSet::from([1]);
    for (escalation, last) in &own {
        numbers.insert(escalation.first.max(1));
        if *last > 0 {
            numbers.insert(last.saturating_add(1).max(1));
        }
    }
    let mut levels: Vec<Level> = Vec::new();
    for number in numbers {
        let valid: Vec<&Escalation> = own
            .iter()
            .filter(|(escalation, last)| escalation.first <= number && (*last == 0 || number <= *last))
            .map(|(escalation, _)| *escalation)
            .collect();
        let level = Level { number, parts: parts(one, &valid), seconds: seconds(one, &valid, settings) };
        let goes_on = level.seconds > 0;
        match levels.last() {
            Some(last) if last.parts == level.parts && last.seconds == level.seconds => {}
            _ => levels.push(level),
        }
        if !goes_on {
            if number > 0 && own.iter().any(|(escalation, _)| escalation.first > number) {
                let text = format!(
                    "notification_interval 0 at notification {number} of \"{}\": Naemon tells nobody again, so that what is \
                     written for later numbers never happens; here it does not either",
                    one.name
                );
                report.note(Sort::Changed, one.span, text);
            }
            break;
        }
    }
    if levels.len() > MOST_LEVELS {
        let text =
            format!("\"{}\" has more than {MOST_LEVELS} levels; the later ones are left out", one.name);
        report.note(Sort::Left, one.span, text);
        levels.truncate(MOST_LEVELS);
    }
    levels
}

fn parts(one: &Watched, valid: &[&Escalation]) -> BTreeSet<Part> {
    let default = |outside: BTreeSet<String>| Part {
        contacts: one.contacts.clone(),
        groups: one.groups.clone(),
        within: None,
        outside,
    };
    let mut parts: BTreeSet<Part> = valid
        .iter()
        .map(|escalation| {
            let (mut contacts, mut groups) = (escalation.contacts.clone(), escalation.groups.clone());
            if escalation.adds_contacts {
                contacts.extend(one.contacts.iter().cloned());
            }
            if escalation.adds_groups {
                groups.extend(one.groups.iter().cloned());
            }
            Part { contacts, groups, within: escalation.period.clone(), outside: BTreeSet::new() }
        })
        .collect();
    // When none of them is valid for its period, those of the object are told after all.
    let periods: Option<BTreeSet<String>> =
        valid.iter().map(|escalation| escalation.period.clone()).collect();
    if let Some(periods) = periods {
        parts.insert(default(periods));
    }
    parts.retain(|part| !part.contacts.is_empty() || !part.groups.is_empty());
    parts
}

fn seconds(one: &Watched, valid: &[&Escalation], settings: &Settings) -> u64 {
    let units = if valid.is_empty() {
        one.interval.unwrap_or(DEFAULT_INTERVAL)
    } else {
        // Without one of its own an escalation takes the object's, if that is written, else none at all.
        let of = |escalation: &&Escalation| escalation.interval.or(one.interval).unwrap_or(0.0);
        valid.iter().map(of).fold(f64::INFINITY, f64::min)
    };
    if units.is_finite() && units > 0.0 { (units * settings.interval_length as f64).ceil() as u64 } else { 0 }
}
