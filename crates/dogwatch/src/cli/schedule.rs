//! `dogwatch schedule`: look at schedules, and bring calendars in.

mod balance;
mod gaps;
mod import;
mod list;
mod show;
mod timeline;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::on_call::Moment;

/// Look at schedules: who is on call when, when nobody is, and how the load is shared.
#[derive(Debug, Args)]
pub(super) struct Schedule {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Show(show::Show),
    List(list::List),
    Gaps(gaps::Gaps),
    Import(import::Import),
    Balance(balance::Balance),
}

impl Schedule {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::Show(command) => command.run().await,
            Action::List(command) => command.run().await,
            Action::Gaps(command) => command.run().await,
            Action::Import(command) => command.run().await,
            Action::Balance(command) => command.run().await,
        }
    }
}

/// From when until when, as it is given.
#[derive(Debug, Args)]
struct Between {
    /// From when on [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    from: Option<Moment>,
    /// Until when [default: 90 days later]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    to: Option<Moment>,
}

/// The stretch where no end is given.
const DAYS: i64 = 90;

impl Between {
    fn read(&self, zone: &TimeZone, now: Timestamp) -> anyhow::Result<(Timestamp, Timestamp)> {
        // Seconds are of no interest here.
        let minute = Timestamp::from_second(now.as_second() - now.as_second().rem_euclid(60))?;
        let from = self.from.as_ref().map_or(Ok(minute), |from| from.read(zone, now))?;
        let to = match &self.to {
            Some(to) => to.read(zone, now)?,
            None => from.checked_add(jiff::SignedDuration::from_hours(24 * DAYS))?,
        };
        anyhow::ensure!(from < to, "--to is not after --from");
        Ok((from, to))
    }
}
