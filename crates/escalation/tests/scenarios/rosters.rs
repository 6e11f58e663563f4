//! Rosters: who comes before and after, which teams ask which, how deep teams name teams.

use std::sync::Arc;

use escalation::alert::Audience;
use escalation::course::MAX_STEPS;
use escalation::directory::Directory;
use escalation::duty::Roster as Rota;
use escalation::name::Name;
use escalation::plan::OnCall;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rota::rotation::Length;
use rota::schedule::{Layer, Override, Role, Schedule, Who};

use crate::roster::{Roster, duration, name};
use crate::world::{START, World};

fn team(who: &str) -> Audience {
    Audience::Team(name(who))
}

fn texts(names: &[Name]) -> Vec<&str> {
    names.iter().map(Name::as_str).collect()
}

/// Twelve people who take weeks, the first of them now.
fn twelve() -> (Vec<String>, Directory) {
    let people: Vec<String> = (0..12).map(|number| format!("p{number:02}")).collect();
    let members: Vec<&str> = people.iter().map(String::as_str).collect();
    let directory =
        Directory::default().team("ops", &members).turns("ops", &members, Length::Days(vec![7]), START);
    (people, directory)
}

#[test]
fn followers_and_predecessors_are_all_of_them_nearest_first() {
    let (people, directory) = twelve();
    let wanted = OnCall::default();
    let at = START + duration("1h");
    let followers = directory.followers(&team("ops"), &wanted, at);
    assert_eq!(texts(&followers), people[1..]);
    let predecessors = directory.predecessors(&team("ops"), &wanted, at);
    let back: Vec<&String> = people[1..].iter().rev().collect();
    assert_eq!(texts(&predecessors), back);
}

#[test]
fn a_plan_that_asks_for_the_next_one_again_and_again_reaches_everybody() {
    let (people, mut directory) = twelve();
    for who in &people {
        directory = directory.person(who, &[&format!("handset:{who}")]);
    }
    let steps: Vec<&str> = ["on_call after 1m"].into_iter().chain(["next_on_call after 1m"; 11]).collect();
    let mut world = World::new(directory.plan("ops", 0, &steps));
    world.run_to("11m");
    let paged: Vec<&str> = world.state.pages.iter().map(|page| page.person.as_str()).collect();
    assert_eq!(paged, people, "{}", world.timeline());
}

#[test]
fn somebody_who_is_on_call_once_in_half_a_year_is_found_and_once_in_two_years_not() {
    let lies = |person: &str, from: Timestamp| Override {
        id: person.into(),
        role: "primary".into(),
        from,
        until: Some(from + duration("1d")),
        instead_of: None,
        person: person.into(),
    };
    let half_a_year = duration("1d") * 180;
    let overrides = vec![
        lies("soon", START + half_a_year),
        lies("late", START + half_a_year * 4),
        lies("lately", START - half_a_year),
        lies("once", START - half_a_year * 4),
    ];
    let directory = Directory::default()
        .team("ops", &["ann", "ben"])
        .turns("ops", &["ann", "ben"], Length::Days(vec![7]), START)
        .edit("ops", |schedule| schedule.with_overrides(overrides));
    let wanted = OnCall::default();
    assert_eq!(texts(&directory.followers(&team("ops"), &wanted, START)), ["ben", "soon"]);
    assert_eq!(texts(&directory.predecessors(&team("ops"), &wanted, START)), ["ben", "lately"]);
}

#[test]
fn nobody_is_around_a_roster_that_is_not_there_and_time_ends_quietly() {
    let (_, directory) = twelve();
    let gone = OnCall { schedule: Some(name("gone")), role: None };
    assert!(directory.followers(&team("ops"), &gone, START).is_empty());
    assert!(directory.predecessors(&Audience::Person(name("p00")), &OnCall::default(), START).is_empty());
    assert!(directory.on_call(&team("ops"), &gone, START).people.is_empty());
    for end in [Timestamp::MIN, Timestamp::MAX] {
        directory.followers(&team("ops"), &OnCall::default(), end);
        directory.predecessors(&team("ops"), &OnCall::default(), end);
    }
}

