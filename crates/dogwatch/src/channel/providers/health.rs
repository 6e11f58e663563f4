//! How a provider is doing: how much may be sent at once and in a second, and when it is left alone.
//!
//! Pure but for the lock around it: the time comes in. What may begin in a second, and when a provider is left alone, is
//! decided over what all nodes know of it; how much is under way at once is each node's own. Who is asked next is
//! decided in [`super`].

use jiff::{SignedDuration, Timestamp};

use crate::store::nodes::Standing;

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

/// Something that has a bearing on how a provider is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Something is about to be sent: so many may be in any second.
    Begin(u32),
    /// It answered as a provider does that is well: it took something, or said what is wrong with it.
    Well,
    /// It did not answer, or not as it should.
    Failed(String),
    /// It asks to be left alone until then.
    Hold(Timestamp),
    /// Its account is in trouble: trying again at once is of no use.
    Account(String),
}

/// What a turn comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// It is noted.
    Noted,
    /// The operators are to be told.
    Tell,
    /// It can't be asked now.
    Unfit(Unfit),
}

/// Notes a turn.
pub fn note(standing: &mut Standing, turn: &Turn, now: Timestamp) -> Came {
    match turn {
        Turn::Begin(per_second) => {
            if let Some(unfit) = unfit(standing, *per_second, now) {
                return Came::Unfit(unfit);
            }
            let second = now.as_second();
            let begun = if standing.second.0 == second { standing.second.1 + 1 } else { 1 };
            standing.second = (second, begun);
        }
        Turn::Well => {
            standing.failures = 0;
            standing.rest = None;
            standing.told_at = None;
        }
        Turn::Failed(why) => {
            standing.failures = standing.failures.saturating_add(1);
            if let Some(doublings) = standing.failures.checked_sub(PATIENCE) {
                let rest = FIRST_REST * 2_i32.pow(doublings.min(4));
                standing.rest = Some((now + rest.min(LONGEST_REST), why.clone()));
            }
        }
        Turn::Hold(until) => standing.held_until = Some(*until),
        Turn::Account(why) => {
            standing.failures = standing.failures.max(PATIENCE);
            standing.rest = Some((now + LONGEST_REST, why.clone()));
            if standing.told_at.is_none_or(|at| at + TOLD_EVERY <= now) {
                standing.told_at = Some(now);
                return Came::Tell;
            }
        }
    }
    Came::Noted
}

/// Why it can't be asked now, if it can't.
fn unfit(standing: &Standing, per_second: u32, now: Timestamp) -> Option<Unfit> {
    if let Some((until, why)) = standing.rest.clone().filter(|(until, _)| *until > now) {
        return Some(Unfit::Resting(until, why));
    }
    if let Some(until) = standing.held_until.filter(|until| *until > now) {
        return Some(Unfit::Held(until));
    }
    let begun = if standing.second.0 == now.as_second() { standing.second.1 } else { 0 };
    (begun >= per_second).then(|| Unfit::Full(now + SignedDuration::from_secs(1)))
}

/// The state of one provider, as this node knows it.
#[derive(Clone, Debug)]
pub struct Health {
    limits: Limits,
    under_way: usize,
    /// What all nodes know.
    standing: Standing,
}

impl Health {
    /// One of which nothing bad is known.
    pub fn new(limits: Limits) -> Self {
        Self { limits, under_way: 0, standing: Standing::default() }
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
        self.note(&Turn::Begin(self.limits.per_second), now);
        self.under_way += 1;
        Ok(())
    }

    /// Why it can't be asked now, if it can't.
    pub fn unfit(&self, now: Timestamp) -> Option<Unfit> {
        // After a rest one of this node goes out to see whether it is well again; the others wait for what comes of it.
        let is_being_tried = self.standing.rest.is_some() && self.under_way > 0;
        let is_full = self.under_way >= self.limits.at_once || is_being_tried;
        unfit(&self.standing, self.limits.per_second, now)
            .or_else(|| is_full.then(|| Unfit::Full(now + SignedDuration::from_secs(1))))
    }

    /// Whether nothing bad is known of it.
    pub fn is_well(&self) -> bool {
        let Standing { failures, rest, held_until, told_at, .. } = &self.standing;
        *failures == 0 && rest.is_none() && held_until.is_none() && told_at.is_none()
    }

    /// Gives a place back.
    pub fn end(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// Notes a turn on this node.
    pub fn note(&mut self, turn: &Turn, now: Timestamp) -> Came {
        note(&mut self.standing, turn, now)
    }

    /// Takes over what all nodes know.
    pub fn know(&mut self, standing: Standing) {
        self.standing = standing;
    }

    /// What it bears.
    pub fn limits(&self) -> Limits {
        self.limits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { at_once: 2, per_second: 3 };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000 + seconds).unwrap()
    }

    fn failed(health: &mut Health, seconds: i64) {
        health.note(&Turn::Failed("no answer".to_owned()), at(seconds));
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
            failed(&mut health, 0);
        }
        health.begin(at(0)).unwrap();
        health.end();
        failed(&mut health, 0);
        assert_eq!(health.begin(at(29)), Err(Unfit::Resting(at(30), "no answer".to_owned())));
        health.begin(at(30)).unwrap();
        assert!(health.begin(at(30)).is_err(), "one at a time");
        health.end();
        failed(&mut health, 31);
        assert_eq!(health.begin(at(90)), Err(Unfit::Resting(at(91), "no answer".to_owned())));
        health.begin(at(91)).unwrap();
        health.end();
        health.note(&Turn::Well, at(0));
        health.begin(at(92)).unwrap();
        health.begin(at(92)).unwrap();
    }

    #[test]
    fn the_operators_hear_of_an_account_in_trouble_once_an_hour() {
        let mut health = Health::new(LIMITS);
        let mut told = |seconds| health.note(&Turn::Account("401".to_owned()), at(seconds)) == Came::Tell;
        assert!(told(0));
        assert!(!told(300));
        assert!(told(3_600));
        health.note(&Turn::Well, at(0));
        let came = health.note(&Turn::Account("401".to_owned()), at(3_700));
        assert_eq!(came, Came::Tell, "it was well in between");
    }
}
