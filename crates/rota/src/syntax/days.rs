//! The days of a line: a weekday, or one of the five forms of exception.
//!
//! ```text
//! 2007-11-01 [ - 2007-11-10] [ / 3]         a date, or a range of dates
//! june 1 [ - july 5 [ / 2]]                 a day of a month, every year
//! day 1 [ - 15 [ / 5]]                      a day of every month
//! monday 1 may [ - friday 2 may [ / 6]]     a weekday of a month, every year
//! monday 3 [ - thursday 4 [ / 2]]           a weekday of every month
//! monday                                    a weekday
//! ```
//!
//! Read next: [`super::hours`], which reads what follows.

use jiff::civil::Date;

use super::objects::{Written, is_blank};
use crate::diagnostic::{Problem, Span, Spanned};
use crate::period::{Days, Month, Weekday};
use crate::suggest;

/// Reads the days at the beginning of a line; gives them and where the hours begin.
pub(crate) fn read(line: &Written, problems: &mut Vec<Problem>) -> Option<(Spanned<Days>, usize)> {
    let mut cursor = Cursor { line, at: 0 };
    match days(&mut cursor, problems) {
        Ok(days) => {
            let end = line.text()[..cursor.at].trim_end_matches(is_blank).len();
            let days = Spanned::at(days, line.span(0, end));
            Some((days, cursor.at))
        }
        Err(problem) => {
            problems.push(*problem);
            None
        }
    }
}

type Read<T> = Result<T, Box<Problem>>;

/// One end of a range, in whichever form.
#[derive(Clone, Copy)]
enum End {
    Date(Date),
    MonthDate(Month, i32),
    MonthDay(i32),
    MonthWeekday(Weekday, i32, Month),
    WeekdayOffset(Weekday, i32),
    /// Only a number; what it counts is what the start counts.
    Number(i32),
}

impl End {
    fn form(self) -> &'static str {
        match self {
            End::Date(_) => "a date",
            End::MonthDate(..) => "a day of one month",
            End::MonthDay(_) => "a day of every month",
            End::MonthWeekday(..) => "a weekday of one month",
            End::WeekdayOffset(..) => "a weekday of every month",
            End::Number(_) => "a number",
        }
    }

    /// An example of what this can be the start of.
    fn example(self) -> &'static str {
        match self {
            End::Date(_) => "2007-11-01 - 2007-11-10",
            End::MonthDate(..) => "june 1 - july 5",
            End::MonthDay(_) | End::Number(_) => "day 1 - 15",
            End::MonthWeekday(..) => "monday 1 may - friday 2 may",
            End::WeekdayOffset(..) => "monday 1 - friday 2",
        }
    }
}

