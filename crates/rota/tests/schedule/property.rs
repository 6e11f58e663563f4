//! Random schedules against the naive model, every half hour of 40 days, and at 1,000 instants of any kind.
//!
//! The ordinary run has 40 schedules; `ROTA_SCHEDULES=3000` in the environment asks for more.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rota::rotation::People;
use rota::schedule::{Claim, Duty, Schedule, Shift, Source, Who};

use crate::build::ROLE;
use crate::generate::{HALF_HOURS, any_schedule, begin, half_hour};
use crate::naive;

fn check<S: Strategy>(strategy: S, run: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let cases = std::env::var("ROTA_SCHEDULES").map_or(40, |n| n.parse().unwrap());
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new(config).run(&strategy, run).unwrap();
}

fn end() -> Timestamp {
    half_hour(HALF_HOURS)
}

fn is_same(one: &Duty, other: &Duty) -> bool {
    (&one.people, &one.shadows, one.source) == (&other.people, &other.shadows, other.source)
}

/// The shift of a list that contains an instant.
fn find(shifts: &[Shift], at: Timestamp) -> &Shift {
    shifts.iter().find(|shift| shift.from <= at && at < shift.until.unwrap()).unwrap()
}

#[test]
fn who_is_on_call_is_as_in_the_naive_model() {
    check(any_schedule(false), |mut schedule| {
        let shifts: Vec<Shift> = schedule.shifts(begin(), end(), ROLE).collect();
        prop_assert_eq!((shifts[0].from, shifts[shifts.len() - 1].until), (begin(), Some(end())));
        for pair in shifts.windows(2) {
            prop_assert_eq!(pair[0].until, Some(pair[1].from));
            prop_assert!(!is_same(&pair[0].duty, &pair[1].duty));
        }
        let expected: Vec<Duty> = (0..HALF_HOURS).map(|n| naive::duty(&schedule, half_hour(n))).collect();
        for warm in [false, true] {
            if warm {
                schedule.warm(half_hour(100), half_hour(1_000));
            }
            for (n, expected) in (0..).zip(&expected) {
                prop_assert_eq!(
                    &schedule.on_call(half_hour(n), ROLE),
                    expected,
                    "warm: {}, {}",
                    warm,
                    half_hour(n)
                );
            }
        }
        // Everything changes at half hours only, so this is at all instants.
        for (n, expected) in (0..).zip(&expected) {
            let shift = find(&shifts, half_hour(n));
            prop_assert!(
                is_same(&shift.duty, expected),
                "{}: {:?} is not {:?}",
                half_hour(n),
                shift,
                expected
            );
            prop_assert!(expected.instead_of.iter().all(|person| shift.duty.instead_of.contains(person)));
        }
        let gaps = schedule.gaps(begin(), end(), ROLE);
        for (n, expected) in (0..).zip(&expected) {
            let is_gap = gaps.iter().any(|gap| gap.start <= half_hour(n) && half_hour(n) < gap.end);
            prop_assert_eq!(is_gap, expected.people.is_empty(), "{}", half_hour(n));
        }
        prop_assert!(gaps.windows(2).all(|pair| pair[0].end < pair[1].start));
        Ok(())
    });
}

#[test]
fn shifts_agree_with_on_call_at_1_000_instants() {
    let instants = prop::collection::vec(0..HALF_HOURS * 1_800_000, 1_000);
    check((any_schedule(false), instants), |(mut schedule, instants)| {
        let shifts: Vec<Shift> = schedule.shifts(begin(), end(), ROLE).collect();
        schedule.warm(half_hour(500), half_hour(1_500));
        for millisecond in instants {
            let at = begin() + SignedDuration::from_millis(millisecond);
            prop_assert!(is_same(&schedule.on_call(at, ROLE), &find(&shifts, at).duty), "{}", at);
        }
        Ok(())
    });
}

/// Of a single shift and its neighbours, as far as the list of all shifts tells.
#[test]
fn neighbours_are_those_in_the_list() {
    let strategy = (any_schedule(false), prop::collection::vec(200..HALF_HOURS - 200, 10));
    check(strategy, |(schedule, instants)| {
        let shifts: Vec<Shift> = schedule.shifts(begin(), end(), ROLE).collect();
        let last = shifts.len() - 1;
        for at in instants.into_iter().map(half_hour) {
            let place = shifts.iter().position(|shift| at < shift.until.unwrap()).unwrap();
            let found = schedule.shift(at, ROLE).unwrap();
            prop_assert!(is_same(&found.duty, &shifts[place].duty));
            if place > 0 && place < last {
                prop_assert_eq!(&found, &shifts[place]);
            }
            if place < last {
                prop_assert_eq!(schedule.next_change(at, ROLE), shifts[place].until);
            }
            let now = &shifts[place].duty.people;
            let is_other = |shift: &&Shift| !shift.duty.people.is_empty() && shift.duty.people != *now;
            let next = shifts[place..last].iter().find(is_other);
            prop_assert!(next.is_none_or(|next| schedule.next(at, ROLE).as_ref() == Some(next)));
            let previous = shifts[..place].iter().skip(1).rev().find(is_other);
            prop_assert!(previous.is_none_or(|found| schedule.previous(at, ROLE).as_ref() == Some(found)));
        }
        Ok(())
    });
}

