//! `dogwatch nagios` as Naemon runs it: one event for a notification, kept when it can't be sent, ends as documented.

use std::path::Path;

use serde_json::json;

use super::{House, house};
use crate::support::TOKEN;
use crate::support::command::{Ran, run_with};

const PROBLEM: [(&str, &str); 7] = [
    ("NAGIOS_NOTIFICATIONTYPE", "PROBLEM"),
    ("NAGIOS_HOSTNAME", "db1"),
    ("NAGIOS_SERVICEDESC", "disk"),
    ("NAGIOS_SERVICESTATE", "CRITICAL"),
    ("NAGIOS_SERVICEOUTPUT", "97 % of /var; \"full\""),
    ("NAGIOS_SERVICEPROBLEMID", "17"),
    ("NAGIOS_SERVICENOTIFICATIONID", "5"),
];

/// Runs it with variables that replace some of those of the problem.
fn nagios(url: &str, key: &str, spool: &Path, arguments: &[&str], other: &[(&str, &str)]) -> Ran {
    let spool = spool.to_str().unwrap();
    let mut variables = vec![("DOGWATCH_URL", url), ("DOGWATCH_KEY", key), ("DOGWATCH_SPOOL", spool)];
    variables.extend(PROBLEM.iter().filter(|(name, _)| !other.iter().any(|(known, _)| known == name)));
    variables.extend(other);
    let arguments: Vec<&str> = ["nagios"].into_iter().chain(arguments.iter().copied()).collect();
    run_with(Path::new("/"), &arguments, "", &variables)
}

