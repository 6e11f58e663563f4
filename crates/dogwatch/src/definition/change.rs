//! Many definitions changed at once, as files do it: what would come of it, or everything that is wrong with it.
//!
//! Pure: the definitions in force and the documents come in, the definitions afterwards and the steps to them come
//! out. The order of the documents does not matter. Who keeps a definition decides what may be removed: a set of
//! files removes what it has once brought and no longer names, and nothing else unless it is told to.
//!
//! Read next: [`super::difference`], which tells it field by field.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::file::Cut;
use super::{Defined, Definitions, FieldError, Kind};

/// Who keeps a definition.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// People, by the API and the pages.
    #[default]
    People,
    /// A set of files, by its name.
    Files(String),
}

impl Owner {
    /// The word that is stored.
    pub fn word(&self) -> String {
        match self {
            Self::People => "api".to_owned(),
            Self::Files(name) => format!("files:{name}"),
        }
    }

    /// The owner of this word.
    pub fn read(word: &str) -> Self {
        match word.strip_prefix("files:") {
            Some(name) => Self::Files(name.to_owned()),
            None => Self::People,
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::People => f.write_str("people"),
            Self::Files(name) => write!(f, "the files \"{name}\""),
        }
    }
}

/// What is to be in force.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The files that say so.
    pub owner: Owner,
    /// Everything that they say.
    pub documents: Vec<(Kind, Value)>,
    /// Remove also what they do not keep, and do not name.
    pub prune: bool,
    /// Take over what other files keep.
    pub force: bool,
}

/// What happens to one definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// There was none of that name.
    Added,
    /// It says something else.
    Changed,
    /// It says the same, and others keep it from now on.
    Adopted,
    /// It is no more.
    Removed,
}

impl What {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Adopted => "adopted",
            Self::Removed => "removed",
        }
    }
}

/// One definition that changes.
#[derive(Clone, Debug)]
pub struct Step {
    /// The kind.
    pub kind: Kind,
    /// Which.
    pub name: String,
    /// What happens.
    pub what: What,
    /// What it said.
    pub before: Option<Arc<Defined>>,
    /// What it says.
    pub after: Option<Arc<Defined>>,
}

/// What comes of it.
#[derive(Clone, Debug)]
pub struct Changed {
    /// Everything afterwards.
    pub definitions: Definitions,
    /// The way there, in the order in which it is stored.
    pub steps: Vec<Step>,
    /// What the files neither name nor keep, and what therefore stays.
    pub kept: usize,
}

/// A problem of one of many documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentError {
    /// Which, from 0; none: something that no document names, such as a removal.
    pub document: Option<usize>,
    /// What is wrong.
    pub error: FieldError,
}

impl DocumentError {
    fn new(document: Option<usize>, field: &str, message: String) -> Self {
        Self { document, error: FieldError { field: field.to_owned(), message } }
    }
}

/// A document that could be read.
struct Ready {
    document: usize,
    kind: Kind,
    name: String,
    body: Value,
    /// It has mistakes: what is left of it, and what was taken out.
    rest: Option<(Value, Cut)>,
}

impl Definitions {
    /// What comes of many documents, all together.
    ///
    /// # Errors
    ///
    /// Every problem of every document; then nothing of it may be put in force.
    pub fn change(&self, wanted: &Wanted, now: Timestamp) -> Result<Changed, Vec<DocumentError>> {
        let mut errors = Vec::new();
        let ready = self.read_all(&wanted.documents, now, &mut errors);
        let named: BTreeSet<(Kind, &str)> =
            ready.iter().map(|ready| (ready.kind, ready.name.as_str())).collect();
        let mut steps = self.puts(&ready, wanted, now, &mut errors);
        let (removals, kept) = self.removals(&named, wanted);
        steps.extend(removals);
        if steps.is_empty() && errors.is_empty() {
            return Ok(Changed { definitions: self.clone(), steps, kept });
        }
        for (step, version) in steps.iter_mut().zip(self.version + 1..) {
            if let Some(after) = step.after.as_mut().map(Arc::make_mut) {
                after.version = version;
            }
        }
        let mut definitions = self.clone();
        let versions = steps.iter().map(|step| {
            (step.kind, step.name.clone(), step.after.as_ref().map(|after| Defined::clone(after)))
        });
        definitions.apply_quietly(versions);
        definitions.version = self.version + steps.len() as u64;
        definitions.check_all(&ready, &mut errors);
        for step in steps.iter().filter(|step| step.what == What::Removed) {
            let users = definitions.users(step.kind, &step.name);
            if !users.is_empty() {
                let message = format!(
                    "{} \"{}\" is no longer there, but is used by {}; take it out there, too",
                    step.kind,
                    step.name,
                    users.join(", ")
                );
                errors.push(DocumentError::new(None, "", message));
            }
        }
        if errors.is_empty() { Ok(Changed { definitions, steps, kept }) } else { Err(errors) }
    }

