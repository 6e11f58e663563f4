//! From lines to objects: every `define TYPE { … }` of a text, with its directives as written.
//!
//! Reading never fails: a broken object is read as well as can be, and what was wrong is added to
//! the problems. What the directives of a type mean is not known here; [`super::parser`] knows it
//! for timeperiods, and an importer may know it for others.
//!
//! Read next: [`super::parser`].

use super::Part;
use super::lexer::{self, Line};
use crate::diagnostic::{FileId, Files, Problem, Span, Spanned};
use crate::suggest;

/// One `define TYPE { … }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// What it defines: `timeperiod`, `contact`, …
    pub kind: Spanned<String>,
    /// Its directives, in the order written.
    pub directives: Vec<Directive>,
}

/// One line of an object: a word and the rest of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// The first word.
    pub key: Spanned<String>,
    /// What follows it, trimmed; may be empty.
    pub value: Spanned<String>,
    /// The whole line as [`super::parser`] needs it: words of a day are not one word and a rest.
    pub(crate) line: Written,
}

/// A line and where its bytes stood, apart from the text it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    line: Line<'static>,
}

impl PartialEq for Line<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Line<'_> {}

impl Written {
    pub(crate) fn new(line: Line<'static>) -> Self {
        Written { line }
    }

    pub(crate) fn text(&self) -> &str {
        &self.line.text
    }

    pub(crate) fn span(&self, start: usize, end: usize) -> Span {
        self.line.span(start, end)
    }
}

/// What a text holds besides problems.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) objects: Vec<Object>,
    /// `include_file` and `include_dir` lines, in order.
    pub(crate) includes: Vec<Include>,
}

/// A line that asks for other files.
#[derive(Debug)]
pub(crate) struct Include {
    pub(crate) path: Spanned<String>,
    pub(crate) is_directory: bool,
}

/// The types that Naemon knows.
const KINDS: [&str; 16] = [
    "timeperiod",
    "command",
    "contact",
    "contactgroup",
    "host",
    "hostgroup",
    "hostdependency",
    "hostescalation",
    "hostextinfo",
    "service",
    "servicegroup",
    "servicedependency",
    "serviceescalation",
    "serviceextinfo",
    "module",
    "notificationway",
];

/// Reads the objects of a text.
pub(crate) fn read(files: &Files, file: FileId, problems: &mut Vec<Problem>) -> Contents {
    let mut contents = Contents::default();
    let mut open: Option<Object> = None;
    let mut brace_is_due = false;
    for line in lexer::lines(file, files.text(file)) {
        if std::mem::take(&mut brace_is_due) && line.text == "{" {
            continue;
        }
        match open.take() {
            None => {
                open = outside(&line, &mut contents, problems, &mut brace_is_due);
            }
            Some(object) if line.text == "}" => contents.objects.push(object),
            Some(object) if opens_another(&line) => {
                problems.push(unclosed(&object, Some(line.whole())));
                contents.objects.push(object);
                open = outside(&line, &mut contents, problems, &mut brace_is_due);
            }
            Some(mut object) => {
                let closes = object.kind.value == "timeperiod" && ends_with_stray_brace(&line);
                if closes {
                    let end = line.text.len();
                    problems.push(
                        Problem::error(
                            Some(line.span(end - 1, end)),
                            "the closing brace must stand on a line of its own",
                        )
                        .hint("put the \"}\" on the next line"),
                    );
                }
                if closes {
                    object.directives.push(directive(&line.without_brace()));
                    contents.objects.push(object);
                } else {
                    object.directives.push(directive(&line));
                    open = Some(object);
                }
            }
        }
    }
    if let Some(object) = open {
        problems.push(unclosed(&object, None));
        contents.objects.push(object);
    }
    contents
}

/// Reads a text that holds only the directives of one object.
pub(crate) fn read_body(part: &Part<'_>, kind: Spanned<String>) -> Object {
    let lines = lexer::lines(part.file, part.text);
    Object { kind, directives: lines.map(|line| directive(&line.inside(part.places))).collect() }
}

