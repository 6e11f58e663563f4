//! How long it takes to reach somebody at every hour of a week, as a picture.

use askama::Template;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::url;
use crate::definition::time::show_length;
use crate::rehearsal::{Hour, Week};

/// How high an hour is, in px.
const HIGH: u32 = 26;
/// Above the first day, in px.
const HEAD: u32 = 18;
/// How much of the width the names of days take, in percent.
const NAMES: f64 = 10.0;

struct Cell {
    x: String,
    y: u32,
    class: &'static str,
    title: String,
}

/// The picture, and the worst hour in words.
#[derive(Template)]
#[template(path = "_rehearse_heat.html")]
pub(super) struct Heat {
    height: u32,
    width: String,
    days: Vec<(u32, String)>,
    hours: Vec<(String, String)>,
    cells: Vec<Cell>,
    worst: String,
    /// The film of the worst hour; empty: all are alike.
    worst_path: String,
}

/// How bad it is that somebody is reached only after so long.
fn class(after: Option<u64>) -> &'static str {
    match after {
        Some(0..60) => "heat0",
        Some(60..300) => "heat1",
        Some(300..900) => "heat2",
        Some(_) => "heat3",
        None => "never",
    }
}

fn words(after: Option<u64>) -> String {
    let length = |seconds: u64| SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    match after {
        Some(0) => "reached at once".to_owned(),
        Some(seconds) => format!("reached after {}", show_length(length(seconds))),
        None => "nobody is reached".to_owned(),
    }
}

/// Draws a week.
pub(super) fn heat(week: &Week, team: &str) -> Heat {
    let zone = rota::zone::find(&week.zone).unwrap_or(TimeZone::UTC);
    let mut days: Vec<(u32, String)> = Vec::new();
    let mut cells = Vec::new();
    let step = (100.0 - NAMES) / 24.0;
    for hour in &week.hours {
        let at = hour.at.to_zoned(zone.clone());
        let day = at.strftime("%a %-d").to_string();
        if days.last().is_none_or(|(_, last)| *last != day) {
            let y = HEAD + HIGH * u32::try_from(days.len()).unwrap_or(0);
            days.push((y, day));
        }
        let y = days.last().map_or(HEAD, |(y, _)| *y);
        let first = hour.first.as_ref().map(|first| format!(" ({first})")).unwrap_or_default();
        cells.push(Cell {
            x: format!("{:.3}%", NAMES + step * f64::from(at.hour())),
            y,
            class: class(hour.first_page_after),
            title: format!("{}: {}{first}", at.strftime("%a %H:%M"), words(hour.first_page_after)),
        });
    }
    let (worst, worst_path) = match &week.worst_first_page {
        None => {
            let all = week.hours.first().and_then(|hour| hour.first_page_after);
            (format!("Every hour of this week is alike: somebody is {}.", words(all)), String::new())
        }
        Some(hour) => (worst_words(hour, &zone), film_of(hour.at, team)),
    };
    Heat {
        height: HEAD + HIGH * u32::try_from(days.len()).unwrap_or(0),
        width: format!("{:.3}%", step * 0.94),
        days: days.into_iter().map(|(y, day)| (y + 17, day)).collect(),
        hours: [0_u32, 6, 12, 18]
            .map(|hour| (format!("{:.3}%", NAMES + step * f64::from(hour)), format!("{hour:02}")))
            .into(),
        cells,
        worst,
        worst_path,
    }
}

fn worst_words(hour: &Hour, zone: &TimeZone) -> String {
    let at = hour.at.to_zoned(zone.clone()).strftime("%A at %H:%M");
    format!("The worst hour is {at}: {}.", words(hour.first_page_after))
}

fn film_of(at: Timestamp, team: &str) -> String {
    let at = at.to_string();
    format!("{}?{}", url::REHEARSE, url::query([("team", team), ("at", at.as_str())]))
}
