//! Random definitions, applied, written out, read and applied again.

use dogwatch::definition::file::Loaded;
use dogwatch::definition::{Definitions, Kind, Owner, Wanted, to_toml};
use jiff::Timestamp;
use proptest::prelude::*;
use rota::syntax::{self, Entry, Source};
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);

/// No file but those that are handed over.
struct Nothing;

impl Source for Nothing {
    fn read(&mut self, _: &str) -> Result<String, String> {
        Err("there is nothing".to_owned())
    }
    fn list(&mut self, _: &str) -> Result<Vec<Entry>, String> {
        Ok(Vec::new())
    }
    fn identity(&mut self, path: &str) -> String {
        path.to_owned()
    }
}

/// Text as people write it, and as nobody should.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z ]{0,20}",
        "[\\PC]{0,20}",
        Just("\"quoted\" 'both' \\ back".to_owned()),
        Just("[[person]]\u{202e}#{}=".to_owned()),
        Just("'''".to_owned()),
        Just("\"\"\"".to_owned()),
    ]
}

fn person(n: usize) -> impl Strategy<Value = Value> {
    let contacts = prop::sample::subsequence(
        vec!["handset:x", "email:a@example.org", "webhook:https://e.example/"],
        1..=3,
    );
    (text(), contacts, prop::option::of(1_u32..90), any::<bool>()).prop_map(move |(full_name, contacts, wait, low)| {
        let step = match wait {
            Some(wait) => json!({ "contact": contacts[0], "wait": format!("{wait}m") }),
            None => json!({ "contact": contacts[0] }),
        };
        let which = if low { "low" } else { "high" };
        json!({
            "name": format!("p{n}"), "full_name": full_name, "contacts": contacts, "zone": "Europe/Berlin",
            "notification_plans": { which: { "steps": [step] } },
        })
    })
}

/// Everybody, two rotations, a schedule, a plan, a team, a period and an integration.
fn house() -> impl Strategy<Value = Vec<(Kind, Value)>> {
    let people = (1_usize..6).prop_flat_map(|count| (0..count).map(person).collect::<Vec<_>>());
    let rest =
        (text(), text(), 1_u32..50, 0_u8..3, any::<bool>(), any::<prop::sample::Index>(), any::<bool>());
    (people, rest).prop_map(|(people, (description, alias, minutes, repeat, by_text, one, with_start))| {
        let names: Vec<Value> = people.iter().map(|person| person["name"].clone()).collect();
        let chosen = one.get(&names).as_str().unwrap().to_owned();
        let mut rotation = json!({ "name": "r", "members": names, "description": description, "every": "2 weeks" });
        if with_start {
            rotation["start"] = json!("2026-01-05");
        }
        let period = if by_text {
            json!({ "name": "Night ;hours", "text": "monday 18:00-24:00\n2026-12-24 / 14 00:00-09:00\n" })
        } else {
            json!({ "name": "Night ;hours", "rules": [{ "days": ["monday - friday"], "hours": ["18:00-24:00"] }] })
        };
        let mut period = period;
        if !alias.trim().is_empty() {
            period["alias"] = json!(alias.trim());
        }
        let layers = json!([{ "rotation": "r" }, { "people": [chosen], "period": "Night ;hours" }]);
        let steps = json!([
            { "notify": ["on_call", format!("person:{chosen}")], "after": format!("{minutes}m") },
            { "notify": ["all_members"], "after": "1h" },
        ]);
        let mut all: Vec<(Kind, Value)> = people.into_iter().map(|person| (Kind::Person, person)).collect();
        all.extend([
            (Kind::Team, json!({ "name": "t", "members": names, "schedule": "s", "escalation_plan": "e", "description": description })),
            (Kind::EscalationPlan, json!({ "name": "e", "steps": steps, "repeat": repeat })),
            (Kind::Schedule, json!({ "name": "s", "layers": layers, "zone": "America/New_York", "remind": [] })),
            (Kind::Rotation, rotation),
            (Kind::Period, period),
            (Kind::Integration, json!({ "name": "i", "team": "t" })),
            (Kind::Leave, json!({ "name": "l", "person": chosen, "stretches": [{ "from": "2026-12-24", "until": "2026-12-27" }] })),
        ]);
        all
    })
}

fn wanted(documents: Vec<(Kind, Value)>) -> Wanted {
    Wanted { owner: Owner::Files("main".to_owned()), documents, prune: false, force: false }
}

fn documents(definitions: &Definitions) -> Vec<(Kind, Value)> {
    let all = Kind::ALL.into_iter();
    all.flat_map(|kind| definitions.list(kind, "").map(move |(_, defined)| (kind, defined.body.clone())))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_out_reads_back_as_it_was(house in house(), order in any::<u64>()) {
        let mut shuffled = house;
        // The order of the documents does not matter.
        let len = shuffled.len();
        shuffled.rotate_left((order % len as u64) as usize);
        let changed = Definitions::default().change(&wanted(shuffled), NOW);
        // What control characters there are is refused, and told.
        let Ok(changed) = changed else { return Ok(()) };
        let exported = to_toml(&documents(&changed.definitions)).unwrap();

        let naemon = syntax::read(&mut Nothing, &[]);
        let loaded = Loaded::new(naemon, vec![("all.toml".to_owned(), exported.clone())], NOW);
        prop_assert!(loaded.unreadable.is_empty(), "{}\n{:?}", exported, loaded.unreadable);
        let read: Vec<(Kind, Value)> = loaded.documents.into_iter().map(|one| (one.kind, one.body)).collect();
        let again = changed.definitions.change(&wanted(read.clone()), NOW).unwrap();
        prop_assert!(again.steps.is_empty(), "{}\n{:?}", exported, again.steps);
        let anew = Definitions::default().change(&wanted(read), NOW).unwrap();
        prop_assert_eq!(to_toml(&documents(&anew.definitions)).unwrap(), exported);
    }
}
