//! `dogwatch migrate-store`: from SQLite to PostgreSQL.

use std::io::IsTerminal;

use anyhow::bail;
use clap::Args;

use crate::clock::{Clock, SystemClock};
use crate::config::Database;
use crate::store::move_house;

/// Move everything from an SQLite file into an empty PostgreSQL.
///
/// Stop Dogwatch first. The file stays as it is; what broke off goes on when the same command is given again. Alerts that
/// are open go on where they are, as soon as a node runs over the new database.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  dogwatch migrate-store --from sqlite:/var/lib/dogwatch/dogwatch.db --to postgres://dogwatch@db1/dogwatch")]
pub(super) struct MigrateStore {
    /// What there is
    #[arg(long, value_name = "sqlite:PATH")]
    from: String,
    /// Where it goes
    #[arg(long, value_name = "postgres://…")]
    to: String,
}

impl MigrateStore {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (Database::Sqlite(from), Database::Postgres(to)) =
            (Database::read(&self.from)?, Database::read(&self.to)?)
        else {
            bail!("write --from sqlite:PATH and --to postgres://…; the way back is not there");
        };
        if !from.exists() {
            bail!("there is no file {}", from.display());
        }
        let is_terminal = std::io::stdout().is_terminal();
        let told = move |table: &str, done: u64, all: u64| {
            if done == all {
                println!("{table}: {all}");
            } else if is_terminal {
                print!("{table}: {done} of {all}\r");
            }
        };
        let all = move_house(&from, to.reveal(), SystemClock.now(), told).await?;
        println!("All is there: {all} rows. Start Dogwatch with --database, and put the file away.");
        Ok(())
    }
}
