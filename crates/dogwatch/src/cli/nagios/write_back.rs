//! Acknowledgements of Dogwatch, written into the external command file of Naemon or Nagios.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use jiff::Timestamp;
use serde_json::Value;

use crate::cli::client::{Server, segment, text};

/// Writes a command for each alert of an integration that somebody has and for which none was written yet. The
/// numbers of those that were are in `seen`. Returns how many were written.
pub(super) async fn run(
    server: &Server,
    integration: &str,
    command_file: &Path,
    seen: &Path,
    now: Timestamp,
) -> anyhow::Result<usize> {
    let path = format!("/api/v1/alerts?status=acknowledged&integration={}&limit=500", segment(integration));
    let answer = server.expect("GET", &path, None).await?;
    let known = std::fs::read_to_string(seen).unwrap_or_default();
    let known: Vec<&str> = known.lines().collect();
    let alerts: Vec<&Value> = answer["items"].as_array().into_iter().flatten().collect();
    let mark = |alert: &Value| format!("{} {}", alert["number"], text(&alert["acknowledged"]["at"]));
    // What a person did there came from there.
    let is_ours = |alert: &Value| alert["acknowledged"]["via"] != "integration";
    let new: Vec<&Value> = alerts
        .iter()
        .copied()
        .filter(|alert| is_ours(alert) && !known.contains(&mark(alert).as_str()))
        .collect();
    if !new.is_empty() {
        let lines: String = new.iter().map(|alert| command(alert, now)).collect();
        // A pipe: one write of less than 4 KiB is never mixed with another's.
        let open = File::options().append(true).open(command_file);
        let mut file = open.with_context(|| format!("can't open {}", command_file.display()))?;
        for line in lines.lines() {
            file.write_all(format!("{line}\n").as_bytes())?;
        }
    }
    // Only what is still acknowledged needs to be remembered.
    let marks: Vec<String> = alerts.iter().map(|alert| mark(alert)).collect();
    if let Some(folder) = seen.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(seen, marks.join("\n")).with_context(|| format!("can't write {}", seen.display()))?;
    Ok(new.len())
}

/// The external command for an alert; nothing if its key is none of ours.
fn command(alert: &Value, now: Timestamp) -> String {
    let key = text(&alert["dedup_key"]);
    let subject = key.rsplit_once('#').map_or(key, |(subject, _)| subject);
    let by = plain(text(&alert["acknowledged"]["by"]));
    let comment = plain(&format!("acknowledged in Dogwatch, alert #{}", alert["number"]));
    let second = now.as_second();
    // Sticky until it is over, told to the contacts, not kept over a restart.
    match subject.split_once('/') {
        Some((host, service)) => {
            let (host, service) = (plain(host), plain(service));
            format!("[{second}] ACKNOWLEDGE_SVC_PROBLEM;{host};{service};2;1;0;{by};{comment}\n")
        }
        None => format!("[{second}] ACKNOWLEDGE_HOST_PROBLEM;{};2;1;0;{by};{comment}\n", plain(subject)),
    }
}

/// A text that can't end a field or a command.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter == ';' || letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_in_a_name_ends_a_command() {
        let alert =
            |key: &str, by: &str| json!({ "number": 7, "dedup_key": key, "acknowledged": { "by": by } });
        let now = Timestamp::from_second(1_000).unwrap();
        assert_eq!(
            command(&alert("db1/disk /var#17", "John"), now),
            "[1000] ACKNOWLEDGE_SVC_PROBLEM;db1;disk /var;2;1;0;John;acknowledged in Dogwatch, alert #7\n"
        );
        assert_eq!(
            command(&alert("db1#3", "a;b\n[0] SHUTDOWN_PROGRAM"), now),
            "[1000] ACKNOWLEDGE_HOST_PROBLEM;db1;2;1;0;a b [0] SHUTDOWN_PROGRAM;acknowledged in Dogwatch, alert #7\n"
        );
    }
}
