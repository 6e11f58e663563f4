//! Shifts, what comes next and what was before, overlaps and balance.

use insta::assert_snapshot;
use jiff::Timestamp;
use rota::rotation::Length;
use rota::schedule::{Role, Schedule, Shift};

use crate::build::*;

fn show_shift(shift: Option<Shift>) -> String {
    let Some(Shift { from, until, duty }) = shift else { return "none".to_owned() };
    let until = until.map_or("ever".to_owned(), show_time);
    format!("{} from {} until {until}", show_duty(&duty), show_time(from))
}

#[test]
fn a_shift_is_whole_and_has_neighbours() {
    let schedule = schedule(vec![within("office", weekly("ann bob"))]);
    let noon = at("01-09T12:00");
    assert_snapshot!(show_shift(schedule.shift(noon, ROLE)), @"ann by layer 0 from Fri 01-09 09:00 until Fri 01-09 17:00");
    // The shifts between are those of the same person.
    assert_snapshot!(show_shift(schedule.next(noon, ROLE)), @"bob by layer 0 from Mon 01-12 09:00 until Mon 01-12 17:00");
    assert_snapshot!(show_shift(schedule.previous(noon, ROLE)), @"bob by layer 0 from Fri 01-02 09:00 until Fri 01-02 17:00");
    let night = at("01-08T23:00");
    assert_snapshot!(show_shift(schedule.shift(night, ROLE)), @"nobody from Thu 01-08 17:00 until Fri 01-09 09:00");
    assert_snapshot!(show_shift(schedule.next(night, ROLE)), @"ann by layer 0 from Fri 01-09 09:00 until Fri 01-09 17:00");
    assert_snapshot!(show_shift(schedule.previous(night, ROLE)), @"ann by layer 0 from Thu 01-08 09:00 until Thu 01-08 17:00");
    assert_eq!(schedule.next_change(noon, ROLE), Some(at("01-09T17:00")));
    assert_eq!(schedule.shift(noon, "no such role"), None);
    assert_eq!(schedule.next(noon, "no such role"), None);
    assert_eq!(schedule.previous(noon, "no such role"), None);
}

/// Handoffs at which nothing changes are none; the longest turn there can be is found.
#[test]
fn a_search_ends() {
    let alone = schedule(vec![layer(rotation("01-05T08:00", Length::Hours(1), "ann"))]);
    let noon = at("01-09T12:00");
    assert_eq!(alone.next_change(noon, ROLE), None);
    assert_eq!(alone.next(noon, ROLE), None);
    assert_eq!(alone.previous(noon, ROLE), None);
    let shift = alone.shift(noon, ROLE).unwrap();
    assert_eq!((shift.from, shift.until), (at("01-01T00:00"), None));
    let slow = schedule(vec![layer(rotation("01-05T08:00", Length::Months(120), "ann bob"))]);
    assert_snapshot!(show_shift(slow.next(noon, ROLE)), @"bob by layer 0 from Sat 01-05 08:00 until Fri 01-05 08:00");
    let later = slow.next(noon, ROLE).unwrap().from;
    assert_eq!(later.to_string(), "2036-01-05T07:00:00Z");
    assert_eq!(slow.shift(noon, ROLE).unwrap().until, Some(later));
    assert_eq!(slow.previous(later, ROLE).unwrap().from, at("01-05T08:00"));
    // Always the same person, and longer than a search looks.
    let always = schedule(vec![always("ann")]);
    let shift = always.shift(noon, ROLE).unwrap();
    assert_eq!(shift.from.to_string(), "2015-01-01T11:00:00Z");
    assert_eq!(shift.until, None);
}

#[test]
fn at_the_ends_of_time_there_are_answers_too() {
    let schedule = schedule(vec![weekly("ann bob")]);
    for at in [Timestamp::MIN, Timestamp::MAX] {
        assert!(schedule.shift(at, ROLE).is_none_or(|shift| shift.from <= at));
        assert_eq!(schedule.on_call(Timestamp::MIN, ROLE).people.len(), 0);
        let _ = (schedule.next(at, ROLE), schedule.previous(at, ROLE), schedule.next_change(at, ROLE));
    }
}

