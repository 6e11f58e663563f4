//! A calendar of a period, drawn with letters, 80 columns wide.
//!
//! A row is a date, a bar of its 24 hours and the hours as text. There are two widths of bar: a
//! letter for half an hour when all texts are short, else a letter for an hour, which leaves room
//! for more text. Half a letter can be filled, so that the bar is true to a quarter of an hour or
//! to half of one; what is finer is shaded, and only the text says it exactly.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use rota::period::{ClockDay, Jump, ZonedPeriod};

use crate::cli::rows::{BAR_COLUMN, WIDTH, date, hours, wrap};
use crate::cli::terminal::Paint;

/// What is drawn.
pub(super) struct Calendar<'a> {
    pub(super) period: &'a ZonedPeriod,
    pub(super) days: Vec<ClockDay>,
    pub(super) today: Date,
}

const DAY_SECONDS: u32 = 86_400;

/// Draws it.
pub(super) fn draw(calendar: &Calendar<'_>, paint: Paint) -> String {
    let texts: Vec<Vec<String>> = calendar.days.iter().map(texts).collect();
    let room = |cells: usize| WIDTH - BAR_COLUMN - cells - 2;
    let fits = |ranges: &Vec<String>| ranges.join(" ").len() <= room(48);
    let cells = if texts.iter().all(fits) { 48 } else { 24 };
    let mut out = String::new();
    title(&mut out, calendar, paint);
    let _ = writeln!(out, "{}{}", " ".repeat(BAR_COLUMN), paint.faint(&hours(cells)));
    let mut shaded = false;
    for (index, (day, ranges)) in calendar.days.iter().zip(&texts).enumerate() {
        if index > 0 && day.date.weekday() == Weekday::Monday {
            out.push('\n');
        }
        let bar = bar(day, cells);
        shaded |= bar.contains('▒');
        let mut lines = wrap(ranges, room(cells)).into_iter();
        let row = format!(
            "{}  {}  {}",
            date(day.date, calendar.today, paint),
            paint_bar(&bar, paint),
            lines.next().unwrap_or_default()
        );
        let _ = writeln!(out, "{}", row.trim_end());
        for line in lines {
            let _ = writeln!(out, "{}{line}", " ".repeat(BAR_COLUMN + cells + 2));
        }
        for jump in &day.jumps {
            let _ = writeln!(out, "{}{}", " ".repeat(BAR_COLUMN), paint.note(&note(day, jump)));
        }
    }
    out.push('\n');
    let _ = writeln!(out, "{}", total(calendar));
    if shaded {
        let _ = writeln!(out, "{}", paint.faint("▒ partly in; the hours beside the bar are exact"));
    }
    out
}

fn title(out: &mut String, calendar: &Calendar<'_>, paint: Paint) {
    let period = calendar.period.period();
    let zone = calendar.period.zone().iana_name().unwrap_or("UTC");
    let (name, alias) = (period.name(), period.alias());
    let alias = if alias == name { String::new() } else { format!(" · {alias}") };
    let length = name.chars().count() + alias.chars().count();
    let gap = WIDTH.saturating_sub(length + zone.len()).max(2);
    let _ = writeln!(out, "{}{alias}{}{}", paint.strong(name), " ".repeat(gap), paint.faint(zone));
    out.push('\n');
}

/// How much of a stretch of the bar is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fill {
    Out,
    In,
    Partly,
    /// The clock does not show these readings.
    Missing,
}

