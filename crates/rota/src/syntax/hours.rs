//! The hours of a line: `09:00-12:00,13:00-17:00`.
//!
//! Blanks round a comma or a dash are allowed. What a range must not be (overnight, past the end of
//! the day) is checked in [`crate::period`]; what cannot be written at all is refused here.
//!
//! Read next: [`super::printer`], which writes all this out again.

use super::objects::{Written, is_blank};
use crate::diagnostic::{Problem, Spanned};
use crate::period::{Days, Hours};

/// Reads the hours from byte `from` of a line on; ranges that cannot be read are left out.
pub(crate) fn read(
    line: &Written,
    from: usize,
    days: &Days,
    problems: &mut Vec<Problem>,
) -> Vec<Spanned<Hours>> {
    let mut scanner = Scanner { line, at: from };
    let mut hours: Vec<Spanned<Hours>> = Vec::new();
    scanner.skip_blanks();
    if scanner.rest().is_empty() {
        let end = line.text()[..from].trim_end_matches(is_blank).len();
        let hint = match whole_hours(days) {
            Some(meant) => format!("if these are hours, write \"{meant}\""),
            None => format!(
                "write \"{days} 00:00-24:00\" for the whole day, \"{days} 00:00-00:00\" for none of it"
            ),
        };
        let problem = Problem::error(Some(line.span(0, end)), "these days have no hours");
        problems.push(problem.hint(hint));
        return hours;
    }
    loop {
        let start = scanner.at;
        match scanner.range() {
            Ok(range) => hours.push(Spanned::at(range, line.span(start, scanner.at))),
            Err(problem) => {
                let fatal = !scanner.recover();
                problems.push(*problem);
                if fatal {
                    return hours;
                }
            }
        }
        let before_blanks = scanner.at;
        let after = scanner.skip_blanks();
        let Some(next) = scanner.rest().chars().next() else {
            return hours;
        };
        if next == ',' {
            scanner.at += 1;
            scanner.skip_blanks();
            while scanner.rest().starts_with(',') {
                let span = line.span(scanner.at, scanner.at + 1);
                let message = "a range is missing between the commas";
                problems.push(Problem::error(Some(span), message).hint("take the extra comma away"));
                scanner.at += 1;
                scanner.skip_blanks();
            }
            if scanner.rest().is_empty() {
                let message = "the list of hours ends with a comma";
                let span = line.span(after, after + 1);
                problems.push(
                    Problem::error(Some(span), message)
                        .hint("take the comma away, or write another range after it"),
                );
                return hours;
            }
        } else if next.is_ascii_digit() && after > before_blanks {
            let span = line.span(before_blanks, after);
            problems.push(
                Problem::warning(Some(span), "a blank between two ranges").hint("write a comma between them"),
            );
        } else {
            problems.push(scanner.junk());
            return hours;
        }
    }
}

/// What `monday 9-17` was surely meant to say.
fn whole_hours(days: &Days) -> Option<String> {
    let Days::WeekdayOffset { first: (weekday, start), last: Some((last, end)), every: None } = *days else {
        return None;
    };
    let are_hours = weekday == last && (0..end).contains(&start) && (6..=24).contains(&end);
    are_hours.then(|| format!("{} {start:02}:00-{end:02}:00", weekday.name()))
}

struct Scanner<'a> {
    line: &'a Written,
    at: usize,
}

type Read<T> = Result<T, Box<Problem>>;

impl Scanner<'_> {
    fn rest(&self) -> &str {
        &self.line.text()[self.at..]
    }

    fn skip_blanks(&mut self) -> usize {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(is_blank).len();
        self.at
    }

    fn range(&mut self) -> Read<Hours> {
        let start = self.time()?;
        self.skip_blanks();
        if !self.rest().starts_with('-') {
            return Err(
                self.missing("a dash and the end of the range should follow", "write a range as 09:00-17:00")
            );
        }
        self.at += 1;
        self.skip_blanks();
        let end = self.time()?;
        Ok(Hours { start, end })
    }

    /// A time of day in minutes.
    fn time(&mut self) -> Read<u16> {
        let start = self.at;
        let hour = self.digits();
        let colon = self.rest().starts_with(':');
        if hour.is_empty() || !colon {
            return Err(self.no_time(start));
        }
        self.at += 1;
        let minute = self.digits();
        if minute.is_empty() || hour.len() > 2 || minute.len() > 2 {
            return Err(self.no_time(start));
        }
        let number = |digits: &str| digits.parse::<u16>().unwrap_or(u16::MAX);
        let (hour, minute) = (number(&hour), number(&minute));
        let minutes_end = self.at;
        if self.rest().starts_with(':') {
            self.at += 1;
            self.digits();
            let span = self.line.span(minutes_end, self.at);
            let hint = format!("write {hour:02}:{minute:02}");
            return Err(Box::new(
                Problem::error(Some(span), "hours are given to the minute, without seconds").hint(hint),
            ));
        }
        let span = self.line.span(start, self.at);
        if minute > 59 {
            let message = format!("an hour has no minute {minute}");
            let hint = "minutes go from 00 to 59";
            return Err(Box::new(Problem::error(Some(span), message).hint(hint)));
        }
        let minutes = hour * 60 + minute;
        if minutes > Hours::DAY.end {
            let message = format!("a day has no {hour:02}:{minute:02}");
            let hint = "the end of the day is 24:00; what comes after it belongs to the next day";
            return Err(Box::new(Problem::error(Some(span), message).hint(hint)));
        }
        Ok(minutes)
    }

    fn digits(&mut self) -> String {
        let rest = self.rest();
        let length = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let digits = rest[..length].to_owned();
        self.at += length;
        digits
    }

    fn no_time(&self, start: usize) -> Box<Problem> {
        let text = &self.line.text()[start..];
        if text.is_empty() {
            return self.missing("the line ends where a time should follow", "write a range as 09:00-17:00");
        }
        let length = text
            .find(|c: char| is_blank(c) || c == ',')
            .unwrap_or(text.len())
            .max(text.chars().next().map_or(0, char::len_utf8));
        let word = &text[..length];
        let hint = match word {
            "null" | "none" | "never" => "write 00:00-00:00 for no time on these days",
            _ => "write hours as 09:00-17:00, with commas between ranges: 09:00-12:00,13:00-17:00",
        };
        let span = self.line.span(start, start + length);
        Box::new(Problem::error(Some(span), format!("\"{word}\" is no time of day")).hint(hint))
    }

    fn missing(&self, message: &str, hint: &str) -> Box<Problem> {
        let end = self.line.text().len();
        let span = if self.at < end {
            let next = self.rest().chars().next().map_or(1, char::len_utf8);
            self.line.span(self.at, self.at + next)
        } else {
            self.line.span(end.saturating_sub(1), end)
        };
        Box::new(Problem::error(Some(span), message).hint(hint))
    }

    /// Goes on to the next comma; says whether there is one.
    fn recover(&mut self) -> bool {
        match self.rest().find(',') {
            Some(comma) => {
                self.at += comma;
                true
            }
            None => {
                self.at = self.line.text().len();
                false
            }
        }
    }

    fn junk(&self) -> Problem {
        let rest = self.rest();
        let hint = if rest.starts_with('#') {
            "a comment at the end of a line begins with \";\""
        } else if rest.starts_with("am") || rest.starts_with("pm") {
            "write hours from 00:00 to 24:00, without am and pm"
        } else {
            "after the hours only a comment can follow, which begins with \";\""
        };
        let span = self.line.span(self.at, self.line.text().len());
        Problem::error(Some(span), format!("\"{rest}\" does not belong here")).hint(hint)
    }
}
