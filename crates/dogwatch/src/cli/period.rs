//! `dogwatch period`: ask periods, and look at them.

mod calendar;
mod eval;
mod show;

use std::process::ExitCode;

use clap::{Args, Subcommand};

/// Ask periods in files whether an instant is in, and draw them as a calendar.
#[derive(Debug, Args)]
pub(super) struct Period {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Eval(eval::Eval),
    Show(show::Show),
}

impl Period {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self.action {
            Action::Eval(command) => command.run(),
            Action::Show(command) => command.run(),
        }
    }
}
