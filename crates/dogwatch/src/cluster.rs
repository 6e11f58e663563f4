//! What is wrong with nodes that share a database, and with how it keeps what they accept.
//!
//! All this is pure. What only Patroni knows is asked in `cluster/patroni.rs`.

pub mod patroni;

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::nodes::{Cluster, Node};

/// The clocks of two machines may be so far apart before it is told.
const MOST_APART: SignedDuration = SignedDuration::from_secs(1);
/// A node that has said nothing for so long is in trouble.
const SILENT: SignedDuration = SignedDuration::from_secs(20);
/// A wake that nobody has handled for so long means that the engines do not keep up.
const BEHIND: SignedDuration = SignedDuration::from_secs(10);

/// Something that is wrong with the nodes or their database, or that nobody could look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Caution {
    /// In a word, for programs: `no_synchronous_standby`, `clock_apart`, `node_silent` and so on.
    pub kind: &'static str,
    /// What is wrong, and what to do.
    pub text: String,
    /// What was accepted may be lost, or people are paged late.
    pub is_grave: bool,
}

fn caution(kind: &'static str, is_grave: bool, text: impl Into<String>) -> Caution {
    Caution { kind, text: text.into(), is_grave }
}

/// Everything that can be seen in the database.
pub fn examine(cluster: &Cluster) -> Vec<Caution> {
    let mut found = Vec::new();
    durability(cluster, &mut found);
    let (alive, silent): (Vec<&Node>, Vec<&Node>) =
        cluster.nodes.iter().partition(|node| node.seen_at + SILENT >= cluster.now);
    for node in silent {
        let seconds = cluster.now.duration_since(node.seen_at).as_secs();
        found.push(caution(
            "node_silent", false,
            format!(
                "the node on {} that started at {} has said nothing for {seconds} s: it hangs, or its machine or its \
                 way to the database is gone; the others go on without it",
                node.machine, node.started_at
            ),
        ));
    }
    for node in &alive {
        if node.ahead.abs() > MOST_APART {
            let way = if node.ahead.is_positive() { "behind" } else { "ahead of" };
            found.push(caution(
                "clock_apart", false,
                format!(
                    "the clock of {} is {} s {way} the database's: look after NTP on both; people are paged by the \
                     database's",
                    node.machine,
                    node.ahead.abs().as_secs()
                ),
            ));
        }
    }
    let versions: BTreeSet<&str> = alive.iter().map(|node| node.version.as_str()).collect();
    if versions.len() > 1 {
        let all = versions.into_iter().collect::<Vec<_>>().join(" and ");
        found.push(caution(
            "versions_differ",
            false,
            format!("nodes run different versions ({all}): go on until all run the newest"),
        ));
    }
    if alive.len() == 1 {
        found.push(caution(
            "one_node",
            false,
            "there is one node only: when it dies, nobody is paged until it is back",
        ));
    }
    if let Some(due) = cluster.oldest_due.filter(|due| *due + BEHIND < cluster.now) {
        let seconds = cluster.now.duration_since(due).as_secs();
        found.push(caution(
            "engine_behind",
            true,
            format!("what was due {seconds} s ago is not done: people are paged late"),
        ));
    }
    found
}

