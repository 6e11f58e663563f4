//! From TOML to tables: each definition of a file as a document, with the place of all that is in it.
//!
//! Only what every definition has in common is known here: that it is a table of a known kind. The
//! syntax of TOML is the `toml` crate's; its mistakes are told with the others, and what can be
//! read in spite of them is read.
//!
//! Read next: [`super::shape`], which takes a document to the fields of its kind.

use std::collections::BTreeMap;
use std::ops::Range;

use rota::diagnostic::{FileId, Files, Problem, Span};
use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::places::{Inner, Node, Places};
use super::{key, quoted};
use crate::definition::{Kind, nearest};

/// One definition as it is written.
pub(super) struct Table {
    pub(super) kind: Kind,
    pub(super) body: Value,
    pub(super) places: Places,
}

/// Reads the tables of a file.
pub(super) fn read(files: &Files, file: FileId, problems: &mut Vec<Problem>) -> Vec<Table> {
    let text = files.text(file);
    let (document, errors) = DeTable::parse_recoverable(text);
    let reader = Reader { file, text };
    for error in &errors {
        let span = error.span().unwrap_or_default();
        let message = error.message().lines().collect::<Vec<_>>().join("; ").replace('`', "\"");
        problems.push(Problem::error(Some(reader.visible(span)), message));
    }
    let mut tables = Vec::new();
    for (key, value) in document.get_ref().iter() {
        let place = reader.span(key.span());
        let kind = match find_kind(key.get_ref(), place) {
            Ok(kind) => kind,
            Err((problem, meant)) => {
                problems.push(*problem);
                // A near-miss is read as what was meant, so that nobody is told that it is missing.
                let Some(meant) = meant.filter(|_| value.get_ref().is_array()) else { continue };
                meant
            }
        };
        let DeValue::Array(entries) = value.get_ref() else {
            problems.push(not_a_list(kind, place));
            continue;
        };
        for entry in entries.iter() {
            if !entry.get_ref().is_table() {
                problems.push(not_a_list(kind, reader.span(entry.span())));
                continue;
            }
            let (body, mut root) = reader.value(None, entry);
            // A definition is shown by its first line, not by all of it.
            let first = reader.text[root.value.start as usize..].lines().next().map_or(0, str::len);
            root.value.end = root.value.end.min(root.value.start + first as u32);
            tables.push(Table { kind, body, places: Places::new(file, root) });
        }
    }
    tables
}

/// The kind with this heading, or what is wrong with it and which was probably meant.
fn find_kind(written: &str, place: Span) -> Result<Kind, (Box<Problem>, Option<Kind>)> {
    let of_key = |written: &str| Kind::ALL.into_iter().find(|kind| key(*kind) == written);
    if let Some(kind) = of_key(written) {
        return Ok(kind);
    }
    let keys = Kind::ALL.map(key);
    let near = nearest(&written.to_lowercase().replace('-', "_"), keys.into_iter());
    let hint = near.map_or_else(
        || format!("the kinds are {}", keys.map(|key| format!("[[{key}]]")).join(", ")),
        |near| format!("did you mean \"{near}\"?"),
    );
    let problem = Problem::error(Some(place), format!("there is no kind of definition \"{written}\""));
    Err((Box::new(problem.hint(hint)), near.and_then(of_key)))
}

fn not_a_list(kind: Kind, place: Span) -> Problem {
    let key = key(kind);
    Problem::error(Some(place), format!("\"{key}\" is a list of tables"))
        .hint(format!("write [[{key}]], with two brackets on each side, before each of them"))
}

struct Reader<'a> {
    file: FileId,
    text: &'a str,
}

impl Reader<'_> {
    fn span(&self, range: Range<usize>) -> Span {
        // Files are far shorter than 2^32 bytes: rota refuses longer ones.
        Span { file: self.file, start: range.start as u32, end: range.end as u32 }
    }

    /// A place that is shown: the end of a line, and of the file, is that of its last letter.
    fn visible(&self, range: Range<usize>) -> Span {
        let before = self.text.get(..range.start).unwrap_or(self.text);
        let start = if range.start >= self.text.len() { before.trim_end().len() } else { range.start };
        self.span(start..range.end.max(start))
    }

    /// A value as JSON, and the places of all that is in it.
    fn value(&self, key: Option<Span>, value: &Spanned<DeValue<'_>>) -> (Value, Node) {
        let span = self.span(value.span());
        let mut text = Vec::new();
        let mut inner = Inner::Nothing;
        let json = match value.get_ref() {
            DeValue::String(string) => {
                let raw = self.text.get(value.span()).unwrap_or_default();
                text = quoted::places(raw, span.start, string);
                Value::String(string.to_string())
            }
            DeValue::Integer(integer) => {
                let number = i64::from_str_radix(integer.as_str(), integer.radix());
                number.map_or_else(|_| Value::String(integer.to_string()), Value::from)
            }
            DeValue::Float(float) => {
                let number = float.as_str().parse().ok().and_then(Number::from_f64);
                number.map_or_else(|| Value::String(float.to_string()), Value::Number)
            }
            DeValue::Boolean(boolean) => Value::Bool(*boolean),
            // A date without quotes is what it says.
            DeValue::Datetime(datetime) => Value::String(datetime.to_string()),
            DeValue::Array(entries) => {
                let (values, nodes) = entries.iter().map(|entry| self.value(None, entry)).unzip();
                inner = Inner::Entries(nodes);
                Value::Array(values)
            }
            DeValue::Table(fields) => {
                let mut values = Map::new();
                let mut nodes = BTreeMap::new();
                for (name, value) in fields.iter() {
                    let (value, node) = self.value(Some(self.span(name.span())), value);
                    values.insert(name.get_ref().to_string(), value);
                    nodes.insert(name.get_ref().to_string(), node);
                }
                inner = Inner::Fields(nodes);
                Value::Object(values)
            }
        };
        (json, Node { key, value: span, text, inner })
    }
}
