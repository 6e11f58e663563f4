//! The four scenarios of Naemon's document on on-call rotations, as whole configurations: John or Bob is on call at every
//! second as real Naemon says.

use jiff::Timestamp;

use super::{import, in_force, syntax};
use dogwatch::naemon::Settings;

fn file(name: &str) -> String {
    let path = format!("{}/../rota/tests/naemon/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// From when until when a period is on, as Naemon was asked second by second.
struct Known {
    config: String,
    period: String,
    zone: String,
    from: i64,
    to: i64,
    on: Vec<(i64, i64)>,
}

fn known() -> Vec<Known> {
    let text = file("intervals.txt");
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let number = |text: &str| i64::from_str_radix(text, 36).unwrap();
    let mut all = Vec::new();
    while let (Some(head), Some(lengths)) = (lines.next(), lines.next()) {
        let head: Vec<&str> = head.split(' ').collect();
        let [from, to, first] = [3, 4, 5].map(|place| head[place].parse::<i64>().unwrap());
        let (mut t, mut on) = (first, Vec::new());
        for run in lengths.split(' ') {
            let (pair, times) = run.split_once('*').unwrap_or((run, "1"));
            let (long, pause) = pair.split_once('/').unwrap_or((pair, "0"));
            for _ in 0..times.parse().unwrap() {
                on.push((t, t + number(long)));
                t += number(long) + number(pause);
            }
        }
        all.push(Known {
            config: head[0].to_owned(),
            period: head[1].to_owned(),
            zone: head[2].to_owned(),
            from,
            to,
            on,
        });
    }
    all
}

#[test]
fn john_or_bob_is_on_call_at_every_second() {
    let known = known();
    let mut compared = 0;
    for john in known.iter().filter(|known| known.period == "john-oncall") {
        let bob = known
            .iter()
            .find(|bob| bob.config == john.config && bob.zone == john.zone && bob.period == "bob-oncall")
            .unwrap();
        let people: String = ["john", "bob"]
            .iter()
            .map(|name| {
                format!(
                    "define contact {{\n contact_name {name}\n email {name}@example.org\n host_notification_period \
                     {name}-oncall\n service_notification_period {name}-oncall\n}}\n"
                )
            })
            .collect();
        let site = "define contactgroup {\n contactgroup_name admins\n members john,bob\n}\n\
                    define host {\n host_name db1\n contact_groups admins\n}\n";
        let text = format!("{}\n{people}{site}", file(&format!("{}.cfg", john.config)));
        let document = syntax::read_text("site.cfg", &text);
        let imported = import(&document, &Settings::new(john.zone.clone(), at(john.from)));
        assert_eq!(imported.routes, [("db1".to_owned(), "admins".to_owned())]);
        let definitions = in_force(&imported);
        let directory = definitions.directory();
        let targets: Vec<_> = directory.schedules.values().collect();
        let is_on = |known: &Known, t: i64| known.on.iter().any(|(from, to)| (*from..*to).contains(&t));
        let mut edges: Vec<i64> = john.on.iter().chain(&bob.on).flat_map(|(from, to)| [*from, *to]).collect();
        edges.push(john.from);
        for schedule in &targets {
            edges.extend(
                schedule.shifts(at(john.from), at(john.to), "primary").map(|shift| shift.from.as_second()),
            );
        }
        edges.retain(|t| (john.from..john.to).contains(t));
        edges.sort_unstable();
        edges.dedup();
        // Between two edges nobody comes or goes, here or there.
        for t in edges {
            let mut wanted: Vec<&str> = Vec::new();
            wanted.extend(is_on(bob, t).then_some("bob"));
            wanted.extend(is_on(john, t).then_some("john"));
            let on_call = targets.iter().map(|schedule| schedule.on_call(at(t), "primary").people.to_vec());
            let mut found: Vec<String> = on_call.flatten().map(|name| name.to_string()).collect();
            found.sort();
            assert_eq!(found, wanted, "{} in {} at {}", john.config, john.zone, at(t));
            compared += 1;
        }
    }
    assert!(compared > 10_000, "{compared} stretches");
}
