//! `dogwatch completions`: completion scripts for shells.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Print a completion script for a shell.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  dogwatch completions bash > /etc/bash_completion.d/dogwatch")]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> anyhow::Result<()> {
        clap_complete::generate(self.shell, &mut super::Cli::command(), "dogwatch", &mut std::io::stdout());
        Ok(())
    }
}
