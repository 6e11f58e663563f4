//! Overlaps: where somebody was put on duty and somebody else hides it.

use std::sync::Arc;

use jiff::Timestamp;

use super::cover::takes_its_place;
use super::duty::Acting;
use super::walk::Walk;
use super::{Schedule, Source};
use crate::rotation::People;

/// Time during which one source hides another that names other people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub until: Timestamp,
    /// What counts.
    pub wins: Claim,
    /// What would, if the other were not there.
    pub hidden: Claim,
}

/// Whom one source puts on duty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The layer or override.
    pub source: Source,
    /// Its people, those on leave apart.
    pub people: People,
}

impl Schedule {
    /// The overlaps of a role between two instants, by their beginning, cut at `from` and `to`:
    ///
    /// - of two layers that are limited to a period (what lies under a layer without one is meant to be hidden),
    ///   the topmost wins over each of the others;
    /// - of two overrides that take the same place, the one made last.
    ///
    /// Two that name the same people do not overlap. None for a role that is not there.
    pub fn overlaps(&self, from: Timestamp, to: Timestamp, role: &str) -> Vec<Overlap> {
        let Some(role) = self.role(role) else { return Vec::new() };
        let mut walk = Walk::new(self, role, from, to);
        let mut overlaps: Vec<Overlap> = Vec::new();
        // Those that still went on when the step began; they are at the end of no particular order.
        let mut open: Vec<usize> = Vec::new();
        while let Some((from, until)) = walk.advance() {
            let mut still_open = Vec::new();
            for (wins, hidden) in
                self.hidden_layers(role, from, &walk).chain(self.hidden_overrides(role, from))
            {
                let is_it = |n: &&usize| overlaps[**n].wins == wins && overlaps[**n].hidden == hidden;
                let known = open.iter().find(is_it).copied();
                let place = known.unwrap_or(overlaps.len());
                match known {
                    Some(known) => overlaps[known].until = until,
                    None => overlaps.push(Overlap { from, until, wins, hidden }),
                }
                still_open.push(place);
            }
            open = still_open;
        }
        overlaps
    }

    fn hidden_layers<'a>(
        &'a self,
        role: usize,
        at: Timestamp,
        walk: &Walk<'a>,
    ) -> impl Iterator<Item = (Claim, Claim)> {
        let acting = Acting::without_overrides(self, at);
        let layers = self.roles[role].layers.iter().zip(walk.layers()).enumerate().rev();
        let limited = layers.filter(|(_, (layer, _))| layer.within.is_some() && !layer.shadow);
        let claims = limited.filter_map(|(place, (_, stretch))| {
            let (people, source) = acting.answer(stretch.named?, Source::Layer(place))?;
            Some(Claim { source, people })
        });
        let mut claims = claims.collect::<Vec<_>>().into_iter();
        let first = claims.next();
        claims.filter_map(move |hidden| Some((first.clone()?, hidden))).filter(differ)
    }

    fn hidden_overrides(&self, role: usize, at: Timestamp) -> impl Iterator<Item = (Claim, Claim)> {
        let acting = Acting::without_overrides(self, at);
        let active = self.covers[role].active(at).iter();
        let present: Vec<usize> = active
            .copied()
            .filter(|place| acting.acts_for(&self.overrides[*place].person).is_some())
            .collect();
        let claim = |place: usize| Claim {
            source: Source::Override(place),
            people: People::from([Arc::clone(&self.overrides[place].person)]),
        };
        let pairs = present.iter().enumerate().filter_map(|(n, &hidden)| {
            let hides = |later: &&usize| takes_its_place(&self.overrides[**later], &self.overrides[hidden]);
            let wins = present[n + 1..].iter().rev().find(hides)?;
            Some((claim(*wins), claim(hidden)))
        });
        pairs.filter(differ).collect::<Vec<_>>().into_iter()
    }
}

fn differ((one, other): &(Claim, Claim)) -> bool {
    one.people != other.people
}
