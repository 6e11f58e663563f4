//! The hours of one day: sorted, merged ranges on the wall clock.
//!
//! A shape knows neither which days it belongs to nor that a clock may jump.
//!
//! Read next: [`mod@super::calendar`], which gives every day its shape.

use super::day::DAY_SECONDS;

/// Seconds since the midnight that the clock shows; `86_400` is the end of the day.
pub(crate) type SecondOfDay = u32;

const FULL: SecondOfDay = DAY_SECONDS as SecondOfDay;

/// A set of times of day: ranges `start..end` in order, apart from one another, none empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Shape(Box<[(SecondOfDay, SecondOfDay)]>);

impl Shape {
    /// The union of some ranges; empty ones count for nothing.
    pub(crate) fn new(ranges: impl IntoIterator<Item = (SecondOfDay, SecondOfDay)>) -> Self {
        let mut ranges: Vec<_> = ranges.into_iter().filter(|(s, e)| s < e).collect();
        ranges.sort_unstable();
        let mut merged: Vec<(SecondOfDay, SecondOfDay)> = Vec::with_capacity(ranges.len());
        for (start, end) in ranges {
            match merged.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => merged.push((start, end)),
            }
        }
        Shape(merged.into())
    }

    pub(crate) fn ranges(&self) -> &[(SecondOfDay, SecondOfDay)] {
        &self.0
    }

    pub(crate) fn contains(&self, second: SecondOfDay) -> bool {
        self.0.iter().any(|&(s, e)| s <= second && second < e)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        *self.0 == [(0, FULL)]
    }

    /// What is in this shape and not in the other.
    pub(crate) fn minus(&self, other: &Shape) -> Shape {
        let mut left = Vec::new();
        for &(start, end) in &self.0 {
            let mut from = start;
            for &(s, e) in other.0.iter().filter(|&&(s, e)| s < end && e > start) {
                left.push((from, s.max(from)));
                from = from.max(e);
            }
            left.push((from, end.max(from)));
        }
        Shape::new(left)
    }

    /// Bytes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.0)
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, &(start, end)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let clock = |s: SecondOfDay| (s / 3600, s / 60 % 60);
            let ((h, m), (h2, m2)) = (clock(start), clock(end));
            write!(f, "{comma}{h:02}:{m:02}-{h2:02}:{m2:02}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_sorted_and_merged() {
        let shape = Shape::new([(50, 60), (10, 20), (20, 30), (12, 15), (7, 7)]);
        assert_eq!(shape.ranges(), [(10, 30), (50, 60)]);
    }

    #[test]
    fn a_difference_keeps_what_the_other_leaves() {
        let day = Shape::new([(0, FULL)]);
        let part = Shape::new([(100, 200), (300, 400)]);
        let rest = day.minus(&part);
        assert_eq!(rest.ranges(), [(0, 100), (200, 300), (400, FULL)]);
        assert!(part.minus(&day).is_empty());
        assert_eq!(part.minus(&Shape::default()), part);
    }
}
