//! `dogwatch tonight`: who rings first, second and third until morning, and what is wrong with that.

mod night;
mod resolve;

use std::fmt::Write as _;

use anyhow::anyhow;
use clap::Args;
use jiff::SignedDuration;

use super::on_call::{Moment, Where, find_zone, names};
use super::rows::WIDTH;
use super::terminal::Paint;
use crate::clock::{Clock, SystemClock};
use crate::definition::nearest;
use crate::definition::time::{show_instant, show_length, show_minute, show_stretch};
use night::{Night, Row, Step};

/// Show who rings first, second and third until morning, team by team, and through which contact.
///
/// The escalation plan is resolved as it would be for an alert of high urgency that came in now. Below it is who
/// comes on call until morning (08:00), and what is wrong: nobody on call, people who can't be reached, no last
/// resort. Times are those of the team's schedule. Colours are used in a terminal only, and not if NO_COLOR is set.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dogwatch tonight
  dogwatch tonight ops db --at \"2026-12-24 18:00\" --config definitions/")]
pub(super) struct Tonight {
    /// The teams [default: all]
    #[arg(value_name = "TEAM")]
    teams: Vec<String>,
    /// As if it were then [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    at: Option<Moment>,
    #[command(flatten)]
    from: Where,
}

impl Tonight {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let is_json = self.from.is_json();
        let source = self.from.open()?;
        let directory = source.directory().await?;
        let now = SystemClock.now();
        let known = || directory.teams.keys().map(|name| name.as_str());
        let mut wanted = self.teams;
        if wanted.is_empty() {
            wanted = known().map(str::to_owned).collect();
        }
        let contacts = source.contacts().await?;
        let mut nights = Vec::new();
        for name in &wanted {
            let team = directory.teams.get(name.as_str()).ok_or_else(|| {
                let near = nearest(name, known()).map(|near| format!("; did you mean \"{near}\"?"));
                anyhow!("there is no team \"{name}\"{}", near.unwrap_or_default())
            })?;
            let mut on_call = source.on_call(name, now).await?;
            if let Some(at) = &self.at {
                // Only the answer says in which zone the time is meant.
                on_call = source.on_call(name, at.read(&find_zone(&on_call.zone), now)?).await?;
            }
            nights.push(Night::of(&source, &directory, team, &on_call, contacts.as_ref()).await?);
        }
        if is_json {
            println!("{}", serde_json::json!({ "items": nights }));
            return Ok(());
        }
        let paint = Paint::for_stdout();
        let shown: Vec<String> = nights.iter().map(|night| show(night, paint)).collect();
        print!("{}", if shown.is_empty() { "no teams\n".to_owned() } else { shown.join("\n") });
        Ok(())
    }
}

/// Where names begin.
const NAME_COLUMN: usize = 22;

fn show(night: &Night, paint: Paint) -> String {
    let mut out = String::new();
    let zone = find_zone(&night.zone);
    let until = zone.to_datetime(night.until).strftime("%a %H:%M");
    let stretch = format!("{} to {until}, {}", show_minute(night.from, &zone), night.zone);
    let gap = WIDTH.saturating_sub(night.team.len() + stretch.chars().count()).max(2);
    let _ = writeln!(out, "{}{}{}", paint.strong(&night.team), " ".repeat(gap), paint.faint(&stretch));
    for (index, step) in night.steps.iter().enumerate() {
        show_step(&mut out, &format!("{}", index + 1), step, paint);
    }
    if night.repeat > 0 {
        let rounds =
            if night.repeat == 1 { "once more".to_owned() } else { format!("{} times more", night.repeat) };
        let _ = writeln!(out, "  then all of it {rounds}");
    }
    if let Some(step) = &night.last_resort {
        show_step(&mut out, "L", step, paint);
        let _ = writeln!(out, "     {}", paint.faint("L: the last resort, when nobody has answered"));
    }
    for contact in &night.worked {
        let _ = writeln!(out, "  {}", paint.faint(contact));
    }
    for change in &night.changes {
        let shadows = match change.shadows.as_slice() {
            [] => String::new(),
            shadows => format!(" ({} is told as well)", names(shadows)),
        };
        let _ = writeln!(
            out,
            "  {}  {} is on call as {}{shadows}",
            show_instant(change.from, &zone),
            change.names(),
            change.role
        );
    }
    for gap in &night.gaps {
        // The morning cuts gaps: what comes then is another day's care.
        let when = match (gap.from <= night.from, gap.until >= night.until) {
            (true, true) => "all night, until morning and beyond".to_owned(),
            (true, false) => format!("until {}", show_instant(gap.until, &zone)),
            (false, true) => format!("from {} until morning and beyond", show_instant(gap.from, &zone)),
            (false, false) => show_stretch(gap.from, gap.until, &zone),
        };
        let told = format!("NOBODY IS ON CALL as {}: {when}", gap.role);
        let _ = writeln!(out, "  {}", paint.alarm(&told));
    }
    for wrong in &night.wrong {
        let _ = writeln!(out, "  {}", paint.wrong(&format!("!! {wrong}")));
    }
    out
}

fn show_step(out: &mut String, number: &str, step: &Step, paint: Paint) {
    let when = match step.after_seconds {
        0 => "at once".to_owned(),
        seconds => format!("after {}", show_length(SignedDuration::from_secs(seconds))),
    };
    let head = format!("  {number:<2} {when}");
    let mut head = format!("{head:<NAME_COLUMN$} ");
    if step.rows.is_empty() {
        let _ = writeln!(out, "{head}{}", paint.wrong("nobody: the next step comes at once"));
        return;
    }
    for row in &step.rows {
        let Row { who, why, contacts, .. } = row;
        let contacts = if row.still_rings { "still rings".to_owned() } else { contacts.join(", then ") };

        let contacts = if contacts.is_empty() { String::new() } else { format!("  {contacts}") };
        let line = format!("{who:<18} {}", paint.faint(&format!("({why})")));
        let length = head.chars().count() + who.chars().count().max(18) + why.chars().count() + 3;
        if length + contacts.chars().count() <= WIDTH {
            let _ = writeln!(out, "{head}{line}{contacts}");
        } else {
            let _ = writeln!(out, "{head}{line}");
            let _ = writeln!(out, "{}{contacts}", " ".repeat(NAME_COLUMN + 1));
        }
        head = " ".repeat(NAME_COLUMN + 1);
    }
}
