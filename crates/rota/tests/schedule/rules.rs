//! Layers, leave and shadows.

use insta::assert_snapshot;
use jiff::Timestamp;
use rota::rotation::{Edition, Length, Rotation};
use rota::schedule::{Layer, Stint, Stints, Who};

use crate::build::*;

#[test]
fn the_topmost_layer_that_has_somebody_wins() {
    let schedule =
        schedule(vec![weekly("ann bob"), within("office", always("cid")), within("epiphany", always("dan"))]);
    assert_snapshot!(show(&schedule, "01-05T00:00", "01-08T00:00"), @r"
    Mon 01-05 00:00 bob by layer 0
    Mon 01-05 08:00 ann by layer 0
    Mon 01-05 09:00 cid by layer 1
    Mon 01-05 17:00 ann by layer 0
    Tue 01-06 00:00 dan by layer 2
    Wed 01-07 00:00 ann by layer 0
    Wed 01-07 09:00 cid by layer 1
    Wed 01-07 17:00 ann by layer 0
    ");
}

#[test]
fn nobody_is_on_call_where_no_layer_has_anybody() {
    let schedule = schedule(vec![within("office", weekly("ann bob")), always("")]);
    assert_snapshot!(show(&schedule, "01-09T08:00", "01-12T12:00"), @r"
    Fri 01-09 08:00 nobody
    Fri 01-09 09:00 ann by layer 0
    Fri 01-09 17:00 nobody
    Mon 01-12 09:00 bob by layer 0
    ");
    assert_eq!(schedule.on_call(at("01-09T08:00"), "no such role").people.len(), 0);
    assert_eq!(schedule.shifts(at("01-09T08:00"), at("01-10T08:00"), "no such role").count(), 0);
}

/// Also at an instant that would be a handoff.
#[test]
fn before_a_rotation_begins_it_has_nobody() {
    let edition = Edition {
        from: at("01-07T12:00"),
        start: "2026-01-05T08:00".parse().unwrap(),
        length: Length::Days(vec![1]),
        members: vec![people("ann"), people("bob")],
        first: 0,
    };
    let rotation = Rotation::new(berlin(), vec![edition]).unwrap();
    let schedule = schedule(vec![layer(Who::Rotation(rotation.into()))]);
    assert_snapshot!(show(&schedule, "01-06T08:00", "01-09T00:00"), @r"
    Tue 01-06 08:00 nobody
    Wed 01-07 12:00 ann by layer 0
    Thu 01-08 08:00 bob by layer 0
    ");
}

#[test]
fn the_secondary_is_the_next_in_the_rotation() {
    let schedule = schedule(vec![Layer { ahead: 1, ..weekly("ann bob cid") }]);
    assert_snapshot!(show(&schedule, "01-05T08:00", "01-26T08:00"), @r"
    Mon 01-05 08:00 bob by layer 0
    Mon 01-12 08:00 cid by layer 0
    Mon 01-19 08:00 ann by layer 0
    ");
    // One on leave does not count: while bob is away, cid is primary after ann, and then comes ann.
    let schedule = leave(schedule, &["bob 01-09T00:00 01-15T00:00"]);
    assert_snapshot!(show(&schedule, "01-05T08:00", "01-26T08:00"), @r"
    Mon 01-05 08:00 bob by layer 0
    Fri 01-09 00:00 cid by layer 0, not bob
    Mon 01-12 08:00 ann by layer 0, not cid
    Thu 01-15 00:00 cid by layer 0
    Mon 01-19 08:00 ann by layer 0
    ");
}

#[test]
fn the_next_who_is_not_on_leave_stands_in() {
    let away = ["ann 01-06T12:00 01-21T00:00", "bob 01-13T00:00 01-14T00:00"];
    let schedule = leave(schedule(vec![weekly("ann bob cid")]), &away);
    // The order afterwards is what it was: bob's week is bob's.
    assert_snapshot!(show(&schedule, "01-05T00:00", "02-03T00:00"), @r"
    Mon 01-05 00:00 cid by layer 0
    Mon 01-05 08:00 ann by layer 0
    Tue 01-06 12:00 bob by layer 0, not ann
    Tue 01-13 00:00 cid by layer 0, not bob
    Wed 01-14 00:00 bob by layer 0
    Mon 01-19 08:00 cid by layer 0
    Mon 01-26 08:00 ann by layer 0
    Mon 02-02 08:00 bob by layer 0
    ");
}

/// Whoever stands in may go on with a turn of his own: that is nothing that the other misses.
#[test]
fn what_somebody_misses_ends_with_that_persons_turn() {
    let away = ["ann 01-06T12:00 01-21T00:00", "bob 01-13T00:00 01-14T00:00"];
    let schedule = leave(schedule(vec![weekly("ann bob cid")]), &away);
    let missed = |person: &str| {
        let shifts = schedule.missed(person, at("01-01T00:00"), at("02-01T00:00"), ROLE);
        let lines = shifts.iter().map(|shift| {
            let until = shift.until.map(show_time).unwrap_or_default();
            format!("{} to {until} {}", show_time(shift.from), show_duty(&shift.duty))
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(missed("ann"), @"Tue 01-06 12:00 to Mon 01-12 08:00 bob by layer 0, not ann");
    assert_snapshot!(missed("bob"), @"Tue 01-13 00:00 to Wed 01-14 00:00 cid by layer 0, not bob");
    assert_eq!(missed("cid"), "");
}

#[test]
fn when_all_are_on_leave_the_layer_below_is_asked() {
    let away = ["ann 01-06T00:00 01-08T00:00", "bob 01-07T00:00 01-09T00:00"];
    let rotated = leave(schedule(vec![always("zoe"), weekly("ann bob")]), &away);
    assert_snapshot!(show(&rotated, "01-05T08:00", "01-10T00:00"), @r"
    Mon 01-05 08:00 ann by layer 1
    Tue 01-06 00:00 bob by layer 1, not ann
    Wed 01-07 00:00 zoe by layer 0, not ann
    Thu 01-08 00:00 ann by layer 1
    ");
    let fixed = leave(schedule(vec![always("zoe"), always("ann")]), &away);
    assert_snapshot!(show(&fixed, "01-05T08:00", "01-10T00:00"), @r"
    Mon 01-05 08:00 ann by layer 1
    Tue 01-06 00:00 zoe by layer 0, not ann
    Thu 01-08 00:00 ann by layer 1
    ");
    let alone = leave(schedule(vec![always("ann")]), &away);
    assert_snapshot!(show(&alone, "01-05T08:00", "01-10T00:00"), @r"
    Mon 01-05 08:00 ann by layer 0
    Tue 01-06 00:00 nobody, not ann
    Thu 01-08 00:00 ann by layer 0
    ");
}

#[test]
fn of_several_in_one_turn_those_who_are_there_answer() {
    let away = ["ann 01-06T00:00 01-08T00:00", "bob 01-07T00:00 01-09T00:00"];
    let schedule = leave(schedule(vec![weekly("ann+bob cid")]), &away);
    assert_snapshot!(show(&schedule, "01-05T08:00", "01-10T00:00"), @r"
    Mon 01-05 08:00 ann+bob by layer 0
    Tue 01-06 00:00 bob by layer 0, not ann
    Wed 01-07 00:00 cid by layer 0, not ann+bob
    Thu 01-08 00:00 ann by layer 0, not bob
    Fri 01-09 00:00 ann+bob by layer 0
    ");
}

#[test]
fn shadows_are_told_and_not_asked() {
    let daily = rotation("01-05T00:00", Length::Days(vec![1]), "ann cid dan");
    let layers = vec![shadow(always("eve")), weekly("ann bob"), shadow(layer(daily))];
    assert_snapshot!(show(&schedule(layers.clone()), "01-05T08:00", "01-09T00:00"), @r"
    Mon 01-05 08:00 ann by layer 1; told: eve
    Tue 01-06 00:00 ann by layer 1; told: eve+cid
    Wed 01-07 00:00 ann by layer 1; told: eve+dan
    Thu 01-08 00:00 ann by layer 1; told: eve
    ");
    let away = ["cid 01-06T00:00 01-07T00:00", "eve 01-06T12:00 01-10T00:00"];
    assert_snapshot!(show(&leave(schedule(layers), &away), "01-05T08:00", "01-09T00:00"), @r"
    Mon 01-05 08:00 ann by layer 1; told: eve
    Tue 01-06 00:00 ann by layer 1; told: eve+dan
    Tue 01-06 12:00 ann by layer 1; told: dan
    Thu 01-08 00:00 ann by layer 1
    ");
}

#[test]
fn stints_that_overlap_are_of_both() {
    let stint = |from, until, names| Stint { from: at(from), until: at(until), people: people(names) };
    let stints = Stints::new(&[
        stint("01-06T08:00", "01-07T08:00", "bob"),
        stint("01-05T08:00", "01-06T12:00", "ann"),
        stint("01-06T09:00", "01-06T10:00", "ann cid"),
        stint("01-08T08:00", "01-08T08:00", "dan"),
        stint("01-08T10:00", "01-08T11:00", "dan"),
    ]);
    let schedule = schedule(vec![layer(Who::Stints(stints.into()))]);
    assert_snapshot!(show(&schedule, "01-05T00:00", "01-09T00:00"), @r"
    Mon 01-05 00:00 nobody
    Mon 01-05 08:00 ann by layer 0
    Tue 01-06 08:00 bob+ann by layer 0
    Tue 01-06 09:00 bob+ann+cid by layer 0
    Tue 01-06 10:00 bob+ann by layer 0
    Tue 01-06 12:00 bob by layer 0
    Wed 01-07 08:00 nobody
    Thu 01-08 10:00 dan by layer 0
    Thu 01-08 11:00 nobody
    ");
}

#[test]
fn what_was_laid_out_is_not_asked_of_an_edited_schedule() {
    let mut schedule = schedule(vec![weekly("ann bob")]);
    let (from, noon) = (at("01-01T00:00"), at("01-06T12:00"));
    schedule.warm(from, at("02-01T00:00"));
    assert_eq!(show_duty(&schedule.on_call(noon, ROLE)), "ann by layer 0");
    let covered = schedule.clone().with_overrides(overrides(&["01-06T00:00 01-07T00:00 cid"]));
    assert_eq!(show_duty(&covered.on_call(noon, ROLE)), "cid by override 0, not ann");
    let away = leave(schedule.clone(), &["ann 01-06T00:00 01-07T00:00"]);
    assert_eq!(show_duty(&away.on_call(noon, ROLE)), "bob by layer 0, not ann");
    // Outside of the time that was laid out, and in its first and last moment.
    for at in [from, at("01-31T23:59"), at("02-01T00:00"), Timestamp::MIN, Timestamp::MAX] {
        let mut cold = schedule.clone();
        cold.warm(at, at);
        assert_eq!(schedule.on_call(at, ROLE), cold.on_call(at, ROLE));
    }
}
