//! A period, as a table: the days and hours of the period language as fields.
//!
//! The same shape is good for TOML and for JSON. What the texts in it mean, and whether they make
//! sense, is known to [`rota::syntax`] and [`rota::period`] only.
//!
//! Read next: [`super::file`], which reads the tables of files.

use std::collections::BTreeMap;

use rota::diagnostic::{Problem, Spanned};
use rota::period::{Definition, Hours, Rule};
use rota::syntax;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use serde_json::Value;

use super::file::Places;
use super::{Definitions, FieldError, Spec, read_json};

/// A set of times: days and their hours.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PeriodSpec {
    /// The identity. A definition that is only a template has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "office")]
    pub name: Option<String>,
    /// What people call it; the name, when nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Office hours")]
    pub alias: Option<String>,
    /// The name under which others can `use` it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The templates that it builds on, the strongest first.
    #[serde(default, rename = "use", skip_serializing_if = "Texts::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub uses: Texts,
    /// The periods whose time is taken away.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    #[schema(value_type = Vec<String>, example = json!(["holidays"]))]
    pub exclude: Texts,
    /// Days and their hours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<PeriodRuleSpec>,
    /// Instead of rules: the lines of a Naemon timeperiod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "december 25  00:00-24:00\n")]
    pub text: Option<String>,
}

/// Some days and the hours that they have.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PeriodRuleSpec {
    /// Days as the period language writes them; also ranges of weekdays.
    #[schema(value_type = Vec<String>, example = json!(["monday - friday"]))]
    pub days: Texts,
    /// Hours of those days; an empty list blanks them.
    #[schema(value_type = Vec<String>, example = json!(["09:00-12:00", "13:00-17:00"]))]
    pub hours: Texts,
}

/// A list of texts; a single one may be written without the brackets.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Texts(pub Vec<String>);

