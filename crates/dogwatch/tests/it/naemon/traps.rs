//! Where a site depends on what Naemon does oddly, or on what is not here, the report says so.

use super::{imported, in_force};
use dogwatch::definition::Kind;

const PEOPLE: &str = "define timeperiod {\n timeperiod_name nights\n monday 18:00-24:00\n}\n\
    define contact {\n contact_name john\n email john@example.org\n host_notification_period nights\n}\n\
    define contact {\n contact_name bob\n email bob@example.org\n}\n";

/// The report on a host with these directives, and what else there is.
fn report(host: &str, more: &str) -> String {
    let text = format!("{PEOPLE}define host {{\n host_name h\n contacts john\n{host}}}\n{more}");
    let (imported, report) = imported(&text);
    in_force(&imported);
    report
}

fn escalation(says: &str) -> String {
    format!("define hostescalation {{\n host_name h\n contacts bob\n{says}}}\n")
}

#[test]
fn an_escalation_while_nobody_is_on_duty() {
    let shown =
        report("", &escalation(" first_notification 2\n last_notification 0\n notification_interval 10\n"));
    assert!(
        shown
            .contains("in Naemon the notification number does not grow then, and the escalation never fires"),
        "{shown}"
    );
}

#[test]
fn an_interval_of_zero() {
    let more = escalation(" first_notification 2\n last_notification 0\n");
    let shown = report(" notification_interval 0\n", &more);
    assert!(shown.contains("site.cfg:14: notification_interval 0 at notification 1 of \"h\""), "{shown}");
}

#[test]
fn an_escalation_without_an_end() {
    let shown = report("", &escalation(" first_notification 2\n"));
    assert!(shown.contains("an escalation without last_notification never matches in Naemon"), "{shown}");
    assert!(!shown.contains("tells others instead"), "it is left out: {shown}");
}

#[test]
fn recoveries_and_repeats() {
    let shown = report("", "");
    assert!(shown.contains("recoveries go to those who were told last: here to everybody"), "{shown}");
    assert!(shown.contains("notifications go on every notification_interval"), "{shown}");
}

#[test]
fn those_who_tell_nobody() {
    for (host, words) in [
        (" notifications_enabled 0\n", "host \"h\" has notifications_enabled 0: no team answers for it"),
        (" notification_options u,r\n", "host \"h\" tells nobody that it is down or critical"),
        (" notification_period none\n", "host \"h\" has notification_period none"),
        (" first_notification_delay 5\n", "first_notification_delay of host \"h\""),
    ] {
        let shown = report(host, "");
        assert!(shown.contains(words), "{shown}");
    }
}

#[test]
fn a_notification_period_holds_alerts_back() {
    let text =
        format!("{PEOPLE}define host {{\n host_name h\n contacts bob\n notification_period nights\n}}\n");
    let (imported, report) = imported(&text);
    in_force(&imported);
    assert!(
        report.contains("notification_period \"nights\": outside of it alerts of team \"bob\" are held back"),
        "{report}"
    );
    assert!(imported.documents.iter().any(|(kind, _)| *kind == Kind::Maintenance));
}

#[test]
fn names_addresses_and_people_that_are_not_as_here() {
    let text = "define contact {\n contact_name Jürgen Müller\n pager +49 30 123456\n address1 https://example.org/hook\n}\n\
        define contact {\n contact_name silent\n}\n\
        define contactgroup {\n contactgroup_name g\n members Jürgen Müller,nobody,silent\n}\n\
        define host {\n host_name h\n contact_groups g\n}\n";
    let (imported, report) = imported(text);
    in_force(&imported);
    for words in [
        "site.cfg:1: contact \"Jürgen Müller\" is person \"juergen-mueller\"",
        "pager \"+49 30 123456\" of contact \"Jürgen Müller\" is no address that can be reached yet",
        "person \"juergen-mueller\", webhook:https://example.org/hook",
        "contact \"silent\" has no address that can be reached; it has a handset instead",
        "contact group \"g\" names \"nobody\", who is no contact",
    ] {
        assert!(report.contains(words), "{words}\n{report}");
    }
}

#[test]
fn periods_whose_names_are_not_allowed_and_options_that_have_no_counterpart() {
    let text = "define timeperiod {\n timeperiod_name a/b\n monday 08:00-20:00\n}\n\
        define timeperiod {\n timeperiod_name c\n monday 00:00-24:00\n exclude a/b\n}\n\
        define contact {\n contact_name john\n email j@example.org\n host_notification_period c\n\
        service_notification_options c\n}\n\
        define host {\n host_name h\n contacts john\n notification_period a/b\n}\n";
    let (imported, report) = imported(text);
    in_force(&imported);
    assert!(report.contains("site.cfg:2: timeperiod \"a/b\" is period \"a-b\""), "{report}");
    assert!(report.contains("service_notification_options c of contact \"john\""), "{report}");
}

#[test]
fn a_group_of_hundreds_is_told_as_a_whole() {
    let people: String = (0..620)
        .map(|n| {
            format!(
                "define contact {{\n contact_name c{n}\n email c{n}@example.org\n contactgroups all\n}}\n"
            )
        })
        .collect();
    let text = format!(
        "{people}define contactgroup {{\n contactgroup_name all\n}}\ndefine host {{\n host_name h\n contact_groups all\n}}\n"
    );
    let (imported, report) = imported(&text);
    let definitions = in_force(&imported);
    let schedules = definitions.directory().schedules.values();
    let told: usize = schedules.map(|schedule| schedule.on_call(super::NOW, "primary").people.len()).sum();
    assert_eq!(told, 620);
    assert!(report.contains("more than 500 people in one team"), "{report}");
}

#[test]
fn templates_in_circles_and_out_of_nowhere() {
    let text = "define contact {\n name a\n use b\n register 0\n}\ndefine contact {\n name b\n use a\n register 0\n email x@example.org\n}\n\
        define contact {\n contact_name john\n use a,nowhere\n}\ndefine host {\n host_name h\n contacts john\n}\n";
    let (imported, report) = imported(text);
    in_force(&imported);
    assert!(report.contains("there is no contact template \"nowhere\""), "{report}");
    assert!(report.contains("person \"john\", email:x@example.org"), "{report}");
}
