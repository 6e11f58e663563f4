//! Whose turn it is, by the calendar: tables written by hand.
#![expect(clippy::unwrap_used, clippy::panic, reason = "the tables stand here")]

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rota::rotation::{Edition, Length, People, Rotation, RotationError};
use rota::zone;

fn edition(from: &str, start: &str, length: Length, members: &str) -> Edition {
    let members = members.split(' ').map(|turn| turn.split('+').map(Into::into).collect());
    Edition {
        from: from.parse().unwrap(),
        start: start.parse().unwrap(),
        length,
        members: members.collect(),
        first: 0,
    }
}

/// An instant as a table writes it: in UTC with a `Z`, else a reading of the clock that comes once.
fn instant(text: &str, zone: &TimeZone) -> Timestamp {
    if text.ends_with('Z') {
        return text.parse().unwrap();
    }
    let reading: DateTime = text.parse().unwrap();
    zone.to_ambiguous_timestamp(reading).unambiguous().unwrap()
}

/// Each line of a table is an instant and whose turn it is then.
fn check(zone: &str, start: &str, length: Length, members: &str, table: &str) {
    let zone = zone::find(zone).unwrap();
    let edition = edition("2000-01-01T00:00:00Z", start, length, members);
    let rotation = Rotation::new(zone.clone(), vec![edition]).unwrap();
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let [at, expected] = line.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{line}") };
        let at = instant(at, &zone);
        let turn = rotation.turn(at).unwrap();
        assert_eq!(turn.people.join("+"), expected, "{line}");
        assert!(turn.from <= at && at < turn.until, "{line}: {turn:?}");
        assert_eq!(rotation.next_handoff(at), Some(turn.until), "{line}");
    }
}

#[test]
fn weekly_on_monday_in_berlin() {
    check(
        "Europe/Berlin",
        "2026-01-05T08:00",
        Length::Days(vec![7]),
        "ann bob cid",
        "
        2026-01-05T07:59:59  cid
        2026-01-05T08:00     ann
        2026-01-12T07:59:59  ann
        2026-01-12T08:00     bob
        2026-01-19T08:00     cid
        2026-03-29T23:00     cid
        2026-03-30T05:59:59Z cid
        2026-03-30T06:00:00Z ann
        2026-10-26T06:59:59Z cid
        2026-10-26T07:00:00Z ann
        ",
    );
}

#[test]
fn day_and_night_in_new_york() {
    check(
        "America/New_York",
        "2026-03-07T08:00",
        Length::Hours(12),
        "day night",
        "
        2026-03-07T20:00     night
        2026-03-08T07:59:59  night
        2026-03-08T12:00:00Z day
        2026-03-08T08:00     day
        2026-03-08T19:59     day
        2026-03-08T20:00     night
        2026-10-31T20:00     night
        2026-11-01T05:30:00Z night
        2026-11-01T06:30:00Z night
        2026-11-01T12:59:59Z night
        2026-11-01T13:00:00Z day
        2026-11-01T20:00     night
        ",
    );
}

#[test]
fn a_handoff_that_the_clock_leaves_out_moves_forward() {
    check(
        "America/New_York",
        "2026-03-06T02:30",
        Length::Days(vec![1]),
        "ann bob",
        "
        2026-03-07T02:30     bob
        2026-03-08T01:59:59  bob
        2026-03-08T03:29:59  bob
        2026-03-08T03:30     ann
        2026-03-09T02:29:59  ann
        2026-03-09T02:30     bob
        ",
    );
    // Half an hour is left out.
    check(
        "Australia/Lord_Howe",
        "2026-10-02T02:15",
        Length::Days(vec![1]),
        "ann bob",
        "
        2026-10-03T02:15     bob
        2026-10-03T15:44:59Z bob
        2026-10-03T15:45:00Z ann
        2026-10-04T02:45     ann
        2026-10-05T02:15     bob
        ",
    );
    // The day begins at one in the morning.
    check(
        "America/Sao_Paulo",
        "2018-11-02T00:00",
        Length::Days(vec![1]),
        "ann bob",
        "
        2018-11-03T00:00     bob
        2018-11-03T23:59:59  bob
        2018-11-04T01:00     ann
        2018-11-04T03:00:00Z ann
        2018-11-05T00:00     bob
        ",
    );
}

