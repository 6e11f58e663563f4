//! Where the values of a table stand in its file.
//!
//! A tree beside the value itself: fields and entries by the same path that a problem names, such
//! as `rules[0].hours[1]`. Taking a value out of a document takes its place out too, so that paths
//! stay true.

use std::collections::BTreeMap;

use rota::diagnostic::{FileId, Files, Problem, Span};
use rota::syntax::Part;
use serde_json::Value;

use crate::definition::FieldError;

/// The places of one table.
#[derive(Clone, Debug)]
pub struct Places {
    file: FileId,
    root: Node,
}

/// One value, and the values in it.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The name of the field, if it is one.
    pub(super) key: Option<Span>,
    pub(super) value: Span,
    /// For a text: where its stretches stand, as [`Part::places`] wants them.
    pub(super) text: Vec<(u32, u32)>,
    pub(super) inner: Inner,
}

/// What is in a value.
#[derive(Clone, Debug)]
pub(super) enum Inner {
    Nothing,
    Fields(BTreeMap<String, Node>),
    Entries(Vec<Node>),
}

/// A step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step<'a> {
    Field(&'a str),
    Entry(usize),
}

/// The steps of `rules[0].hours`.
fn steps(path: &str) -> impl Iterator<Item = Step<'_>> {
    path.split(['.', '[']).filter(|step| !step.is_empty()).map(|step| match step.strip_suffix(']') {
        Some(index) => index.parse().map_or(Step::Field(step), Step::Entry),
        None => Step::Field(step),
    })
}

impl Places {
    pub(super) fn new(file: FileId, root: Node) -> Self {
        Places { file, root }
    }

    /// Where the table begins.
    pub fn whole(&self) -> Span {
        self.root.value
    }

    /// The name of a field, or the nearest thing around it.
    pub fn key(&self, path: &str) -> Option<Span> {
        let node = self.near(path);
        Some(node.key.unwrap_or(node.value))
    }

    /// The value at a path, or the nearest thing around it.
    pub fn value(&self, path: &str) -> Option<Span> {
        Some(self.near(path).value)
    }

    /// An entry of a list that may have been written as a single value.
    pub fn entry(&self, field: &str, index: usize) -> Option<Span> {
        self.value(&self.entry_path(field, index))
    }

    /// The path of an entry of a list that may have been written as a single value.
    pub fn entry_path(&self, field: &str, index: usize) -> String {
        let path = format!("{field}[{index}]");
        if self.find(&path).is_some() { path } else { field.to_owned() }
    }

    /// Hands a text over with the place of each of its bytes.
    pub fn part<T>(&self, path: &str, text: &str, read: impl FnOnce(&Part<'_>) -> T) -> T {
        let node = self.near(path);
        let start = [(0, node.value.start)];
        let places = if node.text.is_empty() { &start[..] } else { &node.text[..] };
        read(&Part { file: self.file, text, places })
    }

    fn find(&self, path: &str) -> Option<&Node> {
        steps(path).try_fold(&self.root, |node, step| node.inner.get(step))
    }

    fn near(&self, path: &str) -> &Node {
        let mut node = &self.root;
        for step in steps(path) {
            let Some(inner) = node.inner.get(step) else { break };
            node = inner;
        }
        node
    }

    /// Takes the value at `path` out of a document and out of its places. Says whether it was
    /// there.
    pub(super) fn take_out(&mut self, document: &mut Value, path: &str) -> bool {
        let mut steps: Vec<Step<'_>> = steps(path).collect();
        let Some(last) = steps.pop() else { return false };
        let mut node = &mut self.root;
        let mut value = document;
        for step in steps {
            let inner = match (step, &mut node.inner, value) {
                (Step::Field(name), Inner::Fields(nodes), Value::Object(values)) => {
                    nodes.get_mut(name).zip(values.get_mut(name))
                }
                (Step::Entry(index), Inner::Entries(nodes), Value::Array(values)) => {
                    nodes.get_mut(index).zip(values.get_mut(index))
                }
                _ => None,
            };
            let Some(inner) = inner else { return false };
            (node, value) = inner;
        }
        match (last, &mut node.inner, value) {
            (Step::Field(name), Inner::Fields(nodes), Value::Object(values)) => {
                nodes.remove(name).is_some() && values.remove(name).is_some()
            }
            (Step::Entry(index), Inner::Entries(nodes), Value::Array(values))
                if index < nodes.len() && index < values.len() =>
            {
                nodes.remove(index);
                values.remove(index);
                true
            }
            _ => false,
        }
    }
}

/// Which field stands where in a document that is no text: see [`Places::of_document`].
#[derive(Debug, Default)]
pub struct Paths(Vec<(u32, String)>);

impl Paths {
    /// A problem, by the field instead of the place.
    pub fn field_error(&self, problem: &Problem) -> FieldError {
        let at = problem.span.map_or(0, |span| span.start);
        let begun = self.0.partition_point(|(start, _)| *start <= at);
        let field = begun.checked_sub(1).and_then(|place| self.0.get(place)).map(|(_, path)| path.clone());
        let hint = problem.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        FieldError { field: field.unwrap_or_default(), message: format!("{}{hint}", problem.message) }
    }
}

impl Places {
    /// Places for a document that was not read from a text: each value stands in a stretch of its own, so that
    /// what is found there can be told from the rest.
    pub fn of_document(document: &Value) -> (Self, Paths) {
        // The name of the file says only that it is none of those that were read.
        let file = Files::new().add(String::new(), String::new());
        let mut paths = Paths::default();
        let mut next = 0;
        let root = lay_out(file, document, String::new(), &mut next, &mut paths);
        (Places { file, root }, paths)
    }
}

fn lay_out(file: FileId, value: &Value, path: String, next: &mut u32, paths: &mut Paths) -> Node {
    let start = *next;
    let length = value.as_str().map_or(0, str::len);
    *next += u32::try_from(length).unwrap_or(u32::MAX / 2) + 1;
    paths.0.push((start, path.clone()));
    let inner = match value {
        Value::Object(fields) => Inner::Fields(
            fields
                .iter()
                .map(|(name, value)| {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    (name.clone(), lay_out(file, value, path, next, paths))
                })
                .collect(),
        ),
        Value::Array(entries) => Inner::Entries(
            entries
                .iter()
                .enumerate()
                .map(|(index, value)| lay_out(file, value, format!("{path}[{index}]"), next, paths))
                .collect(),
        ),
        _ => Inner::Nothing,
    };
    Node { key: None, value: Span { file, start, end: *next }, text: Vec::new(), inner }
}

impl Inner {
    fn get(&self, step: Step<'_>) -> Option<&Node> {
        match (step, self) {
            (Step::Field(name), Inner::Fields(fields)) => fields.get(name),
            (Step::Entry(index), Inner::Entries(entries)) => entries.get(index),
            _ => None,
        }
    }
}
