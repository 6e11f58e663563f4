//! The answers of a stretch of time, laid out for looking up.
//!
//! A window holds the instants at which a period in a zone begins and ends, and a table that leads
//! from an instant to the first such edge near it, so that a look-up costs the same however many
//! edges there are. It knows nothing of days; it is filled by [`super::zoned`].

/// No window holds more edges than this (at 4 bytes each); a window ends earlier instead.
pub(crate) const MAX_EDGES: usize = 1 << 16;

/// No window is longer than this, in seconds: offsets within it are 32 bits wide.
pub(crate) const MAX_SECONDS: i64 = 1 << 31;

/// Seconds in the smallest bucket, as a power of two; about an hour.
const SMALLEST_BUCKET: u32 = 12;

/// Whether an instant is in, and the first instant after it at which that changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) inside: bool,
    /// The end of the window when nothing changes before it.
    pub(crate) changes: i64,
}

/// Edges from `start` to `end`, in seconds since 1970.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    start: i64,
    end: i64,
    /// Offsets of edges, in order, then `u32::MAX` so that a scan always stops.
    edges: Box<[u32]>,
    /// For each bucket, how many edges come before it.
    buckets: Box<[u32]>,
    bucket_bits: u32,
    /// Whether `start` itself is in; every edge turns this over.
    inside_at_start: bool,
}

impl Window {
    /// A window from intervals that lie within it, in order and apart from one another.
    pub(crate) fn new(start: i64, end: i64, intervals: &[(i64, i64)]) -> Self {
        let end = end.clamp(start, start.saturating_add(MAX_SECONDS));
        let inside_at_start = intervals.first().is_some_and(|first| first.0 <= start);
        let mut edges: Vec<u32> = intervals
            .iter()
            .flat_map(|&(s, e)| [s, e])
            .filter(|&edge| edge > start && edge < end)
            .filter_map(|edge| u32::try_from(edge - start).ok())
            .collect();
        let length = (end - start) as u64;
        let mut bucket_bits = SMALLEST_BUCKET;
        while (length >> bucket_bits) > 4 * edges.len() as u64 + 64 {
            bucket_bits += 1;
        }
        let mut before = 0;
        let buckets = (0..=length >> bucket_bits)
            .map(|bucket| {
                let bucket_start = bucket << bucket_bits;
                while edges.get(before).is_some_and(|&e| u64::from(e) <= bucket_start) {
                    before += 1;
                }
                // Fewer than MAX_EDGES, or as many as the caller gave: far below 2^32.
                before as u32
            })
            .collect();
        edges.push(u32::MAX);
        Window { start, end, edges: edges.into(), buckets, bucket_bits, inside_at_start }
    }

    /// The answer for a second, if the window reaches there.
    #[inline]
    pub(crate) fn look_up(&self, second: i64) -> Option<Answer> {
        if second < self.start || second >= self.end {
            return None;
        }
        // Within MAX_SECONDS of the start.
        let offset = (second - self.start) as u32;
        let mut index = *self.buckets.get((offset >> self.bucket_bits) as usize)? as usize;
        let mut edge = *self.edges.get(index)?;
        while edge <= offset {
            index += 1;
            edge = *self.edges.get(index)?;
        }
        let changes = if edge == u32::MAX { self.end } else { self.start + i64::from(edge) };
        Some(Answer { inside: self.inside_at_start ^ (index & 1 == 1), changes })
    }

    pub(crate) fn end(&self) -> i64 {
        self.end
    }

    /// Bytes of memory, this value included.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.edges) + size_of_val(&*self.buckets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_up_agrees_with_the_intervals() {
        let intervals = [(100, 7_000), (7_001, 7_002), (90_000, 200_000)];
        for (start, end) in [(0, 150_000), (100, 90_000), (5_000, 300_000)] {
            let clipped: Vec<_> = intervals
                .iter()
                .map(|&(s, e): &(i64, i64)| (s.max(start), e.min(end)))
                .filter(|(s, e)| s < e)
                .collect();
            let window = Window::new(start, end, &clipped);
            for second in start..end {
                let inside = intervals.iter().any(|&(s, e)| s <= second && second < e);
                let edges = intervals.iter().flat_map(|&(s, e)| [s, e]);
                let changes = edges.filter(|&e| e > second && e < end).min();
                let expected = Answer { inside, changes: changes.unwrap_or(end) };
                assert_eq!(window.look_up(second), Some(expected), "at {second}");
            }
            assert_eq!(window.look_up(start - 1), None);
            assert_eq!(window.look_up(end), None);
        }
    }
}
