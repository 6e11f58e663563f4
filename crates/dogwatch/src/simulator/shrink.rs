//! Makes a failing run smaller: less happens from outside, less goes wrong, fewer nodes, fewer days, as long as the
//! same promise is broken. What is left is the story.

use jiff::SignedDuration;

use super::options::{Faults, Options};
use super::report::Report;
use super::run_script;
use super::script::{Line, draw};

/// A run that breaks a promise, and has little else in it.
#[derive(Clone, Debug)]
pub struct Story {
    /// Its options.
    pub options: Options,
    /// How much happens from outside, and how much did before.
    pub lines: (usize, usize),
    /// The run, told.
    pub report: Report,
}

/// Points that may be passed while a run is made smaller: a minute or less.
const MOST: u64 = 5_000_000;

struct Shrinking {
    promise: u8,
    options: Options,
    script: Vec<Line>,
    /// Points that may yet be passed: bounds how long it takes.
    left: u64,
}

impl Shrinking {
    /// Takes another run in the place of this one, if it breaks the same promise.
    fn take(&mut self, options: Options, script: Vec<Line>) -> bool {
        if self.left == 0 {
            return false;
        }
        let Ok(report) = run_script(&options, &script, false) else { return false };
        self.left = self.left.saturating_sub(report.polls + 10_000);
        let broken = report.violation;
        let is_same = broken.is_some_and(|violation| violation.promise == self.promise);
        if is_same {
            (self.options, self.script) = (options, script);
        }
        is_same
    }

    fn lines(&mut self) {
        let mut span = self.script.len().div_ceil(2);
        while span > 0 {
            let mut from = 0;
            while from < self.script.len() {
                let mut script = self.script.clone();
                script.drain(from..(from + span).min(script.len()));
                if !self.take(self.options.clone(), script) {
                    from += span;
                }
            }
            span /= 2;
        }
    }

    fn faults(&mut self) {
        let zeroes: [fn(&mut Faults); 8] = [
            |faults| faults.errors = 0,
            |faults| faults.lost_commits = 0,
            |faults| faults.losses = 0,
            |faults| faults.timeouts = 0,
            |faults| faults.refusals = 0,
            |faults| faults.duplicates = 0,
            |faults| faults.lost_signals = 0,
            |faults| faults.freezes = 0,
        ];
        for zero in zeroes {
            let mut options = self.options.clone();
            zero(&mut options.faults);
            self.take(options, self.script.clone());
        }
        while self.options.nodes > 1 {
            let options = Options { nodes: self.options.nodes - 1, ..self.options.clone() };
            if !self.take(options, self.script.clone()) {
                break;
            }
        }
    }
}

/// Shrinks a run that broke a promise. `None` if it does not break it again.
///
/// # Errors
///
/// As [`super::run`].
pub fn shrink(options: &Options) -> Result<Option<Story>, crate::store::StoreError> {
    let script = draw(options);
    let before = script.len();
    let report = run_script(options, &script, false)?;
    let Some(violation) = report.violation else { return Ok(None) };
    let start = super::company::START.parse().unwrap_or(violation.at);
    let until = violation.at.duration_since(start) + SignedDuration::from_mins(10);
    let mut shrinking = Shrinking {
        promise: violation.promise,
        options: options.clone(),
        script: script.clone(),
        left: MOST,
    };
    // Nothing that came later has a part in it.
    let early: Vec<Line> = script.into_iter().filter(|line| line.at <= until).collect();
    let days = u32::try_from(until.as_hours() / 24 + 1).unwrap_or(options.days).min(options.days);
    shrinking.take(Options { days, ..options.clone() }, early);
    shrinking.lines();
    shrinking.faults();
    shrinking.lines();
    let report = run_script(&shrinking.options, &shrinking.script, true)?;
    Ok(Some(Story { lines: (shrinking.script.len(), before), options: shrinking.options, report }))
}
