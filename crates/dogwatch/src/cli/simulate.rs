//! `dogwatch simulate`: years of faults for this very program, in minutes; and the promises that have to hold.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use clap::Args;

use crate::clock::{Stopwatch, lock};
use crate::simulator::{self, Options, PROMISES, Report, StoreKind, Story, Violation};

/// Put this program to the test: simulated days full of faults, and the promises that have to hold.
///
/// A seed makes a company, its problems, what people do about them and everything that goes wrong: nodes that die or stand
/// still in the middle of a transaction, a store that fails, commits of which nobody hears, providers that lose, repeat
/// and hang, clocks that are set. Then all is well again, and everything has to come to its end. The rules and the
/// store's verbs are those of the service; the same seed gives the same run. Nothing is called and nothing is stored (over
/// PostgreSQL: nothing stays).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dogwatch simulate
  dogwatch simulate --seeds 1000
  dogwatch simulate --seconds 60 --store sqlite
  dogwatch simulate --seed 4711 --seeds 1 --trace

Ends with 0 if every promise held, else with 1 and the shortest story that breaks it. --promises lists them.")]
pub(super) struct Simulate {
    /// The first seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds
    #[arg(long, default_value_t = 20)]
    seeds: u64,
    /// Go on for so many seconds instead, however many seeds that are
    #[arg(long)]
    seconds: Option<u64>,
    /// How many days each [default: 3 to 30, by the seed]
    #[arg(long)]
    days: Option<u32>,
    /// How many nodes, over the model or PostgreSQL [default: 1 to 3, by the seed]
    #[arg(long)]
    nodes: Option<u8>,
    /// What to store in
    #[arg(long, value_enum, default_value_t = StoreKind::Model)]
    store: StoreKind,
    /// A server of PostgreSQL, for --store postgres, at which databases may be made
    #[arg(long, value_name = "postgres://…", required_if_eq("store", "postgres"))]
    database: Option<String>,
    /// Tell everything that happens
    #[arg(long)]
    trace: bool,
    /// Print a line for each seed, with its options and the hash of its run
    #[arg(long)]
    each: bool,
    /// Plant every fault there is, one by one, and say after how many seeds it is found
    #[cfg(feature = "mutants")]
    #[arg(long)]
    mutants: bool,
    /// List the promises
    #[arg(long)]
    promises: bool,
}

/// What all seeds came to.
#[derive(Default)]
struct Tally {
    seeds: u64,
    report: Report,
    /// The lowest seed that broke a promise.
    failed: Option<(u64, Violation)>,
}