#[test]
fn of_a_handoff_that_the_clock_shows_twice_the_first_counts() {
    check(
        "America/New_York",
        "2026-10-30T01:30",
        Length::Days(vec![1]),
        "ann bob",
        "
        2026-11-01T05:29:59Z bob
        2026-11-01T05:30:00Z ann
        2026-11-01T06:15:00Z ann
        2026-11-01T06:45:00Z ann
        2026-11-02T01:30     bob
        ",
    );
    check(
        "Australia/Lord_Howe",
        "2026-04-03T01:45",
        Length::Days(vec![1]),
        "ann bob",
        "
        2026-04-04T14:44:59Z bob
        2026-04-04T14:45:00Z ann
        2026-04-04T15:10:00Z ann
        2026-04-06T01:45     bob
        ",
    );
    check(
        "America/Sao_Paulo",
        "2018-02-15T23:30",
        Length::Days(vec![1]),
        "ann bob",
        "
        2018-02-18T01:29:59Z bob
        2018-02-18T01:30:00Z ann
        2018-02-18T02:15:00Z ann
        2018-02-18T23:30     bob
        ",
    );
}

#[test]
fn from_monday_to_thursday_and_from_friday_to_sunday_in_kolkata() {
    check(
        "Asia/Kolkata",
        "2026-02-02T09:30",
        Length::Days(vec![4, 3]),
        "ann bob cid",
        "
        2026-02-02T04:00:00Z ann
        2026-02-06T09:29:59  ann
        2026-02-06T09:30     bob
        2026-02-09T09:29:59  bob
        2026-02-09T09:30     cid
        2026-02-13T09:30     ann
        2026-02-16T09:30     bob
        2026-02-02T09:29     cid
        2026-01-30T09:29     bob
        ",
    );
}

#[test]
fn the_day_that_samoa_left_out() {
    // Daily: the turn of the 30th has no time.
    check(
        "Pacific/Apia",
        "2011-12-27T08:00",
        Length::Days(vec![1]),
        "ann bob cid",
        "
        2011-12-28T08:00     bob
        2011-12-29T18:00:00Z cid
        2011-12-29T23:59:59  cid
        2011-12-31T00:00     cid
        2011-12-30T17:59:59Z cid
        2011-12-31T08:00     bob
        2012-01-01T08:00     cid
        ",
    );
    // Weekly on Friday, and that Friday is not there.
    check(
        "Pacific/Apia",
        "2011-12-16T09:00",
        Length::Days(vec![7]),
        "ann bob cid",
        "
        2011-12-23T09:00     bob
        2011-12-31T08:59:59  bob
        2011-12-31T09:00     cid
        2012-01-06T08:59:59  cid
        2012-01-06T09:00     ann
        ",
    );
    check(
        "Pacific/Apia",
        "2011-12-29T08:00",
        Length::Hours(12),
        "ann bob cid",
        "
        2011-12-29T19:59:59  ann
        2011-12-29T20:00     bob
        2011-12-31T07:59:59  bob
        2011-12-31T08:00     bob
        2011-12-31T20:00     cid
        ",
    );
}

#[test]
fn months_end_where_they_end() {
    check(
        "Europe/Berlin",
        "2023-12-31T09:00",
        Length::Months(1),
        "ann bob",
        "
        2024-01-31T08:59     ann
        2024-01-31T09:00     bob
        2024-02-29T08:59     bob
        2024-02-29T09:00     ann
        2024-03-31T09:00     bob
        2024-04-29T09:00     bob
        2024-04-30T09:00     ann
        2025-02-28T08:59     bob
        2025-02-28T09:00     ann
        ",
    );
    check(
        "Asia/Kolkata",
        "2024-12-30T09:00",
        Length::Months(1),
        "ann bob",
        "
        2025-01-30T09:00     bob
        2025-02-28T08:59     bob
        2025-02-28T09:00     ann
        2025-03-29T09:00     ann
        2025-03-30T09:00     bob
        ",
    );
    // Once a year, from a leap day on.
    check(
        "UTC",
        "2024-02-29T00:00",
        Length::Months(12),
        "ann bob",
        "
        2025-02-27T23:59     ann
        2025-02-28T00:00     bob
        2028-02-28T23:59     bob
        2028-02-29T00:00     ann
        ",
    );
}

#[test]
fn a_turn_may_be_of_several_people() {
    check(
        "UTC",
        "2026-01-05T08:00",
        Length::Days(vec![14]),
        "ann+bob cid",
        "
        2026-01-18T08:00     ann+bob
        2026-01-19T08:00     cid
        2026-02-02T08:00     ann+bob
        ",
    );
}

