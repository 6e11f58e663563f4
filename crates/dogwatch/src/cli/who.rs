//! `dogwatch who`: who is on call for a team, until when, and who comes then.

use std::fmt::Write as _;

use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::on_call::{Moment, OnCall, RoleDuty, Shift, Source, Where, find_zone, names};
use super::terminal::Paint;
use crate::clock::{Clock, SystemClock};
use crate::definition::time::{show_instant, show_length, show_stretch};

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

/// More questions are not asked about one role, however short its shifts are.
const MOST_QUESTIONS: usize = 8;
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
        let at = show_instant(answer.at, &zone);
        let _ = writeln!(out, "{}  {}", paint.strong(&answer.team), paint.faint(&format!("{at}, {}", answer.zone)));
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
pub(super) async fn follow(
    source: &Source,
    answer: &OnCall,
    role: &RoleDuty,
) -> anyhow::Result<Vec<Shift>> {
    let mut known = role.clone();
    let mut shifts: Vec<Shift> = known.now.take().into_iter().collect();
    let mut questions = 0;
    while let Some(last) = shifts.last()
        && shifts.iter().skip(1).filter(|shift| !shift.is_gap()).count() < SHIFTS_AHEAD
        && let Some(until) = last.until
    {
        // The next shift of other people is known already; what may lie before it is not.
        let next = [known.next.take(), known.after.take()];
        let [next, after] = next.map(|shift| shift.filter(|shift| shift.from >= until));
        let found = match next {
            Some(next) if next.from == until => {
                known.next = after;
                next
            }
            _ if questions == MOST_QUESTIONS => break,
            _ => {
                questions += 1;
                let later = source.on_call(&answer.team, until).await?;
                let Some(found) = later.roles.into_iter().find(|known| known.role == role.role) else { break };
                known = found;
                let Some(now) = known.now.take() else { break };
                now
            }
        };
        match shifts.last_mut() {
            Some(last) if is_same(last, &found) => last.until = found.until,
            _ => shifts.push(found),
        }
    }
    Ok(shifts)
}

/// Whether nothing changes for anybody.
fn is_same(one: &Shift, other: &Shift) -> bool {
    one.people == other.people && one.shadows == other.shadows && one.instead_of == other.instead_of
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
        None if now.is_gap() => "and nobody will be".to_owned(),
        None => "without an end".to_owned(),
    };
    let _ = writeln!(out, "  on call  {who}, {until}");
    if !now.is_gap() {
        let _ = writeln!(out, "{INDENT}{}", paint.faint(&format!("by {}{}", now.because, instead_of(now))));
    } else if !now.instead_of.is_empty() {
        let _ = writeln!(out, "{INDENT}{}", paint.note(&format!("{} can't", names(&now.instead_of))));
    }
    if !now.shadows.is_empty() {
        let _ = writeln!(out, "{INDENT}told as well: {}", names(&now.shadows));
    }
    for shift in later {
        let who = if shift.is_gap() { paint.alarm("NOBODY") } else { shift.names() };
        let when = match shift.until {
            Some(until) => show_stretch(shift.from, until, zone),
            None => format!("from {} on", show_instant(shift.from, zone)),
        };
        let _ = writeln!(out, "  then     {who}, {when}{}", instead_of(shift));
        if !shift.shadows.is_empty() {
            let _ = writeln!(out, "{INDENT}told as well: {}", names(&shift.shadows));
        }
    }
}

/// Whose place the people of a shift have.
fn instead_of(shift: &Shift) -> String {
    if shift.instead_of.is_empty() || shift.is_gap() {
        return String::new();
    }
    format!(", instead of {}", names(&shift.instead_of))
}
