//! Who is on call, for the commands that ask: from files or from a server, in one shape.
//!
//! Read next: [`answer`], the shape; [`files`] and [`server`], the two sources; [`moment`], how times are given.

mod answer;
mod files;
mod moment;
mod server;

use std::path::PathBuf;

use clap::Args;
use escalation::directory::Directory;
use jiff::Timestamp;

pub(super) use answer::{
    Balance, Balances, Contacts, Gap, Gaps, OnCall, Person, RoleDuty, Shift, Shifts, merge, names,
};
pub(super) use moment::{Moment, find_zone};

use super::client::Server;
use crate::definition::ScheduleSpec;
use files::Files;

/// Where the answers come from.
#[derive(Debug, Args)]
pub(super) struct Where {
    /// Answer from definitions in these files and folders (.toml, .cfg) instead of a server
    #[arg(long, num_args = 1.., value_name = "PATH")]
    config: Vec<PathBuf>,
    #[command(flatten)]
    server: Server,
}

/// The answers, from wherever.
pub(super) enum Source {
    Files(Box<Files>),
    Server(Server),
}

impl Where {
    /// Whether programs read our output.
    pub(super) fn is_json(&self) -> bool {
        self.server.is_json()
    }

    /// Reads the files, if there are any.
    pub(super) fn open(self) -> anyhow::Result<Source> {
        if self.config.is_empty() {
            return Ok(Source::Server(self.server));
        }
        Ok(Source::Files(Box::new(Files::read(&self.config)?)))
    }
}

impl Source {
    /// Who is on call for a team.
    pub(super) async fn on_call(&self, team: &str, at: Timestamp) -> anyhow::Result<OnCall> {
        match self {
            Self::Files(files) => files.on_call(team, at),
            Self::Server(server) => server::on_call(server, team, at).await,
        }
    }

    /// A schedule as it was written.
    pub(super) async fn schedule(&self, name: &str) -> anyhow::Result<ScheduleSpec> {
        match self {
            Self::Files(files) => files.schedule(name),
            Self::Server(server) => server::schedule(server, name).await,
        }
    }

    /// All of them, by name.
    pub(super) async fn schedules(&self) -> anyhow::Result<Vec<ScheduleSpec>> {
        match self {
            Self::Files(files) => files.schedules(),
            Self::Server(server) => server::schedules(server).await,
        }
    }

    /// The shifts of a schedule, by role, without holes: a gap is a shift without people.
    pub(super) async fn shifts(
        &self,
        schedule: &str,
        (from, to): (Timestamp, Timestamp),
        role: Option<&str>,
    ) -> anyhow::Result<Shifts> {
        match self {
            Self::Files(files) => files.shifts(schedule, (from, to), role),
            Self::Server(server) => server::shifts(server, schedule, (from, to), role).await,
        }
    }

    /// When nobody is on call, by role.
    pub(super) async fn gaps(
        &self,
        schedule: &str,
        (from, to): (Timestamp, Timestamp),
    ) -> anyhow::Result<Gaps> {
        match self {
            Self::Files(files) => files.gaps(schedule, (from, to)),
            Self::Server(server) => server::gaps(server, schedule, (from, to)).await,
        }
    }

    /// How the load is shared.
    pub(super) async fn balance(
        &self,
        schedule: &str,
        (from, to): (Timestamp, Timestamp),
    ) -> anyhow::Result<Balances> {
        match self {
            Self::Files(files) => files.balance(schedule, (from, to)),
            Self::Server(server) => server::balance(server, schedule, (from, to)).await,
        }
    }

    /// Which contacts worked lately, and whether the service has a last resort. Files know neither.
    pub(super) async fn contacts(&self) -> anyhow::Result<Option<Contacts>> {
        match self {
            Self::Files(_) => Ok(None),
            Self::Server(server) => server::contacts(server).await.map(Some),
        }
    }

    /// The people, teams and plans. From a server, leave is not among it.
    pub(super) async fn directory(&self) -> anyhow::Result<Directory> {
        match self {
            Self::Files(files) => Ok(files.directory()),
            Self::Server(server) => server::directory(server).await,
        }
    }
}
