//! The simulator: the same seed gives the same run, promises hold over both stores, and its page says what it does.
//!
//! Many more seeds are run by `scripts/test`, in a faster build.

use dogwatch::simulator::{self, Options, PROMISES, StoreKind};

fn run(seed: u64, store: StoreKind, days: u32) -> simulator::Report {
    simulator::run(&Options::of(seed, store, Some(days), None), false).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for store in [StoreKind::Model, StoreKind::Sqlite] {
        let (one, other, another) = (run(3, store, 1), run(3, store, 1), run(4, store, 1));
        assert!(one.commits > 0, "nothing happened over {store:?}");
        assert_eq!(one.hash, other.hash, "{store:?}");
        assert_ne!(one.hash, another.hash, "{store:?}");
    }
}

#[test]
fn promises_hold_over_both_stores() {
    for store in [StoreKind::Model, StoreKind::Sqlite] {
        for seed in 1..=6 {
            let report = run(seed, store, 1);
            assert_eq!(report.violation, None, "seed {seed} over {store:?}");
        }
    }
}

#[test]
fn a_run_without_faults_is_among_the_seeds() {
    let calm = (1..100).map(|seed| Options::of(seed, StoreKind::Model, None, None));
    assert!((2..30).contains(&calm.filter(Options::is_calm).count()));
}

#[test]
fn the_page_lists_every_promise() {
    let page = include_str!("../../../../docs/simulator.md");
    for (place, sentence) in PROMISES.iter().enumerate() {
        assert!(page.contains(&format!("| {} | {sentence} |", place + 1)), "{sentence}");
    }
}