    /// Reads the documents, referenced ones first; what can't be read is told, and stood in for where it has a name.
    fn read_all(
        &self,
        documents: &[(Kind, Value)],
        now: Timestamp,
        errors: &mut Vec<DocumentError>,
    ) -> Vec<Ready> {
        let mut first: BTreeMap<(Kind, String), usize> = BTreeMap::new();
        let mut ready = Vec::with_capacity(documents.len());
        for (document, (kind, body)) in documents.iter().enumerate() {
            let kind = *kind;
            match self.read_as_kind(kind, body.clone(), now) {
                Ok((name, body)) => {
                    if first.insert((kind, name.clone()), document).is_some() {
                        let message =
                            format!("there is another {kind} \"{name}\"; give one of them another name");
                        errors.push(DocumentError::new(Some(document), "name", message));
                    } else {
                        ready.push(Ready { document, kind, name, body, rest: None });
                    }
                }
                Err((found, rest)) => {
                    errors.extend(
                        found.into_iter().map(|error| DocumentError { document: Some(document), error }),
                    );
                    // Whoever names it is not blamed for its mistakes.
                    let name = body.get("name").and_then(Value::as_str).map(str::to_owned);
                    if let Some(name) = name.filter(|name| !first.contains_key(&(kind, name.clone()))) {
                        first.insert((kind, name.clone()), document);
                        let body = super::file::stand_in(kind, &name);
                        ready.push(Ready { document, kind, name, body, rest });
                    }
                }
            }
        }
        ready.sort_by_key(|ready| (ready.kind, ready.document));
        ready
    }

    fn puts(
        &self,
        ready: &[Ready],
        wanted: &Wanted,
        now: Timestamp,
        errors: &mut Vec<DocumentError>,
    ) -> Vec<Step> {
        let mut steps = Vec::new();
        for Ready { document, kind, name, body, .. } in ready {
            let before = self.get(*kind, name).cloned();
            let what = match &before {
                None => What::Added,
                Some(before) if before.body != *body => What::Changed,
                Some(before) if before.owner != wanted.owner => What::Adopted,
                Some(_) => continue,
            };
            let others = before.as_ref().map(|before| &before.owner).filter(|owner| **owner != wanted.owner);
            if let Some(owner @ Owner::Files(_)) = others
                && !wanted.force
            {
                let message = format!(
                    "{kind} \"{name}\" is kept by {owner}; take it out of one of the two, or apply with --force"
                );
                errors.push(DocumentError::new(Some(*document), "name", message));
            }
            let after =
                Defined { version: 0, valid_from: now, body: body.clone(), owner: wanted.owner.clone() };
            steps.push(Step { kind: *kind, name: name.clone(), what, before, after: Some(Arc::new(after)) });
        }
        steps
    }

    /// What is to go, users before what they use; and how many stay that the files do not keep.
    fn removals(&self, named: &BTreeSet<(Kind, &str)>, wanted: &Wanted) -> (Vec<Step>, usize) {
        let mut steps = Vec::new();
        let mut kept = 0;
        for kind in Kind::ALL.into_iter().rev() {
            for (name, defined) in self.list(kind, "") {
                if named.contains(&(kind, name)) {
                    continue;
                }
                let is_own = defined.owner == wanted.owner;
                // What people made as they went is theirs, whatever files say.
                let is_theirs = kind.is_operation() && defined.owner == Owner::People;
                if is_own || wanted.prune && !is_theirs {
                    let before = Some(defined.clone());
                    steps.push(Step {
                        kind,
                        name: name.to_owned(),
                        what: What::Removed,
                        before,
                        after: None,
                    });
                } else if !kind.is_operation() {
                    kept += 1;
                }
            }
        }
        (steps, kept)
    }

    /// Checks what the documents refer to, with all of them in force.
    fn check_all(&self, ready: &[Ready], errors: &mut Vec<DocumentError>) {
        let with_errors: BTreeSet<usize> = errors.iter().filter_map(|error| error.document).collect();
        let sound = |ready: &&Ready| !with_errors.contains(&ready.document);
        for Ready { document, kind, rest, .. } in ready {
            let Some((rest, cut)) = rest.as_ref().filter(|_| *kind != Kind::Period) else { continue };
            let more = self.resolve_as_kind(*kind, rest.clone()).err().unwrap_or_default();
            let more = more.iter().filter_map(|error| cut.in_whole(error));
            errors.extend(more.map(|error| DocumentError { document: Some(*document), error }));
        }
        for Ready { document, kind, body, .. } in ready.iter().filter(sound) {
            if *kind == Kind::Period {
                continue;
            }
            if let Err(found) = self.resolve_as_kind(*kind, body.clone()) {
                errors.extend(
                    found.into_iter().map(|error| DocumentError { document: Some(*document), error }),
                );
            }
        }
        // Periods build on each other: they are compiled once, all together.
        let periods = ready.iter().filter(sound).filter(|ready| ready.kind == Kind::Period);
        let periods: Vec<(usize, &Value)> = periods.map(|ready| (ready.document, &ready.body)).collect();
        if !periods.is_empty() {
            let found = self.check_periods(&periods);
            errors.extend(
                found.into_iter().map(|(document, error)| DocumentError { document: Some(document), error }),
            );
        }
        errors.sort_by_key(|error| error.document);
    }
}
