//! `dogwatch rehearse`: what would happen if an alert came in, minute by minute; and the worst hour of the week.

use std::fmt::Write as _;
use std::str::FromStr;

use clap::Args;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::client::segment;
use super::on_call::{Source, Where, find_zone};
use super::rows::{WIDTH, wrap};
use super::terminal::Paint;
use crate::clock::{Clock, SystemClock};
use crate::definition::time::{show_length, show_minute};
use crate::rehearsal::{AnswerSpec, Film, Hour, QuestionSpec, Week};

/// Show what would happen if an alert came in for a team: every page and message, minute by minute.
///
/// The real machine is played on a clock of its own, with the definitions as they are, until somebody has the alert or
/// nobody has: nothing is stored and nobody is called. Carriers take everything at once, but for those that are said to
/// be down. With --config the definitions come straight from files, with no server.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dogwatch rehearse ops
  dogwatch rehearse ops --at \"2026-12-24 03:00\" --answer bob@20m
  dogwatch rehearse ops --provider-down email --config definitions/
  dogwatch rehearse ops --alerts 30
  dogwatch rehearse ops --all-week
  dogwatch rehearse ops --json | jq '.scenes[] | select(.is_trouble)'

TIME is 2026-12-24T07:00:00Z, or \"2026-12-24 08:00\" or 2026-12-24 on the clocks of the schedule's zone.
--answer NAME@AFTER: that person acknowledges that long after the alert came in, or as soon as a page has come through.
--all-week plays an alert at every full hour of seven days, and says in which it takes longest to get hold of somebody.")]
pub(super) struct Rehearse {
    /// The team
    team: String,
    /// When the alert comes in [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// How grave it is: critical, error, warning or info
    #[arg(long, value_name = "SEVERITY", default_value = "critical")]
    severity: String,
    /// How many alerts have come in lately, this one counted, for steps that say more_than [default: 1]
    #[arg(long, value_name = "COUNT")]
    alerts: Option<u64>,
    /// Somebody answers; may be given more than once
    #[arg(long, value_name = "NAME@AFTER")]
    answer: Vec<Answer>,
    /// A kind of contact, or one contact, through which nothing gets; may be given more than once
    #[arg(long, value_name = "KIND")]
    provider_down: Vec<String>,
    /// Play every hour of a week, and show the worst
    #[arg(long)]
    all_week: bool,
    /// How to show it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    from: Where,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// `bob@20m`.
#[derive(Clone, Debug)]
struct Answer(AnswerSpec);

impl FromStr for Answer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (person, after) =
            text.rsplit_once('@').ok_or("write who answers, and after how long: bob@20m".to_owned())?;
        Ok(Self(AnswerSpec { person: person.to_owned(), after: after.to_owned() }))
    }
}

/// Times begin here.
const TIME_COLUMN: usize = 10;
/// Sentences begin here.
const TEXT_COLUMN: usize = 19;

impl Rehearse {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let is_json = self.from.is_json() || self.format == Format::Json;
        let source = self.from.open()?;
        let spec = QuestionSpec {
            at: self.at,
            severity: Some(self.severity),
            alerts: self.alerts,
            answers: self.answer.into_iter().map(|answer| answer.0).collect(),
            down: self.provider_down,
        };
        let paint = Paint::for_stdout();
        if self.all_week {
            let week = week(&source, &self.team, &spec).await?;
            let shown = if is_json { serde_json::to_string(&week)? + "\n" } else { show_week(&week, paint) };
            print!("{shown}");
        } else {
            let film = film(&source, &self.team, &spec).await?;
            let shown =
                if is_json { serde_json::to_string(&film)? + "\n" } else { show(&film, &self.team, paint) };
            print!("{shown}");
        }
        Ok(())
    }
}

async fn film(source: &Source, team: &str, spec: &QuestionSpec) -> anyhow::Result<Film> {
    match source {
        Source::Files(files) => files.rehearse(team, spec, SystemClock.now()),
        Source::Server(server) => {
            let path = format!("/api/v1/teams/{}/rehearsals", segment(team));
            let body: Value = serde_json::to_value(spec)?;
            Ok(serde_json::from_value(server.expect("POST", &path, Some(&body)).await?)?)
        }
    }
}

async fn week(source: &Source, team: &str, spec: &QuestionSpec) -> anyhow::Result<Week> {
    match source {
        Source::Files(files) => files.rehearse_week(team, spec, SystemClock.now()),
        Source::Server(server) => {
            let path = format!("/api/v1/teams/{}/rehearsals/week", segment(team));
            let body: Value = serde_json::to_value(spec)?;
            Ok(serde_json::from_value(server.expect("POST", &path, Some(&body)).await?)?)
        }
    }
}

fn length(seconds: u64) -> String {
    show_length(SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX)))
}

