//! `dogwatch period show`: a period as a calendar.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::calendar::{self, Calendar};
use crate::cli::definition_files::load;
use crate::cli::rows::read_date;
use crate::cli::terminal::Paint;
use crate::clock::{Clock, SystemClock};
use crate::definition::file::Loaded;

/// Draw a period as a calendar: a row for each day, with a bar of its 24 hours and the hours as text.
///
/// Hours are those of the clock on the wall of the zone; where it jumps, a note says so. Colours are used
/// in a terminal only, and not if NO_COLOR is set.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  dogwatch period show office --config periods.cfg --zone Europe/Berlin --from 2026-12-20 --to 2027-01-06")]
pub(super) struct Show {
    /// The name of the period
    name: String,
    /// A file or folder with definitions, .cfg or .toml; give it again for more
    #[arg(long, required = true, value_name = "FILE")]
    config: Vec<PathBuf>,
    /// The IANA time zone whose clock is read
    #[arg(long, default_value = "UTC", value_parser = rota::zone::find)]
    zone: TimeZone,
    /// The first day, such as 2026-12-24 [default: today in the zone]
    #[arg(long, value_name = "DATE", value_parser = read_date)]
    from: Option<Date>,
    /// The last day [default: 13 days after the first]
    #[arg(long, value_name = "DATE", value_parser = read_date)]
    to: Option<Date>,
}

/// More rows are nothing to look at.
const MOST_DAYS: i32 = 3_660;

impl Show {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let loaded = load(&self.config);
        let today = rota::zone::date(SystemClock.now(), &self.zone);
        let from = self.from.unwrap_or(today);
        let to = match self.to {
            Some(to) => to,
            None => from.checked_add(jiff::Span::new().days(13)).context("these days are too far away")?,
        };
        let days = (to - from).get_days() + 1;
        if days < 1 {
            bail!("--to {to} is before the first day, {from}");
        }
        if days > MOST_DAYS {
            bail!("from {from} to {to} are {days} days; at most {MOST_DAYS} can be drawn");
        }
        let Some(period) = loaded.find(&self.name) else {
            show_problems(&loaded);
            bail!("{}", loaded.no_period(&self.name));
        };
        let period = period.in_zone(self.zone.clone());
        let dates = std::iter::successors(Some(from), |date| date.tomorrow().ok());
        let calendar = Calendar {
            days: dates.take_while(|date| *date <= to).map(|date| period.clock_day(date)).collect(),
            period: &period,
            today,
        };
        let mut out = std::io::stdout().lock();
        out.write_all(calendar::draw(&calendar, Paint::for_stdout()).as_bytes())?;
        out.flush()?;
        if !loaded.is_sound(&self.name) {
            show_problems(&loaded);
            eprintln!("error: this is \"{}\" as far as it can be read", self.name);
            return Ok(ExitCode::FAILURE);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn show_problems(loaded: &Loaded) {
    let errors: Vec<_> = loaded.problems.iter().filter(|problem| problem.is_error()).cloned().collect();
    if !errors.is_empty() {
        eprintln!("{}", loaded.files.render_all(&errors));
    }
}
