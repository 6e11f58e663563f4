//! `dogwatch period eval`: many questions about periods, one a line, and their answers in order.
//!
//! Made for millions of lines: a line is read without copying its texts, periods are kept ready by
//! zone, and the window of one that is asked much is laid out (see [`Asked`]).

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use rota::period::ZonedPeriod;
use serde::Deserialize;

use crate::cli::definition_files::load;
use crate::definition::file::Loaded;

/// Answer questions on standard input about periods: is this instant in, and when does that change?
///
/// Reads JSON lines `{"tz","period","t"}`, where t is in unix seconds, and writes JSON lines
/// `{"tz","period","t","in","next_valid","next_invalid"}` in the same order. `next_valid` is the first instant
/// from t on that is in, `next_invalid` the first that is out; null: there is none before the year 10000.
///
/// A line that cannot be answered is answered with `{"error"}`, and told on standard error with its number;
/// the exit code is then 1. Problems of the definitions go to standard error; every period is answered for
/// as far as it can be read. Empty lines are passed over, and further fields of a line are not read.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  echo '{\"tz\":\"Europe/Berlin\",\"period\":\"office\",\"t\":1783324800}' |
    dogwatch period eval --config periods.cfg")]
pub(super) struct Eval {
    /// Files and folders with definitions: .cfg or .toml
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    config: Vec<PathBuf>,
}

/// One question.
#[derive(Deserialize)]
struct Question<'a> {
    #[serde(borrow)]
    tz: Cow<'a, str>,
    #[serde(borrow)]
    period: Cow<'a, str>,
    t: i64,
}

/// Bytes that are read at a time, and how long a line may be.
const BUFFER_BYTES: usize = 256 << 10;

/// Bytes of all windows together: beyond it no more are laid out, and answers come slower.
const MOST_WINDOW_BYTES: usize = 256 << 20;

/// Periods in zones that are kept ready; a person's files and zones are far fewer.
const MOST_READY: usize = 1 << 17;

impl Eval {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let loaded = load(&self.config);
        if !loaded.problems.is_empty() {
            eprintln!("{}", loaded.files.render_all(&loaded.problems));
        }
        let mut answers = Answers::new(&loaded);
        let mut input = BufReader::with_capacity(BUFFER_BYTES, std::io::stdin().lock());
        let mut output = std::io::stdout().lock();
        let mut line = Vec::new();
        let mut out = Vec::with_capacity(2 * BUFFER_BYTES);
        let mut number = 0u64;
        let mut all_good = true;
        loop {
            // Whoever waits for an answer before the next question gets it.
            if out.len() >= BUFFER_BYTES || !input.buffer().contains(&b'\n') {
                output.write_all(&out)?;
                output.flush()?;
                out.clear();
            }
            line.clear();
            // One byte more than is allowed tells a line that is too long from one that just fits.
            if input.by_ref().take(BUFFER_BYTES as u64 + 1).read_until(b'\n', &mut line)? == 0 {
                break;
            }
            number += 1;
            let answered = if line.len() > BUFFER_BYTES {
                if line.last() != Some(&b'\n') {
                    input.skip_until(b'\n')?;
                }
                Err(format!("the line is longer than {BUFFER_BYTES} bytes"))
            } else if line.trim_ascii().is_empty() {
                continue;
            } else {
                answers.answer(&line, &mut out)
            };
            if let Err(reason) = answered {
                all_good = false;
                eprintln!("line {number}: {reason}");
                serde_json::to_writer(&mut out, &serde_json::json!({ "error": reason }))?;
                out.push(b'\n');
            }
        }
        Ok(if all_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Where a period is among those that are ready, or why it is not.
type Known = Result<usize, String>;

/// Periods by zone and name, made ready when they are first asked.
struct Answers<'a> {
    loaded: &'a Loaded,
    /// By zone and name.
    places: HashMap<Box<str>, HashMap<Box<str>, Known>>,
    known: usize,
    ready: Vec<Asked>,
    window_bytes: usize,
}

impl<'a> Answers<'a> {
    fn new(loaded: &'a Loaded) -> Self {
        Self { loaded, places: HashMap::new(), known: 0, ready: Vec::new(), window_bytes: 0 }
    }

    /// Answers one line, without its end; says why not, and then has written nothing.
    fn answer(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        let question: Question<'_> = serde_json::from_slice(line)
            .map_err(|error| format!("this is no question: {}", without_line(&error.to_string())))?;
        let Question { tz, period, t } = &question;
        let at = Timestamp::from_second(*t)
            .map_err(|_| format!("t is {t}, which is not in the years -9999 to 9999"))?;
        let known = self.places.get(&**tz).and_then(|periods| periods.get(&**period));
        let index = match known {
            Some(known) => known.clone()?,
            None => self.remember(tz, period)?,
        };
        // The index was given out for this very list.
        let Some(asked) = self.ready.get_mut(index) else {
            return Err("this period was forgotten".to_owned());
        };
        let answer = asked.answer(at, &mut self.window_bytes);
        out.extend_from_slice(b"{\"tz\":");
        text(tz, out);
        out.extend_from_slice(b",\"period\":");
        text(period, out);
        out.extend_from_slice(b",\"t\":");
        integer(*t, out);
        out.extend_from_slice(if answer.inside { b",\"in\":true" } else { b",\"in\":false" });
        let (valid, invalid) =
            if answer.inside { (Some(*t), answer.changes) } else { (answer.changes, Some(*t)) };
        out.extend_from_slice(b",\"next_valid\":");
        optional(valid, out);
        out.extend_from_slice(b",\"next_invalid\":");
        optional(invalid, out);
        out.extend_from_slice(b"}\n");
        Ok(())
    }