impl Simulate {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        if self.promises {
            for (place, sentence) in PROMISES.iter().enumerate() {
                println!("{:>2}. {sentence}", place + 1);
            }
            return Ok(ExitCode::SUCCESS);
        }
        #[cfg(feature = "mutants")]
        if self.mutants {
            return Ok(self.find_mutants());
        }
        if self.trace {
            let options = self.options(self.seed);
            let report = simulator::run(&options, true)?;
            println!("{options}");
            tell(&report);
            return Ok(end(&report));
        }
        let watch = Stopwatch::start();
        let tally = self.run_all(&watch)?;
        let seconds = watch.seconds();
        summary(&tally, seconds);
        let Some((seed, violation)) = &tally.failed else { return Ok(ExitCode::SUCCESS) };
        let options = self.options(*seed);
        println!("\n{violation}\n\nwith {options}\nmaking it shorter…");
        match simulator::shrink(&options)? {
            Some(story) => tell_story(&story),
            None => println!("it does not break it again: something besides the seed has a part in it"),
        }
        Ok(ExitCode::FAILURE)
    }

    /// Looks for every planted fault, in at most so many seeds each.
    #[cfg(feature = "mutants")]
    fn find_mutants(&self) -> ExitCode {
        let next = AtomicU64::new(0);
        let missed = AtomicU64::new(0);
        let all = simulator::Mutant::ALL;
        let work = || {
            while let Some(mutant) =
                usize::try_from(next.fetch_add(1, Ordering::Relaxed)).ok().and_then(|place| all.get(place))
            {
                let mut seeds = self.seed..self.seed.saturating_add(self.seeds);
                let found = seeds.find_map(|seed| {
                    let days = self.days.or(Some(4));
                    let options = Options::of(seed, StoreKind::Model, days, self.nodes);
                    let report = simulator::run_planted(&options, *mutant);
                    report.violation.map(|violation| (seed, violation.promise))
                });
                match found {
                    Some((seed, promise)) => println!(
                        "found after {:>4} seeds by promise {promise:>2}: {}",
                        seed - self.seed + 1,
                        mutant.words()
                    ),
                    None => {
                        missed.fetch_add(1, Ordering::Relaxed);
                        println!("NOT FOUND in {} seeds: {} ({mutant:?})", self.seeds, mutant.words());
                    }
                }
            }
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..cores {
                scope.spawn(work);
            }
        });
        let missed = missed.into_inner();
        println!("{} of {} planted faults found", all.len() as u64 - missed, all.len());
        if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn options(&self, seed: u64) -> Options {
        let options = Options::of(seed, self.store, self.days, self.nodes);
        Options { database: self.database.clone(), ..options }
    }

    /// Runs seeds on every core until they are done, the time is over or one fails.
    fn run_all(&self, watch: &Stopwatch) -> anyhow::Result<Tally> {
        let next = AtomicU64::new(self.seed);
        let is_over = AtomicBool::new(false);
        let tally = Mutex::new(Tally::default());
        let wrong = Mutex::new(None);
        let end = if self.seconds.is_some() { u64::MAX } else { self.seed.saturating_add(self.seeds) };
        let work = || {
            while !is_over.load(Ordering::Relaxed) {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                let is_late = self.seconds.is_some_and(|most| watch.seconds() >= most as f64);
                if seed >= end || is_late {
                    return;
                }
                let options = self.options(seed);
                match simulator::run(&options, false) {
                    Ok(report) => {
                        let mut tally = lock(&tally);
                        if self.each {
                            println!("{options} hash {:016x}", report.hash);
                        }
                        tally.seeds += 1;
                        tally.report.add(&report);
                        if let Some(violation) = report.violation {
                            if tally.failed.as_ref().is_none_or(|(known, _)| seed < *known) {
                                tally.failed = Some((seed, violation));
                            }
                            is_over.store(true, Ordering::Relaxed);
                        }
                    }
                    Err(error) => {
                        *lock(&wrong) = Some(error);
                        return;
                    }
                }
            }
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..cores {
                scope.spawn(work);
            }
        });
        if let Some(error) = wrong.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
            return Err(error.into());
        }
        Ok(tally.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

fn end(report: &Report) -> ExitCode {
    if report.violation.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn tell(report: &Report) {
    for (at, words) in &report.story {
        println!("{} {words}", at.strftime("%m-%d %H:%M:%S%.3f"));
    }
    if let Some(violation) = &report.violation {
        println!("\n{violation}");
    }
    println!("hash {:016x}", report.hash);
}

fn tell_story(story: &Story) {
    println!("{} of {} things from outside are left:\n", story.lines.0, story.lines.1);
    // What happened long before has no part in it that could be read.
    let lines = &story.report.story;
    let from = lines.len().saturating_sub(200);
    for (at, words) in &lines[from..] {
        println!("{} {words}", at.strftime("%m-%d %H:%M:%S%.3f"));
    }
    if let Some(violation) = &story.report.violation {
        println!("\n{violation}");
    }
}

fn summary(tally: &Tally, seconds: f64) {
    let report = &tally.report;
    let years = report.simulated.as_secs_f64() / (365.25 * 86_400.0);
    println!("{} seeds, {years:.2} simulated years in {seconds:.0} s", tally.seeds);
    println!("{:>12} alerts", report.alerts);
    println!("{:>12} commits checked, {} points passed", report.commits, report.polls);
    for (what, times) in &report.counts {
        println!("{times:>12} {what}");
    }
    let verdict = if tally.failed.is_some() { "BROKEN" } else { "held" };
    println!("{} promises {verdict}", PROMISES.len());
}
