//! What happened, or would happen, as a picture: people as rows, time as the axis.
//!
//! Quiet hours are drawn shorter than busy minutes: an alert's first minutes hold most of what there is to see. The
//! clock stands above. Everything in the picture stands in words below it, too; nothing is told by colour alone.

use std::collections::BTreeMap;

use askama::Template;
use jiff::Timestamp;

/// Above the first row, for the clock, in px.
const HEAD: u32 = 24;
/// Of a row, in px.
const ROW: u32 = 44;
/// Between two times of the clock, in percent of the width; less would run together on a phone.
const APART: f64 = 17.0;
/// What is left free at both sides, in percent.
const MARGIN: f64 = 2.0;

/// What sort of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// A message was taken by a provider.
    Sent,
    /// One was not.
    Failed,
    /// Somebody answered.
    Answered,
    /// Something of the alert itself, or of its plan.
    Told,
    /// It has not happened yet.
    Next,
}

impl Sort {
    /// The class, and the sign.
    const fn look(self) -> (&'static str, &'static str) {
        match self {
            Self::Sent => ("sent", "●"),
            Self::Failed => ("failed", "✕"),
            Self::Answered => ("answered", "✓"),
            Self::Told => ("told", "◆"),
            Self::Next => ("next", "○"),
        }
    }
}

/// Something at an instant.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) at: Timestamp,
    /// The row: a person's full name, or what is written before the alert's own.
    pub(super) row: String,
    pub(super) sort: Sort,
    pub(super) text: String,
}

/// Something that lasts: somebody is being paged, or has it.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) row: String,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    /// Somebody has it; else somebody is being paged.
    pub(super) is_owner: bool,
    pub(super) text: String,
}

/// What is drawn.
#[derive(Clone, Debug, Default)]
pub(super) struct Story {
    pub(super) marks: Vec<Mark>,
    pub(super) spans: Vec<Span>,
    /// Where the past ends; none: nothing is known to be past.
    pub(super) now: Option<Timestamp>,
}

struct Tick {
    x: String,
    anchor: &'static str,
    text: String,
}

struct DrawnMark {
    x: String,
    y: u32,
    class: &'static str,
    sign: &'static str,
    text: String,
}

struct DrawnSpan {
    x: String,
    y: u32,
    width: String,
    class: &'static str,
    text: String,
}

/// The picture.
#[derive(Template)]
#[template(path = "_story_picture.svg")]
pub(super) struct StoryPicture {
    title: String,
    height: u32,
    rows: Vec<(u32, String)>,
    ticks: Vec<Tick>,
    spans: Vec<DrawnSpan>,
    marks: Vec<DrawnMark>,
    /// Where now is, and how wide what comes next is.
    now: Option<(String, String)>,
}

/// Draws a story; `clock` says what stands above an instant. None: there is nothing to see.
pub(super) fn draw(
    story: &Story,
    title: String,
    clock: impl Fn(Timestamp) -> String,
) -> Option<StoryPicture> {
    let axis = Axis::of(story)?;
    // The alert's own row first, then people in the order in which they came in.
    let mut rows: Vec<String> = Vec::new();
    let spans = story.spans.iter().map(|span| (span.from, &span.row));
    let mut all: Vec<(Timestamp, &String)> =
        story.marks.iter().map(|it| (it.at, &it.row)).chain(spans).collect();
    all.sort_by_key(|(at, _)| *at);
    for (_, row) in all {
        if !rows.contains(row) {
            rows.push(row.clone());
        }
    }
    let top = |row: &str| {
        let place = rows.iter().position(|known| known == row).unwrap_or(0);
        HEAD + ROW * u32::try_from(place).unwrap_or(0)
    };
    let spans = story.spans.iter().map(|span| {
        let (from, until) = (axis.x(span.from), axis.x(span.until));
        DrawnSpan {
            x: percent(from),
            y: top(&span.row) + 20,
            width: percent((until - from).max(0.6)),
            class: if span.is_owner { "owner" } else { "paged" },
            text: span.text.clone(),
        }
    });
    let marks = story.marks.iter().map(|mark| {
        let (class, sign) = mark.sort.look();
        let text = format!("{} {}", clock(mark.at), mark.text);
        DrawnMark { x: percent(axis.x(mark.at)), y: top(&mark.row) + 33, class, sign, text }
    });
    Some(StoryPicture {
        title,
        height: HEAD + ROW * u32::try_from(rows.len()).unwrap_or(0),
        ticks: axis.ticks(story.now, &clock),
        spans: spans.collect(),
        marks: marks.collect(),
        now: story.now.map(|now| (percent(axis.x(now)), percent(100.0 - axis.x(now)))),
        rows: rows.iter().map(|row| (top(row) + 14, row.clone())).collect(),
    })
}

