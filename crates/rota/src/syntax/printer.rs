//! Definitions as Naemon text: stable, and read back as what they were.
//!
//! Comments and the layout of the text that was read are not kept. Names, words and numbers are
//! written in one way only, so that printing what was printed changes nothing.
//!
//! Read next: [`super::source`], where texts come from.

use std::fmt::Write as _;

use crate::diagnostic::Spanned;
use crate::period::Definition;

/// Column at which values begin, unless the days before them are longer.
const VALUE_COLUMN: usize = 24;

/// Writes definitions as the text of an object file.
pub fn print<'a>(definitions: impl IntoIterator<Item = &'a Definition>) -> String {
    let mut out = String::new();
    for definition in definitions {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str("define timeperiod {\n");
        print_body(&mut out, definition);
        out.push_str("}\n");
    }
    out
}

/// Writes the directives of one definition, without the `define` around them.
pub fn print_directives(definition: &Definition) -> String {
    let mut out = String::new();
    print_body(&mut out, definition);
    out
}

fn print_body(out: &mut String, definition: &Definition) {
    let Definition { name, alias, template, uses, register, exclude, rules, place: _ } = definition;
    let mut line = |key: &str, value: &str| {
        let key = escape(key);
        let value = escape(value);
        // Writing into a String cannot fail.
        let _ = writeln!(out, "{}", format!("    {key:VALUE_COLUMN$} {value}").trim_end());
    };
    let mut optional = |key: &str, value: &Option<Spanned<String>>| {
        if let Some(value) = value {
            line(key, &value.value);
        }
    };
    optional("name", template);
    optional("timeperiod_name", name);
    optional("alias", alias);
    let list = |names: &[Spanned<String>]| {
        let names: Vec<&str> = names.iter().map(|name| name.value.as_str()).collect();
        names.join(",")
    };
    if !uses.is_empty() {
        line("use", &list(uses));
    }
    if !register {
        line("register", "0");
    }
    for rule in rules {
        let hours: Vec<String> = rule.hours.iter().map(|h| h.value.to_string()).collect();
        line(&rule.days.value.to_string(), &hours.join(","));
    }
    if !exclude.is_empty() {
        line("exclude", &list(exclude));
    }
}

/// A value that reads back as itself: a semicolon would begin a comment.
fn escape(text: &str) -> String {
    let escaped = text.replace(';', "\\;");
    // A backslash at the end would continue the line; two stand for one.
    if escaped.ends_with('\\') { escaped + "\\" } else { escaped }
}
