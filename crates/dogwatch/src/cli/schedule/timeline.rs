//! A timeline of a schedule, drawn with letters, 80 columns wide.
//!
//! A row is a date, for each role a bar of its 24 hours, and the handoffs as text. A letter stands for the people
//! who have most of that hour, or half hour; a gap is shown however short it is. The legend says which letter is
//! whose, the list below when each shift begins and ends.
//!
//! Knows nothing of terminals but their colours.

use std::fmt::Write as _;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::cli::on_call::{Person, Shift, merge, names};
use crate::cli::rows::{BAR_COLUMN, WIDTH, date, hours, wrap};
use crate::cli::terminal::Paint;
use crate::definition::time::{show_instant, show_length};

/// What is drawn.
pub(super) struct Timeline<'a> {
    pub(super) name: &'a str,
    pub(super) description: &'a str,
    pub(super) zone: TimeZone,
    pub(super) days: Vec<Date>,
    pub(super) today: Date,
    /// The first instant of the first day.
    pub(super) from: Timestamp,
    /// The first instant after the last.
    pub(super) to: Timestamp,
    /// By role, in order, without holes.
    pub(super) shifts: &'a [Shift],
    /// See [`shadows`].
    pub(super) shadows: Vec<Shift>,
}

/// The letter of a gap.
const GAP: char = '!';
/// What the clock does not show.
const MISSING: char = '╌';
/// The longest name of a role that has room before the bars.
const ROLE_LETTERS: usize = 10;
/// In the list names begin here.
const LIST_COLUMN: usize = 48;
/// The colours of people, in the order of the legend.
const COLOURS: [&str; 6] = ["32", "34", "35", "36", "33", "94"];

/// Who stands behind which letter.
struct Legend<'a>(Vec<(char, &'a [Person])>);

/// Draws it.
pub(super) fn draw(timeline: &Timeline<'_>, paint: Paint) -> String {
    let legend = Legend::new(timeline.shifts);
    let mut roles: Vec<&str> = Vec::new();
    for shift in timeline.shifts {
        if !roles.contains(&shift.role.as_str()) {
            roles.push(&shift.role);
        }
    }
    let longest = roles.iter().map(|role| role.chars().count()).max().unwrap_or(0);
    let role_width = if roles.len() > 1 { longest.min(ROLE_LETTERS) + 1 } else { 0 };
    let room = |cells: usize| WIDTH - BAR_COLUMN - role_width - cells - 2;
    let texts: Vec<Vec<Vec<String>>> = timeline
        .days
        .iter()
        .map(|day| roles.iter().map(|role| handoffs(timeline, &legend, *day, role)).collect())
        .collect();
    let is_short = |texts: &Vec<String>| texts.join(" ").chars().count() <= room(48);
    let cells = if texts.iter().flatten().all(is_short) { 48 } else { 24 };

    let mut out = String::new();
    title(&mut out, timeline, paint);
    let margin = " ".repeat(BAR_COLUMN + role_width);
    let _ = writeln!(out, "{margin}{}", paint.faint(&hours(cells)));
    for (index, (day, texts)) in timeline.days.iter().zip(&texts).enumerate() {
        if index > 0 && (roles.len() > 1 || day.weekday() == Weekday::Monday) {
            out.push('\n');
        }
        let instants = instants(*day, cells, &timeline.zone);
        for (index, (role, texts)) in roles.iter().zip(texts).enumerate() {
            let head =
                if index == 0 { date(*day, timeline.today, paint) } else { " ".repeat(BAR_COLUMN - 2) };
            let role_text: String = role.chars().take(ROLE_LETTERS).collect();
            let role_text = if role_width > 0 { format!("{role_text:<role_width$}") } else { String::new() };
            let bar = bar(timeline, &legend, &instants, role);
            let mut lines = wrap(texts, room(cells)).into_iter();
            let text = lines.next().unwrap_or_default();
            let row =
                format!("{head}  {role_text}{}  {}", paint_bar(&bar, &legend, paint), mark(&text, paint));
            let _ = writeln!(out, "{}", row.trim_end());
            for line in lines {
                let _ = writeln!(out, "{margin}{}{}", " ".repeat(cells + 2), mark(&line, paint));
            }
        }
        let length = SignedDuration::from_secs(instants[cells].as_second() - instants[0].as_second());
        if length != SignedDuration::from_hours(24) {
            let minutes = length.as_mins();
            let odd = if minutes % 60 == 0 { String::new() } else { format!(" {} min", minutes % 60) };
            let note = format!("↑ the clock changes: this day has {} h{odd}", minutes / 60);
            let _ = writeln!(out, "{margin}{}", paint.note(&note));
        }
    }
    out.push('\n');
    legend.write(&mut out, timeline.shifts.iter().any(Shift::is_gap), paint);
    list(&mut out, timeline, &legend, &roles, paint);
    out
}