/// Turns one after the other are those that single questions give, whole, without holes.
#[test]
fn turns_follow_each_other() {
    let zone = zone::find("Pacific/Apia").unwrap();
    let editions = vec![
        edition("2011-12-01T00:00:00Z", "2011-12-01T08:00", Length::Hours(1), "ann bob cid"),
        edition("2011-12-30T12:00:00Z", "2011-12-20T08:00", Length::Days(vec![2, 5]), "bob dan"),
        edition("2012-04-01T00:30:00Z", "2012-04-20T08:00", Length::Days(vec![1]), "ann bob"),
    ];
    let rotation = Rotation::new(zone, editions).unwrap();
    let at = |text: &str| -> Timestamp { text.parse().unwrap() };
    assert_eq!(rotation.turn(at("2011-11-30T23:59:59Z")), None);
    assert_eq!(rotation.next_handoff(at("2011-11-30T23:59:59Z")), Some(at("2011-12-01T00:00:00Z")));
    let (from, to) = (at("2011-11-01T00:00:00Z"), at("2012-06-01T00:00:00Z"));
    let turns: Vec<_> = rotation.turns(from, to).collect();
    assert_eq!(turns[0].from, at("2011-12-01T00:00:00Z"));
    assert!(turns.windows(2).all(|pair| pair[0].until == pair[1].from));
    for turn in &turns {
        assert_eq!(rotation.turn(turn.from).as_ref(), Some(turn));
    }
    let last = turns.last().unwrap();
    assert!(last.from < to && last.until >= to);
    assert_eq!(rotation.turns(to, to).count(), 0);
    // A turn of the last edition before its start.
    let early = rotation.turn(at("2012-04-02T00:00:00Z")).unwrap();
    assert_eq!((early.edition, early.number), (2, -18));
    assert_eq!(early.people.join("+"), "ann");
}

#[test]
fn the_next_but_one() {
    let weekly = edition("2026-01-01T00:00:00Z", "2026-01-05T08:00", Length::Days(vec![7]), "ann bob cid");
    let rotation = Rotation::new(TimeZone::UTC, vec![weekly]).unwrap();
    let at = "2026-01-13T00:00:00Z".parse().unwrap();
    let turn = rotation.turn(at).unwrap();
    let ahead = |ahead| {
        let other = rotation.turn_ahead(at, ahead).unwrap();
        assert_eq!((other.from, other.until, other.number), (turn.from, turn.until, turn.number));
        other.people.join("+")
    };
    assert_eq!([ahead(0), ahead(1), ahead(2), ahead(3)], ["bob", "cid", "ann", "bob"]);
}

fn problem(change: impl Fn(&mut Edition)) -> String {
    let mut wrong = edition("2026-01-01T00:00:00Z", "2026-01-05T08:00", Length::Days(vec![7]), "ann bob");
    change(&mut wrong);
    Rotation::new(TimeZone::UTC, vec![wrong]).unwrap_err().to_string()
}

#[test]
fn what_is_wrong_says_what_to_write() {
    let nobody: People = People::default();
    insta::assert_snapshot!([
        problem(|e| e.members.clear()),
        problem(|e| e.members[1] = nobody.clone()),
        problem(|e| e.members = vec![e.members[0].clone(); 501]),
        problem(|e| e.first = 2),
        problem(|e| e.length = Length::Hours(0)),
        problem(|e| e.length = Length::Hours(8_761)),
        problem(|e| e.length = Length::Months(121)),
        problem(|e| e.length = Length::Days(vec![])),
        problem(|e| e.length = Length::Days(vec![1; 65])),
        problem(|e| e.length = Length::Days(vec![7, 0])),
        problem(|e| e.length = Length::Days(vec![367])),
        problem(|e| e.start = "2026-01-05T08:00:00.5".parse().unwrap()),
    ].join("\n"), @r"
    nobody takes turns; name at least one member
    member 2 is nobody; name a person, or take the entry away
    501 members are too many; name at most 500
    the first turn is that of member 3, but there are 2; write a number from 1 to 2
    a turn cannot be 0 hours long; write 1 to 8760 hours
    a turn cannot be 8761 hours long; write 1 to 8760 hours
    a turn cannot be 121 months long; write 1 to 120 months
    the cycle of days is empty; write at least one number, such as 7 for a week
    the cycle of days has 65 entries; write at most 64
    a turn cannot be 0 days long; write 1 to 366 days
    a turn cannot be 367 days long; write 1 to 366 days
    the start has fractions of a second; write it in whole seconds, such as 08:00:00
    ");
    let good = edition("2026-01-01T00:00:00Z", "2026-01-05T08:00", Length::Days(vec![7]), "ann bob");
    let twice = Rotation::new(TimeZone::UTC, vec![good.clone(), good]).unwrap_err();
    assert_eq!(twice, RotationError::OutOfOrder { edition: 1 });
    insta::assert_snapshot!(twice, @"edition 2 begins no later than the one before it; list editions in the order in which they begin");
    insta::assert_snapshot!(Rotation::new(TimeZone::UTC, vec![]).unwrap_err(), @"the rotation says nothing; give it members, a length and a start");
}
