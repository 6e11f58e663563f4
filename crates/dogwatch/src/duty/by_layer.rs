//! What each layer says by itself, whether it wins or not: for pictures.

use std::sync::Arc;

use jiff::Timestamp;
use rota::schedule::{Layer, Role, Schedule, Shift};

use super::Roster;

/// One layer of a role, by itself.
#[derive(Clone, Debug)]
pub struct LayerShifts {
    /// What people call it.
    pub name: Arc<str>,
    /// Whether its people are only told.
    pub is_shadow: bool,
    /// Whom it names, leave taken into account, where it names anybody.
    pub shifts: Vec<Shift>,
}

impl Roster {
    /// What each layer of a role says between two instants, from the bottom up, overrides apart. A layer that
    /// is no more lies at the bottom.
    pub fn by_layer(&self, from: Timestamp, to: Timestamp, role: &str) -> Vec<LayerShifts> {
        let mut all: Vec<LayerShifts> = layers(self.schedule(), role)
            .map(|layer| LayerShifts {
                name: layer.name.clone(),
                is_shadow: layer.shadow,
                shifts: Vec::new(),
            })
            .collect();
        let mut at = from;
        while at < to {
            let (_, edition, until) = self.edition(at);
            let schedule = &edition.roster;
            let end = until.min(to);
            for layer in layers(schedule, role) {
                let place = all.iter().position(|known| known.name == layer.name).unwrap_or_else(|| {
                    let (name, is_shadow) = (layer.name.clone(), layer.shadow);
                    all.insert(0, LayerShifts { name, is_shadow, shifts: Vec::new() });
                    0
                });
                add(&mut all[place].shifts, alone(schedule, layer, role, at, end));
            }
            at = end;
        }
        all
    }
}

fn layers<'a>(schedule: &'a Schedule, role: &str) -> impl Iterator<Item = &'a Layer> {
    let role = schedule.roles().iter().find(|known| *known.name == *role);
    role.into_iter().flat_map(|role| &role.layers)
}

fn alone(schedule: &Schedule, layer: &Layer, role: &str, from: Timestamp, to: Timestamp) -> Vec<Shift> {
    let layers = vec![Layer { shadow: false, ..layer.clone() }];
    let only = Schedule::new(schedule.zone().clone(), vec![Role { name: role.into(), layers }]);
    let only = only.with_leave(schedule.leave().clone());
    only.shifts(from, to, role).filter(|shift| !shift.duty.people.is_empty()).collect()
}

fn add(shifts: &mut Vec<Shift>, more: Vec<Shift>) {
    for shift in more {
        match shifts.last_mut() {
            Some(last) if last.until == Some(shift.from) && last.duty == shift.duty => {
                last.until = shift.until
            }
            _ => shifts.push(shift),
        }
    }
}