#[test]
fn a_roster_is_a_schedule_or_the_order_of_a_team() {
    let mut directory = Directory::default()
        .team("ops", &["ann"])
        .turns("ops", &["ann"], Length::Hours(1), START)
        .team("web", &["ben", "cat"]);
    let layer = Layer {
        name: "web".into(),
        who: Who::People(std::iter::once("cat".into()).collect()),
        ahead: 0,
        within: None,
        shadow: false,
    };
    let role = Role { name: "primary".into(), layers: vec![layer] };
    directory.rosters.insert(name("web"), Arc::new(Schedule::new(TimeZone::UTC, vec![role])));
    directory = directory.edit("ops", |schedule| schedule);
    let (ops, web) = (Rota::Schedule(name("ops")), Rota::Team(name("web")));
    assert_eq!(directory.roster(&team("web"), None), Some(web.clone()));
    assert_eq!(directory.roster(&team("web"), Some(&name("ops"))), Some(ops.clone()));
    assert_eq!(directory.roster(&team("nobody"), None), None);
    assert_eq!(directory.roster(&Audience::Person(name("ann")), None), None);
    let all: Vec<Rota> = directory.all_rosters().map(|(roster, _)| roster).collect();
    assert_eq!(all, [ops.clone(), web.clone()]);
    assert_eq!([ops.name(), web.name()], [&name("ops"), &name("web")]);
    // What overrides the order of the members says who is on call for a team without a schedule.
    assert_eq!(texts(&directory.on_call(&team("web"), &OnCall::default(), START).people), ["cat"]);
    assert_eq!(texts(&directory.followers(&team("web"), &OnCall::default(), START)), ["ben"]);
    assert_eq!([team("web").name(), Audience::Person(name("ann")).name()], [&name("web"), &name("ann")]);
}

#[test]
fn the_teams_of_a_roster_are_all_that_ask_it_by_plan_last_resort_or_another_team() {
    let turns = |directory: Directory, team: &str| directory.turns(team, &["ann"], Length::Hours(1), START);
    let mut directory = Directory::default();
    for who in ["own", "by-plan", "by-resort", "by-team", "by-next", "stranger", "planless"] {
        directory = turns(directory.team(who, &["ann", "ben"]), who);
    }
    directory = directory
        .plan("own", 0, &["ann after 1m"])
        .plan("by-plan", 0, &["on_call:own/primary ann after 1m"])
        .plan("by-next", 0, &["next_on_call previous_on_call after 1m"])
        .plan("by-resort", 0, &["ann after 1m"])
        .last_resort("by-resort", &["team:own", "ben"])
        .plan("by-team", 0, &["team:by-plan team:planless after 1m"])
        .plan("stranger", 0, &["ann email:role@example.org after 1m"]);
    let asking = |schedule: &str| -> Vec<String> {
        let roster = Rota::Schedule(name(schedule));
        directory.teams_on(&roster).map(|team| team.name.to_string()).collect()
    };
    assert_eq!(asking("own"), ["by-plan", "by-resort", "by-team", "own"]);
    assert_eq!(asking("by-next"), ["by-next"]);
    assert_eq!(asking("planless"), ["by-team", "planless"]);
    let teams: Vec<&Name> = directory.teams_of(&name("ben")).collect();
    assert_eq!(teams.len(), 7);
    assert_eq!(directory.teams_of(&name("nobody")).count(), 0);
}

#[test]
fn teams_that_name_each_other_in_a_circle_come_to_an_end() {
    let directory = Directory::default()
        .person("ann", &["handset:ann"])
        .team("ops", &["ann"])
        .team("web", &["ann"])
        .plan("ops", 0, &["team:web after 1m"])
        .plan("web", 0, &["team:ops after 1m"]);
    let asking: Vec<&Name> = directory.teams_on(&Rota::Team(name("ops"))).map(|team| &team.name).collect();
    assert_eq!(asking, [&name("ops")], "five deep, whoever is on call for the team named last is asked");
    let mut world = World::new(directory);
    world.run_to("1h");
    assert!(!world.paged("handset:ann").is_empty());
}

#[test]
fn a_step_that_names_a_team_and_others_pages_the_others_with_its_first_step() {
    let directory = Directory::default()
        .person("ann", &["handset:ann"])
        .person("ben", &["handset:ben"])
        .person("cat", &["handset:cat"])
        .person("dan", &["handset:dan"])
        .team("ops", &["ann"])
        .team("web", &["ben", "cat"])
        .plan("web", 0, &["ben after 3m", "cat after 3m"])
        .plan("ops", 0, &["ann team:web after 7m", "dan after 1m"]);
    let mut world = World::new(directory);
    world.run_to("11m");
    for (who, at) in [("ann", "+0:00"), ("ben", "+0:00"), ("cat", "+3:00"), ("dan", "+10:00")] {
        assert_eq!(world.paged(&format!("handset:{who}")), [at], "{who}\n{}", world.timeline());
    }
}

#[test]
fn a_course_has_a_bounded_number_of_steps_however_teams_are_named() {
    let many: Vec<String> = (0..MAX_STEPS).map(|number| format!("p{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let twenty = ["team:many after 1m"; 20];
    let directory = Directory::default().team("many", &many).team("ops", &["ann"]).plan(
        "ops",
        0,
        &[&["ann after 1m"][..], &twenty].concat(),
    );
    let course = directory.course(&team("ops"), START);
    assert_eq!(course.steps.len(), MAX_STEPS);
    assert_eq!(directory.course(&team("many"), START).steps.len(), MAX_STEPS);
    assert!(directory.course(&team("nobody"), START).steps.is_empty());
    assert_eq!(directory.course(&Audience::Person(name("ann")), START).steps.len(), 1);
}