fn title(out: &mut String, timeline: &Timeline<'_>, paint: Paint) {
    let zone = timeline.zone.iana_name().unwrap_or("UTC");
    let gap = WIDTH.saturating_sub(timeline.name.len() + zone.len()).max(2);
    let _ = writeln!(out, "{}{}{}", paint.strong(timeline.name), " ".repeat(gap), paint.faint(zone));
    if let Some(line) = timeline.description.lines().next().filter(|line| !line.is_empty()) {
        let _ = writeln!(out, "{line}");
    }
    out.push('\n');
}

/// The instants at which the cells of a day begin, and the one at which the last ends. Where clocks leave readings
/// out, cells have no length; where they show them twice, one has more.
fn instants(day: Date, cells: usize, zone: &TimeZone) -> Vec<Timestamp> {
    let at = |cell: usize| {
        // At most the minutes of a day.
        let minutes = (cell * 24 * 60 / cells) as i64;
        let reading = day.at(0, 0, 0, 0).saturating_add(SignedDuration::from_mins(minutes));
        zone.to_ambiguous_zoned(reading).compatible().map_or(Timestamp::MAX, |zoned| zoned.timestamp())
    };
    let mut instants: Vec<Timestamp> = (0..=cells).map(at).collect();
    // A reading in a gap of the clock is moved forward, past those after it.
    for cell in (0..cells).rev() {
        instants[cell] = instants[cell].min(instants[cell + 1]);
    }
    instants
}

/// A letter for each cell.
fn bar(timeline: &Timeline<'_>, legend: &Legend<'_>, instants: &[Timestamp], role: &str) -> Vec<char> {
    let cell = |pair: &[Timestamp]| {
        let (start, end) = (pair[0], pair[1]);
        if start >= end {
            return MISSING;
        }
        let shared = |shift: &&Shift| {
            let until = shift.until.unwrap_or(timeline.to);
            shift.from.max(start).duration_until(until.min(end))
        };
        let here = timeline.shifts.iter().filter(|shift| shift.role == *role);
        let here: Vec<&Shift> = here.filter(|shift| shared(shift) > SignedDuration::ZERO).collect();
        if here.iter().any(|shift| shift.is_gap()) {
            return GAP;
        }
        // Of equally long ones the first.
        let most = here.into_iter().rev().max_by_key(shared);
        most.map_or(' ', |shift| legend.letter(&shift.people))
    };
    instants.windows(2).map(cell).collect()
}

/// The bar in colours, the word GAP in each gap that has room for it.
fn paint_bar(bar: &[char], legend: &Legend<'_>, paint: Paint) -> String {
    let runs = bar.chunk_by(|one, other| one == other);
    runs.map(|run| {
        let text: String = run.iter().collect();
        match run.first() {
            Some(&GAP) if run.len() >= 3 => {
                let before = (run.len() - 3) / 2;
                let after = run.len() - 3 - before;
                paint.alarm(&format!("{}GAP{}", "!".repeat(before), "!".repeat(after)))
            }
            Some(&GAP) => paint.alarm(&text),
            Some(&MISSING) => paint.note(&text),
            Some(letter) => paint.with(legend.colour(*letter), &text),
            None => text,
        }
    })
    .collect()
}

/// The handoffs of a day.
fn handoffs(timeline: &Timeline<'_>, legend: &Legend<'_>, day: Date, role: &str) -> Vec<String> {
    let instants = instants(day, 24, &timeline.zone);
    let (start, end) = (instants[0], instants[24]);
    let of_role = timeline.shifts.iter().filter(|shift| shift.role == *role);
    let here = of_role.filter(|shift| shift.from < end && shift.until.is_none_or(|until| until > start));
    let mut texts = Vec::new();
    let mut before: Option<&Shift> = None;
    for shift in here {
        // In place of somebody else or not: nothing changes hands.
        let is_handoff = before.is_none_or(|before| before.people != shift.people);
        before = Some(shift);
        if !is_handoff {
            continue;
        }
        let who = if shift.is_gap() { "GAP".to_owned() } else { legend.letter(&shift.people).to_string() };
        let reading = timeline.zone.to_datetime(shift.from);
        if shift.from < start || shift.from == timeline.from {
            // Nothing changes hands; a gap is told all the same.
            texts.extend(shift.is_gap().then_some(who));
        } else {
            let time = reading.strftime(if reading.second() == 0 { "%H:%M" } else { "%H:%M:%S" });
            texts.push(format!("{time} {who}"));
        }
    }
    texts
}

