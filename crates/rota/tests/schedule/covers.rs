//! Overrides: covers, swaps and takeovers.

use insta::assert_snapshot;
use rota::schedule::Schedule;

use crate::build::*;

fn covered(lines: &[&str]) -> Schedule {
    schedule(vec![weekly("ann bob cid")]).with_overrides(overrides(lines))
}

#[test]
fn an_override_replaces_all_and_fills_a_gap() {
    let schedule = schedule(vec![within("office", always("ann bob"))])
        .with_overrides(overrides(&["01-05T16:00 01-05T20:00 cid"]));
    assert_snapshot!(show(&schedule, "01-05T15:00", "01-06T08:00"), @r"
    Mon 01-05 15:00 ann+bob by layer 0
    Mon 01-05 16:00 cid by override 0, not ann+bob
    Mon 01-05 20:00 nobody
    ");
}

#[test]
fn a_cover_stands_in_for_one_person() {
    let schedule = schedule(vec![weekly("ann+bob cid")])
        .with_overrides(overrides(&["01-07T00:00 01-20T00:00 dan for bob"]));
    // In cid's week it does nothing.
    assert_snapshot!(show(&schedule, "01-05T08:00", "01-26T08:00"), @r"
    Mon 01-05 08:00 ann+bob by layer 0
    Wed 01-07 00:00 ann+dan by override 0, not bob
    Mon 01-12 08:00 cid by layer 0
    Mon 01-19 08:00 ann+dan by override 0, not bob
    Tue 01-20 00:00 ann+bob by layer 0
    ");
}

#[test]
fn a_swap_is_two_covers() {
    let swap = ["01-05T08:00 01-12T08:00 bob for ann", "01-12T08:00 01-19T08:00 ann for bob"];
    assert_snapshot!(show(&covered(&swap), "01-05T08:00", "01-26T08:00"), @r"
    Mon 01-05 08:00 bob by override 0, not ann
    Mon 01-12 08:00 ann by override 1, not bob
    Mon 01-19 08:00 cid by layer 0
    ");
    // Both over both weeks come to the same.
    let both = ["01-05T08:00 01-19T08:00 bob for ann", "01-12T08:00 01-19T08:00 ann for bob"];
    assert_snapshot!(show(&covered(&both), "01-05T08:00", "01-26T08:00"), @r"
    Mon 01-05 08:00 bob by override 0, not ann
    Mon 01-12 08:00 ann by override 1, not bob
    Mon 01-19 08:00 cid by layer 0
    ");
}

#[test]
fn a_cover_can_be_covered() {
    let chain = ["01-06T00:00 01-10T00:00 dan for ann", "01-07T00:00 01-08T00:00 eve for dan"];
    assert_snapshot!(show(&covered(&chain), "01-05T08:00", "01-12T08:00"), @r"
    Mon 01-05 08:00 ann by layer 0
    Tue 01-06 00:00 dan by override 0, not ann
    Wed 01-07 00:00 eve by override 1, not ann
    Thu 01-08 00:00 dan by override 0, not ann
    Sat 01-10 00:00 ann by layer 0
    ");
    // Not one that was made before: eve covers dan's own duties only.
    let reversed = [chain[1], chain[0]];
    assert_snapshot!(show(&covered(&reversed), "01-05T08:00", "01-12T08:00"), @r"
    Mon 01-05 08:00 ann by layer 0
    Tue 01-06 00:00 dan by override 1, not ann
    Sat 01-10 00:00 ann by layer 0
    ");
}

#[test]
fn of_two_the_one_made_last_wins() {
    let all = ["01-06T00:00 01-09T00:00 dan", "01-07T00:00 01-08T00:00 eve"];
    assert_snapshot!(show(&covered(&all), "01-05T08:00", "01-12T08:00"), @r"
    Mon 01-05 08:00 ann by layer 0
    Tue 01-06 00:00 dan by override 0, not ann
    Wed 01-07 00:00 eve by override 1, not ann
    Thu 01-08 00:00 dan by override 0, not ann
    Fri 01-09 00:00 ann by layer 0
    ");
    let one = ["01-06T00:00 01-09T00:00 dan for ann", "01-07T00:00 01-08T00:00 eve for ann"];
    assert_snapshot!(show(&covered(&one), "01-05T08:00", "01-12T08:00"), @r"
    Mon 01-05 08:00 ann by layer 0
    Tue 01-06 00:00 dan by override 0, not ann
    Wed 01-07 00:00 eve by override 1, not ann
    Thu 01-08 00:00 dan by override 0, not ann
    Fri 01-09 00:00 ann by layer 0
    ");
    let hidden = ["01-07T00:00 01-08T00:00 eve for ann", "01-06T00:00 01-09T00:00 dan"];
    assert_snapshot!(show(&covered(&hidden), "01-05T08:00", "01-12T08:00"), @r"
    Mon 01-05 08:00 ann by layer 0
    Tue 01-06 00:00 dan by override 1, not ann
    Fri 01-09 00:00 ann by layer 0
    ");
    let within = ["01-06T00:00 01-09T00:00 dan", "01-07T00:00 01-08T00:00 eve for dan"];
    assert_snapshot!(show(&covered(&within), "01-05T08:00", "01-12T08:00"), @r"
    Mon 01-05 08:00 ann by layer 0
    Tue 01-06 00:00 dan by override 0, not ann
    Wed 01-07 00:00 eve by override 1, not ann
    Thu 01-08 00:00 dan by override 0, not ann
    Fri 01-09 00:00 ann by layer 0
    ");
}

#[test]
fn one_without_an_end_lasts_until_the_next() {
    let takeovers = ["01-06T00:00 - dan", "01-13T00:00 - eve"];
    assert_snapshot!(show(&covered(&takeovers), "01-05T08:00", "03-27T08:00"), @r"
    Mon 01-05 08:00 ann by layer 0
    Tue 01-06 00:00 dan by override 0, not ann+bob
    Tue 01-13 00:00 eve by override 1, not bob+cid+ann
    ");
    // After one that ends, what lies below is back; the first does not come again.
    let then = ["01-06T00:00 - dan", "01-08T00:00 01-09T00:00 eve"];
    assert_snapshot!(show(&covered(&then), "01-05T08:00", "01-12T08:00"), @r"
    Mon 01-05 08:00 ann by layer 0
    Tue 01-06 00:00 dan by override 0, not ann
    Thu 01-08 00:00 eve by override 1, not ann
    Fri 01-09 00:00 ann by layer 0
    ");
    // One that hides its beginning does not end it.
    let early = ["01-06T00:00 - dan", "01-06T00:00 01-08T00:00 eve"];
    assert_snapshot!(show(&covered(&early), "01-05T08:00", "01-12T08:00"), @r"
    Mon 01-05 08:00 ann by layer 0
    Tue 01-06 00:00 eve by override 1, not ann
    Thu 01-08 00:00 dan by override 0, not ann
    ");
    // One for another person is no end.
    let other = ["01-06T00:00 - dan for ann", "01-08T00:00 01-09T00:00 eve for bob"];
    assert_snapshot!(show(&covered(&other), "01-05T08:00", "01-12T08:00"), @r"
    Mon 01-05 08:00 ann by layer 0
    Tue 01-06 00:00 dan by override 0, not ann
    ");
}

#[test]
fn one_to_a_person_on_leave_is_passed_over() {
    let away = ["dan 01-07T00:00 01-08T00:00"];
    let one = leave(covered(&["01-06T00:00 01-09T00:00 dan"]), &away);
    assert_snapshot!(show(&one, "01-05T08:00", "01-12T08:00"), @r"
    Mon 01-05 08:00 ann by layer 0
    Tue 01-06 00:00 dan by override 0, not ann
    Wed 01-07 00:00 ann by layer 0
    Thu 01-08 00:00 dan by override 0, not ann
    Fri 01-09 00:00 ann by layer 0
    ");
    let earlier = leave(covered(&["01-06T00:00 01-09T00:00 eve", "01-06T00:00 01-09T00:00 dan"]), &away);
    assert_snapshot!(show(&earlier, "01-05T08:00", "01-12T08:00"), @r"
    Mon 01-05 08:00 ann by layer 0
    Tue 01-06 00:00 dan by override 1, not ann
    Wed 01-07 00:00 eve by override 0, not ann
    Thu 01-08 00:00 dan by override 1, not ann
    Fri 01-09 00:00 ann by layer 0
    ");
    // Unless he is covered himself.
    let cover = ["01-06T00:00 01-09T00:00 dan for ann", "01-06T00:00 01-10T00:00 eve for dan"];
    assert_snapshot!(show(&leave(covered(&cover), &away), "01-05T08:00", "01-12T08:00"), @r"
    Mon 01-05 08:00 ann by layer 0
    Tue 01-06 00:00 eve by override 1, not ann
    Fri 01-09 00:00 ann by layer 0
    ");
}

#[test]
fn a_cover_goes_before_the_one_who_would_stand_in() {
    let away = ["ann 01-06T00:00 01-10T00:00"];
    let promised = covered(&["01-07T00:00 01-09T00:00 dan for ann"]);
    assert_snapshot!(show(&leave(promised, &away), "01-05T08:00", "01-12T08:00"), @r"
    Mon 01-05 08:00 ann by layer 0
    Tue 01-06 00:00 bob by layer 0, not ann
    Wed 01-07 00:00 dan by override 0, not ann
    Fri 01-09 00:00 bob by layer 0, not ann
    Sat 01-10 00:00 ann by layer 0
    ");
    // Also the one who stands in can be covered.
    let stands_in = covered(&["01-07T00:00 01-09T00:00 dan for bob"]);
    assert_snapshot!(show(&leave(stands_in, &away), "01-05T08:00", "01-12T08:00"), @r"
    Mon 01-05 08:00 ann by layer 0
    Tue 01-06 00:00 bob by layer 0, not ann
    Wed 01-07 00:00 dan by override 0, not ann
    Fri 01-09 00:00 bob by layer 0, not ann
    Sat 01-10 00:00 ann by layer 0
    ");
}

#[test]
fn an_override_of_another_role_or_without_time_does_nothing() {
    let mut lines = overrides(&["01-06T00:00 01-09T00:00 dan", "01-09T00:00 01-08T00:00 eve"]);
    lines[0].role = "secondary".into();
    let schedule = schedule(vec![weekly("ann bob")]).with_overrides(lines);
    assert_snapshot!(show(&schedule, "01-05T08:00", "01-12T08:00"), @"Mon 01-05 08:00 ann by layer 0");
}
