//! Text that was cut, doubled and mixed up: the importer answers, and what it writes can be read.

use proptest::prelude::*;

use super::{import, syntax};
use dogwatch::definition::to_toml;
use dogwatch::naemon::Settings;

const WORDS: [&str; 40] = [
    "define contact {",
    "define host {",
    "define service {",
    "define contactgroup {",
    "define hostescalation {",
    "define timeperiod {",
    "define hostgroup {",
    "}",
    "}",
    "}",
    "contact_name a",
    "contact_name b",
    "host_name h",
    "host_name *",
    "host_name !h",
    "hostgroup_name g",
    "service_description s",
    "use t",
    "use a,b,t",
    "name t",
    "register 0",
    "contacts a,b",
    "contacts +a",
    "contact_groups g",
    "contact_groups null",
    "members *",
    "members a,a,!b",
    "contactgroup_name g",
    "contactgroup_members g",
    "first_notification 2",
    "last_notification 99999999999",
    "notification_interval -1",
    "notification_interval 1e300",
    "escalation_period p",
    "notification_period p",
    "timeperiod_name p",
    "monday 00:00-24:00",
    "exclude p",
    "host_notification_options n",
    "email \u{0}x@y",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1_000, max_shrink_iters: 500, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(picks in prop::collection::vec((0_usize..WORDS.len(), ".{0,6}"), 0..60)) {
        let text: String = picks.iter().map(|(word, tail)| format!("{}{tail}\n", WORDS[*word])).collect();
        let document = syntax::read_text("site.cfg", &text);
        let imported = import(&document, &Settings::new("UTC".to_owned(), super::NOW));
        prop_assert!(to_toml(&imported.documents).is_ok());
        imported.report.show(&document.files, &imported.routes);
    }
}
