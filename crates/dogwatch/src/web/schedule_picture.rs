//! The picture of a schedule: a strip of days, with a lane for who is on call, one for overrides, one for each
//! layer, and thin marks for leave.
//!
//! Pure: what it draws is given. Everything is as wide as the strip by percent and as high as it is by pixels,
//! so that one picture serves a phone, a desk and a sheet of paper, and no text is ever squeezed. A lane lies
//! below another as it does in the schedule: what stands higher wins. Colours are the stylesheet's.

use askama::Template;
use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use super::hours::{length, stretch};
use super::person_colour::Colours;

/// How wide a strip is in pixels on a desk and on a phone, about: what decides whether a word fits into a bar.
const DESK: f64 = 1100.0;
const PHONE: f64 = 350.0;
/// How wide a letter is, about.
const LETTER: f64 = 8.0;
/// Words above gaps keep this distance, and stay clear of what the lane is called.
const WORD: f64 = 0.17;

/// Something that lasts.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// The first instant.
    pub(super) from: Timestamp,
    /// The first instant after it; none: no end.
    pub(super) until: Option<Timestamp>,
    /// The person that gives it its colour; none: nobody is there.
    pub(super) person: Option<String>,
    /// What is written on it.
    pub(super) text: String,
    /// What else there is to say.
    pub(super) note: String,
}

/// What a lane is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LaneKind {
    /// Who is on call in the end.
    Final,
    /// A layer, or the overrides.
    Source,
    /// Who is away.
    Leave,
}

/// Pieces one after the other; those of one time lie below each other.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    pub(super) kind: LaneKind,
    pub(super) label: String,
    pub(super) pieces: Vec<Piece>,
}

/// What a strip shows.
#[derive(Clone, Debug)]
pub(super) struct Scene<'a> {
    /// A word that no other picture of the page has.
    pub(super) id: String,
    /// What it is, in words.
    pub(super) title: String,
    /// The first day.
    pub(super) first: Date,
    /// How many days.
    pub(super) days: usize,
    /// Only days of this month count; the others are faint.
    pub(super) month: Option<Date>,
    /// The zone of the days.
    pub(super) zone: &'a TimeZone,
    /// The instant of the line.
    pub(super) now: Timestamp,
    /// From the top down.
    pub(super) lanes: Vec<Lane>,
    pub(super) colours: &'a Colours,
}

/// How high things are, in pixels.
struct Measure {
    label: u32,
    last: u32,
    bar: u32,
    space: u32,
}

const LARGE: Measure = Measure { label: 19, last: 36, bar: 26, space: 8 };
const SMALL: Measure = Measure { label: 15, last: 24, bar: 18, space: 3 };
/// The mark of leave, with its words below.
const LEAVE: u32 = 20;

struct Day {
    x: String,
    width: String,
    weekday: String,
    date: String,
    /// `23 h`, where clocks change.
    hours: String,
    is_weekend: bool,
    is_today: bool,
    is_faint: bool,
}

/// Where a text is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Screen {
    Every,
    Wide,
    Narrow,
}

impl Screen {
    /// The class that hides it elsewhere.
    fn class(self) -> &'static str {
        match self {
            Self::Every => "",
            Self::Wide => "wide",
            Self::Narrow => "narrow",
        }
    }
}

