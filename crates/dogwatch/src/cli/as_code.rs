//! What `plan` and `apply` have in common: reading the files, sending them, and showing problems where they stand.

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::client::{Answer, Server, text};
use super::definition_files::load;
use crate::definition::file::Loaded;
use crate::definition::{FieldError, Kind, Owner, Wanted};

/// A set of files, and how far its word goes.
#[derive(Debug, Args)]
pub(super) struct FileSet {
    /// Files and folders (.toml, .cfg)
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The name of this set of files: what it brought once and does not name any more is removed
    #[arg(long, value_name = "NAME", default_value = "main")]
    owner: String,
    /// Remove also what these files do not keep; overrides and leave that people made stay
    #[arg(long)]
    prune: bool,
    /// Take over what other files keep
    #[arg(long)]
    force: bool,
}

impl FileSet {
    /// Reads the files. What can't be read at all is shown, and nothing is done.
    pub(super) fn read(&self) -> anyhow::Result<Loaded> {
        let loaded = load(&self.paths);
        if !loaded.unreadable.is_empty() {
            eprintln!("{}", loaded.files.render_all(&loaded.unreadable));
            bail!("nothing was done: {}", errors(loaded.unreadable.len()));
        }
        Ok(loaded)
    }

    /// What they say.
    pub(super) fn wanted(&self, loaded: &Loaded) -> Wanted {
        let documents = loaded.documents.iter().map(|document| (document.kind, document.body.clone()));
        Wanted {
            owner: Owner::Files(self.owner.clone()),
            documents: documents.collect(),
            prune: self.prune,
            force: self.force,
        }
    }

    /// Sends them to a server.
    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        server: &Server,
        path: &str,
        loaded: &Loaded,
        planned: Option<u64>,
    ) -> anyhow::Result<T> {
        let documents = loaded.documents.iter();
        let documents: Vec<Value> = documents
            .map(|document| json!({ "kind": document.kind.word(), "body": document.body }))
            .collect();
        let mut body = json!({
            "owner": self.owner, "documents": documents, "prune": self.prune, "force": self.force,
        });
        if let Some(planned) = planned {
            body["planned"] = json!(planned);
        }
        let answer = server.send("POST", path, Some(&body), None).await?;
        if answer.status == 422 && show_problems(loaded, &answer) {
            bail!("nothing was done");
        }
        Ok(serde_json::from_value(answer.success()?)?)
    }
}

/// Shows what the server found wrong at the places of the files. Says whether there was such a thing.
fn show_problems(loaded: &Loaded, answer: &Answer) -> bool {
    let Some(found) = answer.body["errors"].as_array().filter(|found| !found.is_empty()) else {
        return false;
    };
    let found = found.iter().map(|error| FieldError {
        field: text(&error["field"]).to_owned(),
        message: text(&error["message"]).to_owned(),
    });
    show_errors(loaded, &found.collect::<Vec<_>>());
    true
}

/// Shows problems that name fields as `documents[3].body.steps[0].after`.
pub(super) fn show_errors(loaded: &Loaded, errors: &[FieldError]) {
    let mut problems = Vec::new();
    for error in errors {
        let place = error.field.strip_prefix("documents[").and_then(|rest| rest.split_once(']'));
        let document = place.and_then(|(index, rest)| {
            let document = loaded.documents.get(index.parse::<usize>().ok()?)?;
            let field = rest.trim_start_matches(".body").trim_start_matches('.').to_owned();
            Some(document.problem(&FieldError { field, message: error.message.clone() }))
        });
        match document {
            Some(problem) => problems.push(problem),
            None if error.field.is_empty() => eprintln!("error: {}", error.message),
            None => eprintln!("error: {}: {}", error.field, error.message),
        }
    }
    rota::diagnostic::sort(&mut problems);
    if !problems.is_empty() {
        eprintln!("{}", loaded.files.render_all(&problems));
    }
}

fn errors(count: usize) -> String {
    if count == 1 { "there is an error".to_owned() } else { format!("there are {count} errors") }
}

/// Says what is being done, to a person at a terminal.
pub(super) struct Progress(bool);

impl Progress {
    pub(super) fn new() -> Self {
        Self(std::io::stderr().is_terminal())
    }

    /// This is being done now.
    pub(super) fn says(&self, what: &str) {
        if self.0 {
            eprint!("\r\x1b[K{what} …");
        }
    }

    /// All of it is done.
    pub(super) fn ends(&self) {
        if self.0 {
            eprint!("\r\x1b[K");
        }
    }
}

/// How many definitions there are, by kind.
pub(super) fn counted(loaded: &Loaded) -> String {
    let count = |kind| loaded.documents.iter().filter(|document| document.kind == kind).count();
    let some = Kind::ALL.into_iter().map(|kind| (kind, count(kind))).filter(|(_, count)| *count > 0);
    let shown: Vec<String> = some.map(|(kind, count)| format!("{count} × {kind}")).collect();
    if shown.is_empty() { "no definitions".to_owned() } else { shown.join(", ") }
}
