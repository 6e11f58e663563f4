//! Which part of a schedule is looked at, and in which zone: what the address of its page says.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::{Viewer, url};
use crate::http::App;

/// What is looked at.
#[derive(Clone, Debug)]
pub(super) struct View {
    /// A month, not a week.
    pub(super) is_month: bool,
    /// The Monday of the week, or the first of the month.
    pub(super) first: Date,
    /// The zone of all times on the page.
    pub(super) zone: TimeZone,
    /// Its name.
    pub(super) zone_name: String,
    /// What is wrong with the address.
    pub(super) problem: Option<String>,
    /// Whether the address names a day; else it is about now.
    is_named: bool,
}

impl View {
    /// Reads the query of an address. Without one: this week, in the viewer's own zone, or the schedule's.
    pub(super) fn read(query: &str, viewer: &Viewer, app: &App, own: &TimeZone, now: Timestamp) -> Self {
        let mut problem = None;
        let usual = if viewer.0.person.is_some() {
            viewer.zone(app)
        } else {
            own.iana_name().unwrap_or("UTC").to_owned()
        };
        let named = url::form_value(query, "zone").filter(|name| !name.trim().is_empty());
        let mut zone_name = named.map_or_else(|| usual.clone(), |name| name.trim().to_owned());
        let zone = rota::zone::find(&zone_name).unwrap_or_else(|error| {
            problem =
                Some(format!("{}.", crate::message::sentence(&error.to_string()).trim_end_matches('.')));
            zone_name = usual;
            rota::zone::find(&zone_name).unwrap_or(TimeZone::UTC)
        });
        let is_month = url::form_value(query, "view").is_some_and(|view| view == "month");
        let from = url::form_value(query, "from").filter(|from| !from.is_empty());
        let day = from.as_ref().map(|from| from.parse::<Date>().ok().filter(is_drawable));
        if day == Some(None) {
            problem = Some("There is no such day; write one such as 2026-12-24.".to_owned());
        }
        let named = day.flatten();
        let day = named.unwrap_or_else(|| rota::zone::date(now, &zone));
        let first = if is_month { day.first_of_month() } else { monday(day) };
        Self { is_month, first, zone, zone_name, problem, is_named: named.is_some() }
    }

    /// The days of each strip: where it begins; each has seven.
    pub(super) fn strips(&self) -> Vec<Date> {
        if !self.is_month {
            return vec![self.first];
        }
        let end = self.first.last_of_month();
        monday(self.first).series(Span::new().days(7)).take_while(|day| *day <= end).collect()
    }

    /// The first instant, and the first one after.
    pub(super) fn bounds(&self) -> (Timestamp, Timestamp) {
        let strips = self.strips();
        let after = |day: &Date| day.saturating_add(Span::new().days(7));
        let end = strips.last().map_or(self.first, after);
        (
            rota::zone::midnight(strips.first().copied().unwrap_or(self.first), &self.zone),
            rota::zone::midnight(end, &self.zone),
        )
    }

    /// The same without what a month's first and last strip show of other months.
    pub(super) fn proper(&self) -> (Timestamp, Timestamp) {
        if !self.is_month {
            return self.bounds();
        }
        let next = self.first.saturating_add(Span::new().months(1));
        (rota::zone::midnight(self.first, &self.zone), rota::zone::midnight(next, &self.zone))
    }

    /// What is looked at, in words.
    pub(super) fn title(&self) -> String {
        let last = self.first.saturating_add(Span::new().days(6));
        if self.is_month {
            self.first.strftime("%B %Y").to_string()
        } else {
            format!("{} – {}", self.first.strftime("%-d %b"), last.strftime("%-d %b %Y"))
        }
    }

    fn step(&self, direction: i8) -> Date {
        let direction = i64::from(direction);
        let step =
            if self.is_month { Span::new().months(direction) } else { Span::new().days(7 * direction) };
        self.first.saturating_add(step)
    }

    fn query_of(&self, is_month: bool, from: Option<Date>, zone: &str) -> String {
        let from = from.map(|day| day.to_string());
        let view = ("view", if is_month { "month" } else { "week" });
        url::query(
            [Some(view), from.as_deref().map(|day| ("from", day)), Some(("zone", zone))]
                .into_iter()
                .flatten(),
        )
    }

    fn named(&self) -> Option<Date> {
        self.is_named.then_some(self.first)
    }

    /// The query that leads here.
    pub(super) fn query(&self) -> String {
        self.query_of(self.is_month, self.named(), &self.zone_name)
    }

    /// The query that leads to the time before.
    pub(super) fn before(&self) -> String {
        self.query_of(self.is_month, Some(self.step(-1)), &self.zone_name)
    }

    /// The query that leads to the time after.
    pub(super) fn after(&self) -> String {
        self.query_of(self.is_month, Some(self.step(1)), &self.zone_name)
    }

    /// The query that leads to now.
    pub(super) fn today(&self) -> String {
        self.query_of(self.is_month, None, &self.zone_name)
    }

    /// The query that leads to a week, or to a month.
    pub(super) fn as_month(&self, is_month: bool) -> String {
        self.query_of(is_month, self.named(), &self.zone_name)
    }

    /// The query that shows the same in another zone.
    pub(super) fn in_zone(&self, zone: &str) -> String {
        self.query_of(self.is_month, self.named(), zone)
    }

    /// The day that the address names.
    pub(super) fn from(&self) -> String {
        self.named().map(|day| day.to_string()).unwrap_or_default()
    }
}

fn monday(day: Date) -> Date {
    let since = day.weekday().since(Weekday::Monday);
    day.saturating_sub(Span::new().days(i64::from(since)))
}

/// Far from the ends of the calendar, so that a month before and after can be shown.
fn is_drawable(day: &Date) -> bool {
    (1970..=9000).contains(&day.year())
}
