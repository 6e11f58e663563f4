//! Definitions in files: Naemon object files and TOML, read together and checked as a whole.
//!
//! Opens no file itself: texts come in, and what they say goes out with every problem of every one
//! of them, each with its place. Periods are compiled by [`rota`]; everything else is checked by
//! [`Definitions`], as if it came in by the API.
//!
//! Read next, in the order in which a text passes through: [`tables`], [`places`] and [`quoted`];
//! [`shape`]; [`references`] and [`crate::definition::PeriodSpec`]; then [`soundness`] and
//! [`coverage`].

mod coverage;
mod places;
mod quoted;
mod references;
mod shape;
mod soundness;
mod tables;

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use rota::diagnostic::{self, Files, Problem, Span};
use rota::period::{Period, compile};
use rota::syntax::Document;

use serde_json::Value;

use super::{Definitions, FieldError, Kind, PeriodSpec, nearest};
pub use places::Places;
pub(super) use references::stand_in;
pub(super) use shape::{Cut, read_whole};
use soundness::Soundness;

/// How tables of a kind are headed. Like the names of fields it has underscores.
pub(crate) fn key(kind: Kind) -> &'static str {
    match kind {
        Kind::EscalationPlan => "escalation_plan",
        Kind::Maintenance => "maintenance_window",
        kind => kind.word(),
    }
}

/// The word for one of a kind, in messages.
fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::EscalationPlan => "escalation plan",
        kind => kind.word(),
    }
}

/// How many names are listed where none is similar.
const MOST_NAMES: usize = 12;

/// A definition from a file, as the API takes it.
#[derive(Clone, Debug)]
pub struct FileDocument {
    /// The kind.
    pub kind: Kind,
    /// What it says.
    pub body: Value,
    places: Option<Places>,
    whole: Option<Span>,
}

impl FileDocument {
    /// A problem of a field, at its place.
    pub fn problem(&self, error: &FieldError) -> Problem {
        match &self.places {
            Some(places) => references::problem(error, places),
            None => Problem::error(self.whole, format!("{}: {}", error.field, error.message)),
        }
    }
}

/// What a set of files says.
#[derive(Debug)]
pub struct Loaded {
    /// The texts, to show problems in.
    pub files: Files,
    /// All problems, in the order of the texts.
    pub problems: Vec<Problem>,
    /// Those of them that no other definitions, on a server or elsewhere, could take away: what can't be read at all,
    /// and what is wrong with periods.
    pub unreadable: Vec<Problem>,
    /// Everything but periods; what has mistakes is there in name only.
    pub definitions: Definitions,
    /// The periods that compile, those with mistakes included: see [`Self::is_sound`].
    pub periods: Vec<Period>,
    soundness: Soundness,
    /// Every definition as a document of its own, in the order in which they are written; periods with what they
    /// inherit worked in. With where it stands, if it is from TOML.
    pub documents: Vec<FileDocument>,
    /// Where the names of definitions stand.
    named: BTreeMap<(Kind, String), Span>,
}

impl Loaded {
    /// Reads Naemon object files, already taken apart, and the texts of TOML files by their names.
    ///
    /// Everything is in force from `now` on, and warnings speak of the time after it.
    pub fn new(naemon: Document, toml: Vec<(String, String)>, now: Timestamp) -> Self {
        // The day only decides which days warnings speak of; they are the same in all zones but for a day.
        let today = rota::zone::date(now, &jiff::tz::TimeZone::UTC);
        let Document { mut files, objects, mut definitions, mut problems } = naemon;
        let mut soundness = Soundness::default();
        for object in &objects {
            soundness.begins(object.kind.span);
        }
        let mut tables = Vec::new();
        for (name, text) in toml {
            let file = files.add(name, text);
            tables.extend(tables::read(&files, file, &mut problems));
        }
        for table in tables.iter().filter(|table| table.kind == Kind::Period) {
            let before = problems.len();
            soundness.begins(Some(table.places.whole()));
            let definition = shape::read::<PeriodSpec>(table, &mut problems)
                .and_then(|shaped| shaped.spec.read(&shaped.places, &mut problems));
            match definition {
                Some(definition) => definitions.push(definition),
                // What excludes it is not blamed for its mistakes.
                None => definitions.extend(shape::name(&table.body).map(|name| {
                    let mut definition = rota::period::Definition::period(name);
                    definition.place.span = Some(table.places.whole());
                    definition
                })),
            }
            soundness.adds(&problems[before..], table.places.whole());
        }
        let compiled = compile(&definitions, today);
        problems.extend(compiled.problems);
        problems.extend(tables.iter().filter_map(begins_anew));
        let mut named = BTreeMap::new();
        for table in &tables {
            if let (Some(name), Some(span)) = (shape::name(&table.body), table.places.value("name")) {
                named.entry((table.kind, name.to_owned())).or_insert(span);
            }
        }
        let documents = documents(&tables, &definitions);
        let mut unreadable: Vec<Problem> =
            problems.iter().filter(|problem| problem.is_error()).cloned().collect();
        diagnostic::sort(&mut unreadable);
        let others = references::check(&tables, &compiled.periods, now, &mut problems);
        diagnostic::sort(&mut problems);
        soundness.decide(&definitions, &problems);
        Loaded {
            files,
            problems,
            unreadable,
            definitions: others,
            periods: compiled.periods,
            soundness,
            documents,
            named,
        }
    }

