//! Periods: sets of time such as "weekdays from nine to five, but not on holidays".
//!
//! [`compile`] takes [`Definition`]s, however they were written, to [`Period`]s; a period in a zone
//! ([`Period::in_zone`]) answers [`contains`](ZonedPeriod::contains),
//! [`next_in`](ZonedPeriod::next_in), [`next_out`](ZonedPeriod::next_out) and
//! [`intervals`](ZonedPeriod::intervals). How definitions are written as text is not known here;
//! that is [`crate::syntax`].
//!
//! Read next, from what somebody wrote to an answer: `definition`, `check`, `inherit`; then `day`,
//! `dates`, `shape`, `calendar`, `civil`, `zoned`, `window`; `clock_day`, for drawing; and `review`, which warns.

mod calendar;
mod check;
mod civil;
mod clock_day;
mod dates;
pub(crate) mod day;
mod definition;
mod graph;
mod inherit;
mod overnight;
mod review;
mod shape;
mod window;
mod zoned;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::diagnostic::{self, Problem};
use crate::suggest;
use calendar::Calendar;
use civil::{CivilSet, MAX_NODES, Node};
use inherit::{LineId, Lines, Resolved};
use shape::Shape;

pub use clock_day::{ClockDay, Jump};
pub use definition::{Days, Definition, Hours, Month, Rule, Weekday};
pub use inherit::flatten;
pub use zoned::{Interval, ZonedPeriod};

/// A compiled period: what it means in any zone. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Period {
    name: Arc<str>,
    alias: Arc<str>,
    civil: Arc<CivilSet>,
}

impl Period {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What people call it; its name, unless it was given an alias.
    pub fn alias(&self) -> &str {
        &self.alias
    }

    /// The period evaluated in a zone, which [`crate::zone::find`] finds.
    pub fn in_zone(&self, zone: TimeZone) -> ZonedPeriod {
        ZonedPeriod::new(self.clone(), zone)
    }

    /// Bytes of memory that the period needs, those that it excludes included (which share theirs
    /// with all who exclude them).
    pub fn state_bytes(&self) -> usize {
        let node = |node: &Node| node.calendar.bytes() + size_of_val(&*node.excludes);
        size_of::<Self>()
            + self.name.len()
            + self.alias.len()
            + size_of::<CivilSet>()
            + size_of_val(self.civil.nodes())
            + self.civil.nodes().iter().map(node).sum::<usize>()
    }

    pub(crate) fn civil(&self) -> &CivilSet {
        &self.civil
    }
}

/// Compiled periods, and what is wrong or doubtful with their definitions.
#[derive(Clone, Debug, Default)]
pub struct Compiled {
    /// The periods, in the order of their definitions. Where there are errors, they are compiled
    /// from what remains, for looking at; do not put them to use.
    pub periods: Vec<Period>,
    /// Errors and warnings, in the order of the texts.
    pub problems: Vec<Problem>,
}

impl Compiled {
    /// The period with a name.
    pub fn find(&self, name: &str) -> Option<&Period> {
        self.periods.iter().find(|period| period.name() == name)
    }

    /// Whether anything is wrong, rather than only doubtful.
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(Problem::is_error)
    }
}

/// Checks definitions, takes in templates, and compiles the periods among them.
///
/// Warnings speak of days from `today` on; answers do not depend on it.
pub fn compile(definitions: &[Definition], today: Date) -> Compiled {
    let mut problems = Vec::new();
    let mut is_sound = Vec::with_capacity(definitions.len());
    for definition in definitions {
        let before = problems.len();
        check::check(definition, &mut problems);
        is_sound.push(!problems[before..].iter().any(Problem::is_error));
    }
    let (lines, resolved) = inherit::resolve(definitions, &mut problems);
    let named = find_names(definitions, &mut problems);
    let edges = find_excluded(definitions, &named, &resolved, &mut problems);

    let orders: Vec<Vec<LineId>> =
        named.iter().map(|&index| by_form(&resolved[index].exceptions, &lines)).collect();
    let calendars: Vec<Arc<Calendar>> = named
        .iter()
        .zip(&orders)
        .map(|(&index, order)| Arc::new(calendar(&resolved[index], order, &lines)))
        .collect();
    let reached = reach(definitions, &named, &edges, &mut problems);
    let periods: Vec<Period> = (0..named.len())
        .map(|n| {
            let definition = &definitions[named[n]];
            let name = definition.name.as_ref().map_or("", |name| &name.value);
            Period {
                name: name.into(),
                alias: resolved[named[n]].alias.unwrap_or(name).into(),
                civil: Arc::new(CivilSet::new(nodes(&reached[n], &edges, &calendars))),
            }
        })
        .collect();
    let today = day::from_date(i32::from(today.year()), today.month() as u8, i32::from(today.day()));
    for (n, period) in periods.iter().enumerate() {
        // What follows from a mistake that was told is not told again.
        if !is_sound[named[n]] {
            continue;
        }
        let name = definitions[named[n]].name.as_ref();
        let subject = review::Subject {
            name: period.name(),
            place: name.and_then(|name| name.span),
            period,
            calendar: &calendars[n],
            lines: &lines,
            resolved: &resolved[named[n]],
            order: &orders[n],
        };
        review::review(&subject, today, &mut problems);
    }
    diagnostic::sort(&mut problems);
    // A line of a template is reported once, not for each period that uses it.
    let mut seen = std::collections::HashSet::new();
    problems.retain(|p| p.span.is_none() || seen.insert((p.span, p.message.clone())));
    Compiled { periods, problems }
}