/// A text in which a gap stands out.
fn mark(text: &str, paint: Paint) -> String {
    text.replace("GAP", &paint.alarm("GAP"))
}

impl<'a> Legend<'a> {
    fn new(shifts: &'a [Shift]) -> Self {
        let mut legend = Self(Vec::new());
        for shift in shifts.iter().filter(|shift| !shift.is_gap()) {
            if !legend.0.iter().any(|(_, people)| *people == shift.people) {
                let letter = legend.free(&names(&shift.people));
                legend.0.push((letter, &shift.people));
            }
        }
        legend
    }

    /// A letter that nobody has yet: one of the name, if there is one.
    fn free(&self, name: &str) -> char {
        let own = name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_uppercase);
        let others = ('A'..='Z').chain('a'..='z').chain('0'..='9');
        own.chain(others).find(|letter| !self.0.iter().any(|(taken, _)| taken == letter)).unwrap_or('*')
    }

    fn letter(&self, people: &[Person]) -> char {
        self.0.iter().find(|(_, known)| *known == people).map_or('*', |(letter, _)| *letter)
    }

    fn colour(&self, letter: char) -> &'static str {
        let place = self.0.iter().position(|(known, _)| *known == letter).unwrap_or(0);
        COLOURS[place % COLOURS.len()]
    }

    fn write(&self, out: &mut String, has_gaps: bool, paint: Paint) {
        let entry = |(letter, people): &(char, &[Person])| format!("{letter} {}", names(people));
        let entries: Vec<String> =
            self.0.iter().map(entry).chain(has_gaps.then(|| format!("{GAP} nobody"))).collect();
        let mut line = String::new();
        for entry in &entries {
            if !line.is_empty() && line.chars().count() + 3 + entry.chars().count() > WIDTH {
                let _ = writeln!(out, "{}", paint.faint(&line));
                line.clear();
            }
            if !line.is_empty() {
                line.push_str("   ");
            }
            line.push_str(entry);
        }
        let _ = writeln!(out, "{}", paint.faint(&line));
    }
}

/// Every shift on a line; those that go on beyond the picture have dots at that end.
fn list(out: &mut String, timeline: &Timeline<'_>, legend: &Legend<'_>, roles: &[&str], paint: Paint) {
    let line = |letter: char, shift: &Shift, who: &str| {
        let until = shift.until.unwrap_or(timeline.to);
        let show = |at: Timestamp, is_cut: bool| {
            if is_cut { "…".to_owned() } else { show_instant(at, &timeline.zone) }
        };
        let from = show(shift.from, shift.from <= timeline.from);
        let end = show(until, until >= timeline.to);
        format!("{letter}  {from:>20} – {end:<20}  {who}")
    };
    for role in roles {
        let _ = writeln!(out, "\n{}", paint.strong(role));
        let of_role = || timeline.shifts.iter().filter(|shift| shift.role == **role);
        let mut missing = SignedDuration::ZERO;
        for shift in of_role() {
            if shift.is_gap() {
                missing += shift.from.duration_until(shift.until.unwrap_or(timeline.to));
                let _ = writeln!(out, "{}", line(GAP, shift, &paint.alarm("NOBODY IS ON CALL")));
                continue;
            }
            let written = line(legend.letter(&shift.people), shift, &shift.names());
            let instead = format!("instead of {}", names(&shift.instead_of));
            let _ = match shift.instead_of.len() {
                0 => writeln!(out, "{written}"),
                _ if written.chars().count() + instead.chars().count() + 2 <= WIDTH => {
                    writeln!(out, "{written}, {instead}")
                }
                _ => writeln!(out, "{written}\n{}{instead}", " ".repeat(LIST_COLUMN)),
            };
        }
        if missing > SignedDuration::ZERO {
            let told = format!("nobody is on call for {}", show_length(missing));
            let _ = writeln!(out, "{}", paint.wrong(&told));
        }
        let mut shadows = timeline.shadows.iter().filter(|shift| shift.role == **role).peekable();
        if shadows.peek().is_some() {
            let _ = writeln!(out, "\n{}", paint.strong(&format!("{role}, only told")));
        }
        for shift in shadows {
            let _ = writeln!(out, "{}", line(' ', shift, &shift.names()).trim_end());
        }
    }
}

/// Who is only told: the shifts of shadows, as if they were on call.
pub(super) fn shadows(shifts: &[Shift]) -> Vec<Shift> {
    let as_people = |shift: &Shift| Shift {
        people: shift.shadows.clone(),
        shadows: Vec::new(),
        instead_of: Vec::new(),
        ..shift.clone()
    };
    let mut shadows = merge(shifts.iter().map(as_people).collect());
    shadows.retain(|shift| !shift.is_gap());
    shadows
}