    /// Adds what is doubtful about the schedules in the 90 days from an instant on: gaps, overlaps, shifts that
    /// fall into leave, people on the rota who can't be reached. Of definitions with errors nothing is said.
    pub fn review(&mut self, from: Timestamp) {
        if !self.has_errors() {
            let found = coverage::review(self, from);
            self.problems.extend(found);
            diagnostic::sort(&mut self.problems);
        }
    }

    /// Where the name of a definition stands.
    fn place_of(&self, kind: Kind, name: &str) -> Option<Span> {
        self.named.get(&(kind, name.to_owned())).copied()
    }

    /// The period with a name, as far as it can be read: see [`Self::is_sound`].
    pub fn find(&self, name: &str) -> Option<&Period> {
        self.periods.iter().find(|period| period.name() == name)
    }

    /// What is said when there is no period of that name.
    pub fn no_period(&self, name: &str) -> String {
        let mut names: Vec<&str> = self.periods.iter().map(Period::name).collect();
        let more = if names.len() > MOST_NAMES { ", …" } else { "" };
        if let Some(near) = nearest(name, names.iter().copied()) {
            return format!("there is no period \"{name}\"; did you mean \"{near}\"?");
        }
        names.truncate(MOST_NAMES);
        match names.as_slice() {
            [] => format!("there is no period \"{name}\", nor any other"),
            names => format!("there is no period \"{name}\"; there are {}{more}", names.join(", ")),
        }
    }

    /// Whether a period is without errors, in itself and in what it uses and excludes. One that is
    /// not answers as if the lines that cannot be read were not there; it must not be put to use.
    pub fn is_sound(&self, name: &str) -> bool {
        self.soundness.is_sound(name)
    }

    /// Whether anything is wrong, rather than only doubtful.
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(Problem::is_error)
    }
}

/// Every definition as a document. A period that uses a template, is one, or comes from an object file is written out
/// with all that it inherits: templates are a matter of files.
fn documents(tables: &[tables::Table], definitions: &[rota::period::Definition]) -> Vec<FileDocument> {
    let alone =
        definitions.iter().filter(|one| one.uses.is_empty() && one.template.is_none() && one.register);
    let alone: HashSet<&str> = alone.filter_map(|one| Some(one.name.as_ref()?.value.as_str())).collect();
    let is_plain = |table: &tables::Table| {
        table.kind != Kind::Period || shape::name(&table.body).is_some_and(|name| alone.contains(name))
    };
    let mut documents = Vec::new();
    let mut plain: Vec<&str> = Vec::new();
    for table in tables.iter().filter(|table| is_plain(table)) {
        if table.kind == Kind::Period {
            plain.extend(shape::name(&table.body));
        }
        documents.push(FileDocument {
            kind: table.kind,
            body: table.body.clone(),
            places: Some(table.places.clone()),
            whole: Some(table.places.whole()),
        });
    }
    let is_written = |definition: &rota::period::Definition| {
        definition.name.as_ref().is_some_and(|name| plain.contains(&name.value.as_str()))
    };
    let flat = rota::period::flatten(definitions).into_iter().filter(|definition| !is_written(definition));
    documents.extend(flat.map(|definition| FileDocument {
        kind: Kind::Period,
        body: serde_json::to_value(PeriodSpec::of(&definition)).unwrap_or_default(),
        places: None,
        whole: definition.place.span,
    }));
    documents
}

/// A rotation in a file that says nowhere when it begins: whoever reads it later has another turn first.
fn begins_anew(table: &tables::Table) -> Option<Problem> {
    let has = |field: &str| table.body.get(field).is_some();
    if table.kind != Kind::Rotation || has("start") || has("editions") {
        return None;
    }
    let message =
        "this rotation has no start: the first member always has the turn in which the file is read";
    let hint = "write a day on which the first member begins a turn, such as start = \"2026-01-05\"";
    Some(Problem::warning(table.places.value("name"), message).hint(hint))
}
