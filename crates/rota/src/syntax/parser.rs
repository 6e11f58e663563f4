//! From the directives of a `timeperiod` to a [`Definition`].
//!
//! Every line is read by itself, and a line that cannot be read is reported and left out, so that
//! one mistake hides no other. What a line says is checked later, in [`crate::period`]; here it
//! only has to be written as the language wants it. The days and hours of a line are read by
//! [`super::days`] and [`super::hours`].
//!
//! Read next: [`super::days`].

use super::lexer::is_trimmed;
use super::objects::{Directive, Object};
use super::{days, hours};
use crate::diagnostic::{Problem, Spanned};
use crate::period::{Definition, Month, Rule, Weekday};
use crate::suggest;

/// The directives that are neither days nor hours.
const NAMES: [&str; 6] = ["timeperiod_name", "alias", "name", "use", "register", "exclude"];

/// Reads one timeperiod.
pub(crate) fn read(object: &Object, problems: &mut Vec<Problem>) -> Definition {
    let mut definition =
        Definition { place: Spanned { value: (), span: object.kind.span }, ..Definition::default() };
    let mut seen: Vec<(&str, Option<crate::diagnostic::Span>)> = Vec::new();
    for directive in &object.directives {
        let Some(name) = known_name(directive, problems) else {
            if let Some(rule) = rule(directive, problems) {
                definition.rules.push(rule);
            }
            continue;
        };
        let first = seen.iter().find(|(seen, _)| *seen == name);
        if let Some((_, first)) = first {
            let message = format!("\"{name}\" is given twice; this one counts");
            problems.push(
                Problem::warning(directive.key.span, message)
                    .hint("keep one of them")
                    .related(*first, "the other is here"),
            );
        } else {
            seen.push((name, directive.key.span));
        }
        if directive.value.value.is_empty() {
            let message = format!("\"{name}\" says nothing");
            let hint = format!("write a value after it, or leave the line out: {name} …");
            problems.push(Problem::error(directive.key.span, message).hint(hint));
            continue;
        }
        match name {
            "timeperiod_name" => definition.name = Some(directive.value.clone()),
            "alias" => definition.alias = Some(directive.value.clone()),
            "name" => definition.template = Some(directive.value.clone()),
            "use" => definition.uses = names(directive, problems),
            "exclude" => definition.exclude = names(directive, problems),
            _ => definition.register = register(directive, problems),
        }
    }
    definition
}

/// Which directive of [`NAMES`] this is, or surely was meant to be.
fn known_name(directive: &Directive, problems: &mut Vec<Problem>) -> Option<&'static str> {
    let key = directive.key.value.as_str();
    if let Some(name) = NAMES.into_iter().find(|name| *name == key) {
        return Some(name);
    }
    if starts_days(key) {
        return None;
    }
    // Days are candidates too, and win when they are nearer: "my 4" is no "name".
    let name = suggest::nearest(key, NAMES.into_iter().chain(day_words()))?;
    let name = NAMES.into_iter().find(|known| *known == name)?;
    problems.push(
        Problem::error(directive.key.span, format!("there is no directive \"{key}\""))
            .hint(format!("did you mean \"{name}\"?")),
    );
    Some(name)
}

/// All words that a line of days can begin with.
fn day_words() -> impl Iterator<Item = &'static str> {
    let weekdays = Weekday::ALL.into_iter().map(Weekday::name);
    let months = Month::ALL.into_iter().map(Month::name);
    weekdays.chain(months).chain(std::iter::once("day"))
}

fn starts_days(key: &str) -> bool {
    let word = key.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or("");
    key.starts_with(|c: char| c.is_ascii_digit()) || (!word.is_empty() && day_words().any(|day| day == word))
}

fn rule(directive: &Directive, problems: &mut Vec<Problem>) -> Option<Rule> {
    let line = &directive.line;
    let key = directive.key.value.as_str();
    if !starts_days(key) {
        let known = NAMES.into_iter().chain(day_words());
        let hint = suggest::did_you_mean(key, known).unwrap_or_else(|| {
            "a line begins with a weekday, a month, \"day\", a date such as 2008-12-25, \
             or one of timeperiod_name, alias, name, use, register, exclude"
                .to_owned()
        });
        let message = format!("there is no directive \"{key}\"");
        problems.push(Problem::error(directive.key.span, message).hint(hint));
        return None;
    }
    let (days, rest) = days::read(line, problems)?;
    // A line whose hours cannot be read has none; its days are checked all the same.
    let hours = hours::read(line, rest, &days.value, problems);
    Some(Rule { days, hours })
}

/// A list of names with commas between them.
fn names(directive: &Directive, problems: &mut Vec<Problem>) -> Vec<Spanned<String>> {
    let line = &directive.line;
    let text = line.text();
    let mut names = Vec::new();
    let mut from = text.len() - directive.value.value.len();
    for part in text[from..].split(',') {
        // As at the ends of a line, where a name may stand when it is printed.
        let name = part.trim_matches(is_trimmed);
        let start = from + part.len() - part.trim_start_matches(is_trimmed).len();
        let span = line.span(start, start + name.len());
        if name.is_empty() {
            let message = "a name is missing between the commas";
            problems.push(Problem::error(Some(span), message).hint("take the extra comma away"));
        } else {
            names.push(Spanned::at(name.to_owned(), span));
        }
        from += part.len() + 1;
    }
    names
}

fn register(directive: &Directive, problems: &mut Vec<Problem>) -> bool {
    let Spanned { value, span } = &directive.value;
    match value.as_str() {
        "0" => false,
        "1" => true,
        _ => {
            let message = format!("\"register\" is 0 or 1, not \"{value}\"");
            problems.push(
                Problem::error(*span, message)
                    .hint("write \"register 0\" for a template that is no period itself"),
            );
            true
        }
    }
}
