//! `dogwatch check`: all problems of definitions, before anybody depends on them.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;
use rota::diagnostic::{Problem, Span};
use serde_json::{Value, json};

use super::definition_files::load_at;
use super::on_call::Moment;
use crate::clock::{Clock, SystemClock};
use crate::definition::Kind;
use crate::definition::file::Loaded;

/// Check definitions: show every problem of every file, and what to write instead.
///
/// Reads Naemon object files (.cfg) and TOML (.toml); of a folder all of them. All files given are checked
/// together: one may name what another defines. Ends with 1 if there is an error, with 0 if there are
/// only warnings.
///
/// Where there are no errors, warnings tell of the 90 days to come: when nobody is on call, when two layers claim the
/// same time, whose shifts fall into leave, and who is on the rota and can't be reached.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dogwatch check /etc/dogwatch/definitions
  dogwatch check periods.cfg team.toml
  dogwatch check --from 2026-12-01 /etc/dogwatch/definitions
  dogwatch check --format json . | jq -r 'select(.severity == \"error\") | .message'

With --format json every problem is an object on a line of its own, with file, line, column (both from 1,
in characters), severity (error or warning), message, hint, and related (another place that matters, with
file, line, column and message). What is not there is null.")]
pub(super) struct Check {
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// How to show the problems
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Look at the 90 days from here on: a date, or a time [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    from: Option<Moment>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For people: the line, a caret under it, and the hint
    Text,
    /// For programs: one JSON object a line
    Json,
}

impl Check {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let now = SystemClock.now();
        let from = self.from.map_or(Ok(now), |from| from.read(&TimeZone::UTC, now))?;
        let mut loaded = load_at(&self.paths, from);
        loaded.review(from);
        let mut out = std::io::stdout().lock();
        match self.format {
            Format::Text => {
                let problems = loaded.files.render_all(&loaded.problems);
                if !problems.is_empty() {
                    writeln!(out, "{problems}")?;
                }
                writeln!(out, "{}", summary(&loaded))?;
            }
            Format::Json => {
                for problem in &loaded.problems {
                    writeln!(out, "{}", as_json(problem, &loaded))?;
                }
            }
        }
        out.flush()?;
        Ok(if loaded.has_errors() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// What there is, and how much is wrong with it.
fn summary(loaded: &Loaded) -> String {
    let names = |kind| loaded.definitions.names(kind).count();
    let counts = [
        (loaded.periods.len(), "period", "periods"),
        (names(Kind::Person), "person", "people"),
        (names(Kind::Team), "team", "teams"),
        (names(Kind::EscalationPlan), "escalation plan", "escalation plans"),
        (names(Kind::Rotation), "rotation", "rotations"),
        (names(Kind::Schedule), "schedule", "schedules"),
        (names(Kind::Integration), "integration", "integrations"),
        (names(Kind::Heartbeat), "heartbeat", "heartbeats"),
        (names(Kind::Override), "override", "overrides"),
        (names(Kind::Leave), "leave", "leaves"),
        (names(Kind::Silence), "silence", "silences"),
        (names(Kind::Maintenance), "maintenance window", "maintenance windows"),
    ];
    let there: Vec<String> = counts
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(n, one, many)| count(n, one, many))
        .collect();
    let there = if there.is_empty() { "no definitions".to_owned() } else { there.join(", ") };
    let errors = loaded.problems.iter().filter(|problem| problem.is_error()).count();
    let warnings = loaded.problems.len() - errors;
    let wrong: Vec<String> = [(errors, "error", "errors"), (warnings, "warning", "warnings")]
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(n, one, many)| count(n, one, many))
        .collect();
    let wrong = if wrong.is_empty() { "no problems".to_owned() } else { wrong.join(", ") };
    format!("{there}: {wrong}")
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn as_json(problem: &Problem, loaded: &Loaded) -> String {
    let place = |span: Span| loaded.files.place(span);
    let mut object = json!({
        "file": problem.span.map(|span| place(span).file),
        "line": problem.span.map(|span| place(span).line),
        "column": problem.span.map(|span| place(span).column),
        "severity": problem.severity.to_string(),
        "message": problem.message,
        "hint": problem.hint,
        "related": Value::Null,
    });
    if let Some((span, message)) = &problem.related {
        let at = place(*span);
        object["related"] =
            json!({ "file": at.file, "line": at.line, "column": at.column, "message": message });
    }
    object.to_string()
}
