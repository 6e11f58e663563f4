//! A problem: where it is, what is wrong, and what to write instead.
//!
//! Readers and compilers in this crate never stop at the first mistake: they give back a value and
//! a list of [`Problem`]s. This module knows places in texts and how to show them to a person; it
//! does not know what is being read, and it never opens a file.
//!
//! Read next: [`crate::syntax`], which finds the problems of a text, and [`crate::period`], which
//! finds the problems of what the text means.

use std::fmt;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Legal, but surely not meant.
    Warning,
    /// Not legal, or never what anybody means; the definition must not be put to use.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Warning => "warning",
            Severity::Error => "error",
        })
    }
}

/// Which of the texts in a [`Files`] is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A stretch of one text, as byte offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The text.
    pub file: FileId,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

/// A value and the place where it was written.
///
/// Values that were built by a program rather than read from a text have no place. Two of them are
/// equal when their values are: where something was written is not part of what it says.
#[derive(Clone, Debug)]
pub struct Spanned<T> {
    /// What was written.
    pub value: T,
    /// Where, if it came from a text.
    pub span: Option<Span>,
}

impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Spanned<T> {}

impl<T> From<T> for Spanned<T> {
    fn from(value: T) -> Self {
        Spanned { value, span: None }
    }
}

impl From<&str> for Spanned<String> {
    fn from(value: &str) -> Self {
        Spanned::from(value.to_owned())
    }
}

impl<T> Spanned<T> {
    /// A value that was read at `span`.
    pub fn at(value: T, span: Span) -> Self {
        Spanned { value, span: Some(span) }
    }
}

/// Something wrong or doubtful, with its place and its remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Error or warning.
    pub severity: Severity,
    /// Where; nothing for definitions that were not read from a text.
    pub span: Option<Span>,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to write instead; may have several lines.
    pub hint: Option<String>,
    /// Another place that matters, and what is there.
    pub related: Option<(Span, String)>,
}

impl Problem {
    /// An error at `span`.
    pub fn error(span: Option<Span>, message: impl Into<String>) -> Self {
        Problem::new(Severity::Error, span, message.into())
    }

    /// A warning at `span`.
    pub fn warning(span: Option<Span>, message: impl Into<String>) -> Self {
        Problem::new(Severity::Warning, span, message.into())
    }

    fn new(severity: Severity, span: Option<Span>, message: String) -> Self {
        Problem { severity, span, message, hint: None, related: None }
    }

    /// The same problem with advice on what to write.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same problem with advice, if there is any.
    #[must_use]
    pub fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }

    /// The same problem, pointing at a second place.
    #[must_use]
    pub fn related(mut self, span: Option<Span>, what: impl Into<String>) -> Self {
        self.related = span.map(|span| (span, what.into()));
        self
    }

    /// Whether this is an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Puts problems in the order in which a person reads the texts.
pub fn sort(problems: &mut [Problem]) {
    problems.sort_by_key(|problem| (problem.span.map(|s| (s.file, s.start)), problem.severity));
}

/// The texts that were read, by name, to find lines and columns in them again.
#[derive(Clone, Debug, Default)]
pub struct Files {
    files: Vec<File>,
}

#[derive(Clone, Debug)]
struct File {
    name: String,
    text: String,
    /// Offsets at which lines begin; the first is 0.
    lines: Vec<u32>,
}

/// A place as a person names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// Name of the file.
    pub file: &'a str,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The whole line, without its end.
    pub text: &'a str,
}

/// Longer texts are not read at all: offsets are 32 bits wide, and no person wrote this.
pub const MAX_TEXT_BYTES: usize = 64 << 20;

impl Files {
    /// No texts yet.
    pub fn new() -> Self {
        Files::default()
    }