/// Reads a line that stands outside of all objects; gives the object that it opens.
fn outside(
    line: &Line<'_>,
    contents: &mut Contents,
    problems: &mut Vec<Problem>,
    brace_is_due: &mut bool,
) -> Option<Object> {
    if let Some(rest) = line.text.strip_prefix("define") {
        return Some(definition(line, rest, problems, brace_is_due));
    }
    if let Some((key, path)) = line.text.split_once('=') {
        let is_directory = match key.trim_end() {
            "include_file" => Some(false),
            "include_dir" => Some(true),
            _ => None,
        };
        if let Some(is_directory) = is_directory {
            let start = key.len() + 1 + path.len() - path.trim_start().len();
            let span = line.span(start, line.text.len());
            contents
                .includes
                .push(Include { path: Spanned::at(path.trim_start().to_owned(), span), is_directory });
            return None;
        }
    }
    let word = first_word(&line.text);
    let message = if line.text == "}" {
        "a closing brace, but no definition is open".to_owned()
    } else {
        format!("\"{word}\" stands outside of any definition")
    };
    let known = ["define", "include_file", "include_dir"];
    let key = word.split('=').next().unwrap_or(word);
    let hint = suggest::did_you_mean(key, known)
        .unwrap_or_else(|| "lines belong between \"define timeperiod {\" and \"}\"".to_owned());
    let span = line.span(0, word.len());
    problems.push(Problem::error(Some(span), message).hint(hint));
    // A misspelt "define" opens an object all the same: its lines are not each another mistake.
    let (_, rest) = line.text.split_at(word.len());
    (rest.ends_with('{') && suggest::nearest(key, ["define"]).is_some())
        .then(|| definition(line, rest, problems, brace_is_due))
}

/// Opens an object; `rest` is the end of the line, after the word `define`.
fn definition(line: &Line<'_>, rest: &str, problems: &mut Vec<Problem>, brace_is_due: &mut bool) -> Object {
    let before = line.text.len() - rest.len();
    let name = rest.trim_start_matches(is_blank);
    let start = before + rest.len() - name.len();
    let length = name.find(|c| is_blank(c) || c == '{').unwrap_or(name.len());
    let kind = &name[..length];
    let span = line.span(start, start + length.max(1));
    if kind.is_empty() {
        problems.push(
            Problem::error(Some(line.whole()), "\"define\" without a type")
                .hint("write \"define timeperiod {\""),
        );
    } else if !KINDS.contains(&kind) {
        problems.push(
            Problem::error(Some(span), format!("there is no object type \"{kind}\""))
                .maybe_hint(suggest::did_you_mean(kind, KINDS)),
        );
    }
    let tail = &name[length..];
    match tail.find('{') {
        None => {
            *brace_is_due = true;
            problems.push(
                Problem::error(Some(line.whole()), "the opening brace is not on the line of the \"define\"")
                    .hint(format!("write \"define {kind} {{\"")),
            );
        }
        Some(brace) => {
            let after = &tail[brace + 1..];
            if !after.trim_matches(is_blank).is_empty() {
                let from = start + length + brace + 1;
                let from = from + after.len() - after.trim_start_matches(is_blank).len();
                problems.push(
                    Problem::warning(
                        Some(line.span(from, line.text.len())),
                        "what follows the opening brace on its line is not read",
                    )
                    .hint("put it on a line of its own"),
                );
            }
        }
    }
    Object {
        // A near-miss is read as what was meant, so that its lines are checked too.
        kind: Spanned::at(
            suggest::nearest(kind, ["timeperiod"])
                .filter(|_| !KINDS.contains(&kind))
                .unwrap_or(kind)
                .to_owned(),
            span,
        ),
        directives: Vec::new(),
    }
}

/// Whether a line inside an object can only be the beginning of the next one.
fn opens_another(line: &Line<'_>) -> bool {
    line.text.strip_prefix("define").is_some_and(|rest| rest.starts_with(is_blank) && rest.contains('{'))
}

/// Whether a line of a timeperiod has its object's closing brace at its end; in a name or an alias
/// a brace is a sign like any other.
fn ends_with_stray_brace(line: &Line<'_>) -> bool {
    let names = ["alias", "timeperiod_name", "name", "use", "exclude"];
    line.text.ends_with('}') && !names.contains(&first_word(&line.text))
}

fn unclosed(object: &Object, before: Option<Span>) -> Problem {
    let kind = &object.kind.value;
    let message = format!("this definition of a {kind} is never closed");
    Problem::error(object.kind.span, message)
        .hint("write \"}\" on a line of its own after its last line")
        .related(before, "the next definition begins here")
}

fn directive(line: &Line<'_>) -> Directive {
    let text = &*line.text;
    let key = first_word(text);
    let rest = &text[key.len()..];
    let value = rest.trim_start_matches(is_blank);
    let start = text.len() - value.len();
    Directive {
        key: Spanned::at(key.to_owned(), line.span(0, key.len())),
        value: Spanned::at(value.to_owned(), line.span(start, text.len())),
        line: Written { line: line.to_owned_line() },
    }
}

fn first_word(text: &str) -> &str {
    text.split(is_blank).next().unwrap_or(text)
}

pub(crate) fn is_blank(c: char) -> bool {
    c == ' ' || c == '\t'
}