struct Bar {
    x: String,
    width: String,
    y: u32,
    height: u32,
    /// Where its text stands, from its top.
    base: u32,
    class: String,
    /// What is written on it, and where that is shown.
    texts: Vec<(&'static str, String)>,
    title: String,
    is_gap: bool,
    is_leave: bool,
}

struct Text {
    class: String,
    x: String,
    y: u32,
    anchor: &'static str,
    text: String,
}

/// A finished picture.
#[derive(Template)]
#[template(path = "_schedule_picture.svg", escape = "html")]
pub(super) struct Picture {
    id: String,
    title: String,
    height: u32,
    head: u32,
    is_small: bool,
    days: Vec<Day>,
    labels: Vec<(u32, String)>,
    bars: Vec<Bar>,
    words: Vec<Text>,
    now: Option<Text>,
}

/// From an instant to an instant, as parts of a strip.
struct Axis {
    from: Timestamp,
    until: Timestamp,
}

impl Axis {
    fn part(&self, at: Timestamp) -> f64 {
        let whole = self.until.as_millisecond() - self.from.as_millisecond();
        (at.as_millisecond() - self.from.as_millisecond()) as f64 / whole.max(1) as f64
    }
}

fn percent(part: f64) -> String {
    let text = format!("{:.3}", part * 100.0);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Draws a strip. Made small, it has less room between lanes and one line for each day's name.
pub(super) fn draw(scene: &Scene<'_>, is_small: bool) -> Picture {
    let edges: Vec<Date> = scene.first.series(jiff::Span::new().days(1)).take(scene.days + 1).collect();
    let midnight = |place: usize| edges.get(place).map(|day| rota::zone::midnight(*day, scene.zone));
    let from = midnight(0).unwrap_or(Timestamp::MIN);
    let axis = Axis { from, until: midnight(scene.days).unwrap_or(from) };
    let days: Vec<Day> = (0..scene.days).filter_map(|place| day(scene, &axis, &edges, place)).collect();

    let measure = if is_small { &SMALL } else { &LARGE };
    let head =
        if is_small { 18 } else { 36 } + if days.iter().any(|day| !day.hours.is_empty()) { 14 } else { 0 };
    let mut y = head + measure.space;
    let (mut labels, mut bars, mut words) = (Vec::new(), Vec::new(), Vec::new());
    for lane in &scene.lanes {
        let shown: Vec<&Piece> = lane.pieces.iter().filter(|piece| is_within(piece, &axis)).collect();
        if lane.kind == LaneKind::Leave {
            for piece in shown {
                bars.push(bar(scene, &axis, lane, piece, (y, 5)));
                words.push(mark_words(piece, &axis, y + 16));
                y += LEAVE;
            }
            continue;
        }
        // A month has many strips: what is empty in one of them takes no room there.
        if is_small && shown.is_empty() {
            continue;
        }
        labels.push((y + measure.label - 5, lane.label.clone()));
        let top = y + measure.label;
        let height = if lane.kind == LaneKind::Final { measure.last } else { measure.bar };
        let mut rows: Vec<Timestamp> = vec![Timestamp::MIN];
        let mut free = WORD;
        for piece in shown {
            let row = rows.iter().position(|end| *end <= piece.from).unwrap_or(rows.len());
            rows.resize(rows.len().max(row + 1), Timestamp::MIN);
            rows[row] = piece.until.unwrap_or(Timestamp::MAX);
            let bar_top = top + row as u32 * (height + 2);
            let bar = bar(scene, &axis, lane, piece, (bar_top, height));
            if bar.is_gap {
                words.extend(gap_word(piece, &axis, top - 4, &mut free));
            }
            bars.push(bar);
        }
        y = top + rows.len() as u32 * (height + 2) + measure.space;
    }
    let now = (axis.from <= scene.now && scene.now < axis.until).then(|| {
        let part = axis.part(scene.now);
        let anchor = if part > 0.9 { "end" } else { "start" };
        // Left there is no room between the day and what the lane is called.
        let word = if is_small && part < WORD { "" } else { "now" };
        Text { class: String::new(), x: percent(part), y: head + 8, anchor, text: word.to_owned() }
    });
    Picture {
        id: scene.id.clone(),
        title: scene.title.clone(),
        height: y,
        head,
        is_small,
        days,
        labels,
        bars,
        words,
        now,
    }
}

fn is_within(piece: &Piece, axis: &Axis) -> bool {
    piece.from < axis.until && piece.until.is_none_or(|until| until > axis.from && until > piece.from)
}

fn day(scene: &Scene<'_>, axis: &Axis, edges: &[Date], place: usize) -> Option<Day> {
    let date = *edges.get(place)?;
    let (from, until) =
        (rota::zone::midnight(date, scene.zone), rota::zone::midnight(*edges.get(place + 1)?, scene.zone));
    let minutes = until.duration_since(from).as_mins();
    let odd = match (minutes / 60, minutes % 60) {
        (24, 0) => String::new(),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes}"),
    };
    Some(Day {
        x: percent(axis.part(from)),
        width: percent(axis.part(until) - axis.part(from)),
        weekday: date.strftime("%a").to_string(),
        date: date.strftime(if scene.month.is_some() { "%-d" } else { "%-d %b" }).to_string(),
        hours: odd,
        is_weekend: matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday),
        is_today: rota::zone::date(scene.now, scene.zone) == date,
        is_faint: scene
            .month
            .is_some_and(|month| (month.year(), month.month()) != (date.year(), date.month())),
    })
}