    /// Adds a text under the name that problems will show.
    ///
    /// A text beyond [`MAX_TEXT_BYTES`] is cut there; readers refuse such a text beforehand.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        let mut text = text.into();
        if text.len() > MAX_TEXT_BYTES {
            text.truncate(floor_boundary(&text, MAX_TEXT_BYTES));
        }
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(newlines.map(|(at, _)| narrow(at + 1))).collect();
        let id = FileId(narrow(self.files.len()));
        self.files.push(File { name: name.into(), text, lines });
        id
    }

    /// The name of a text.
    pub fn name(&self, file: FileId) -> &str {
        self.get(file).map_or("", |file| &file.name)
    }

    /// A text.
    pub fn text(&self, file: FileId) -> &str {
        self.get(file).map_or("", |file| &file.text)
    }

    /// Where a span begins, as a person names it.
    pub fn place(&self, span: Span) -> Place<'_> {
        let Some(file) = self.get(span.file) else {
            return Place { file: "", line: 1, column: 1, text: "" };
        };
        let index = file.lines.partition_point(|&start| start <= span.start);
        let index = index.saturating_sub(1);
        let start = file.lines.get(index).map_or(0, |&start| start as usize);
        let rest = file.text.get(start..).unwrap_or("");
        let text = rest.split('\n').next().unwrap_or("");
        let text = text.strip_suffix('\r').unwrap_or(text);
        let before = floor_boundary(text, (span.start as usize).saturating_sub(start));
        Place {
            file: &file.name,
            line: index + 1,
            column: text.get(..before).unwrap_or("").chars().count() + 1,
            text,
        }
    }

    /// Shows one problem: place and message, the line with a caret under it, and the advice.
    pub fn render(&self, problem: &Problem) -> String {
        use fmt::Write as _;
        let mut out = String::new();
        let Problem { severity, message, .. } = problem;
        // All line numbers take the same room, so that the bars stand below one another.
        let spans = problem.span.into_iter().chain(problem.related.iter().map(|related| related.0));
        let lines = spans.map(|span| self.place(span).line.to_string().len());
        let width = lines.max().unwrap_or(1);
        let margin = " ".repeat(width);
        // Writing into a String cannot fail, so the results below carry nothing.
        if let Some(span) = problem.span {
            let place = self.place(span);
            let _ = writeln!(out, "{}:{}:{}: {severity}: {message}", place.file, place.line, place.column);
            self.render_line(&mut out, span, width, "^");
        } else {
            let _ = writeln!(out, "{severity}: {message}");
        }
        if let Some((span, what)) = &problem.related {
            let place = self.place(*span);
            let _ = writeln!(out, " {margin} = {}:{}:{}: {what}", place.file, place.line, place.column);
            self.render_line(&mut out, *span, width, "-");
        }
        for (index, line) in problem.hint.iter().flat_map(|h| h.lines()).enumerate() {
            let lead = if index == 0 { "= help:" } else { "       " };
            let _ = writeln!(out, " {margin} {lead} {line}");
        }
        out
    }

    /// Shows all problems, one after the other, with an empty line between.
    pub fn render_all(&self, problems: &[Problem]) -> String {
        let shown: Vec<String> = problems.iter().map(|p| self.render(p)).collect();
        shown.join("\n")
    }

    fn render_line(&self, out: &mut String, span: Span, width: usize, mark: &str) {
        use fmt::Write as _;
        let place = self.place(span);
        let number = place.line;
        let margin = " ".repeat(width);
        // Tabs and wide text above stay aligned when the padding repeats the tabs.
        let padding: String =
            place.text.chars().take(place.column - 1).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let left = place.text.chars().count().saturating_sub(place.column - 1);
        let wanted = self
            .text(span.file)
            .get(span.start as usize..span.end as usize)
            .map_or(1, |text| text.chars().count());
        let marks = mark.repeat(wanted.min(left).max(1));
        let _ = writeln!(out, " {margin} |");
        let _ = writeln!(out, " {number:>width$} | {}", place.text);
        let _ = writeln!(out, " {margin} | {padding}{marks}");
    }

    fn get(&self, file: FileId) -> Option<&File> {
        self.files.get(file.0 as usize)
    }
}

/// The largest character boundary at or before `at`.
fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Offsets fit by [`MAX_TEXT_BYTES`]; a larger number, which cannot come, would point at the end.
fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_shows_place_line_caret_and_advice() {
        let mut files = Files::new();
        let file = files.add("a.cfg", "one\n\ttwo drei\r\nfour");
        let span = Span { file, start: 9, end: 13 };
        let other = Span { file, start: 0, end: 3 };
        let problem = Problem::error(Some(span), "no such word")
            .hint("write \"three\"\nor nothing")
            .related(Some(other), "the first is here");
        insta::assert_snapshot!(files.render(&problem), @r#"
        a.cfg:2:6: error: no such word
           |
         2 | 	two drei
           | 	    ^^^^
           = a.cfg:1:1: the first is here
           |
         1 | one
           | ---
           = help: write "three"
                   or nothing
        "#);
    }

    #[test]
    fn a_wrong_span_is_shown_somewhere_and_does_not_panic() {
        let mut files = Files::new();
        let file = files.add("a", "ä");
        for (start, end) in [(1, 1), (1, 9), (7, 3), (u32::MAX, 0)] {
            let problem = Problem::warning(Some(Span { file, start, end }), "m");
            assert!(files.render(&problem).contains("warning: m"));
        }
    }
}
