//! The duties of a stretch of time, laid out for looking up. This is about speed only.

use jiff::Timestamp;

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
    /// When each stretch begins, in order.
    begins: Vec<Timestamp>,
    /// For each stretch, which duty it has.
    which: Vec<u32>,
    /// The duties that there are, each once.
    duties: Vec<Duty>,
}

impl Schedule {
    /// Lays out who is on call from one instant to another, so that [`Self::on_call`] answers at once there. The
    /// answers are the same. What was laid out before is given up.
    pub fn warm(&mut self, from: Timestamp, to: Timestamp) {
        let roles = (0..self.roles.len()).map(|role| Table::new(Walk::new(self, role, from, to))).collect();
        self.warm = Some(Warm { from, to, roles });
    }
}

impl Warm {
    /// The duty of a role (by its place) at an instant, if it was laid out.
    pub(super) fn look_up(&self, role: usize, at: Timestamp) -> Option<&Duty> {
        if at < self.from || at >= self.to {
            return None;
        }
        let table = self.roles.get(role)?;
        let begun = table.begins.partition_point(|begin| *begin <= at);
        let which = table.which.get(begun.checked_sub(1)?)?;
        table.duties.get(*which as usize)
    }
}

impl Table {
    fn new(walk: Walk<'_>) -> Self {
        let mut table = Table::default();
        for step in walk {
            let known = table.duties.iter().position(|duty| *duty == step.duty);
            let which = known.unwrap_or(table.duties.len());
            if known.is_none() {
                table.duties.push(step.duty);
            }
            // There are no more duties than stretches, and no memory for so many stretches.
            let which = which as u32;
            if table.which.last() != Some(&which) {
                table.begins.push(step.from);
                table.which.push(which);
            }
        }
        table.begins.shrink_to_fit();
        table.which.shrink_to_fit();
        table.duties.shrink_to_fit();
        table
    }
}