fn bar(scene: &Scene<'_>, axis: &Axis, lane: &Lane, piece: &Piece, (y, height): (u32, u32)) -> Bar {
    let until = piece.until.unwrap_or(axis.until).min(axis.until);
    let (begin, end) = (axis.part(piece.from.max(axis.from)), axis.part(until));
    let is_gap = piece.person.is_none();
    let width = (end - begin).max(0.004);
    let times = stretch(piece.from, piece.until, scene.zone, scene.now);
    let long = piece.until.map(|until| format!(" ({})", length(piece.from, until))).unwrap_or_default();
    let note = if piece.note.is_empty() { String::new() } else { format!("; {}", piece.note) };
    let place = if lane.kind == LaneKind::Source { format!("{}: ", lane.label) } else { String::new() };
    let class = match (&piece.person, lane.kind) {
        (None, _) => "gap".to_owned(),
        (Some(person), LaneKind::Final) => format!("final {}", scene.colours.class(person)),
        (Some(person), LaneKind::Leave) => format!("leave {}", scene.colours.class(person)),
        (Some(person), LaneKind::Source) => scene.colours.class(person),
    };
    Bar {
        x: percent(begin),
        width: percent(width),
        y,
        height,
        base: height / 2 + 5,
        class,
        texts: texts(&piece.text, width, is_gap),
        title: format!("{place}{}: {times}{long}{note}", piece.text),
        is_gap,
        is_leave: lane.kind == LaneKind::Leave,
    }
}

/// Whether words fit into a part of a strip that is so wide.
fn fits(letters: usize, part: f64, strip: f64) -> bool {
    part * strip >= letters as f64 * LETTER + 8.0
}

/// What is written on a bar: the whole name where it fits, or most of it; initials where it does not.
fn texts(name: &str, part: f64, is_gap: bool) -> Vec<(&'static str, String)> {
    let letters = name.chars().count();
    // The beginning of a long name says more than initials do.
    let (desk, phone) = if is_gap {
        (fits(letters, part, DESK), fits(letters, part, PHONE))
    } else {
        (fits(letters.min(8), part, DESK), fits(letters.min(6), part, PHONE))
    };
    // As many initials as there is room for, down to none.
    let short = |strip: f64| {
        let room = if is_gap { 0.0 } else { (part * strip - 3.0) / LETTER };
        initials(name).chars().take(room.max(0.0) as usize).collect::<String>()
    };
    let texts = match (desk, phone) {
        (_, true) => vec![(Screen::Every, name.to_owned())],
        (false, false) => vec![(Screen::Wide, short(DESK)), (Screen::Narrow, short(PHONE))],
        (true, false) => vec![(Screen::Wide, name.to_owned()), (Screen::Narrow, short(PHONE))],
    };
    texts.into_iter().filter(|(_, text)| !text.is_empty()).map(|(on, text)| (on.class(), text)).collect()
}

/// `John Doe` becomes `JD`, `bob` becomes `Bo`.
fn initials(name: &str) -> String {
    let words: Vec<&str> = name.split([' ', '-', '.', '_']).filter(|word| !word.is_empty()).collect();
    match words.as_slice() {
        [only] => crate::message::sentence(&only.chars().take(2).collect::<String>()),
        words => {
            words.iter().filter_map(|word| word.chars().next()).take(3).flat_map(char::to_uppercase).collect()
        }
    }
}

/// Words at a part of the strip: they grow to the side where there is room.
fn words_at(class: String, part: f64, y: u32, text: String) -> Text {
    let anchor = if part > 0.6 { "end" } else { "start" };
    Text { class, x: percent(part), y, anchor, text }
}

fn mark_words(piece: &Piece, axis: &Axis, y: u32) -> Text {
    let (begin, end) = (piece.from.max(axis.from), piece.until.unwrap_or(axis.until).min(axis.until));
    let part = axis.part(begin);
    words_at(String::new(), if part > 0.6 { axis.part(end) } else { part }, y, piece.text.clone())
}

/// The word above a gap that is too narrow to hold it, if there is room.
fn gap_word(piece: &Piece, axis: &Axis, y: u32, free: &mut f64) -> Option<Text> {
    let (begin, end) =
        (axis.part(piece.from.max(axis.from)), axis.part(piece.until.unwrap_or(axis.until)).min(1.0));
    let letters = piece.text.chars().count();
    let screen = match (fits(letters, end - begin, DESK), fits(letters, end - begin, PHONE)) {
        (_, true) => return None,
        (true, false) => Screen::Narrow,
        (false, false) => Screen::Every,
    };
    let class = format!("gap-word {}", screen.class());
    if begin < WORD && *free <= WORD {
        // Left stands what the lane is called.
        *free = 2.0 * WORD;
        return Some(Text {
            class, x: percent(WORD), y, anchor: "start", text: format!("← {}", piece.text)
        });
    }
    if begin < *free {
        return None;
    }
    *free = begin + WORD;
    Some(words_at(class, begin, y, piece.text.clone()))
}