fn percent(x: f64) -> String {
    format!("{x:.2}%")
}

/// Where instants lie, in percent of the width.
struct Axis(BTreeMap<Timestamp, f64>);

impl Axis {
    /// Each pause between two instants is as wide as the root of its length. None: there are no instants.
    fn of(story: &Story) -> Option<Self> {
        let marks = story.marks.iter().map(|mark| mark.at);
        let spans = story.spans.iter().flat_map(|span| [span.from, span.until]);
        let mut instants: Vec<Timestamp> = marks.chain(spans).chain(story.now).collect();
        instants.sort_unstable();
        instants.dedup();
        let mut places = BTreeMap::new();
        let mut sum = 0.0;
        let mut before = *instants.first()?;
        for at in instants {
            sum += at.duration_since(before).as_secs_f64().sqrt();
            places.insert(at, sum);
            before = at;
        }
        let room = 100.0 - 2.0 * MARGIN;
        for place in places.values_mut() {
            *place = MARGIN + if sum > 0.0 { *place / sum * room } else { 0.0 };
        }
        Some(Self(places))
    }

    fn x(&self, at: Timestamp) -> f64 {
        self.0.get(&at).copied().unwrap_or(MARGIN)
    }

    /// As many times as can be read: now before all others, then from the left.
    fn ticks(&self, now: Option<Timestamp>, clock: impl Fn(Timestamp) -> String) -> Vec<Tick> {
        let mut taken: Vec<(Timestamp, f64)> = now.map(|now| (now, self.x(now))).into_iter().collect();
        let ends = [self.0.first_key_value(), self.0.last_key_value()];
        for (at, x) in ends.into_iter().flatten().chain(&self.0) {
            if taken.iter().all(|(_, other)| (x - other).abs() >= APART) {
                taken.push((*at, *x));
            }
        }
        let told = taken.into_iter().map(|(at, x)| Tick {
            x: percent(x),
            anchor: match x {
                x if x < 12.0 => "start",
                x if x > 88.0 => "end",
                _ => "middle",
            },
            text: if now == Some(at) { format!("now {}", clock(at)) } else { clock(at) },
        });
        told.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn mark(seconds: i64, row: &str) -> Mark {
        Mark { at: at(seconds), row: row.to_owned(), sort: Sort::Sent, text: "taken".to_owned() }
    }

    #[test]
    fn a_day_of_quiet_leaves_room_for_the_first_minute() {
        let story = Story { marks: vec![mark(0, "a"), mark(60, "b"), mark(86_460, "a")], ..Story::default() };
        let axis = Axis::of(&story).unwrap();
        let (first, second, last) = (axis.x(at(0)), axis.x(at(60)), axis.x(at(86_460)));
        assert!(first < second && second < last, "{first} {second} {last}");
        assert!((first - MARGIN).abs() < 0.01 && (last - (100.0 - MARGIN)).abs() < 0.01, "{first} {last}");
        assert!(second - first > 2.0, "a minute of a day can be seen: {first} {second}");
    }

    #[test]
    fn rows_stand_in_the_order_in_which_people_came_in_and_times_do_not_run_together() {
        let marks =
            (0..50).map(|second| mark(second, if second < 3 { "The alert" } else { "Bob" })).collect();
        let story = Story { marks, now: Some(at(49)), ..Story::default() };
        let picture = draw(&story, String::new(), |at| at.as_second().to_string()).unwrap();
        let rows: Vec<&str> = picture.rows.iter().map(|(_, row)| row.as_str()).collect();
        assert_eq!(rows, ["The alert", "Bob"]);
        let mut places: Vec<f64> =
            picture.ticks.iter().map(|tick| tick.x.trim_end_matches('%').parse().unwrap()).collect();
        places.sort_by(f64::total_cmp);
        assert!(places.windows(2).all(|two| two[1] - two[0] >= APART - 0.02), "{places:?}");
        assert!(picture.ticks.iter().any(|tick| tick.text == "now 49"));
    }

    #[test]
    fn nothing_makes_no_picture() {
        assert!(draw(&Story::default(), String::new(), |_| String::new()).is_none());
    }
}