/// At every instant of a schedule whose lowest layer has somebody at all times exactly one source has the duty,
/// and in a layer with a rotation exactly one turn.
#[test]
fn a_covered_schedule_has_no_gap() {
    check(any_schedule(true), |schedule| {
        prop_assert_eq!(schedule.gaps(begin(), end(), ROLE), []);
        for layer in &schedule.roles()[0].layers {
            let Who::Rotation(rotation) = &layer.who else { continue };
            let turns: Vec<_> = rotation.turns(begin(), end()).collect();
            for n in 0..HALF_HOURS {
                let at = half_hour(n);
                let holders = turns.iter().filter(|turn| turn.from <= at && at < turn.until).count();
                prop_assert_eq!(holders, usize::from(at >= rotation.editions()[0].from), "{}", at);
            }
        }
        for n in 0..HALF_HOURS {
            let duty = schedule.on_call(half_hour(n), ROLE);
            prop_assert!(duty.source.is_some() && !duty.people.is_empty());
            for person in duty.people.iter().chain(&*duty.shadows) {
                prop_assert!(!naive::is_away(&schedule, half_hour(n), person));
            }
        }
        Ok(())
    });
}

/// Which claims win over which others at an instant: pairs of two active overrides, or of two limited layers.
fn naive_overlaps(schedule: &Schedule, at: Timestamp) -> Vec<(Source, Source)> {
    let active: Vec<_> = naive::active(schedule, at)
        .into_iter()
        .filter(|(_, over)| !naive::is_away(schedule, at, &over.person))
        .collect();
    let mut pairs = Vec::new();
    for (n, (hidden, over)) in active.iter().enumerate() {
        let later = active[n + 1..].iter().rev();
        let wins = later
            .clone()
            .find(|(_, later)| later.instead_of.is_none() || later.instead_of == over.instead_of);
        if let Some((wins, _)) = wins.filter(|(_, wins)| wins.person != over.person) {
            pairs.push((Source::Override(*wins), Source::Override(*hidden)));
        }
    }
    // A schedule with one layer alone, and no overrides, says whom that layer has.
    let alone = |place: usize| -> People {
        let layers = vec![schedule.roles()[0].layers[place].clone()];
        let role = rota::schedule::Role { name: ROLE.into(), layers };
        let alone = Schedule::new(schedule.zone().clone(), vec![role]).with_leave(schedule.leave().clone());
        naive::duty(&alone, at).people
    };
    let layers = schedule.roles()[0].layers.iter().enumerate().rev();
    let mut limited = layers
        .filter(|(_, layer)| layer.within.is_some() && !layer.shadow)
        .map(|(place, _)| (place, alone(place)))
        .filter(|(_, people)| !people.is_empty());
    if let Some((wins, people)) = limited.next() {
        let others = limited.filter(|(_, hidden)| *hidden != people);
        pairs.extend(others.map(|(hidden, _)| (Source::Layer(wins), Source::Layer(hidden))));
    }
    pairs.sort_by_key(|pair| format!("{pair:?}"));
    pairs
}

#[test]
fn overlaps_are_those_of_the_naive_model() {
    check(any_schedule(false), |schedule| {
        let overlaps = schedule.overlaps(begin(), end(), ROLE);
        for overlap in &overlaps {
            let Claim { people, .. } = &overlap.wins;
            prop_assert!(overlap.from < overlap.until && *people != overlap.hidden.people);
        }
        for n in (0..HALF_HOURS).step_by(3) {
            let at = half_hour(n);
            let now = overlaps.iter().filter(|overlap| overlap.from <= at && at < overlap.until);
            let mut found: Vec<_> = now.map(|overlap| (overlap.wins.source, overlap.hidden.source)).collect();
            found.sort_by_key(|pair| format!("{pair:?}"));
            prop_assert_eq!(found, naive_overlaps(&schedule, at), "{}", at);
        }
        Ok(())
    });
}

#[test]
fn the_balance_is_what_half_hours_add_up_to() {
    check(any_schedule(false), |schedule| {
        let mut expected: BTreeMap<Arc<str>, [i64; 4]> = BTreeMap::new();
        for n in 0..HALF_HOURS {
            let at = half_hour(n);
            let reading = schedule.zone().to_datetime(at);
            let is_night = reading.hour() >= 22 || reading.hour() < 6;
            let is_weekend = reading.weekday().to_monday_one_offset() > 5;
            let is_holiday = schedule.holidays().unwrap().contains(at);
            for person in &*schedule.on_call(at, ROLE).people {
                let sums = expected.entry(Arc::clone(person)).or_default();
                for (sum, counts) in sums.iter_mut().zip([true, is_night, is_weekend, is_holiday]) {
                    *sum += i64::from(counts) * 30;
                }
            }
        }
        let balance = schedule.balance(begin(), end(), &[ROLE]).into_iter();
        let found: BTreeMap<Arc<str>, [i64; 4]> = balance
            .map(|(person, b)| (person, [b.total, b.nights, b.weekends, b.holidays].map(|sum| sum.as_mins())))
            .collect();
        prop_assert_eq!(found, expected);
        Ok(())
    });
}
