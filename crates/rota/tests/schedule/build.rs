//! Schedules in a few words, and shifts as text. Readings are of the clocks of Berlin, in 2026.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use rota::period::{Interval, ZonedPeriod, compile};
use rota::rotation::{Edition, Length, People, Rotation};
use rota::schedule::{Duty, Layer, Leave, Override, Role, Schedule, Source, Who};
use rota::{syntax, zone};

pub const ROLE: &str = "primary";

/// January 2026 begins on a Thursday.
const PERIODS: &str = "
define timeperiod {
    timeperiod_name  office
    monday     09:00-17:00
    tuesday    09:00-17:00
    wednesday  09:00-17:00
    thursday   09:00-17:00
    friday     09:00-17:00
}
define timeperiod {
    timeperiod_name  weekdays
    monday     00:00-24:00
    tuesday    00:00-24:00
    wednesday  00:00-24:00
    thursday   00:00-24:00
    friday     00:00-24:00
}
define timeperiod {
    timeperiod_name  weekends
    saturday  00:00-24:00
    sunday    00:00-24:00
}
define timeperiod {
    timeperiod_name  evenings
    monday     16:00-22:00
    wednesday  16:00-22:00
    friday     16:00-22:00
}
define timeperiod {
    timeperiod_name  epiphany
    january 6  00:00-24:00
}
";

pub fn berlin() -> TimeZone {
    zone::find("Europe/Berlin").unwrap()
}

pub fn at(reading: &str) -> Timestamp {
    berlin().to_timestamp(format!("2026-{reading}").parse().unwrap()).unwrap()
}

pub fn period(name: &str, zone: TimeZone) -> ZonedPeriod {
    let document = syntax::read_text("periods", PERIODS);
    let compiled = compile(&document.definitions, date(2026, 1, 1));
    compiled.find(name).unwrap().clone().in_zone(zone)
}

/// Names, with blanks between.
pub fn people(names: &str) -> People {
    names.split_whitespace().map(Arc::from).collect()
}

/// Turns, with blanks between; people of one turn with plus signs between.
pub fn rotation(start: &str, length: Length, members: &str) -> Who {
    let edition = Edition {
        from: at("01-01T00:00"),
        start: format!("2026-{start}").parse().unwrap(),
        length,
        members: members.split(' ').map(|turn| people(&turn.replace('+', " "))).collect(),
        first: 0,
    };
    Who::Rotation(Arc::new(Rotation::new(berlin(), vec![edition]).unwrap()))
}

/// Weekly, from Monday the 5th of January at 08:00.
pub fn weekly(members: &str) -> Layer {
    layer(rotation("01-05T08:00", Length::Days(vec![7]), members))
}

pub fn always(names: &str) -> Layer {
    layer(Who::People(people(names)))
}

pub fn layer(who: Who) -> Layer {
    Layer { name: "layer".into(), who, ahead: 0, within: None, shadow: false }
}

pub fn within(period_name: &str, layer: Layer) -> Layer {
    Layer { within: Some(period(period_name, berlin())), ..layer }
}

pub fn shadow(layer: Layer) -> Layer {
    Layer { shadow: true, ..layer }
}

/// A schedule of one role.
pub fn schedule(layers: Vec<Layer>) -> Schedule {
    Schedule::new(berlin(), vec![Role { name: ROLE.into(), layers }])
}

/// Overrides as `01-05T08:00 01-06T08:00 ann for bob`, with `-` for no end and `for` left out to replace all.
pub fn overrides(lines: &[&str]) -> Vec<Override> {
    let made = lines.iter().enumerate().map(|(n, line)| {
        let words: Vec<&str> = line.split_whitespace().collect();
        Override {
            id: format!("override_{n}").into(),
            role: ROLE.into(),
            from: at(words[0]),
            until: Some(words[1]).filter(|until| *until != "-").map(at),
            person: words[2].into(),
            instead_of: words.get(4).map(|name| Arc::from(*name)),
        }
    });
    made.collect()
}

/// Leave as `ann 01-05T08:00 01-06T08:00`.
pub fn leave(schedule: Schedule, lines: &[&str]) -> Schedule {
    let mut by_person: std::collections::BTreeMap<Arc<str>, Vec<Interval>> = Default::default();
    for line in lines {
        let [person, from, until] = line.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{line}") };
        by_person.entry(person.into()).or_default().push(Interval { start: at(from), end: at(until) });
    }
    schedule.with_leave(by_person.into_iter().map(|(person, away)| (person, Leave::new(away))).collect())
}

pub fn show_time(at: Timestamp) -> String {
    berlin().to_datetime(at).strftime("%a %m-%d %H:%M").to_string()
}

pub fn show_duty(duty: &Duty) -> String {
    let people = if duty.people.is_empty() { "nobody".to_owned() } else { duty.people.join("+") };
    let source = match duty.source {
        None => String::new(),
        Some(Source::Layer(layer)) => format!(" by layer {layer}"),
        Some(Source::Override(place)) => format!(" by override {place}"),
    };
    let not = if duty.instead_of.is_empty() {
        String::new()
    } else {
        format!(", not {}", duty.instead_of.join("+"))
    };
    let told =
        if duty.shadows.is_empty() { String::new() } else { format!("; told: {}", duty.shadows.join("+")) };
    format!("{people}{source}{not}{told}")
}

/// The shifts from one reading to another.
pub fn show(schedule: &Schedule, from: &str, to: &str) -> String {
    let shifts = schedule.shifts(at(from), at(to), ROLE);
    let lines: Vec<String> =
        shifts.map(|shift| format!("{} {}", show_time(shift.from), show_duty(&shift.duty))).collect();
    lines.join("\n")
}
