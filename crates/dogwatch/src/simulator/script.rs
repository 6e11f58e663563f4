//! What happens to a run from outside, drawn beforehand: so that a run can be told again with less in it.

use std::fmt;

use jiff::SignedDuration;

use super::dice::Dice;
use super::options::Options;

/// Something from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stimulus {
    /// A problem is reported.
    Report { key: u16, team: u8, severity: u8 },
    /// A problem is gone, says its source.
    Gone { key: u16, team: u8 },
    /// A node dies: after it has gone on by so many points, if it is at work; else at once.
    Crash { node: u8, points: u8, down: u32 },
    /// Every node dies.
    CrashAll { down: u32 },
    /// A node stands still.
    Freeze { node: u8, millis: u32 },
    /// Calls of the store fail.
    Trouble { millis: u32 },
    /// A provider is out.
    Outage { provider: u8, millis: u32, how: u8 },
    /// The clock is set.
    Jump { millis: i32 },
    /// Somebody edits something.
    Edit { which: u8, what: u16 },
}

/// A stimulus with when it comes: from the beginning of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) at: SignedDuration,
    pub(super) stimulus: Stimulus,
}

impl fmt::Display for Stimulus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Report { key, team, severity } => {
                write!(f, "problem {key} of team {team} is reported (severity {severity})")
            }
            Self::Gone { key, team } => write!(f, "problem {key} of team {team} is gone"),
            Self::Crash { node, points, down } => {
                write!(f, "node {node} dies within {points} points, for {down} ms")
            }
            Self::CrashAll { down } => write!(f, "every node dies, for {down} ms"),
            Self::Freeze { node, millis } => write!(f, "node {node} stands still for {millis} ms"),
            Self::Trouble { millis } => write!(f, "calls of the store fail for {millis} ms"),
            Self::Outage { provider, millis, how } => {
                write!(f, "provider {provider} is out for {millis} ms (way {how})")
            }
            Self::Jump { millis } => write!(f, "the clock is set by {millis} ms"),
            Self::Edit { which, what } => write!(f, "edit {which} ({what})"),
        }
    }
}

const DAY: u64 = 86_400_000;

fn small<T: TryFrom<u64> + Default>(number: u64) -> T {
    T::try_from(number).unwrap_or_default()
}

/// Everything that happens from outside, in order.
pub(super) fn draw(options: &Options) -> Vec<Line> {
    let mut lines = Vec::new();
    let faults = &options.faults;
    let mut each = |purpose: &str, a_day: u32, make: &dyn Fn(&mut Dice) -> Vec<(u64, Stimulus)>| {
        for day in 0..u64::from(options.days) {
            let mut dice = Dice::of(options.seed, purpose, day);
            for _ in 0..a_day {
                let at = day * DAY + dice.below(DAY);
                for (later, stimulus) in make(&mut dice) {
                    let at = SignedDuration::from_millis(small(at + later));
                    lines.push(Line { at, stimulus });
                }
            }
        }
    };
    let report = |dice: &mut Dice| {
        let (key, team) = (small(dice.below(60)), small(dice.below(u64::from(options.teams))));
        let severity = small(dice.below(4));
        let mut reports = vec![(0, Stimulus::Report { key, team, severity })];
        if dice.one_in(4) {
            reports.push((dice.spread(1, 600_000), Stimulus::Report { key, team, severity }));
        }
        // Most problems end soon, some later; and some are forgotten by everybody but us.
        let lasts = if dice.one_in(3) { 36 * 3_600_000 } else { 4 * 3_600_000 };
        if !dice.one_in(40) {
            reports.push((dice.spread(10_000, lasts), Stimulus::Gone { key, team }));
        }
        reports
    };
    each("reports", options.reports, &report);
    each("storms", options.storms, &|dice| {
        let team = small(dice.below(u64::from(options.teams)));
        let count = dice.spread(10, 60);
        let mut storm = Vec::new();
        for _ in 0..count {
            let (key, severity) = (small(100 + dice.below(30)), small(dice.below(4)));
            let at = dice.below(60_000);
            storm.push((at, Stimulus::Report { key, team, severity }));
            storm.push((at + dice.spread(60_000, 3_600_000), Stimulus::Gone { key, team }));
        }
        storm
    });
    each("edits", options.edits, &|dice| {
        vec![(0, Stimulus::Edit { which: small(dice.below(6)), what: small(dice.below(60_000)) })]
    });
    let node = |dice: &mut Dice| small::<u8>(dice.below(u64::from(options.nodes)));
    each("crashes", faults.crashes, &|dice| {
        let down = small(dice.spread(100, 120_000));
        if dice.one_in(8) {
            return vec![(0, Stimulus::CrashAll { down })];
        }
        vec![(0, Stimulus::Crash { node: node(dice), points: small(dice.below(80)), down })]
    });
    each("freezes", faults.freezes, &|dice| {
        vec![(0, Stimulus::Freeze { node: node(dice), millis: small(dice.spread(1_000, 600_000)) })]
    });
    each("troubles", faults.troubles, &|dice| {
        vec![(0, Stimulus::Trouble { millis: small(dice.spread(1_000, 120_000)) })]
    });
    each("outages", faults.outages, &|dice| {
        let millis = small(dice.spread(10_000, 3_600_000));
        vec![(0, Stimulus::Outage { provider: small(dice.below(3)), millis, how: small(dice.below(3)) })]
    });
    each("jumps", faults.jumps, &|dice| {
        let millis = small::<i32>(dice.spread(100, 3_600_000));
        let millis = if dice.one_in(2) { millis } else { -(millis / 12) };
        vec![(0, Stimulus::Jump { millis })]
    });
    lines.sort_by_key(|line| line.at);
    lines
}
