//! `dogwatch plan`: what files would change, and who would be on call differently.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, ValueEnum};
use serde_json::Value;

use super::as_code::{FileSet, Progress, counted, show_errors};
use super::client::Server;
use super::definition_files::load;
use super::on_call::find_zone;
use super::terminal::Paint;
use crate::api::{ChangeView, PlanView, plan};
use crate::clock::{Clock, SystemClock};
use crate::definition::file::Loaded;
use crate::definition::time::show_stretch;
use crate::definition::{Definitions, DocumentError, FieldError, Wanted};

/// Show what files would change, field by field, and who would be on call differently in the next 30 days.
///
/// Asks a server what is in force there; with --against, other files stand for it, and no server is needed. Nothing is
/// changed. Ends with 0 if nothing would change, with 2 if something would, with 1 if something is wrong.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dogwatch plan definitions/
  dogwatch plan definitions/ --prune
  git worktree add /tmp/before main && dogwatch plan definitions/ --against /tmp/before/definitions
  dogwatch plan definitions/ --format json | jq '.on_call[] | {from, before, after}'

The plan ends with the version that it was made against: `dogwatch apply definitions/ --planned VERSION` does exactly
this, and refuses if somebody has edited anything since.")]
pub(super) struct Plan {
    #[command(flatten)]
    files: FileSet,
    /// Compare with these files and folders instead of a server
    #[arg(long, num_args = 1.., value_name = "PATH")]
    against: Vec<PathBuf>,
    /// How to show it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    server: Server,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

impl Plan {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let progress = Progress::new();
        progress.says("reading");
        let loaded = self.files.read()?;
        progress.says(&format!("comparing {}", counted(&loaded)));
        let view = if self.against.is_empty() {
            self.files.send(&self.server, "/api/v1/definitions/plan", &loaded, None).await
        } else {
            self.against_files(&loaded)
        };
        progress.ends();
        let view: PlanView = view?;
        if self.format == Format::Json || self.server.is_json() {
            println!("{}", serde_json::to_string(&view)?);
        } else {
            let version = self.against.is_empty().then_some(view.version);
            print!("{}", show(&view, version, Paint::for_stdout()));
        }
        Ok(if view.changes.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) })
    }

    fn against_files(&self, loaded: &Loaded) -> anyhow::Result<PlanView> {
        let now = SystemClock.now();
        let old = load(&self.against);
        let wanted = self.files.wanted(loaded);
        let documents = old.documents.iter().map(|document| (document.kind, document.body.clone()));
        let before = Wanted { documents: documents.collect(), prune: false, ..wanted.clone() };
        let Ok(before) = Definitions::default().change(&before, now) else {
            eprintln!("{}", old.files.render_all(&old.problems));
            bail!("the files to compare with have errors");
        };
        let before = before.definitions;
        match before.change(&wanted, now) {
            Ok(changed) => Ok(plan(&before, &changed, &wanted.owner, now)),
            Err(errors) => {
                show_errors(loaded, &errors.into_iter().map(as_sent).collect::<Vec<_>>());
                bail!("nothing is planned");
            }
        }
    }
}

/// The field as a server names it.
fn as_sent(DocumentError { document, error }: DocumentError) -> FieldError {
    match document {
        Some(index) => {
            FieldError { field: format!("documents[{index}].body.{}", error.field), message: error.message }
        }
        None => error,
    }
}

/// The most stretches that are shown; the rest is counted.
const MOST_STRETCHES: usize = 60;
/// The longest value that is shown whole.
const MOST_LETTERS: usize = 100;

/// What would change, for people.
pub(super) fn show(view: &PlanView, version: Option<u64>, paint: Paint) -> String {
    let mut out = String::new();
    for change in &view.changes {
        show_change(&mut out, change, paint);
    }
    if !view.on_call.is_empty() {
        let _ = writeln!(out, "\n{}", paint.strong("On call differently in the next 30 days:"));
    }
    for change in view.on_call.iter().take(MOST_STRETCHES) {
        let over = match (&change.schedule, &change.team) {
            (Some(schedule), _) => format!("schedule {schedule}"),
            (None, team) => format!("team {}", team.as_deref().unwrap_or_default()),
        };
        let who = |people: &[String]| {
            if people.is_empty() { "nobody".to_owned() } else { people.join(", ") }
        };
        let when = show_stretch(change.from, change.until, &find_zone(&change.zone));
        let after =
            if change.after.is_empty() { paint.alarm("NOBODY") } else { paint.strong(&who(&change.after)) };
        let _ = writeln!(out, "  {over}, {}: {when}, {}", change.role, change.zone);
        let _ = writeln!(out, "      {} → {after}", who(&change.before));
    }
    let more = view.on_call.len().saturating_sub(MOST_STRETCHES);
    if more > 0 {
        let _ = writeln!(out, "  … and {more} stretches more");
    }
    let gap = if out.is_empty() { "" } else { "\n" };
    let _ = writeln!(out, "{gap}{}", counts(view));
    if view.kept > 0 {
        let _ = writeln!(out, "{} more are not kept by these files and stay as they are", view.kept);
    }
    if let (Some(version), false) = (version, view.changes.is_empty()) {
        let _ = writeln!(out, "{}", paint.faint(&format!("planned against version {version}")));
    }
    out
}

fn counts(view: &PlanView) -> String {
    let count = |word: &str| view.changes.iter().filter(|change| change.what == word).count();
    let words =
        [("added", "to add"), ("changed", "to change"), ("adopted", "to adopt"), ("removed", "to remove")];
    let some = words.iter().filter(|(word, _)| count(word) > 0);
    let counts: Vec<String> = some.map(|(word, words)| format!("{} {words}", count(word))).collect();
    if counts.is_empty() { "nothing to do".to_owned() } else { counts.join(", ") }
}

fn show_change(out: &mut String, change: &ChangeView, paint: Paint) {
    let what = format!("{} \"{}\"", change.kind, change.name);
    let line = match change.what.as_str() {
        "added" => paint.inside(&format!("+ {what}")),
        "removed" => paint.wrong(&format!("- {what}")),
        "adopted" => format!("= {what}"),
        _ => paint.note(&format!("~ {what}")),
    };
    let kept = change.kept_by.as_ref().map(|by| format!("  (was kept by {by})")).unwrap_or_default();
    let _ = writeln!(out, "{line}{kept}");
    if change.what != "changed" {
        return;
    }
    for field in &change.fields {
        let _ = writeln!(out, "    {}: {} → {}", field.field, value(&field.before), value(&field.after));
    }
}

fn value(value: &Value) -> String {
    let text = match value {
        Value::Null => return "nothing".to_owned(),
        value => value.to_string(),
    };
    if text.chars().count() <= MOST_LETTERS {
        return text;
    }
    format!("{}…", text.chars().take(MOST_LETTERS).collect::<String>())
}
