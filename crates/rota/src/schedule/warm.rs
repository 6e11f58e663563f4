//! The duties of a stretch of time, laid out for looking up. This is about speed only.

use jiff::{SignedDuration, Timestamp};

use super::walk::Walk;
use super::{Duty, Schedule};

/// The duties of every role from one instant to another.
#[derive(Clone, Debug)]
pub(super) struct Warm {
    from: Timestamp,
    to: Timestamp,
    roles: Vec<Table>,
}

/// The duties of one role.
#[derive(Clone, Debug, Default)]
struct Table {
    /// The stretches of time that have one duty each, in order.
    stretches: Box<[Stretch]>,
    /// The time in equal parts, and for each of them the stretch in which it begins: it leads near the stretch
    /// of any instant, so that a look-up costs the same however many there are.
    parts: Box<[u32]>,
    /// The length of a part in seconds.
    part: i64,
    /// The duties that there are, each once.
    duties: Box<[Duty]>,
}

#[derive(Clone, Copy, Debug)]
struct Stretch {
    begin: Timestamp,
    /// Which duty it has.
    duty: u32,
}

impl Schedule {
    /// Lays out who is on call from one instant to another, so that [`Self::on_call`] answers at once there. The
    /// answers are the same. What was laid out before is given up.
    pub fn warm(&mut self, from: Timestamp, to: Timestamp) {
        let roles =
            (0..self.roles.len()).map(|role| Table::new(Walk::new(self, role, from, to), from, to)).collect();
        self.warm = Some(Warm { from, to, roles });
    }
}

impl Warm {
    /// The duty of a role (by its place) at an instant, if it was laid out.
    pub(super) fn look_up(&self, role: usize, at: Timestamp) -> Option<&Duty> {
        if at < self.from || at >= self.to {
            return None;
        }
        self.roles.get(role)?.look_up(at, self.from)
    }
}

impl Table {
    fn new(walk: Walk<'_>, from: Timestamp, to: Timestamp) -> Self {
        let mut stretches: Vec<Stretch> = Vec::new();
        let mut duties: Vec<Duty> = Vec::new();
        for step in walk {
            let known = duties.iter().position(|duty| *duty == step.duty);
            let place = known.unwrap_or(duties.len());
            if known.is_none() {
                duties.push(step.duty);
            }
            // There is no memory for more than 2^32 of them.
            let duty = place as u32;
            if stretches.last().is_none_or(|last| last.duty != duty) {
                stretches.push(Stretch { begin: step.from, duty });
            }
        }
        let seconds = from.duration_until(to).as_secs().max(0);
        let part = seconds / (stretches.len() as i64 + 1) + 1;
        let mut begun = 0;
        let parts = (0..=seconds / part).map(|n| {
            let begin = from.saturating_add(SignedDuration::from_secs(n * part)).unwrap_or(to);
            while stretches.get(begun + 1).is_some_and(|next| next.begin <= begin) {
                begun += 1;
            }
            begun as u32
        });
        let parts = parts.collect();
        Table { stretches: stretches.into(), parts, part, duties: duties.into() }
    }

    /// The duty at an instant of the time that was laid out, which begins at `from`.
    fn look_up(&self, at: Timestamp, from: Timestamp) -> Option<&Duty> {
        let part = from.duration_until(at).as_secs() / self.part;
        let begun = *self.parts.get(usize::try_from(part).ok()?)? as usize;
        let last = self.stretches.get(begun..)?.iter().take_while(|stretch| stretch.begin <= at).last()?;
        self.duties.get(last.duty as usize)
    }
}
