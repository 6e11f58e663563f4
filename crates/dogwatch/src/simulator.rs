//! A deterministic simulator: years of faults for the real verbs over a real or a model store, in minutes.
//!
//! A run is a function of its options and its script: the same seed gives the same run, event by event. Nothing here
//! reads a clock or draws chance of its own. The verbs, the rules and the definitions are those of production; the
//! loops around them are told again here, on a clock that leaps.
//!
//! Read next: `simulator/world.rs` for what happens when, `simulator/promises.rs` for what has to hold,
//! `store/core.rs` for what is put to the test.

mod company;
mod dice;
mod house;
#[cfg(feature = "mutants")]
mod mutants;
mod node;
mod options;
mod people;
mod points;
mod promises;
mod report;
mod script;
mod shrink;
mod world;

#[cfg(feature = "mutants")]
pub use mutants::Mutant;
pub use options::{Faults, Options, StoreKind};
pub use promises::{PROMISES, Violation};
pub use report::Report;
pub use shrink::{Story, shrink};

use crate::store::StoreError;
use crate::store::model::Model;
use crate::store::postgres::simulated::Simulated;
use crate::store::sqlite::memory::MemoryDatabase;
use script::Line;
use world::World;

/// Runs one seed.
///
/// # Errors
///
/// [`StoreError`] when SQLite can't be opened in memory, or PostgreSQL can't be reached.
pub fn run(options: &Options, tells: bool) -> Result<Report, StoreError> {
    run_script(options, &script::draw(options), tells)
}

/// Runs one seed with a fault planted, over the model.
#[cfg(feature = "mutants")]
pub fn run_planted(options: &Options, mutant: Mutant) -> Report {
    let script = script::draw(options);
    World::new(options, &script, mutants::Faulty::new(Model::default(), mutant), false).run()
}

fn run_script(options: &Options, script: &[Line], tells: bool) -> Result<Report, StoreError> {
    Ok(match options.store {
        StoreKind::Model => World::new(options, script, Model::default(), tells).run(),
        StoreKind::Sqlite => {
            let database = MemoryDatabase::new()?;
            World::new(options, script, database, tells).run()
        }
        StoreKind::Postgres => {
            let run = || {
                let database = Simulated::new(options.database.as_deref().unwrap_or_default())?;
                Ok::<_, StoreError>(World::new(options, script, database, tells).run())
            };
            // What waits for the database must not wait on a thread that others wait on.
            std::thread::scope(|scope| scope.spawn(run).join())
                .unwrap_or_else(|panic| Err(StoreError::of_panic(&*panic)))?
        }
    })
}
