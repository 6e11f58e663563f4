//! `dogwatch schedule show`: a schedule as a timeline.

use anyhow::{Context, bail};
use clap::Args;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::timeline::{Timeline, draw, shadows};
use crate::cli::on_call::{Where, find_zone, merge};
use crate::cli::rows::read_date;
use crate::cli::terminal::Paint;
use crate::clock::{Clock, SystemClock};

/// Draw a schedule: a row for each day and role with a bar of its 24 hours, and the shifts as text.
///
/// Hours are those of the clock on the wall of the zone. A letter stands for whoever is on call; where nobody is,
/// there are exclamation marks and GAP. Colours are used in a terminal only, and not if NO_COLOR is set.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dogwatch schedule show ops
  dogwatch schedule show ops --from 2026-12-21 --to 2027-01-03 --zone America/New_York --config definitions/")]
pub(super) struct Show {
    /// The schedule
    name: String,
    /// The first day, such as 2026-12-24 [default: today in the zone]
    #[arg(long, value_name = "DATE", value_parser = read_date)]
    from: Option<Date>,
    /// The last day [default: 13 days after the first]
    #[arg(long, value_name = "DATE", value_parser = read_date)]
    to: Option<Date>,
    /// The IANA time zone whose clock is read [default: the schedule's]
    #[arg(long, value_parser = rota::zone::find)]
    zone: Option<TimeZone>,
    #[command(flatten)]
    source: Where,
}

/// More rows are nothing to look at.
const MOST_DAYS: i32 = 366;

impl Show {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let is_json = self.source.is_json();
        let source = self.source.open()?;
        let schedule = source.schedule(&self.name).await?;
        let zone = self.zone.unwrap_or_else(|| find_zone(&schedule.zone));
        let today = rota::zone::date(SystemClock.now(), &zone);
        let first = self.from.unwrap_or(today);
        let last = match self.to {
            Some(to) => to,
            None => first.checked_add(Span::new().days(13)).context("these days are too far away")?,
        };
        let days = (last - first).get_days() + 1;
        if days < 1 {
            bail!("--to {last} is before the first day, {first}");
        }
        if days > MOST_DAYS {
            bail!("from {first} to {last} are {days} days; at most {MOST_DAYS} can be drawn");
        }
        let begin = |date: Date| -> anyhow::Result<Timestamp> {
            Ok(zone.to_ambiguous_zoned(date.at(0, 0, 0, 0)).compatible()?.timestamp())
        };
        let (from, to) = (begin(first)?, begin(last.tomorrow()?)?);
        let shifts = source.shifts(&self.name, (from, to), None).await?;
        if is_json {
            println!("{}", serde_json::to_string(&shifts)?);
            return Ok(());
        }
        let (shadows, shifts) = (shadows(&shifts.items), merge(shifts.items));
        let dates = std::iter::successors(Some(first), |date| date.tomorrow().ok());
        let timeline = Timeline {
            name: &self.name,
            description: &schedule.description,
            zone,
            days: dates.take_while(|date| *date <= last).collect(),
            today,
            from,
            to,
            shifts: &shifts,
            shadows,
        };
        print!("{}", draw(&timeline, Paint::for_stdout()));
        Ok(())
    }
}