impl House {
    fn nagios(&self, spool: &Path, other: &[(&str, &str)]) -> Ran {
        nagios(&self.world.url, &self.key, spool, &[], other)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_problem_is_one_event_however_many_contacts_are_told() {
    let house = house(json!({})).await;
    let spool = tempfile::tempdir().unwrap();
    for contact in ["john", "bob", "alice"] {
        let ran = house.nagios(spool.path(), &[("NAGIOS_CONTACTNAME", contact)]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    }
    let problem = (
        1,
        "triggered".to_owned(),
        "db1/disk is CRITICAL: 97 % of /var; \"full\"".to_owned(),
        "critical".to_owned(),
    );
    assert_eq!(house.alerts().await, [problem]);
    assert_eq!(house.world.get("/api/v1/alerts/1").await["triggers"], 1);
    // The next notification of the same problem is counted.
    house.nagios(spool.path(), &[("NAGIOS_SERVICENOTIFICATIONID", "6")]);
    assert_eq!(house.world.get("/api/v1/alerts/1").await["triggers"], 2);
    let acknowledged = [
        ("NAGIOS_NOTIFICATIONTYPE", "ACKNOWLEDGEMENT"),
        ("NAGIOS_NOTIFICATIONAUTHOR", "john"),
        ("NAGIOS_NOTIFICATIONCOMMENT", "looking"),
    ];
    assert_eq!(house.nagios(spool.path(), &acknowledged).code, 0);
    assert_eq!(house.status().await, "acknowledged");
    let over = [
        ("NAGIOS_NOTIFICATIONTYPE", "RECOVERY"),
        ("NAGIOS_SERVICESTATE", "OK"),
        ("NAGIOS_SERVICEPROBLEMID", "0"),
        ("NAGIOS_LASTSERVICEPROBLEMID", "17"),
    ];
    assert_eq!(house.nagios(spool.path(), &over).code, 0);
    assert_eq!(house.status().await, "resolved");
    let downtime = house.nagios(spool.path(), &[("NAGIOS_NOTIFICATIONTYPE", "DOWNTIMESTART")]);
    assert!(downtime.code == 0 && downtime.out.contains("maintenance windows"), "{}", downtime.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_t_be_sent_is_kept_and_sent_later_in_order() {
    let house = house(json!({})).await;
    let spool = tempfile::tempdir().unwrap();
    // Nobody listens there.
    let gone = "http://127.0.0.1:9";
    let ran = nagios(gone, &house.key, spool.path(), &[], &[]);
    assert!(ran.code == 0 && ran.err.contains("it is kept, and sent later"), "{}", ran.err);
    assert!(!ran.err.contains(&house.key), "{}", ran.err);
    // The same for another contact is left out, although nothing was sent yet.
    assert_eq!(nagios(gone, &house.key, spool.path(), &[], &[]).code, 0);
    let over = [("NAGIOS_NOTIFICATIONTYPE", "RECOVERY"), ("NAGIOS_SERVICENOTIFICATIONID", "6")];
    assert_eq!(nagios(gone, &house.key, spool.path(), &[], &over).code, 0);
    let waiting = || {
        let files = std::fs::read_dir(spool.path().join("waiting")).unwrap();
        files
            .filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|end| end == "json"))
            .count()
    };
    assert_eq!(waiting(), 2);
    // Reached again: the oldest first, so that the problem is over in the end.
    let other = [
        ("NAGIOS_SERVICEDESC", "cpu"),
        ("NAGIOS_SERVICENOTIFICATIONID", "7"),
        ("NAGIOS_SERVICEPROBLEMID", "18"),
    ];
    assert_eq!(house.nagios(spool.path(), &other).code, 0);
    assert_eq!(waiting(), 0);
    let states: Vec<(u64, String)> =
        house.alerts().await.into_iter().map(|alert| (alert.0, alert.1)).collect();
    assert_eq!(states, [(1, "resolved".to_owned()), (2, "triggered".to_owned())]);
    assert_eq!(nagios(&house.world.url, &house.key, spool.path(), &["--flush"], &[]).code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_as_documented() {
    let house = house(json!({})).await;
    let spool = tempfile::tempdir().unwrap();
    let flags = [
        "-t",
        "PROBLEM",
        "-l",
        "web1",
        "-s",
        "DOWN",
        "-o",
        "no answer",
        "-4",
        "192.0.2.1",
        "-d",
        "today",
        "-n",
        "Web 1",
        "-r",
        "x@example.org",
    ];
    let ran = nagios(&house.world.url, &house.key, spool.path(), &flags, &[]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(
        house.alerts().await[0].2,
        "web1 is DOWN: no answer",
        "the environment speaks of another host"
    );
    for (other, words) in [
        (("NAGIOS_NOTIFICATIONTYPE", "PIGEON"), "PIGEON"),
        (("NAGIOS_HOSTNAME", ""), "enable_environment_macros=1"),
        (("DOGWATCH_KEY", ""), "dogwatch integration create"),
    ] {
        let ran = house.nagios(spool.path(), &[other]);
        assert_eq!(ran.code, 1, "{other:?}: {}", ran.err);
        assert!(ran.err.contains(words), "{}", ran.err);
    }
    // A key that is wrong may be right again: what it would have sent is kept.
    let ran = nagios(&house.world.url, "nobodys", spool.path(), &[], &[]);
    assert!(ran.code == 0 && ran.err.contains("401"), "{}", ran.err);
    // Neither sent nor kept.
    let file = spool.path().join("file");
    std::fs::write(&file, "").unwrap();
    let ran = nagios("http://127.0.0.1:9", &house.key, &file, &[], &[]);
    assert!(ran.code == 3 && ran.err.contains("--spool"), "{} {}", ran.code, ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledgements_are_written_back_once() {
    let house = house(json!({})).await;
    let spool = tempfile::tempdir().unwrap();
    house.nagios(spool.path(), &[]);
    let file = spool.path().join("nagios.cmd");
    std::fs::write(&file, "").unwrap();
    let write_back = || {
        let arguments = ["nagios", "--write-back", file.to_str().unwrap(), "--integration", "mon"];
        let variables = [
            ("DOGWATCH_URL", house.world.url.as_str()),
            ("DOGWATCH_TOKEN", TOKEN),
            ("DOGWATCH_SPOOL", spool.path().to_str().unwrap()),
        ];
        let ran = run_with(Path::new("/"), &arguments, "", &variables);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        std::fs::read_to_string(&file).unwrap()
    };
    assert_eq!(write_back(), "");
    house.world.post("/api/v1/alerts/1/acknowledge", json!({})).await;
    let written = write_back();
    assert!(
        written
            .contains("] ACKNOWLEDGE_SVC_PROBLEM;db1;disk;2;1;0;test;acknowledged in Dogwatch, alert #1\n"),
        "{written}"
    );
    assert_eq!(write_back(), written, "once");
}