/// The definitions that are periods: the first of each name.
fn find_names(definitions: &[Definition], problems: &mut Vec<Problem>) -> Vec<usize> {
    let mut first: HashMap<&str, usize> = HashMap::new();
    let mut named = Vec::new();
    for (index, definition) in definitions.iter().enumerate() {
        let Some(name) = definition.name.as_ref().filter(|_| definition.register) else {
            continue;
        };
        if let Some(&other) = first.get(name.value.as_str()) {
            let other = definitions[other].name.as_ref().and_then(|name| name.span);
            let message = format!("there is another period \"{}\"", name.value);
            problems.push(
                Problem::error(name.span, message)
                    .hint("give one of them another name, or take it away")
                    .related(other, "the other is here"),
            );
        } else {
            first.insert(&name.value, index);
            named.push(index);
        }
    }
    named
}

/// For each period (by its place in `named`) the periods that it excludes, without circles.
fn find_excluded(
    definitions: &[Definition],
    named: &[usize],
    resolved: &[Resolved<'_>],
    problems: &mut Vec<Problem>,
) -> Vec<Vec<usize>> {
    let name = |n: usize| {
        let name = definitions[named[n]].name.as_ref();
        name.map_or("", |name| name.value.as_str())
    };
    let by_name: HashMap<&str, usize> = (0..named.len()).map(|n| (name(n), n)).collect();
    let mut spans = Vec::with_capacity(named.len());
    let mut edges: Vec<Vec<usize>> = Vec::with_capacity(named.len());
    for &index in named {
        let mut excluded = Vec::new();
        let mut places = Vec::new();
        for other in resolved[index].exclude {
            if let Some(&n) = by_name.get(other.value.as_str()) {
                if !excluded.contains(&n) {
                    excluded.push(n);
                    places.push(other.span);
                }
                continue;
            }
            let wanted = other.value.as_str();
            let message = format!("there is no period \"{wanted}\"");
            let is_template = |d: &Definition| d.template.as_ref().is_some_and(|n| n.value == wanted);
            let hint = if definitions.iter().any(is_template) {
                Some(format!(
                    "there is a template of that name; add a line \"timeperiod_name {wanted}\" to it, so that it is a period too"
                ))
            } else {
                suggest::did_you_mean(wanted, by_name.keys().copied())
            };
            problems.push(
                Problem::error(other.span, message)
                    .hint("\"exclude\" takes the \"timeperiod_name\" of a period")
                    .maybe_hint(hint),
            );
        }
        edges.push(excluded);
        spans.push(places);
    }
    let (_, circles) = graph::order(&edges);
    for circle in circles.iter().rev() {
        let names: Vec<&str> = circle.path.iter().map(|&n| name(n)).collect();
        let message = format!("periods exclude each other in a circle: {}", names.join(" -> "));
        let span = spans[circle.from][circle.edge];
        problems.push(Problem::error(span, message).hint("take one of these names away"));
        // The circles of one node come in the order of its edges, so the last goes first.
        edges[circle.from].remove(circle.edge);
    }
    edges
}

/// For each period all that it reaches through `exclude` and itself, every one after those that it
/// excludes.
fn reach(
    definitions: &[Definition],
    named: &[usize],
    edges: &[Vec<usize>],
    problems: &mut Vec<Problem>,
) -> Vec<Vec<usize>> {
    let (order, _) = graph::order(edges);
    let mut place = vec![0; order.len()];
    for (at, &n) in order.iter().enumerate() {
        place[n] = at;
    }
    let mut reached: Vec<Vec<usize>> = vec![Vec::new(); order.len()];
    for &n in &order {
        let mut all: Vec<usize> = edges[n].iter().flat_map(|&e| reached[e].clone()).collect();
        all.sort_unstable_by_key(|&n| place[n]);
        all.dedup();
        if all.len() >= MAX_NODES {
            let definition = &definitions[named[n]];
            let message = format!(
                "{} excludes more than {MAX_NODES} periods, those they exclude included",
                definition.label()
            );
            problems.push(
                Problem::error(definition.place.span, message)
                    .hint("put the excluded days into fewer periods"),
            );
            all.clear();
        }
        all.push(n);
        reached[n] = all;
    }
    reached
}

fn nodes(reached: &[usize], edges: &[Vec<usize>], calendars: &[Arc<Calendar>]) -> Vec<Node> {
    let place: HashMap<usize, u8> = (0u8..).zip(reached).map(|(at, &n)| (n, at)).collect();
    reached
        .iter()
        .map(|n| Node {
            calendar: Arc::clone(&calendars[*n]),
            excludes: edges[*n].iter().filter_map(|e| place.get(e).copied()).collect(),
        })
        .collect()
}

/// Exceptions in order of precedence: by form, and within a form as they come.
fn by_form(exceptions: &[LineId], lines: &Lines<'_>) -> Vec<LineId> {
    let mut order = exceptions.to_vec();
    order.sort_by_key(|id| lines.get(*id).exception.map(|(form, _)| form));
    order
}

/// The calendar of a period, its exceptions in the given order.
fn calendar(resolved: &Resolved<'_>, order: &[LineId], lines: &Lines<'_>) -> Calendar {
    let weekdays =
        resolved.weekdays.map(|line| line.map_or_else(Shape::default, |id| lines.get(id).shape.clone()));
    let exceptions = order.iter().filter_map(|id| {
        let line = lines.get(*id);
        line.exception.map(|(_, dates)| (dates, line.shape.clone()))
    });
    Calendar::new(weekdays, exceptions.collect())
}