fn show(film: &Film, team: &str, paint: Paint) -> String {
    let zone = find_zone(&film.zone);
    let mut out = String::new();
    let head = format!("{}, {}", show_minute(film.at, &zone), film.zone);
    let _ = writeln!(out, "{}  {}", paint.strong(&format!("An alert for {team}")), paint.faint(&head));
    let mut last = None;
    for scene in &film.scenes {
        let after = if last == Some(scene.after) { String::new() } else { offset(scene.after) };
        let time = if last == Some(scene.after) { String::new() } else { clock(scene.at, film.at, &zone) };
        last = Some(scene.after);
        let mut lines = fold(&scene.text);
        lines.extend(scene.why.iter().flat_map(|why| fold(&format!("({why})"))));
        for (index, line) in lines.into_iter().enumerate() {
            let (after, time) = if index == 0 { (after.as_str(), time.as_str()) } else { ("", "") };
            let line = if scene.is_trouble { paint.wrong(&line) } else { line };
            let gap = TEXT_COLUMN - TIME_COLUMN;
            let _ = writeln!(out, "{}{line}", paint.faint(&format!("{after:<TIME_COLUMN$}{time:<gap$}")));
        }
    }
    let end = format!("{}, after {}", film.end.text, length(film.end.after));
    let end = if film.end.state == "acknowledged" { paint.inside(&end) } else { paint.alarm(&end) };
    let _ = writeln!(out, "\n{end}");
    let first = film.first_page_after.map_or_else(|| paint.alarm("never"), after_words);
    let _ = writeln!(out, "first page: {first}; people reached: {}", reached(film));
    out
}

fn reached(film: &Film) -> String {
    match film.people.as_slice() {
        [] => "nobody".to_owned(),
        people => format!("{} ({})", people.len(), people.join(", ")),
    }
}

fn after_words(seconds: u64) -> String {
    if seconds == 0 { "at once".to_owned() } else { format!("after {}", length(seconds)) }
}

/// `+1h 10m`.
fn offset(seconds: u64) -> String {
    format!("+{}", length(seconds).replace(' ', ""))
}

/// The time on the clock; the day, too, where it is another.
fn clock(at: Timestamp, begin: Timestamp, zone: &TimeZone) -> String {
    let (at, begin) = (zone.to_datetime(at), zone.to_datetime(begin));
    let form = if at.date() == begin.date() { "%H:%M:%S" } else { "%a %H:%M" };
    at.strftime(form).to_string()
}

fn fold(text: &str) -> Vec<String> {
    let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    wrap(&words, WIDTH - TEXT_COLUMN)
}

fn show_week(week: &Week, paint: Paint) -> String {
    let zone = find_zone(&week.zone);
    let mut out = String::new();
    let head = format!("seven days from {}, {}", show_minute(week.from, &zone), week.zone);
    let _ = writeln!(out, "{}  {}", paint.strong("Every hour of a week"), paint.faint(&head));
    let _ = writeln!(out, "\nuntil the first page, by the hour:");
    show_hours(&mut out, week, &zone, paint);
    out.push('\n');
    let shown: [(&str, Option<&Hour>, After); 3] = [
        ("the first page", week.worst_first_page.as_ref(), |hour| hour.first_page_after),
        ("three people", week.worst_three_people.as_ref(), |hour| hour.three_people_after),
        ("unanswered", week.worst_unanswered.as_ref(), |hour| hour.unanswered_after),
    ];
    for (what, worst, after) in shown {
        let every = week.hours.first().and_then(after);
        let line = match worst {
            Some(hour) => {
                let when = zone.to_datetime(hour.at).strftime("%A %H:%M").to_string();
                let took = after(hour).map_or_else(|| "never".to_owned(), after_words);
                paint.wrong(&format!("worst on {when}: {took}"))
            }
            None => format!("always {}", every.map_or_else(|| "never".to_owned(), after_words)),
        };
        let _ = writeln!(out, "{what:<16}{line}");
    }
    out
}

/// What is looked at of an hour.
type After = fn(&Hour) -> Option<u64>;

/// A row a day, a sign an hour: how long it takes until somebody is reached.
fn show_hours(out: &mut String, week: &Week, zone: &TimeZone, paint: Paint) {
    let mut day = None;
    let mut row = String::new();
    for hour in &week.hours {
        let at = zone.to_datetime(hour.at);
        if day != Some(at.date()) {
            if day.is_some() {
                let _ = writeln!(out, "{}", std::mem::take(&mut row));
            }
            day = Some(at.date());
            let _ = write!(
                row,
                "{}  {}",
                at.strftime("%a %m-%d"),
                " ".repeat(usize::try_from(at.hour()).unwrap_or(0))
            );
        }
        row.push_str(&match hour.first_page_after {
            None => paint.alarm("X"),
            Some(0) => paint.inside("."),
            Some(1..=300) => paint.note("-"),
            Some(301..=1800) => paint.wrong("+"),
            Some(_) => paint.wrong("#"),
        });
    }
    let _ = writeln!(out, "{row}");
    let legend = ". at once   - within 5 min   + within 30 min   # later   X never";
    let _ = writeln!(out, "{}", paint.faint(legend));
}
