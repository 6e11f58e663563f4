//! Objects with what they inherit: templates, `+`, `null`, and `register 0`.

use std::collections::{BTreeMap, HashMap};

use rota::diagnostic::Span;
use rota::syntax::Document;

use super::report::{Report, Sort};

/// Templates in templates are followed this far: beyond lies a circle.
const MAX_DEPTH: usize = 64;

/// The words of an object that only say how it is read.
const OURS: [&str; 3] = ["use", "name", "register"];

/// A directive that counts.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) value: String,
    pub(super) span: Option<Span>,
}

/// One object with everything that it inherits.
#[derive(Clone, Debug)]
pub(super) struct Resolved {
    pub(super) kind: String,
    pub(super) span: Option<Span>,
    pub(super) said: BTreeMap<String, Said>,
}

impl Resolved {
    /// A directive that says something.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.said.get(key).map(|said| said.value.as_str()).filter(|value| !value.is_empty())
    }

    /// Where a directive stands, or the object.
    pub(super) fn place(&self, key: &str) -> Option<Span> {
        self.said.get(key).and_then(|said| said.span).or(self.span)
    }

    /// The entries of a list.
    pub(super) fn list(&self, key: &str) -> Vec<String> {
        let value = self.get(key).unwrap_or_default().trim_start_matches('+');
        value.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(str::to_owned).collect()
    }

    /// A number; Naemon reads what begins like one.
    pub(super) fn number(&self, key: &str) -> Option<f64> {
        self.get(key)?.split_whitespace().next()?.parse().ok()
    }

    /// The letters of a list of options, none where nothing is said.
    pub(super) fn options(&self, key: &str) -> Option<Vec<char>> {
        let value = self.get(key)?;
        Some(value.split(',').filter_map(|option| option.trim().chars().next()).collect())
    }
}

/// All objects that are registered, in the order in which they are written.
pub(super) fn resolve(document: &Document, report: &mut Report) -> Vec<Resolved> {
    let raw: Vec<Resolved> = document
        .objects
        .iter()
        .map(|object| {
            let mut said = BTreeMap::new();
            for directive in &object.directives {
                let key = alias(&directive.key.value).to_owned();
                said.insert(key, Said { value: directive.value.value.clone(), span: directive.key.span });
            }
            Resolved { kind: object.kind.value.clone(), span: object.kind.span, said }
        })
        .collect();
    let mut templates: HashMap<(&str, &str), usize> = HashMap::new();
    for (index, object) in raw.iter().enumerate() {
        if let Some(name) = object.get("name") {
            templates.entry((&object.kind, name)).or_insert(index);
        }
    }
    let mut done: Vec<Option<BTreeMap<String, Said>>> = vec![None; raw.len()];
    for index in 0..raw.len() {
        inherit(index, &raw, &templates, &mut done, 0, report);
    }
    raw.iter()
        .zip(done)
        .filter(|(object, _)| object.kind != "timeperiod" && object.get("register") != Some("0"))
        .map(|(object, said)| {
            let mut said = said.unwrap_or_default();
            said.retain(|key, one| !OURS.contains(&key.as_str()) && one.value != "null");
            Resolved { said, ..object.clone() }
        })
        .collect()
}

/// The newer word for an older one.
fn alias(key: &str) -> &str {
    match key {
        "host" | "host_names" => "host_name",
        "description" => "service_description",
        "hostgroup" | "hostgroups_name" => "hostgroup_name",
        "servicegroup" => "servicegroup_name",
        other => other,
    }
}

/// Own values win, then those of the first template that has one; `+` adds to what is inherited.
fn inherit(
    index: usize,
    raw: &[Resolved],
    templates: &HashMap<(&str, &str), usize>,
    done: &mut Vec<Option<BTreeMap<String, Said>>>,
    depth: usize,
    report: &mut Report,
) {
    if done[index].is_some() {
        return;
    }
    let object = &raw[index];
    // Whoever comes back here finds what it says itself: a circle ends.
    done[index] = Some(object.said.clone());
    let mut inherited: BTreeMap<String, Said> = BTreeMap::new();
    if depth < MAX_DEPTH {
        for name in object.list("use") {
            let Some(template) = templates.get(&(object.kind.as_str(), name.as_str())).copied() else {
                let text = format!("there is no {} template \"{name}\"; it is left out", object.kind);
                report.note(Sort::Left, object.place("use"), text);
                continue;
            };
            inherit(template, raw, templates, done, depth + 1, report);
            for (key, said) in done[template].clone().unwrap_or_default() {
                if key == "name" || key == "register" {
                    continue;
                }
                match inherited.get_mut(&key) {
                    None => {
                        inherited.insert(key, said);
                    }
                    Some(first) if first.value.starts_with('+') => {
                        first.value = joined(&first.value, &said.value)
                    }
                    Some(_) => {}
                }
            }
        }
    }
    let mut said = object.said.clone();
    for (key, from_template) in inherited {
        match said.get_mut(&key) {
            None => {
                said.insert(key, from_template);
            }
            Some(own) if own.value.starts_with('+') => own.value = joined(&own.value, &from_template.value),
            Some(_) => {}
        }
    }
    done[index] = Some(said);
}

/// `+a` and `b`: still open to more where the second is.
fn joined(own: &str, inherited: &str) -> String {
    if inherited == "null" {
        return own.trim_start_matches('+').to_owned();
    }
    let sign = if inherited.starts_with('+') { "+" } else { "" };
    format!("{sign}{},{}", own.trim_start_matches('+'), inherited.trim_start_matches('+'))
}
