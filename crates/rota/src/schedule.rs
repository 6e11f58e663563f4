//! Schedules: who is on call, by role, at any instant.
//!
//! A [`Schedule`] has named [`Role`]s. A role has [`Layer`]s from the bottom up, and [`Override`]s lie over all
//! of them. The rules:
//!
//! 1. The topmost layer that has somebody wins. A layer has nobody outside of its period, in a hole of its
//!    source, or when all whom it could name are on leave.
//! 2. A person on leave is never on call. In a rotation the next member in order who is not on leave stands in;
//!    the order afterwards is what it was. With [`Layer::ahead`], members on leave are not counted.
//! 3. An override that names nobody to replace replaces all, and fills a gap. One that names somebody stands in
//!    for that person wherever the layers or an earlier override put him, also while he is on leave; elsewhere it
//!    does nothing. So a swap is two of these, and a cover can be covered.
//! 4. Of two overrides that lie over the same time, the one made last wins. One to a person who is on leave is
//!    passed over, unless that person is covered himself.
//! 5. An override without an end ends when, after its beginning, one begins that was made later and takes the
//!    same place: that of all, or of the same person.
//! 6. Shadow layers name people who are told and not asked: all such layers together, without those on call.
//!
//! Read next: `layer`, then `cover` (overrides), `leave`, `duty` (the rules above), `walk` and `shift` (from
//! change to change), `overlap`, `balance`; and `warm`, which is about speed.

mod balance;
mod cover;
mod duty;
mod layer;
mod leave;
mod overlap;
mod shift;
mod walk;
mod warm;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::period::ZonedPeriod;
use cover::Covers;
use warm::Warm;

pub use balance::Balance;
pub use cover::Override;
pub use duty::{Duty, Source};
pub use layer::{Layer, Stint, Stints, Who};
pub use leave::Leave;
pub use overlap::{Claim, Overlap};
pub use shift::{SEARCH_YEARS, Shift, Shifts};

/// Who is on call, by role. It never changes; an edit makes another.
#[derive(Clone, Debug)]
pub struct Schedule {
    zone: TimeZone,
    roles: Vec<Role>,
    overrides: Vec<Override>,
    leave: BTreeMap<Arc<str>, Leave>,
    holidays: Option<ZonedPeriod>,
    /// The overrides of each role, laid out for looking up.
    covers: Vec<Covers>,
    /// What [`Schedule::warm`] laid out.
    warm: Option<Warm>,
}

/// One thing to be on call for, such as `primary`.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its name, once in a schedule.
    pub name: Arc<str>,
    /// From the bottom up.
    pub layers: Vec<Layer>,
}

impl Schedule {
    /// A schedule of these roles. The zone is that in which nights and weekends are counted; rotations and
    /// periods have their own. Of two roles with one name the first counts.
    pub fn new(zone: TimeZone, roles: Vec<Role>) -> Self {
        let covers = roles.iter().map(|role| Covers::new(&role.name, &[])).collect();
        Schedule {
            zone,
            roles,
            overrides: Vec::new(),
            leave: BTreeMap::new(),
            holidays: None,
            covers,
            warm: None,
        }
    }

    /// The same with these overrides instead of those before, in the order in which they were made. An override
    /// of a role that is not there does nothing.
    #[must_use]
    pub fn with_overrides(mut self, overrides: Vec<Override>) -> Self {
        self.covers = self.roles.iter().map(|role| Covers::new(&role.name, &overrides)).collect();
        self.overrides = overrides;
        self.warm = None;
        self
    }

    /// The same with this leave, by person, instead of that before.
    #[must_use]
    pub fn with_leave(mut self, leave: BTreeMap<Arc<str>, Leave>) -> Self {
        self.leave = leave;
        self.warm = None;
        self
    }

    /// The same with a period of holidays, which only [balance](Self::balance) asks for.
    #[must_use]
    pub fn with_holidays(mut self, holidays: ZonedPeriod) -> Self {
        self.holidays = Some(holidays);
        self
    }

    /// The zone in which nights and weekends are counted.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The roles.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// The overrides, in the order in which they were made; [`Source::Override`] counts here.
    pub fn overrides(&self) -> &[Override] {
        &self.overrides
    }

    /// When people are away.
    pub fn leave(&self) -> &BTreeMap<Arc<str>, Leave> {
        &self.leave
    }

    /// The period of holidays.
    pub fn holidays(&self) -> Option<&ZonedPeriod> {
        self.holidays.as_ref()
    }

    /// Who is on call for a role at an instant. Nobody is for a role that is not there.
    pub fn on_call(&self, at: Timestamp, role: &str) -> Duty {
        let Some(role) = self.role(role) else {
            return Duty::default();
        };
        if let Some(duty) = self.warm.as_ref().and_then(|warm| warm.look_up(role, at)) {
            return duty.clone();
        }
        let layers = &self.roles[role].layers;
        duty::decide(self, role, at, |layer| layers[layer].named(at))
    }

    /// The place of a role.
    fn role(&self, name: &str) -> Option<usize> {
        self.roles.iter().position(|role| *role.name == *name)
    }
}
