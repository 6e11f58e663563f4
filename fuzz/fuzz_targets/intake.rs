//! Any bytes in any format are events that are fit to be stored, or are refused with a reason.
#![no_main]

use dogwatch::definition::IntegrationSpec;
use dogwatch::intake::arrival::{Scene, decide};
use dogwatch::intake::event::{MAX_DETAILS, MAX_KEY, MAX_SUMMARY};
use dogwatch::intake::{Format, mail, trial};
use dogwatch::json;
use dogwatch::store::reception::Arrival;
use escalation::directory::Directory;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

const INTEGRATION: &str = r#"{
    "name": "mon", "team": "ops", "group_by": ["/labels/cluster"], "severities": { "x": "critical" },
    "rules": [{ "match": { "summary": "*a*b*", "/labels/x": "*" }, "urgency": "low" }, { "match": { "key": "z" }, "ignore": true }],
    "mapping": { "each": "/checks", "summary": "{/host|/name} {/x}", "key": "{/host}", "state": "{/state}" }
}"#;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let format = Format::ALL[usize::from(*first) % Format::ALL.len()];
    let spec: IntegrationSpec = serde_json::from_str(INTEGRATION).unwrap();
    let integration = spec.shape().unwrap();
    let mapping = integration.mapping.as_ref().filter(|_| first & 0x80 != 0);
    let read = match format {
        Format::Mail => mail::read(rest, mapping),
        _ => json::read(rest).and_then(|body| trial::read(format, &body, mapping)),
    };
    let events = match read {
        Ok(events) => events,
        Err(why) => return assert!(!why.is_empty()),
    };
    let directory = Directory::default();
    let now = Timestamp::from_second(1_790_000_000).unwrap();
    let scene = Scene { integration: &integration, format, directory: &directory, now };
    for event in events {
        let decided = decide(scene, event, None, || "once".to_owned());
        assert!(!decided.arrivals.is_empty());
        for arrival in decided.arrivals {
            let Arrival::Trigger { trigger, .. } = arrival else { continue };
            assert!(!trigger.summary.is_empty() && trigger.summary.chars().count() <= MAX_SUMMARY);
            assert!(!trigger.summary.chars().any(char::is_control));
            assert!(trigger.details.chars().count() <= MAX_DETAILS);
            assert!(trigger.dedup_key.len() <= MAX_KEY);
        }
    }
});