fn days(cursor: &mut Cursor<'_>, problems: &mut Vec<Problem>) -> Read<Days> {
    let start = cursor.at;
    let first = if let Some(weekday) = cursor.bare_weekday()? {
        return Ok(Days::Weekday(weekday));
    } else {
        cursor.end()?
    };
    let first_end = cursor.at;
    let last = if cursor.dash(problems) {
        let from = cursor.skip_blanks();
        let last = cursor.end()?;
        Some((last, cursor.span(from)))
    } else {
        None
    };
    let every = cursor.every()?;
    if let Some((_, span)) = every
        && last.is_none()
        && !matches!(first, End::Date(_))
    {
        let days = &cursor.line.text()[start..first_end];
        return Err(Box::new(
            Problem::error(Some(span), "a skip needs a range, or one date, to count from").hint(format!(
                "write a range, as in \"{} / 2\", or \"{days}\" without the skip",
                first.example()
            )),
        ));
    }
    let every = every.map(|every| every.0);
    let mixed = |last: End, span: Span| {
        let message = format!("a range from {} to {}", first.form(), last.form());
        Box::new(
            Problem::error(Some(span), message)
                .hint(format!("both ends have the same form, as in \"{}\"", first.example())),
        )
    };
    // The pairs that belong together, and the numbers that borrow from their start.
    Ok(match (first, last) {
        (End::Date(first), None) => Days::Calendar { first, last: None, every },
        (End::Date(first), Some((End::Date(last), _))) => Days::Calendar { first, last: Some(last), every },
        (End::MonthDate(m, d), None) => Days::MonthDate { first: (m, d), last: None, every },
        (End::MonthDate(m, d), Some((End::MonthDate(m2, d2), _))) => {
            Days::MonthDate { first: (m, d), last: Some((m2, d2)), every }
        }
        (End::MonthDate(m, d), Some((End::Number(d2), _))) => {
            Days::MonthDate { first: (m, d), last: Some((m, d2)), every }
        }
        (End::Number(number), _) => {
            let span = cursor.line.span(start, first_end);
            return Err(Box::new(
                Problem::error(Some(span), "a number alone is no day")
                    .hint(format!("did you mean \"day {number}\"?")),
            ));
        }
        (End::MonthDay(first), None) => Days::MonthDay { first, last: None, every },
        (End::MonthDay(first), Some((End::MonthDay(last) | End::Number(last), _))) => {
            Days::MonthDay { first, last: Some(last), every }
        }
        (End::MonthWeekday(w, n, m), None) => Days::MonthWeekday { first: (w, n, m), last: None, every },
        (End::MonthWeekday(w, n, m), Some((End::MonthWeekday(w2, n2, m2), _))) => {
            Days::MonthWeekday { first: (w, n, m), last: Some((w2, n2, m2)), every }
        }
        (End::WeekdayOffset(w, n), None) => Days::WeekdayOffset { first: (w, n), last: None, every },
        (End::WeekdayOffset(w, n), Some((End::WeekdayOffset(w2, n2), _))) => {
            Days::WeekdayOffset { first: (w, n), last: Some((w2, n2)), every }
        }
        (End::WeekdayOffset(w, n), Some((End::Number(n2), _))) => {
            Days::WeekdayOffset { first: (w, n), last: Some((w, n2)), every }
        }
        (_, Some((last, span))) => return Err(mixed(last, span)),
    })
}

struct Cursor<'a> {
    line: &'a Written,
    at: usize,
}

