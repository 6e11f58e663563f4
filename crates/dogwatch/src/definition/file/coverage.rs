//! What is doubtful about schedules that are without errors: when nobody is on call, when two layers claim the same
//! time, whose shifts fall into leave, and who is on the rota and can't be reached.
//!
//! Who is on call is [`rota::schedule`]'s to say; here it is put beside what people wrote.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rota::diagnostic::Problem;
use rota::period::Interval;
use rota::schedule::{Claim, Schedule, Source, Who};

use super::Loaded;
use crate::definition::time::{show_length, show_minute, show_stretch};
use crate::definition::{Kind, LeaveSpec, read_json};

/// How far ahead schedules are looked at.
const AHEAD_DAYS: i64 = 90;
/// The most times that are listed at one place.
const MOST_LISTED: usize = 10;

/// All warnings about the time from an instant on.
pub(super) fn review(loaded: &Loaded, from: Timestamp) -> Vec<Problem> {
    let to = from.checked_add(SignedDuration::from_hours(24 * AHEAD_DAYS)).unwrap_or(Timestamp::MAX);
    let reviewer = Reviewer { loaded, time: Interval { start: from, end: to } };
    let mut problems = Vec::new();
    for (name, schedule) in &loaded.definitions.directory().schedules {
        reviewer.gaps(name.as_str(), schedule, &mut problems);
        reviewer.overlaps(name.as_str(), schedule, &mut problems);
    }
    reviewer.leave(&mut problems);
    reviewer.unreachable(&mut problems);
    problems
}

struct Reviewer<'a> {
    loaded: &'a Loaded,
    time: Interval,
}

