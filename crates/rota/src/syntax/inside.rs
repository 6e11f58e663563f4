//! The language inside another file: in the strings of a configuration, or of a document of an API.
//!
//! A [`Part`] says where its bytes stand in the file around it, so that problems are shown there.
//! The file around it is read by whoever calls; nothing is known here of how it is written.
//!
//! Days and hours by themselves are for definitions that are written as tables. They are what
//! they are in a line, and days may be more: a list with commas, and ranges of weekdays
//! (`monday - friday`), which in a line of text would be an error.
//!
//! Read next: [`super::printer`].

use super::lexer::Line;
use super::objects::{self, Written, is_blank};
use super::{TIMEPERIOD, days, hours, parser};
use crate::diagnostic::{FileId, Problem, Span, Spanned};
use crate::period::{Days, Definition, Hours, Weekday};
use crate::suggest;

/// A text that stands inside a file.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// The file around it.
    pub file: FileId,
    /// The text as it reads.
    pub text: &'a str,
    /// Where it stands: the offsets in `text` at which a stretch begins that is written in the
    /// file as it reads, each with its offset there, in order. Without any, the part is the file.
    pub places: &'a [(u32, u32)],
}

impl Part<'_> {
    /// Where all of it stands.
    pub fn span(&self) -> Span {
        self.line(0, self.text.len()).span(0, self.text.len())
    }

    /// The bytes `start..end`, as a line.
    fn line(&self, start: usize, end: usize) -> Written {
        let mut line = Line::of(self.file, self.text).inside(self.places);
        line.cut(start, end);
        Written::new(line)
    }
}

/// Reads the directives of one timeperiod, without the `define` around them; `place` is that of the
/// definition as a whole.
pub fn read_directives(part: &Part<'_>, place: Option<Span>, problems: &mut Vec<Problem>) -> Definition {
    let kind = Spanned { value: TIMEPERIOD.to_owned(), span: place };
    parser::read(&objects::read_body(part, kind), problems)
}

/// Reads days: one of the forms that a line begins with, or several with commas between them.
pub fn read_days(part: &Part<'_>, problems: &mut Vec<Problem>) -> Vec<Spanned<Days>> {
    let mut found = Vec::new();
    let mut start = 0;
    for text in part.text.split(',') {
        let end = start + text.len();
        let left = start + text.len() - text.trim_start_matches(is_blank).len();
        let right = left + text.trim_matches(is_blank).len();
        let line = part.line(left, right);
        start = end + 1;
        if line.text().is_empty() {
            let message =
                if part.text.contains(',') { "days are missing between the commas" } else { "no days" };
            let hint = "write days such as \"monday - friday\", \"december 25\" or \"2026-12-24\"";
            problems.push(Problem::error(Some(line.span(0, 0)), message).hint(hint));
        } else if let Some(range) = weekday_range(&line) {
            match range {
                Err(problem) => problems.push(*problem),
                Ok((first, last)) => {
                    let span = line.span(0, line.text().len());
                    for step in 0..7 {
                        let weekday = Weekday::ALL[(first as usize + step) % 7];
                        found.push(Spanned::at(Days::Weekday(weekday), span));
                        if weekday == last {
                            break;
                        }
                    }
                }
            }
        } else if let Some((days, after)) = days::read(&line, problems) {
            let rest = line.text()[after..].trim_start_matches(is_blank);
            if !rest.is_empty() {
                let span = line.span(line.text().len() - rest.len(), line.text().len());
                let message = format!("\"{rest}\" does not belong to the days");
                problems.push(Problem::error(Some(span), message).hint("hours have a place of their own"));
            }
            found.push(days);
        }
    }
    found
}

/// Reads hours: one range, or several with commas between them.
pub fn read_hours(part: &Part<'_>, problems: &mut Vec<Problem>) -> Vec<Spanned<Hours>> {
    let line = part.line(0, part.text.len());
    if line.text().trim_matches(is_blank).is_empty() {
        let message = "no hours";
        let hint = "write hours such as \"09:00-17:00\", or \"00:00-24:00\" for the whole day";
        problems.push(Problem::error(Some(line.span(0, line.text().len())), message).hint(hint));
        return Vec::new();
    }
    // The days are only for advice on a line without hours.
    hours::read(&line, 0, &Days::Weekday(Weekday::Monday), problems)
}

/// The ends of `monday - friday`; nothing when this is no range from one word to another.
fn weekday_range(line: &Written) -> Option<Result<(Weekday, Weekday), Box<Problem>>> {
    let text = line.text();
    let (first, last) = text.split_once('-')?;
    let (first, last) = (first.trim_matches(is_blank), last.trim_matches(is_blank));
    let is_word = |word: &str| !word.is_empty() && word.chars().all(char::is_alphabetic);
    if !is_word(first) || !is_word(last) {
        return None;
    }
    let weekday = |word: &str, start: usize| {
        Weekday::named(word).ok_or_else(|| {
            let span = line.span(start, start + word.len());
            let message = format!("there is no weekday \"{word}\"");
            let near = suggest::did_you_mean(word, Weekday::ALL.map(Weekday::name));
            Box::new(Problem::error(Some(span), message).maybe_hint(near))
        })
    };
    let last = weekday(last, text.len() - last.len());
    Some(weekday(first, 0).and_then(|first| Ok((first, last?))))
}
