//! Chance from a seed: the same seed and the same questions, the same answers.

/// A stream of chance.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// A stream of its own for each purpose: what is drawn for one does not shift another.
    pub(super) fn of(seed: u64, purpose: &str, which: u64) -> Self {
        let mut dice = Self(seed ^ 0x9e37_79b9_7f4a_7c15);
        for byte in purpose.bytes() {
            dice.0 = dice.next() ^ u64::from(byte);
        }
        dice.0 = dice.next() ^ which;
        dice.next();
        dice
    }

    /// The next 64 bits: SplitMix64.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `most`; 0 when that is 0.
    pub(super) fn below(&mut self, most: u64) -> u64 {
        self.next() % most.max(1)
    }

    /// A number of the range, both ends included.
    pub(super) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most.saturating_sub(least) + 1)
    }

    /// Yes in one of `times` cases.
    pub(super) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// Yes in `part` of ten thousand cases.
    pub(super) fn happens(&mut self, part: u32) -> bool {
        part > 0 && self.below(10_000) < u64::from(part)
    }

    /// A number of the range, small ones as likely as large ones: each doubling has the same chance.
    pub(super) fn spread(&mut self, least: u64, most: u64) -> u64 {
        let least = least.max(1);
        let doublings = (most.max(least) / least).ilog2();
        let from = least << self.below(u64::from(doublings) + 1);
        self.between(from, (from * 2).min(most).max(from))
    }

    /// One of several; none of none.
    pub(super) fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let place = self.below(all.len() as u64);
        all.get(usize::try_from(place).unwrap_or_default())
    }
}
