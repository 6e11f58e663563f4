//! `dogwatch apply`: what files say, put in force: all of it or nothing.

use anyhow::bail;
use clap::Args;

use super::as_code::{FileSet, Progress, counted};
use super::client::Server;
use super::plan;
use super::terminal::Paint;
use crate::api::{AppliedView, PlanView};

/// Put what files say in force on a server, all of it in one transaction or nothing.
///
/// Shows what changes, as `dogwatch plan` does, and does it, unless somebody has edited anything in between. What this
/// set of files (--owner) brought once and does not name any more is removed; what others keep stays, unless --prune
/// says otherwise. More removals than the files name definitions have to be allowed. Overrides and leave that people made as they went stay in any case. Done twice, the second time
/// changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dogwatch apply definitions/
  dogwatch apply people.toml teams/ --owner sre
  dogwatch apply definitions/ --planned 412")]
pub(super) struct Apply {
    #[command(flatten)]
    files: FileSet,
    /// Remove more definitions than the files name
    #[arg(long)]
    allow_removals: bool,
    /// Refuse if anything was edited since this version, which `dogwatch plan` has shown
    #[arg(long, value_name = "VERSION")]
    planned: Option<u64>,
    #[command(flatten)]
    server: Server,
}

/// So many may always be removed.
const FEW: usize = 5;

impl Apply {
    /// A path forgotten on the command line must not empty the house.
    fn check_removals(&self, planned: &PlanView, named: usize) -> anyhow::Result<()> {
        let removed = planned.changes.iter().filter(|change| change.what == "removed").count();
        if removed > named.max(FEW) && !self.allow_removals {
            bail!(
                "nothing was done: this would remove {removed} definitions, and the files name {named}; give all files of \
                 this set, another --owner, or --allow-removals if that is meant"
            );
        }
        Ok(())
    }

    pub(super) async fn run(self) -> anyhow::Result<()> {
        let progress = Progress::new();
        progress.says("reading");
        let loaded = self.files.read()?;
        progress.says(&format!("comparing {}", counted(&loaded)));
        let planned = self.files.send(&self.server, "/api/v1/definitions/plan", &loaded, None).await;
        progress.ends();
        let planned: PlanView = planned?;
        let version = self.planned.unwrap_or(planned.version);
        self.check_removals(&planned, loaded.documents.len())?;
        if !self.server.is_json() {
            print!("{}", plan::show(&planned, None, Paint::for_stdout()));
            if planned.changes.is_empty() && version == planned.version {
                return Ok(());
            }
        }
        progress.says(&format!("applying {}", counted(&loaded)));
        let applied =
            self.files.send(&self.server, "/api/v1/definitions/apply", &loaded, Some(version)).await;
        progress.ends();
        let applied: AppliedView = applied?;
        if self.server.is_json() {
            println!("{}", serde_json::to_string(&applied)?);
        } else {
            println!("applied; version {} is in force", applied.version);
        }
        Ok(())
    }
}