impl Reviewer<'_> {
    fn gaps(&self, name: &str, schedule: &Schedule, problems: &mut Vec<Problem>) {
        for role in schedule.roles() {
            let gaps = schedule.gaps(self.time.start, self.time.end, &role.name);
            let zone = schedule.zone();
            let count = match gaps.as_slice() {
                [] => continue,
                [gap] => format!(": {}", self.told(*gap, zone)),
                gaps => {
                    let whole = gaps.iter().map(|gap| gap.start.duration_until(gap.end)).sum();
                    let (times, whole) = (gaps.len(), show_length(whole));
                    format!(": {times} times within {AHEAD_DAYS} days, {whole} in all")
                }
            };
            let message = format!("nobody is on call as {}{count} ({})", role.name, zone_name(zone));
            let advice = "a layer without a period, below the others, would have";
            let hint = if gaps.len() == 1 {
                format!("{advice} that time")
            } else {
                let times = gaps.iter().map(|gap| self.told(*gap, zone)).collect();
                listed(&format!("{advice} these times:"), times)
            };
            problems.push(Problem::warning(self.loaded.place_of(Kind::Schedule, name), message).hint(hint));
        }
    }

    fn overlaps(&self, name: &str, schedule: &Schedule, problems: &mut Vec<Problem>) {
        let zone = schedule.zone();
        for role in schedule.roles() {
            let mut pairs: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
            let described = |claim: &Claim| {
                let names: Vec<String> = claim.people.iter().map(|name| self.full_name(name)).collect();
                let source = match claim.source {
                    Source::Layer(place) => {
                        role.layers.get(place).map_or(String::new(), |layer| format!("\"{}\"", layer.name))
                    }
                    Source::Override(place) => schedule
                        .overrides()
                        .get(place)
                        .map_or(String::new(), |lies| format!("override {}", lies.id)),
                };
                format!("{source} ({})", names.join(", "))
            };
            for overlap in schedule.overlaps(self.time.start, self.time.end, &role.name) {
                let time = Interval { start: overlap.from, end: overlap.until };
                let pair = (described(&overlap.wins), described(&overlap.hidden));
                pairs.entry(pair).or_default().push(self.told(time, zone));
            }
            for ((wins, hidden), times) in pairs {
                let message = format!(
                    "two layers claim the same time as {}: {wins} wins over {hidden} ({})",
                    role.name,
                    zone_name(zone)
                );
                let advice = "if that is not meant, let the period of one exclude that of the other:";
                let hint = listed(advice, times);
                problems
                    .push(Problem::warning(self.loaded.place_of(Kind::Schedule, name), message).hint(hint));
            }
        }
    }

    /// Shifts that fall into leave, and who stands in.
    fn leave(&self, problems: &mut Vec<Problem>) {
        let definitions = &self.loaded.definitions;
        for (name, defined) in definitions.list(Kind::Leave, "") {
            let Ok(leave) = read_json::<LeaveSpec>(defined.body.clone()) else { continue };
            let away = leave.shape(&definitions.zone_of(&leave.person)).unwrap_or_default();
            let directory = definitions.directory();
            let rosters = directory.schedules.iter().map(|(name, schedule)| (Kind::Schedule, name, schedule));
            let teams = directory.rosters.iter().map(|(name, schedule)| (Kind::Team, name, schedule));
            for (kind, on, schedule) in rosters.chain(teams) {
                for role in schedule.roles() {
                    let hits = self.hits(&leave.person, &away, schedule, &role.name);
                    if hits.is_empty() {
                        continue;
                    }
                    let person = self.full_name(&leave.person);
                    let message = format!(
                        "{person} is on call during this leave, as {} of {kind} \"{on}\" ({})",
                        role.name,
                        zone_name(schedule.zone())
                    );
                    let hint = listed("these stand in:", hits);
                    let place = self.loaded.place_of(Kind::Leave, name);
                    problems.push(Problem::warning(place, message).hint(hint));
                }
            }
        }
    }

    /// The time during which somebody would be on call but for leave, with who stands in.
    fn hits(&self, person: &str, away: &[Interval], schedule: &Schedule, role: &str) -> Vec<String> {
        let mut hits: Vec<(Interval, rota::rotation::People)> = Vec::new();
        for stretch in away {
            let (start, end) = (stretch.start.max(self.time.start), stretch.end.min(self.time.end));
            for instead in schedule.missed(person, start, end, role) {
                let time = Interval { start: instead.from, end: instead.until.unwrap_or(end) };
                match hits.last_mut() {
                    // Shadows come and go.
                    Some((last, people)) if last.end == time.start && *people == instead.duty.people => {
                        last.end = time.end;
                    }
                    _ => hits.push((time, instead.duty.people)),
                }
            }
        }
        let shown = |(time, people): (Interval, rota::rotation::People)| {
            let names: Vec<String> = people.iter().map(|name| self.full_name(name)).collect();
            let who = if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
            format!("{who}: {}", self.told(time, schedule.zone()))
        };
        hits.into_iter().map(shown).collect()
    }

    /// People whom a schedule names and nothing can reach.
    fn unreachable(&self, problems: &mut Vec<Problem>) {
        let directory = self.loaded.definitions.directory();
        let mut where_named: BTreeMap<Arc<str>, Vec<String>> = BTreeMap::new();
        let schedules = directory.schedules.iter().map(|(name, schedule)| (Kind::Schedule, name, schedule));
        let teams = directory.rosters.iter().map(|(name, schedule)| (Kind::Team, name, schedule));
        for (kind, name, schedule) in schedules.chain(teams) {
            let on = format!("{kind} \"{name}\"");
            for person in self.people(schedule) {
                let named = where_named.entry(person).or_default();
                if !named.contains(&on) {
                    named.push(on.clone());
                }
            }
        }
        for (name, on) in where_named {
            let is_reachable = directory.people.get(&*name).is_some_and(|person| !person.contacts.is_empty());
            if is_reachable {
                continue;
            }
            let full_name = self.full_name(&name);
            let message = format!("{full_name} is on call by {} and has no contact", on.join(", "));
            let hint = format!("write contacts = [\"handset:{name}\"], or another way to be reached");
            problems.push(Problem::warning(self.loaded.place_of(Kind::Person, &name), message).hint(hint));
        }
    }

    /// Everybody who is to have turns, or is on call within the time, some more than once.
    fn people(&self, schedule: &Schedule) -> Vec<Arc<str>> {
        let mut people = Vec::new();
        for role in schedule.roles() {
            for layer in &role.layers {
                match &layer.who {
                    Who::People(named) => people.extend(named.iter().cloned()),
                    Who::Rotation(rotation) => {
                        let members = rotation.editions().last().map(|edition| &edition.members);
                        let members = members.into_iter().flatten();
                        people.extend(members.flat_map(|named| named.iter().cloned()));
                    }
                    // Whom these name is seen in the shifts.
                    Who::Stints(_) | Who::Calendar(_) => {}
                }
            }
            for shift in schedule.shifts(self.time.start, self.time.end, &role.name) {
                people.extend(shift.duty.people.iter().chain(&*shift.duty.shadows).cloned());
            }
        }
        people
    }

    fn full_name(&self, name: &str) -> String {
        let person = self.loaded.definitions.directory().people.get(name);
        let full_name = person.map(|person| person.full_name.clone()).filter(|full| !full.is_empty());
        full_name.unwrap_or_else(|| name.to_owned())
    }

    /// A stretch of time; of one that is cut, only the end that is known.
    fn told(&self, time: Interval, zone: &TimeZone) -> String {
        match (time.start <= self.time.start, time.end >= self.time.end) {
            (true, true) => "all the time".to_owned(),
            (true, false) => format!("until {}", show_minute(time.end, zone)),
            (false, true) => format!("from {} on", show_minute(time.start, zone)),
            (false, false) => show_stretch(time.start, time.end, zone),
        }
    }
}

fn zone_name(zone: &TimeZone) -> &str {
    zone.iana_name().unwrap_or("UTC")
}

/// Advice, and below it the times, as many as anybody reads.
fn listed(advice: &str, times: Vec<String>) -> String {
    let more = times.len().saturating_sub(MOST_LISTED);
    let mut lines = vec![advice.to_owned()];
    lines.extend(times.into_iter().take(MOST_LISTED));
    if more > 0 {
        lines.push(format!("… and {more} more"));
    }
    lines.join("\n")
}