impl Texts {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Texts;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string or a list of strings")
            }
            fn visit_str<E>(self, text: &str) -> Result<Texts, E> {
                Ok(Texts(vec![text.to_owned()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Texts, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element()? {
                    texts.push(text);
                }
                Ok(Texts(texts))
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}

impl PeriodSpec {
    /// What it says. The definition is as good as what was written: see the problems.
    pub fn read(&self, places: &Places, problems: &mut Vec<Problem>) -> Option<Definition> {
        let mut definition = match &self.text {
            Some(text) => {
                let span = Some(places.whole());
                let read = |part: &syntax::Part<'_>| syntax::read_directives(part, span, problems);
                places.part("text", text, read)
            }
            None => Definition { place: Spanned::at((), places.whole()), ..Definition::default() },
        };
        if self.text.is_some() && !self.rules.is_empty() {
            problems.push(
                Problem::error(places.key("rules"), "a period has either \"text\" or \"rules\"")
                    .hint("write the days of both in one of them")
                    .related(places.key("text"), "the text is here"),
            );
        }
        let mut one = |field: &str, ours: &Option<String>, its: &mut Option<Spanned<String>>| {
            let Some(value) = ours else { return };
            if let Some(other) = its {
                problems.push(given_twice(field, places).related(other.span, "the other is here"));
            }
            *its = Some(Spanned { value: value.clone(), span: places.value(field) });
        };
        one("name", &self.name, &mut definition.name);
        one("alias", &self.alias, &mut definition.alias);
        one("template", &self.template, &mut definition.template);
        let mut many = |field: &str, ours: &Texts, its: &mut Vec<Spanned<String>>| {
            if let Some(other) = its.first().filter(|_| !ours.is_empty()) {
                problems.push(given_twice(field, places).related(other.span, "the other is here"));
            }
            let entry = |(index, name): (usize, &String)| Spanned {
                value: name.clone(),
                span: places.entry(field, index),
            };
            its.extend(ours.0.iter().enumerate().map(entry));
        };
        many("use", &self.uses, &mut definition.uses);
        many("exclude", &self.exclude, &mut definition.exclude);
        for (index, rule) in self.rules.iter().enumerate() {
            rule.read(&format!("rules[{index}]"), places, &mut definition, problems);
        }
        if self.text.is_none() {
            // Here a name is what makes a period; there is no field "register".
            definition.register = definition.name.is_some();
        }
        if definition.name.is_none() && definition.template.is_none() {
            problems.push(
                Problem::error(Some(places.whole()), "a period without a name")
                    .hint("write name = \"NAME\", or template = \"NAME\" if it is only there to be used"),
            );
            return None;
        }
        Some(definition)
    }
}

impl PeriodSpec {
    /// A definition that uses no template, as a document.
    pub fn of(definition: &Definition) -> Self {
        let mut lines = definition.clone();
        (lines.name, lines.alias, lines.exclude) = (None, None, Vec::new());
        lines.register = true;
        let names = |names: &[Spanned<String>]| names.iter().map(|name| name.value.clone()).collect();
        let text = syntax::print_directives(&lines);
        Self {
            name: definition.name.as_ref().map(|name| name.value.clone()),
            alias: definition.alias.as_ref().map(|alias| alias.value.clone()),
            exclude: Texts(names(&definition.exclude)),
            text: Some(text.lines().map(|line| format!("{}\n", line.trim_start())).collect()),
            ..Self::default()
        }
    }
}

impl PeriodSpec {
    /// The same, if it has a name that can be addressed.
    fn named(self) -> Result<Self, Vec<FieldError>> {
        let message = match &self.name {
            None => "is missing; write the name of the period",
            Some(name) if name.contains('/') || name.chars().count() > 64 => {
                "a name is 1 to 64 characters, without \"/\""
            }
            Some(_) => return Ok(self),
        };
        Err(vec![FieldError { field: "name".to_owned(), message: message.to_owned() }])
    }

    /// What it says, written on its own.
    ///
    /// # Errors
    ///
    /// Every problem, with its field.
    pub(super) fn source(&self) -> Result<Definition, Vec<FieldError>> {
        self.source_with(|_| Vec::new())
    }

    /// The same, with the problems that others find in it.
    fn source_with(
        &self,
        others: impl FnOnce(&Definition) -> Vec<Problem>,
    ) -> Result<Definition, Vec<FieldError>> {
        let body = serde_json::to_value(self).unwrap_or_default();
        let (places, paths) = Places::of_document(&body);
        let mut problems = Vec::new();
        let definition = self.read(&places, &mut problems);
        if let Some(definition) = &definition {
            problems.extend(others(definition));
        }
        let wrong = problems.iter().filter(|problem| problem.is_error());
        let wrong: Vec<FieldError> = wrong.map(|problem| paths.field_error(problem)).collect();
        match definition {
            Some(definition) if wrong.is_empty() => Ok(definition),
            _ => Err(wrong),
        }
    }
}

impl Definitions {
    /// What is wrong with these periods, given with the numbers of their documents, when all that are in force are
    /// taken together.
    pub(super) fn check_periods(&self, periods: &[(usize, &Value)]) -> Vec<(usize, FieldError)> {
        let mut found = Vec::new();
        let mut sources = BTreeMap::new();
        let mut paths = Vec::new();
        for (document, body) in periods {
            let spec = match read_json::<PeriodSpec>((*body).clone()).and_then(PeriodSpec::named) {
                Ok(spec) => spec,
                Err(errors) => {
                    found.extend(errors.into_iter().map(|error| (*document, error)));
                    continue;
                }
            };
            let (places, own) = Places::of_document(body);
            let mut problems = Vec::new();
            let source = spec.read(&places, &mut problems);
            let wrong = problems.iter().filter(|problem| problem.is_error());
            found.extend(wrong.map(|problem| (*document, own.field_error(problem))));
            if let Some(source) = source {
                paths.push((source.place.span.map(|span| span.file), *document, own));
                sources.insert(spec.name().to_owned(), source);
            }
        }
        // The day decides only which days warnings speak of.
        let compiled = rota::period::compile(&self.periods_with_all(sources), jiff::civil::Date::MIN);
        for problem in compiled.problems.iter().filter(|problem| problem.is_error()) {
            let file = problem.span.map(|span| span.file);
            let own = paths.iter().find(|(own, ..)| file.is_some() && *own == file);
            found.extend(own.map(|(_, document, paths)| (*document, paths.field_error(problem))));
        }
        found
    }
}

impl Spec for PeriodSpec {
    type Resolved = Definition;

    fn resolve(&self, definitions: &Definitions) -> Result<Definition, Vec<FieldError>> {
        let spec = self.clone().named()?;
        self.source_with(|definition| {
            let file = definition.place.span.map(|span| span.file);
            let own = BTreeMap::from([(spec.name().to_owned(), definition.clone())]);
            let all = definitions.periods_with_all(own);
            // The day decides only which days warnings speak of.
            let compiled = rota::period::compile(&all, jiff::civil::Date::MIN);
            let own = compiled.problems.into_iter();
            own.filter(|problem| problem.span.map(|span| span.file) == file).collect()
        })
    }

    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }
}

impl PeriodRuleSpec {
    fn read(&self, at: &str, places: &Places, into: &mut Definition, problems: &mut Vec<Problem>) {
        let days_field = format!("{at}.days");
        let mut days = Vec::new();
        for (index, text) in self.days.0.iter().enumerate() {
            let read = |part: &syntax::Part<'_>| syntax::read_days(part, problems);
            days.extend(places.part(&places.entry_path(&days_field, index), text, read));
        }
        if self.days.is_empty() {
            let hint = "write days such as \"monday - friday\", \"december 25\" or \"2026-12-24\"";
            problems.push(Problem::error(places.value(&days_field), "no days").hint(hint));
        }
        let hours_field = format!("{at}.hours");
        let mut hours = Vec::new();
        for (index, text) in self.hours.0.iter().enumerate() {
            let read = |part: &syntax::Part<'_>| syntax::read_hours(part, problems);
            hours.extend(places.part(&places.entry_path(&hours_field, index), text, read));
        }
        if self.hours.is_empty() {
            let none = Hours { start: 0, end: 0 };
            hours.push(Spanned { value: none, span: places.value(&hours_field) });
        }
        into.rules.extend(days.into_iter().map(|days| Rule { days, hours: hours.clone() }));
    }
}

fn given_twice(field: &str, places: &Places) -> Problem {
    let message = format!("\"{field}\" is given here and in the text");
    Problem::error(places.key(field), message).hint("keep one of them")
}
