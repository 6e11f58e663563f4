//! What a run is made of: everything that is not drawn while it runs.

use std::fmt;

use super::dice::Dice;

/// The store that a run uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum StoreKind {
    /// The model: in memory, several nodes that interleave inside transactions.
    Model,
    /// SQLite in memory, one node; every statement may fail.
    Sqlite,
    /// PostgreSQL at the address that --database names, several nodes; each run makes a database and drops it.
    Postgres,
}

/// How often things go wrong. Rates are of ten thousand, or by simulated day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Nodes that die, a day; half of them while at work.
    pub crashes: u32,
    /// Nodes that stand still for a while and go on, a day.
    pub freezes: u32,
    /// Stretches in which calls of the store fail, a day.
    pub troubles: u32,
    /// In such a stretch: calls that fail, of 10,000.
    pub errors: u32,
    /// In such a stretch: commits of which nobody hears that they were made, of 10,000.
    pub lost_commits: u32,
    /// Providers that are out for a while, a day.
    pub outages: u32,
    /// Messages that a provider takes and loses, of 10,000.
    pub losses: u32,
    /// Sends that end without an answer, of 10,000; half of them have arrived.
    pub timeouts: u32,
    /// Sends that are refused, of 10,000.
    pub refusals: u32,
    /// Messages that arrived, of which their provider says that they did not, or nothing: of 10,000.
    pub receipts: u32,
    /// Messages that arrive twice, of 10,000.
    pub duplicates: u32,
    /// Times that the clock is set, a day.
    pub jumps: u32,
    /// Signals between nodes that get lost, of 10,000.
    pub lost_signals: u32,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Everything else is drawn from it.
    pub seed: u64,
    /// How long: simulated days.
    pub days: u32,
    /// Over which store.
    pub store: StoreKind,
    /// Where PostgreSQL is, for a run over it.
    pub database: Option<String>,
    /// How many nodes.
    pub nodes: u8,
    /// How many teams.
    pub teams: u8,
    /// How many people.
    pub people: u8,
    /// Reports a day.
    pub reports: u32,
    /// Storms a day: many reports within a minute.
    pub storms: u32,
    /// Edits of definitions a day.
    pub edits: u32,
    /// What goes wrong.
    pub faults: Faults,
}

impl Options {
    /// What a seed comes to: each its own mix. One in ten has no faults at all.
    pub fn of(seed: u64, store: StoreKind, days: Option<u32>, nodes: Option<u8>) -> Self {
        let mut dice = Dice::of(seed, "options", 0);
        let is_calm = dice.one_in(10);
        let mut maybe = |least: u64, most: u64| {
            let is_on = dice.one_in(2) && !is_calm;
            let value = dice.spread(least, most);
            if is_on { u32::try_from(value).unwrap_or(u32::MAX) } else { 0 }
        };
        let faults = Faults {
            crashes: maybe(1, 200),
            freezes: maybe(1, 50),
            troubles: maybe(1, 50),
            errors: maybe(20, 2_000),
            lost_commits: maybe(20, 2_000),
            outages: maybe(1, 50),
            losses: maybe(10, 1_000),
            timeouts: maybe(10, 3_000),
            refusals: maybe(10, 3_000),
            duplicates: maybe(10, 1_000),
            jumps: maybe(1, 8),
            lost_signals: maybe(10, 5_000),
            receipts: maybe(10, 2_000),
        };
        let edits = maybe(1, 20);
        let mut dice = Dice::of(seed, "size", 0);
        let mut size = |least: u64, most: u64| u32::try_from(dice.spread(least, most)).unwrap_or(u32::MAX);
        let (length, teams, people) = (size(3, 30), size(1, 4), size(1, 12));
        let (reports, storms) = (size(5, 120), size(1, 3) - 1);
        let drawn = u8::try_from(dice.between(1, 3)).unwrap_or(1);
        Self {
            seed,
            days: days.unwrap_or(length),
            store,
            database: None,
            nodes: match store {
                StoreKind::Model | StoreKind::Postgres => nodes.unwrap_or(drawn).clamp(1, 9),
                StoreKind::Sqlite => 1,
            },
            teams: u8::try_from(teams).unwrap_or(1),
            people: u8::try_from(people).unwrap_or(1),
            reports,
            storms,
            edits,
            faults,
        }
    }

    /// Nothing goes wrong in this run: what happens can be foretold.
    pub fn is_calm(&self) -> bool {
        self.faults == Faults::default()
    }
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let store = match self.store {
            StoreKind::Model => "model",
            StoreKind::Sqlite => "sqlite",
            StoreKind::Postgres => "postgres",
        };
        write!(
            f,
            "--seed {} --store {store} --days {} --nodes {} (teams {}, people {}, reports/day {}, storms/day {}, \
             edits/day {}; {:?})",
            self.seed,
            self.days,
            self.nodes,
            self.teams,
            self.people,
            self.reports,
            self.storms,
            self.edits,
            self.faults
        )
    }
}