fn durability(cluster: &Cluster, found: &mut Vec<Caution>) {
    if !cluster.is_synced {
        found.push(caution(
            "not_synced",
            true,
            "the database runs with fsync = off: a power failure may destroy everything",
        ));
    }
    let word = cluster.synchronous_commit.as_str();
    if word == "off" {
        found.push(caution(
            "commits_not_awaited", true,
            "the database runs with synchronous_commit = off: what was accepted last is lost in a crash; set it to on",
        ));
    }
    let losing = "an accepted event is lost with the primary's disk";
    if cluster.synchronous_standby_names.is_empty() {
        let text = format!(
            "the database has no synchronous standby: {losing}; set synchronous_standby_names, or synchronous_mode of Patroni"
        );
        found.push(caution("no_synchronous_standby", true, text));
    } else if word == "local" {
        let text = format!("the database runs with synchronous_commit = local: {losing}; set it to on");
        found.push(caution("no_synchronous_standby", true, text));
    } else if cluster.synchronous_standbys == Some(0) {
        let text = "no synchronous standby is connected: nothing can be accepted until one is back, or it stands on one \
             disk only";
        found.push(caution("no_synchronous_standby", true, text));
    }
    if cluster.synchronous_standbys.is_none() {
        let text =
            "whether a synchronous standby is connected could not be looked at: give our role pg_monitor";
        found.push(caution("not_looked_at", false, text));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    fn node(machine: &str, silent: i64, ahead_millis: i64) -> Node {
        let now: jiff::Timestamp = "2026-01-01T03:00:00Z".parse().unwrap();
        Node {
            name: machine.to_owned(),
            machine: machine.to_owned(),
            version: "1.2.0".to_owned(),
            started_at: now - SignedDuration::from_hours(9),
            seen_at: now - SignedDuration::from_secs(silent),
            ahead: SignedDuration::from_millis(ahead_millis),
        }
    }

    pub(super) fn well() -> Cluster {
        let now = "2026-01-01T03:00:00Z".parse().unwrap();
        Cluster {
            nodes: vec![node("web1", 3, 20), node("web2", 4, -20)],
            is_synced: true,
            synchronous_commit: "on".to_owned(),
            synchronous_standby_names: "db2".to_owned(),
            synchronous_standbys: Some(1),
            cluster_name: String::new(),
            oldest_due: Some(now),
            now,
        }
    }

    /// The one thing that is found, and whether it is grave.
    fn only(cluster: &Cluster) -> (String, bool) {
        let found = examine(cluster);
        assert_eq!(found.len(), 1, "{found:?}");
        (found[0].text.clone(), found[0].is_grave)
    }

    #[test]
    fn a_cluster_that_is_well_gives_nothing_to_say() {
        assert_eq!(examine(&well()), []);
    }

    #[test]
    fn what_would_be_lost_is_told() {
        for (change, word) in [
            (|it: &mut Cluster| it.synchronous_standby_names.clear(), "no synchronous standby"),
            (|it: &mut Cluster| it.synchronous_standbys = Some(0), "is connected"),
            (|it: &mut Cluster| it.synchronous_commit = "local".to_owned(), "local"),
            (|it: &mut Cluster| it.synchronous_commit = "off".to_owned(), "off"),
            (|it: &mut Cluster| it.is_synced = false, "fsync"),
        ] as [(fn(&mut Cluster), &str); 5]
        {
            let mut cluster = well();
            change(&mut cluster);
            let (text, is_grave) = only(&cluster);
            assert!(text.contains(word) && is_grave, "{text}");
        }
        let hidden = Cluster { synchronous_standbys: None, ..well() };
        let (text, is_grave) = only(&hidden);
        assert!(text.contains("pg_monitor") && !is_grave, "{text}");
    }

    #[test]
    fn nodes_that_hang_are_old_or_have_wrong_clocks_are_told_and_so_is_work_left_undone() {
        let with = |third: Node| Cluster { nodes: [well().nodes, vec![third]].concat(), ..well() };
        assert!(
            only(&with(node("web3", 41, 0))).0.contains("web3")
                && only(&with(node("web3", 41, 0))).0.contains("41 s")
        );
        assert!(only(&with(node("web3", 0, 90_000))).0.contains("web3 is 90 s behind"));
        assert!(only(&with(node("web3", 0, -90_000))).0.contains("web3 is 90 s ahead of"));
        let old = Node { version: "1.1.0".to_owned(), ..node("web3", 0, 0) };
        assert!(only(&with(old)).0.contains("1.1.0 and 1.2.0"));
        assert!(only(&Cluster { nodes: vec![node("web1", 0, 0)], ..well() }).0.contains("one node only"));
        let late = Cluster { oldest_due: Some(well().now - SignedDuration::from_secs(12)), ..well() };
        assert!(only(&late).0.contains("12 s ago") && only(&late).1);
    }
}
