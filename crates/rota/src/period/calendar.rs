//! The calendar of one period by itself: which hours each civil day has.
//!
//! Precedence lives here: the first matching exception replaces everything else for its day, and
//! the weekday is what remains. Zones and the periods that are excluded are not known here.
//!
//! Read next: [`super::civil`], which takes excluded periods away.

use super::dates::Dates;
use super::day::{self, Day};
use super::shape::{SecondOfDay, Shape};

/// More exceptions than this in one period are refused, which bounds memory and searching.
pub(crate) const MAX_EXCEPTIONS: usize = 4_096;

/// Days and the hours that they have instead of their weekday's.
#[derive(Clone, Debug)]
pub(crate) struct Exception {
    pub(crate) dates: Dates,
    /// Index among the shapes of the calendar.
    shape: u16,
}

/// What decides the hours of a day: 0 to 6 for a weekday, 7 and up for an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source(u16);

impl Source {
    /// The index of the deciding exception, in order of precedence.
    pub(crate) fn exception(self) -> Option<usize> {
        (self.0 as usize).checked_sub(7)
    }
}

/// The hours of every civil day.
#[derive(Clone, Debug)]
pub(crate) struct Calendar {
    weekdays: [u16; 7],
    /// In order of precedence.
    exceptions: Box<[Exception]>,
    /// Shape 0 is empty.
    shapes: Box<[Shape]>,
}

impl Calendar {
    /// `exceptions` come in order of precedence, at most [`MAX_EXCEPTIONS`] of them count.
    pub(crate) fn new(weekdays: [Shape; 7], exceptions: Vec<(Dates, Shape)>) -> Self {
        let mut shapes = vec![Shape::default()];
        let mut seen = std::collections::HashMap::from([(Shape::default(), 0)]);
        let mut intern = |shape: Shape| {
            *seen.entry(shape).or_insert_with_key(|shape| {
                shapes.push(shape.clone());
                // At most MAX_EXCEPTIONS + 8 shapes.
                (shapes.len() - 1) as u16
            })
        };
        let weekdays = weekdays.map(&mut intern);
        let exceptions = exceptions
            .into_iter()
            .take(MAX_EXCEPTIONS)
            .map(|(dates, shape)| Exception { dates, shape: intern(shape) })
            .collect();
        Calendar { weekdays, exceptions, shapes: shapes.into() }
    }

    /// Whether the wall clock reading `second` of `day` is in.
    pub(crate) fn contains(&self, day: Day, second: SecondOfDay) -> bool {
        self.shape(self.source(day)).contains(second)
    }

    /// What decides the hours of `day`.
    pub(crate) fn source(&self, day: Day) -> Source {
        let exception = self.exceptions.iter().position(|e| e.dates.contains(day));
        exception.map_or(weekday_source(day), exception_source)
    }

    /// What decides the hours of each day of `from..to`.
    pub(crate) fn sources(&self, from: Day, to: Day) -> Vec<Source> {
        let mut sources: Vec<Source> = (from..to).map(weekday_source).collect();
        // Painted from the weakest to the strongest, so that the first in precedence stays.
        for (index, exception) in self.exceptions.iter().enumerate().rev() {
            exception.dates.runs_within(from, to, |run| {
                for day in run.days_within(from, to) {
                    if let Some(source) = sources.get_mut((day - from) as usize) {
                        *source = exception_source(index);
                    }
                }
            });
        }
        sources
    }

    /// The hours that a source gives.
    pub(crate) fn shape(&self, source: Source) -> &Shape {
        let index = match source.exception() {
            None => self.weekdays[source.0 as usize],
            Some(index) => self.exceptions[index].shape,
        };
        &self.shapes[index as usize]
    }

    /// The hours of `day`, and a day until which (exclusive) every day surely has the same.
    pub(crate) fn steady(&self, day: Day) -> (&Shape, Day) {
        let mut until = Day::MAX;
        for (index, exception) in self.exceptions.iter().enumerate() {
            let (here, steady_until) = exception.dates.steady(day);
            until = until.min(steady_until);
            if here {
                return (self.shape(exception_source(index)), until);
            }
        }
        let today = day::weekday(day) as usize;
        if self.weekdays.iter().any(|&s| s != self.weekdays[0]) {
            let same = (1..7).find(|n| self.weekdays[(today + n) % 7] != self.weekdays[today]);
            until = until.min(day.saturating_add(same.unwrap_or(1) as Day));
        }
        (self.shape(weekday_source(day)), until)
    }

    pub(crate) fn exceptions(&self) -> &[Exception] {
        &self.exceptions
    }

    /// The shapes in use.
    pub(crate) fn shapes(&self) -> &[Shape] {
        &self.shapes
    }

    /// Bytes of memory, this value included.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>()
            + size_of_val(&*self.exceptions)
            + size_of_val(&*self.shapes)
            + self.shapes.iter().map(Shape::heap_bytes).sum::<usize>()
    }
}

fn weekday_source(day: Day) -> Source {
    Source(u16::from(day::weekday(day)))
}

fn exception_source(index: usize) -> Source {
    // Below MAX_EXCEPTIONS + 7.
    Source((index + 7) as u16)
}