impl Cursor<'_> {
    fn rest(&self) -> &str {
        &self.line.text()[self.at..]
    }

    fn span(&self, start: usize) -> Span {
        self.line.span(start, self.at)
    }

    /// Goes to the next byte that is no blank, and says where that is.
    fn skip_blanks(&mut self) -> usize {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(is_blank).len();
        self.at
    }

    fn word(&mut self) -> &str {
        let rest = self.rest();
        let length = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_') || c.is_ascii_digit())
            .unwrap_or(rest.len());
        let start = self.at;
        self.at += length;
        &self.line.text()[start..self.at]
    }

    /// A weekday with no number after it.
    fn bare_weekday(&mut self) -> Read<Option<Weekday>> {
        let start = self.skip_blanks();
        let Some(weekday) = Weekday::named(self.word()) else {
            self.at = start;
            return Ok(None);
        };
        let after = self.skip_blanks();
        let rest = self.rest();
        // "monday 09:00" begins with the hours, "monday 2" with which Monday.
        let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let is_hours = digits.len() < rest.len() && digits.trim_start_matches(is_blank).starts_with(':');
        let is_number = rest.starts_with(|c: char| c.is_ascii_digit() || c == '-');
        if is_hours || !is_number && !rest.starts_with('/') {
            return Ok(Some(weekday));
        }
        if let Some(tail) = rest.strip_prefix('-') {
            let tail = tail.trim_start_matches(is_blank);
            let word = tail.split(|c: char| !c.is_ascii_alphabetic()).next();
            if let Some(last) = word.and_then(Weekday::named) {
                return Err(self.weekday_range(start, weekday, last));
            }
        }
        if rest.starts_with('/') {
            self.at += 1;
            self.skip_blanks();
            self.digits();
            let problem = Problem::error(Some(self.span(after)), "a weekday has no skip");
            return Err(Box::new(problem.hint(
                "every other week is one date and a skip of 14 days: \
                 2007-07-30 / 14 for every other Monday",
            )));
        }
        self.at = start;
        Ok(None)
    }

    fn weekday_range(&mut self, start: usize, first: Weekday, last: Weekday) -> Box<Problem> {
        let text = self.line.text();
        let end = text[self.at..].find(last.name()).map_or(text.len(), |at| self.at + at + last.name().len());
        let hours = text[end..].trim_matches(is_blank);
        let hours = if hours.is_empty() { "00:00-24:00" } else { hours };
        let mut lines = String::from("write a line for each weekday:");
        for step in 0..7 {
            let weekday = Weekday::ALL[(first as usize + step) % 7];
            lines.push_str(&format!("\n{} {hours}", weekday.name()));
            if weekday == last {
                break;
            }
        }
        let problem = Problem::error(Some(self.line.span(start, end)), "there are no ranges of weekdays");
        Box::new(problem.hint(lines))
    }

    /// A day, in one of the forms that a range can begin or end with.
    fn end(&mut self) -> Read<End> {
        let start = self.skip_blanks();
        if self.rest().starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            let digits = self.rest().trim_start_matches(|c: char| c.is_ascii_digit());
            // A date has a number, a dash and a number, all together; but "1-5" is a range of days
            // only after "day", which is read elsewhere.
            if self.rest().len() - digits.len() >= 1 && is_date_tail(digits) {
                return self.date(start).map(End::Date);
            }
            return self.number().map(End::Number);
        }
        let word = self.word().to_owned();
        if word == "day" {
            return self.number().map(End::MonthDay);
        }
        if let Some(month) = Month::named(&word) {
            return Ok(End::MonthDate(month, self.number()?));
        }
        if let Some(weekday) = Weekday::named(&word) {
            let number = self.number()?;
            let before = self.at;
            let word_at = self.skip_blanks();
            let word = self.word().to_owned();
            if word.is_empty() {
                self.at = before;
                return Ok(End::WeekdayOffset(weekday, number));
            }
            if let Some(month) = Month::named(&word) {
                return Ok(End::MonthWeekday(weekday, number, month));
            }
            let months = Month::ALL.into_iter().map(Month::name);
            return Err(Box::new(
                Problem::error(Some(self.span(word_at)), format!("there is no month \"{word}\""))
                    .maybe_hint(suggest::did_you_mean(&word, months)),
            ));
        }
        if word.is_empty() {
            let rest_is_empty = self.rest().is_empty();
            if !rest_is_empty {
                self.at += self.rest().chars().next().map_or(0, char::len_utf8);
            }
            let message =
                if rest_is_empty { "the line ends where a day should follow" } else { "this is no day" };
            return Err(Box::new(
                Problem::error(Some(self.span(start)), message)
                    .hint("write a day as in \"day 15\", \"july 4\", \"monday 1 may\" or 2008-12-25"),
            ));
        }
        let weekdays = Weekday::ALL.into_iter().map(Weekday::name);
        let months = Month::ALL.into_iter().map(Month::name);
        let known = weekdays.chain(months).chain(std::iter::once("day"));
        Err(Box::new(
            Problem::error(Some(self.span(start)), format!("there is no month or weekday \"{word}\""))
                .maybe_hint(suggest::did_you_mean(&word, known)),
        ))
    }

    fn date(&mut self, start: usize) -> Read<Date> {
        let year = self.digits();
        self.at += 1;
        let month = self.digits();
        self.at += 1;
        let day = self.digits();
        let span = self.span(start);
        let written = &self.line.text()[start..self.at];
        if year.0 != 4 {
            let hint = match (year.0, year.1) {
                (2, n) => format!("did you mean 20{n:02}-{:02}-{:02}?", month.1, day.1),
                _ => "write a date as 2008-12-25".to_owned(),
            };
            let message = format!("the year of {written} does not have four digits");
            return Err(Box::new(Problem::error(Some(span), message).hint(hint)));
        }
        let narrow = |n: i32| i8::try_from(n).unwrap_or(0);
        let year_number = i16::try_from(year.1).unwrap_or(0);
        let date = Date::new(year_number, narrow(month.1), narrow(day.1))
            .ok()
            .filter(|_| month.0 <= 2 && day.0 <= 2 && year_number > 0);
        date.ok_or_else(|| {
            let message = format!("there is no date {written}");
            let hint = match Date::new(year_number, narrow(month.1), 1) {
                Ok(first) if month.1 > 0 => {
                    format!("this month ends with {:04}-{:02}-{:02}", year.1, month.1, first.days_in_month())
                }
                _ => "a date is year-month-day, as in 2008-12-25".to_owned(),
            };
            Box::new(Problem::error(Some(span), message).hint(hint))
        })
    }

    /// How many digits stand here, and the number they make (or the largest number).
    fn digits(&mut self) -> (usize, i32) {
        let rest = self.rest();
        let length = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number = rest[..length].parse().unwrap_or(i32::MAX);
        self.at += length;
        (length, number)
    }

    fn number(&mut self) -> Read<i32> {
        let start = self.skip_blanks();
        let negative = self.rest().starts_with('-');
        if negative {
            self.at += 1;
            self.skip_blanks();
        }
        let (length, number) = self.digits();
        let is_hour = self.rest().trim_start_matches(is_blank).starts_with(':');
        if length == 0 || is_hour {
            let found = self.at.min(self.line.text().len());
            let span = self.line.span(start, found.max(start + 1).min(self.line.text().len()));
            return Err(Box::new(
                Problem::error(Some(span), "a number should stand here")
                    .hint("which one, as in \"day 15\", \"july 4\" or \"monday 1\"; -1 is the last"),
            ));
        }
        Ok(if negative { -number } else { number })
    }

    /// The dash of a range. A dash that clings to the number after it could be its sign.
    fn dash(&mut self, problems: &mut Vec<Problem>) -> bool {
        let before = self.at;
        let at = self.skip_blanks();
        if !self.rest().starts_with('-') {
            self.at = before;
            return false;
        }
        self.at += 1;
        let tail = self.rest().trim_start_matches(|c: char| c.is_ascii_digit());
        let clings = tail.len() < self.rest().len() && !is_date_tail(tail);
        if at > before && clings {
            let digits = self.rest().len() - tail.len();
            let number = &self.rest()[..digits];
            let hint =
                format!("write \" - {number}\" for the range, or \" - -{number}\" to count from the end");
            let span = self.line.span(at, self.at + digits);
            problems.push(
                Problem::warning(Some(span), "this is read as the end of a range, not as a negative number")
                    .hint(hint),
            );
        }
        true
    }

    /// The skip, with its place.
    fn every(&mut self) -> Read<Option<(u32, Span)>> {
        let before = self.at;
        let start = self.skip_blanks();
        if !self.rest().starts_with('/') {
            self.at = before;
            return Ok(None);
        }
        self.at += 1;
        let number = self.number()?;
        let span = self.span(start);
        match u32::try_from(number) {
            Ok(number) if number > 0 => Ok(Some((number, span))),
            _ => Err(Box::new(
                Problem::error(Some(span), format!("a skip of {number} days"))
                    .hint("the number after \"/\" is at least 2: / 2 is every second day"),
            )),
        }
    }
}

/// Whether what follows a number makes it a date: `-7-29`, with nothing between.
fn is_date_tail(text: &str) -> bool {
    let after_digits = |text: &str| {
        let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
        (rest.len() < text.len()).then(|| text.len() - rest.len())
    };
    let Some(rest) = text.strip_prefix('-') else {
        return false;
    };
    let Some(month) = after_digits(rest) else {
        return false;
    };
    rest[month..].strip_prefix('-').and_then(after_digits).is_some()
}
