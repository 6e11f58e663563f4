//! How a provider is doing: how much may be sent at once and in a second, and when it is left alone.
//!
//! Pure but for the lock around it: the time comes in. Who is asked next is decided in [`super`].

use jiff::{SignedDuration, Timestamp};

/// Failures in a row after which a provider is left alone for a while.
const PATIENCE: u32 = 3;
/// For how long at first; it doubles with each failure after that.
const FIRST_REST: SignedDuration = SignedDuration::from_secs(30);
/// For how long at most, and when its account is in trouble.
const LONGEST_REST: SignedDuration = SignedDuration::from_mins(5);
/// How often the operators are told of the same trouble.
const TOLD_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// What a provider bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Sends at once.
    pub at_once: usize,
    /// Sends that may begin in any second.
    pub per_second: u32,
}

/// Why a provider can't be asked now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It has all that it bears, until then or until one of these ends.
    Full(Timestamp),
    /// It wants to be left alone until then.
    Held(Timestamp),
    /// It has failed too often, or its account is in trouble: until then, and why.
    Resting(Timestamp, String),
}

/// The state of one provider.
#[derive(Clone, Debug)]
pub struct Health {
    limits: Limits,
    under_way: usize,
    /// The second that is being counted, and what has begun in it.
    second: (i64, u32),
    failures: u32,
    rest: Option<(Timestamp, String)>,
    held_until: Option<Timestamp>,
    told_at: Option<Timestamp>,
}

impl Health {
    /// One of which nothing bad is known.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            under_way: 0,
            second: (0, 0),
            failures: 0,
            rest: None,
            held_until: None,
            told_at: None,
        }
    }

    /// Takes a place. It has to be given back by [`Health::end`].
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn begin(&mut self, now: Timestamp) -> Result<(), Unfit> {
        if let Some(unfit) = self.unfit(now) {
            return Err(unfit);
        }
        let second = now.as_second();
        self.second = (second, if self.second.0 == second { self.second.1 + 1 } else { 1 });
        self.under_way += 1;
        Ok(())
    }

    /// Why it can't be asked now, if it can't.
    pub fn unfit(&self, now: Timestamp) -> Option<Unfit> {
        if let Some((until, why)) = self.rest.clone().filter(|(until, _)| *until > now) {
            return Some(Unfit::Resting(until, why));
        }
        if let Some(until) = self.held_until.filter(|until| *until > now) {
            return Some(Unfit::Held(until));
        }
        let begun = if self.second.0 == now.as_second() { self.second.1 } else { 0 };
        // After a rest one goes out to see whether it is well again; the others wait for what comes of it.
        let is_being_tried = self.rest.is_some() && self.under_way > 0;
        let is_full = self.under_way >= self.limits.at_once || begun >= self.limits.per_second;
        (is_full || is_being_tried).then(|| Unfit::Full(now + SignedDuration::from_secs(1)))
    }

    /// Gives a place back.
    pub fn end(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// It answered as a provider does that is well: it took something, or said what is wrong with it.
    pub fn well(&mut self) {
        self.failures = 0;
        self.rest = None;
        self.told_at = None;
    }

    /// It did not answer, or not as it should.
    pub fn failed(&mut self, now: Timestamp, why: &str) {
        self.failures = self.failures.saturating_add(1);
        if let Some(doublings) = self.failures.checked_sub(PATIENCE) {
            let rest = FIRST_REST * 2_i32.pow(doublings.min(4));
            self.rest = Some((now + rest.min(LONGEST_REST), why.to_owned()));
        }
    }

    /// It asks to be left alone until then.
    pub fn hold(&mut self, until: Timestamp) {
        self.held_until = Some(until);
    }

    /// Its account is in trouble: trying again at once is of no use. Says whether the operators are to be told.
    pub fn account_in_trouble(&mut self, now: Timestamp, why: &str) -> bool {
        self.failures = self.failures.max(PATIENCE);
        self.rest = Some((now + LONGEST_REST, why.to_owned()));
        let tell = self.told_at.is_none_or(|at| at + TOLD_EVERY <= now);
        if tell {
            self.told_at = Some(now);
        }
        tell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { at_once: 2, per_second: 3 };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000 + seconds).unwrap()
    }

    #[test]
    fn no_more_than_it_bears_at_once_and_in_a_second() {
        let mut health = Health::new(LIMITS);
        health.begin(at(0)).unwrap();
        health.begin(at(0)).unwrap();
        assert_eq!(health.begin(at(0)), Err(Unfit::Full(at(1))));
        health.end();
        health.begin(at(0)).unwrap();
        health.end();
        assert_eq!(health.begin(at(0)), Err(Unfit::Full(at(1))), "three in this second");
        health.begin(at(1)).unwrap();
    }

    #[test]
    fn after_three_failures_it_rests_and_then_one_goes_to_look() {
        let mut health = Health::new(LIMITS);
        for _ in 0..2 {
            health.failed(at(0), "no answer");
        }
        health.begin(at(0)).unwrap();
        health.end();
        health.failed(at(0), "no answer");
        assert_eq!(health.begin(at(29)), Err(Unfit::Resting(at(30), "no answer".to_owned())));
        health.begin(at(30)).unwrap();
        assert!(health.begin(at(30)).is_err(), "one at a time");
        health.end();
        health.failed(at(31), "no answer");
        assert_eq!(health.begin(at(90)), Err(Unfit::Resting(at(91), "no answer".to_owned())));
        health.begin(at(91)).unwrap();
        health.end();
        health.well();
        health.begin(at(92)).unwrap();
        health.begin(at(92)).unwrap();
    }

    #[test]
    fn the_operators_hear_of_an_account_in_trouble_once_an_hour() {
        let mut health = Health::new(LIMITS);
        assert!(health.account_in_trouble(at(0), "401"));
        assert!(!health.account_in_trouble(at(300), "401"));
        assert!(health.account_in_trouble(at(3_600), "401"));
        health.well();
        assert!(health.account_in_trouble(at(3_700), "401"), "it was well in between");
    }
}
