//! `dogwatch schedule balance`: how the load is shared.

use clap::Args;

use super::Between;
use crate::cli::on_call::{self, Balances, Where, find_zone};
use crate::cli::terminal::Paint;
use crate::clock::{Clock, SystemClock};
use crate::definition::time::show_instant;

/// Show how much each person is on call: hours in all, of these at night (22:00 to 06:00), at weekends, on holidays.
///
/// All roles together; shadows are not counted. What is a night and a weekend is read from the clocks of the
/// schedule's zone, what is a holiday from its period of holidays.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dogwatch schedule balance ops
  dogwatch schedule balance ops --from 2026-01-01 --to 2027-01-01 --config definitions/")]
pub(super) struct Balance {
    /// The schedule
    name: String,
    #[command(flatten)]
    between: Between,
    #[command(flatten)]
    from: Where,
}

/// The width of a full bar.
const BAR: f64 = 14.0;

impl Balance {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let is_json = self.from.is_json();
        let source = self.from.open()?;
        let zone = find_zone(&source.schedule(&self.name).await?.zone);
        let (from, to) = self.between.read(&zone, SystemClock.now())?;
        let balances = source.balance(&self.name, (from, to)).await?;
        if is_json {
            println!("{}", serde_json::to_string(&balances)?);
            return Ok(());
        }
        println!("{} from {} to {}\n", self.name, show_instant(from, &zone), show_instant(to, &zone));
        print(&balances, Paint::for_stdout());
        Ok(())
    }
}

fn print(balances: &Balances, paint: Paint) {
    if balances.items.is_empty() {
        println!("{}", paint.alarm("NOBODY is ever on call"));
        return;
    }
    let all: f64 = balances.items.iter().map(|balance| balance.hours).sum();
    let most = balances.items.iter().map(|balance| balance.hours).fold(0.0, f64::max);
    let name = |balance: &on_call::Balance| -> String { balance.person.full_name.chars().take(18).collect() };
    println!("{}", paint.faint("                      hours   nights weekends holidays   share"));
    for balance in &balances.items {
        let share = if all > 0.0 { 100.0 * balance.hours / all } else { 0.0 };
        // Between 0 and the width of a bar.
        let bar = "█".repeat((BAR * balance.hours / most.max(f64::MIN_POSITIVE)).round() as usize);
        println!(
            "{:<18} {:>8.1} {:>8.1} {:>8.1} {:>8.1} {share:>5.1} %  {}",
            name(balance),
            balance.hours,
            balance.nights,
            balance.weekends,
            balance.holidays,
            paint.inside(&bar),
        );
    }
}