    /// Makes a period ready, or finds out why not; either way it is known from now on.
    fn remember(&mut self, tz: &str, period: &str) -> Known {
        if self.known >= MOST_READY {
            self.places.clear();
            self.ready.clear();
            (self.known, self.window_bytes) = (0, 0);
        }
        self.known += 1;
        let index = self.make_ready(tz, period);
        self.places.entry(tz.into()).or_default().insert(period.into(), index.clone());
        index
    }

    fn make_ready(&mut self, tz: &str, period: &str) -> Known {
        let zone = rota::zone::find(tz).map_err(|error| error.to_string())?;
        let found = self.loaded.find(period).ok_or_else(|| self.loaded.no_period(period))?;
        if !self.loaded.is_sound(period) {
            // Told beside the answers: what is wrong may not matter for what is asked.
            eprintln!(
                "warning: period \"{period}\" has errors; the answers are those of what can be read of it"
            );
        }
        self.ready.push(Asked::new(found.in_zone(zone)));
        Ok(self.ready.len() - 1)
    }
}

/// A period in a zone, and how much it has been asked outside of its window.
///
/// Laying out a window costs about as much as answering a question for each of some days of it. So
/// a window comes after some questions outside of it, and is the longer the more there were: what is
/// asked seldom stays cheap, and what is asked much, wherever, comes to cost next to nothing.
///
/// Until the period changes every answer is the same. The last such stretch and the longest are kept:
/// to find that something never comes again is the dearest answer of all.
struct Asked {
    period: ZonedPeriod,
    latest: Stretch,
    longest: Stretch,
    window: std::ops::Range<Timestamp>,
    outside: u32,
    first: Timestamp,
    last: Timestamp,
}

/// A stretch in which every answer is the same.
#[derive(Clone, Copy)]
struct Stretch {
    start: i64,
    /// The first second that is no longer in it; nothing when it never ends.
    changes: Option<i64>,
    inside: bool,
}

impl Stretch {
    /// Nothing has been asked.
    const NONE: Self = Self { start: 0, changes: Some(0), inside: false };

    fn contains(&self, second: i64) -> bool {
        self.start <= second && self.changes.is_none_or(|end| second < end)
    }

    fn length(&self) -> i64 {
        self.changes.map_or(i64::MAX, |end| end - self.start)
    }
}

/// Questions outside of the window before the first one is laid out.
const FIRST_WINDOW_AFTER: u32 = 32;

/// Days of a window for each question outside of the one before.
const DAYS_A_QUESTION: i64 = 64;

impl Asked {
    fn new(period: ZonedPeriod) -> Self {
        let none = Timestamp::UNIX_EPOCH..Timestamp::UNIX_EPOCH;
        Self {
            period,
            latest: Stretch::NONE,
            longest: Stretch::NONE,
            window: none,
            outside: 0,
            first: Timestamp::MAX,
            last: Timestamp::MIN,
        }
    }

    fn answer(&mut self, at: Timestamp, window_bytes: &mut usize) -> Stretch {
        let second = at.as_second();
        if let Some(known) = [self.latest, self.longest].into_iter().find(|known| known.contains(second)) {
            return known;
        }
        if !self.window.contains(&at) {
            self.first = self.first.min(at);
            self.last = self.last.max(at);
            self.outside += 1;
            if self.outside >= FIRST_WINDOW_AFTER && self.outside.is_power_of_two() {
                self.lay_out(at, window_bytes);
            }
        }
        let inside = self.period.contains(at);
        let changes = if inside { self.period.next_out(at) } else { self.period.next_in(at) };
        let found = Stretch { start: second, changes: changes.map(Timestamp::as_second), inside };
        self.latest = found;
        if found.length() >= self.longest.length() {
            self.longest = found;
        }
        found
    }

    /// Lays out what has been asked so far and a year more, or as much of it round `at` as is due.
    fn lay_out(&mut self, at: Timestamp, window_bytes: &mut usize) {
        if *window_bytes >= MOST_WINDOW_BYTES {
            return;
        }
        let days = |days: i64| SignedDuration::from_hours(24 * days);
        let due = days(DAYS_A_QUESTION * i64::from(self.outside));
        let from = self.first.max(at.saturating_sub(due).unwrap_or(at));
        let to = self.last.saturating_add(days(400)).unwrap_or(self.last);
        let to = to.min(at.saturating_add(due).unwrap_or(at));
        let before = self.period.state_bytes();
        self.period.warm(from, to);
        *window_bytes = (*window_bytes + self.period.state_bytes()).saturating_sub(before);
        self.window = from..to;
    }
}

/// The place in the line is told without it: there is only one line.
fn without_line(message: &str) -> String {
    message.replace(" at line 1 column ", " at column ")
}

/// A text of JSON.
fn text(text: &str, out: &mut Vec<u8>) {
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
    }
}

fn optional(number: Option<i64>, out: &mut Vec<u8>) {
    match number {
        Some(number) => integer(number, out),
        None => out.extend_from_slice(b"null"),
    }
}

fn integer(number: i64, out: &mut Vec<u8>) {
    // Writing into memory cannot fail.
    let _ = write!(out, "{number}");
}