fn bar(day: &ClockDay, cells: usize) -> String {
    // Far below 2^32.
    let half = DAY_SECONDS / (2 * cells as u32);
    let missing: Vec<(u32, u32)> =
        day.jumps.iter().filter(|jump| jump.is_forwards()).map(|jump| jump.readings(day.date)).collect();
    let covered = |ranges: &[(u32, u32)], start: u32, end: u32| -> u32 {
        let overlap = |range: &(u32, u32)| range.1.min(end).saturating_sub(range.0.max(start));
        ranges.iter().map(overlap).sum()
    };
    let fill = |start: u32| {
        let end = start + half;
        let inside = covered(&day.readings, start, end);
        let gone = covered(&missing, start, end);
        match (inside, gone) {
            (0, gone) if gone == half => Fill::Missing,
            (0, _) => Fill::Out,
            (inside, gone) if inside + gone == half => Fill::In,
            _ => Fill::Partly,
        }
    };
    let cell = |index: u32| {
        let start = 2 * index * half;
        match (fill(start), fill(start + half)) {
            (Fill::Partly, _) | (_, Fill::Partly) => '▒',
            (Fill::In, Fill::In | Fill::Missing) | (Fill::Missing, Fill::In) => '█',
            (Fill::In, Fill::Out) => '▌',
            (Fill::Out, Fill::In) => '▐',
            (Fill::Missing, Fill::Missing) => '╌',
            (Fill::Out | Fill::Missing, Fill::Out | Fill::Missing) if start.is_multiple_of(10_800) => '┊',
            (Fill::Out | Fill::Missing, Fill::Out | Fill::Missing) => '·',
        }
    };
    (0..cells as u32).map(cell).collect()
}

fn paint_bar(bar: &str, paint: Paint) -> String {
    let kind = |letter: char| match letter {
        '·' | '┊' => 0,
        '╌' => 1,
        _ => 2,
    };
    let letters: Vec<char> = bar.chars().collect();
    let runs = letters.chunk_by(|a, b| kind(*a) == kind(*b));
    runs.map(|run| {
        let text: String = run.iter().collect();
        match run.first().map(|letter| kind(*letter)) {
            Some(0) => paint.faint(&text),
            Some(1) => paint.note(&text),
            _ => paint.inside(&text),
        }
    })
    .collect()
}

/// The hours of a day as text.
fn texts(day: &ClockDay) -> Vec<String> {
    match day.readings.as_slice() {
        [(0, DAY_SECONDS)] => vec!["all day".to_owned()],
        readings => {
            readings.iter().map(|(start, end)| format!("{}-{}", clock(*start), clock(*end))).collect()
        }
    }
}

fn clock(second: u32) -> String {
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let seconds = if second > 0 { format!(":{second:02}") } else { String::new() };
    format!("{hour:02}:{minute:02}{seconds}")
}

fn note(day: &ClockDay, jump: &Jump) -> String {
    let (first, last) = jump.readings(day.date);
    if day.length_seconds == 0 {
        return "↑ this day does not come: the clock goes on to the next".to_owned();
    }
    let what = if jump.is_forwards() { "do not come" } else { "come twice" };
    format!(
        "↑ the clock changes: {}-{} {what}, the day has {}",
        clock(first),
        clock(last),
        length(day.length_seconds)
    )
}

fn length(seconds: i64) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let parts = [(hours, "h"), (minutes, "min"), (seconds, "s")];
    let parts: Vec<String> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {unit}")).collect();
    if parts.is_empty() { "0 h".to_owned() } else { parts.join(" ") }
}

/// How much it is in all, and what comes after the last day if these days do not show it.
fn total(calendar: &Calendar<'_>) -> String {
    let days = calendar.days.len();
    let inside: i64 = calendar.days.iter().map(|day| day.in_seconds).sum();
    let all: i64 = calendar.days.iter().map(|day| day.length_seconds).sum();
    let days = if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
    let zone = calendar.period.zone();
    let end = calendar.days.last().and_then(|day| day.date.tomorrow().ok());
    let end = end.and_then(|date| zone.to_timestamp(date.at(0, 0, 0, 0)).ok()).unwrap_or(Timestamp::MAX);
    let show = |at: Option<Timestamp>| match at {
        Some(at) => zone.to_datetime(at).strftime("%a %Y-%m-%d %H:%M").to_string(),
        None => "never".to_owned(),
    };
    if inside == 0 {
        format!("Never in within {days}; next in: {}", show(calendar.period.next_in(end)))
    } else if inside == all {
        format!("Always in within {days}; next out: {}", show(calendar.period.next_out(end)))
    } else {
        format!("In for {} of {days}", length(inside))
    }
}
