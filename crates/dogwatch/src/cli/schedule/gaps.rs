//! `dogwatch schedule gaps`: when nobody is on call.

use clap::Args;
use jiff::SignedDuration;

use super::Between;
use crate::cli::on_call::{Where, find_zone};
use crate::cli::terminal::Paint;
use crate::clock::{Clock, SystemClock};
use crate::definition::time::{show_instant, show_length, show_stretch};

/// Show when nobody is on call.
///
/// Times are those of the schedule's zone.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dogwatch schedule gaps ops
  dogwatch schedule gaps ops --from 2026-12-01 --to 2027-01-15 --config definitions/")]
pub(super) struct Gaps {
    /// The schedule
    name: String,
    #[command(flatten)]
    between: Between,
    #[command(flatten)]
    from: Where,
}

impl Gaps {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let is_json = self.from.is_json();
        let source = self.from.open()?;
        let zone = find_zone(&source.schedule(&self.name).await?.zone);
        let (from, to) = self.between.read(&zone, SystemClock.now())?;
        let gaps = source.gaps(&self.name, (from, to)).await?;
        if is_json {
            println!("{}", serde_json::to_string(&gaps)?);
            return Ok(());
        }
        let (first, last) = (show_instant(from, &zone), show_instant(to, &zone));
        if gaps.items.is_empty() {
            println!("{}: somebody is on call all the time from {first} to {last}", self.name);
            return Ok(());
        }
        let paint = Paint::for_stdout();
        let mut whole = SignedDuration::ZERO;
        for gap in &gaps.items {
            let length = gap.from.duration_until(gap.until);
            whole += length;
            println!(
                "{}  {}  {} ({})",
                paint.alarm("NOBODY"),
                gap.role,
                show_stretch(gap.from, gap.until, &zone),
                show_length(length),
            );
        }
        let count =
            if gaps.items.len() == 1 { "1 gap".to_owned() } else { format!("{} gaps", gaps.items.len()) };
        println!("{count}, {} in all, from {first} to {last}", show_length(whole));
        Ok(())
    }
}