fn show_overlaps(schedule: &Schedule, from: &str, to: &str) -> String {
    let overlaps = schedule.overlaps(at(from), at(to), ROLE).into_iter();
    let lines = overlaps.map(|overlap| {
        let (wins, hidden) = (&overlap.wins, &overlap.hidden);
        format!(
            "{} to {}: {} ({:?}) hides {} ({:?})",
            show_time(overlap.from),
            show_time(overlap.until),
            wins.people.join("+"),
            wins.source,
            hidden.people.join("+"),
            hidden.source,
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn layers_limited_to_periods_may_overlap() {
    let layers =
        vec![weekly("ann bob"), within("office", always("cid")), within("evenings", weekly("cid dan"))];
    // In the first week cid is both.
    assert_snapshot!(show_overlaps(&schedule(layers.clone()), "01-05T00:00", "01-19T00:00"), @r"
    Mon 01-12 16:00 to Mon 01-12 17:00: dan (Layer(2)) hides cid (Layer(1))
    Wed 01-14 16:00 to Wed 01-14 17:00: dan (Layer(2)) hides cid (Layer(1))
    Fri 01-16 16:00 to Fri 01-16 17:00: dan (Layer(2)) hides cid (Layer(1))
    ");
    let away = leave(schedule(layers), &["dan 01-14T16:30 01-15T00:00"]);
    assert_snapshot!(show_overlaps(&away, "01-12T08:00", "01-19T00:00"), @r"
    Mon 01-12 16:00 to Mon 01-12 17:00: dan (Layer(2)) hides cid (Layer(1))
    Wed 01-14 16:00 to Wed 01-14 16:30: dan (Layer(2)) hides cid (Layer(1))
    Fri 01-16 16:00 to Fri 01-16 17:00: dan (Layer(2)) hides cid (Layer(1))
    ");
}

#[test]
fn overrides_may_overlap() {
    let lines = [
        "01-06T00:00 01-09T00:00 dan",
        "01-08T00:00 01-10T00:00 eve",
        "01-08T12:00 01-11T00:00 eve",
        "01-12T08:00 01-16T00:00 dan for bob",
        "01-13T00:00 01-14T00:00 eve for bob",
        "01-13T12:00 01-15T00:00 cid for eve",
    ];
    let schedule = schedule(vec![weekly("ann bob")]).with_overrides(overrides(&lines));
    assert_snapshot!(show_overlaps(&schedule, "01-05T00:00", "01-19T00:00"), @r"
    Thu 01-08 00:00 to Thu 01-08 12:00: eve (Override(1)) hides dan (Override(0))
    Thu 01-08 12:00 to Fri 01-09 00:00: eve (Override(2)) hides dan (Override(0))
    Tue 01-13 00:00 to Wed 01-14 00:00: eve (Override(4)) hides dan (Override(3))
    ");
}

#[test]
fn the_balance_of_two_weeks_and_of_the_night_that_is_short() {
    let roles = vec![
        Role { name: ROLE.into(), layers: vec![weekly("ann bob")] },
        Role { name: "secondary".into(), layers: vec![within("office", always("bob"))] },
    ];
    let schedule = Schedule::new(berlin(), roles).with_holidays(period("epiphany", berlin()));
    let hours = |from: &str, to: &str, roles: &[&str]| -> Vec<(String, [i64; 4])> {
        let balance = schedule.balance(at(from), at(to), roles).into_iter();
        let hours = balance.map(|(person, balance)| {
            let all = [balance.total, balance.nights, balance.weekends, balance.holidays];
            (person.to_string(), all.map(|time| time.as_hours()))
        });
        hours.collect()
    };
    let two_weeks = [("ann".to_owned(), [168, 56, 48, 24]), ("bob".to_owned(), [168, 56, 48, 0])];
    assert_eq!(hours("01-05T08:00", "01-19T08:00", &[ROLE]), two_weeks);
    let both = [("ann".to_owned(), [168, 56, 48, 24]), ("bob".to_owned(), [248, 56, 48, 8])];
    assert_eq!(hours("01-05T08:00", "01-19T08:00", &[ROLE, "secondary"]), both);
    // From 2:00 to 3:00 on the 29th of March there was no time.
    let short = [("bob".to_owned(), [167, 55, 47, 0])];
    assert_eq!(hours("03-23T08:00", "03-30T08:00", &[ROLE]), short);
    assert_eq!(hours("03-23T08:00", "03-30T08:00", &["no such role"]), []);
}
