//! `dogwatch who`: who is on call for a team, until when, and who comes then.

use std::fmt::Write as _;

use clap::Args;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::on_call::{Moment, OnCall, RoleDuty, Shift, Source, Where, find_zone, merge, names};
use super::rows::WIDTH;
use super::terminal::Paint;
use crate::clock::{Clock, SystemClock};
use crate::definition::time::{show_instant, show_length, show_minute, show_stretch};

/// Show who is on call for a team, until when, and who comes then.
///
/// Times are those of the schedule's zone. With --config the answer comes straight from files, with no server.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dogwatch who ops
  dogwatch who ops --at 22:00
  dogwatch who ops --at \"2026-12-24 08:00\" --config definitions/

TIME is 2026-12-24T07:00:00Z, or \"2026-12-24 08:00\", 2026-12-24 or 08:00 (today) on the clocks of the schedule's
zone, or from now, such as +2h.")]
pub(super) struct Who {
    /// The team
    team: String,
    /// When [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    at: Option<Moment>,
    #[command(flatten)]
    from: Where,
}

/// How far the next shifts are looked for; further only if they are not found.
const NEAR: SignedDuration = SignedDuration::from_hours(40 * 24);
const FAR: SignedDuration = SignedDuration::from_hours(366 * 24);
/// How many shifts after the present one are shown.
const SHIFTS_AHEAD: usize = 2;
/// Names begin here.
const INDENT: &str = "           ";

impl Who {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let is_json = self.from.is_json();
        let source = self.from.open()?;
        let now = SystemClock.now();
        let mut answer = source.on_call(&self.team, now).await?;
        if let Some(at) = &self.at {
            // Only the answer says in which zone the time is meant.
            let at = at.read(&find_zone(&answer.zone), now)?;
            answer = source.on_call(&self.team, at).await?;
        }
        if is_json {
            println!("{}", serde_json::to_string(&answer)?);
            return Ok(());
        }
        let mut out = String::new();
        let zone = find_zone(&answer.zone);
        let paint = Paint::for_stdout();
        let at = show_minute(answer.at, &zone);
        let _ = writeln!(
            out,
            "{}  {}",
            paint.strong(&answer.team),
            paint.faint(&format!("{at}, {}", answer.zone))
        );
        for role in &answer.roles {
            let shifts = follow(&source, &answer, role).await?;
            show(&mut out, role, &shifts, answer.at, &zone, paint);
        }
        if answer.roles.is_empty() {
            let _ = writeln!(out, "\n{}", paint.alarm("NOBODY IS ON CALL: the schedule has no layer"));
        }
        print!("{out}");
        Ok(())
    }
}

/// The present shift and those after it, gaps included, so that nothing between two of them is left out.
async fn follow(source: &Source, answer: &OnCall, role: &RoleDuty) -> anyhow::Result<Vec<Shift>> {
    let at = answer.at;
    let Some(schedule) = &answer.schedule else {
        return Ok([&role.now, &role.next, &role.after].into_iter().flatten().cloned().collect());
    };
    let mut shifts: Vec<Shift> = Vec::new();
    for length in [NEAR, FAR] {
        let to = at.checked_add(length).unwrap_or(Timestamp::MAX);
        shifts = merge(source.shifts(schedule, (at, to), Some(&role.role)).await?.items);
        let people = shifts.iter().enumerate().filter(|(place, shift)| *place > 0 && !shift.is_gap());
        let last = people.map(|(place, _)| place + 1).nth(SHIFTS_AHEAD - 1);
        // The last one is shown whole.
        if let Some(last) = last.filter(|last| *last < shifts.len()) {
            shifts.truncate(last);
            return Ok(shifts);
        }
    }
    // What is cut at the end of the search has no end in sight.
    if let Some(last) = shifts.last_mut() {
        last.until = None;
    }
    Ok(shifts)
}

fn show(out: &mut String, role: &RoleDuty, shifts: &[Shift], at: Timestamp, zone: &TimeZone, paint: Paint) {
    let _ = writeln!(out, "\n{}", role.role);
    let Some((now, later)) = shifts.split_first() else {
        let _ = writeln!(out, "  on call  {}", paint.alarm("NOBODY IS ON CALL"));
        return;
    };
    let who = if now.is_gap() { paint.alarm("NOBODY IS ON CALL") } else { paint.strong(&now.names()) };
    let until = match now.until {
        Some(until) => {
            format!("until {} ({})", show_instant(until, zone), show_length(at.duration_until(until)))
        }
        None if now.is_gap() => "and nobody will be within a year".to_owned(),
        None => "no end in sight".to_owned(),
    };
    let _ = writeln!(out, "  on call  {who}, {until}");
    if !now.is_gap() {
        let _ = writeln!(out, "{INDENT}{}", paint.faint(&format!("by {}{}", now.because, instead_of(now))));
    } else if !now.instead_of.is_empty() {
        let _ = writeln!(out, "{INDENT}{}", paint.note(&format!("{} can't", names(&now.instead_of))));
    }
    // As it is now: shadows come and go within a shift.
    if let Some(now) = role.now.as_ref().filter(|now| !now.shadows.is_empty()) {
        let _ = writeln!(out, "{INDENT}told as well: {}", names(&now.shadows));
    }
    for shift in later {
        let who = if shift.is_gap() { paint.alarm("NOBODY") } else { shift.names() };
        let when = match shift.until {
            Some(until) => show_stretch(shift.from, until, zone),
            None => format!("from {} on", show_instant(shift.from, zone)),
        };
        let instead = instead_of(shift);
        let length = INDENT.len() + shift.names().chars().count() + when.len() + instead.chars().count() + 2;
        let instead =
            if length <= WIDTH { instead } else { format!("\n{INDENT}{}", instead.trim_start_matches(", ")) };
        let _ = writeln!(out, "  then     {who}, {when}{instead}");
    }
}

/// Whose place the people of a shift have.
fn instead_of(shift: &Shift) -> String {
    if shift.instead_of.is_empty() || shift.is_gap() {
        return String::new();
    }
    format!(", instead of {}", names(&shift.instead_of))
}
