//! A fault of ours: everybody of the last resort is told by every contact, whatever stands for them.

use escalation::alert::{self, Status, Stepped};
use escalation::delivery::Purpose;
use escalation::directory::Directory;
use escalation::effect::Effect;
use escalation::id::Ids;
use escalation::invariant::{self, Broken};
use escalation::page::EndedWhy;

use crate::roster::{Roster, name};
use crate::world::World;

const BROKEN: Broken = Broken { rule: 4, sentence: "a page's wake belongs to a live page" };

fn ops() -> Directory {
    Directory::default()
        .person("john", &["handset:john", "email:john@example.org"])
        .planless("bob", &["phone:+4930123456"])
        .planless("carol", &["email:carol@example.org"])
        .team("ops", &["john", "bob"])
        .team("web", &["carol"])
        .service(&[], &["email:operators@example.org"])
}

fn stopped(last_resort: &str, prepare: impl FnOnce(&mut World)) -> Stepped {
    let mut world = World::new(ops().last_resort("ops", &[last_resort]));
    world.run_to("10s");
    prepare(&mut world);
    let mut chance = || 7;
    let ids = Ids { now: world.now, chance: &mut chance };
    alert::fault(world.state.clone(), &BROKEN, &world.directory, ids)
}

fn warned(stepped: &Stepped) -> Vec<&str> {
    let warnings = stepped.effects.iter().filter_map(|effect| match effect {
        Effect::Deliver(delivery) if delivery.purpose == Purpose::Warning => Some(delivery.contact.as_str()),
        _ => None,
    });
    warnings.collect()
}

#[test]
fn everybody_of_the_last_resort_is_told_by_every_contact() {
    let john = ["handset:john", "email:john@example.org"];
    let members = [&john[..], &["phone:+4930123456"]].concat();
    for (target, told) in [
        ("john", john.to_vec()),
        ("email:role@example.org", vec!["email:role@example.org"]),
        ("round_robin:carol,bob", vec!["email:carol@example.org", "phone:+4930123456"]),
        ("team:web", vec!["email:carol@example.org"]),
        ("on_call", members.clone()),
        ("next_on_call", members.clone()),
        ("previous_on_call", members.clone()),
        ("round_robin", members.clone()),
        ("member:1", members.clone()),
        ("all_members", members),
        ("ghost", vec![]),
    ] {
        let stepped = stopped(target, |_| ());
        let expected = [&["email:operators@example.org"][..], &told].concat();
        assert_eq!(warned(&stepped), expected, "{target}");
    }
}

#[test]
fn the_alert_stays_open_and_says_so_and_nothing_of_it_goes_on() {
    for prepare in [|_: &mut World| (), |world: &mut World| drop(world.snooze("john", "1h"))] {
        let stepped = stopped("john", prepare);
        assert_eq!(stepped.state.alert.status, Status::Unanswered);
        assert!(stepped.state.wakes.is_empty() && stepped.state.pages.iter().all(|page| !page.is_live()));
        assert_eq!(invariant::check(&stepped.state), Ok(()));
    }
    let stepped = stopped("john", |_| ());
    assert_eq!(stepped.state.pages[0].ended.map(|ended| ended.why), Some(EndedWhy::Fault));
    let resolved = stopped("john", |world| drop(world.resolve()));
    assert_eq!(resolved.state.alert.status, Status::Resolved, "what is over stays over");
}

#[test]
fn a_broken_rule_says_which() {
    assert_eq!(BROKEN.to_string(), "rule 4 is broken: a page's wake belongs to a live page");
    let mut world = World::new(ops());
    world.run_to("10s");
    world.state.pages[0].person = name("ghost");
    world.state.pages.push(world.state.pages[0].clone());
    assert_eq!(invariant::check(&world.state).map_err(|broken| broken.rule), Err(3));
}
