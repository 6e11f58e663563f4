//! Names of periods that Naemon allows and we do not: each gets another, wherever it stands.

use std::collections::{BTreeMap, BTreeSet};

use rota::period::Definition;
use rota::syntax::Document;

use super::level::{Alike, Level, Part};
use super::report::{Report, Sort};
use super::site::Site;

/// Names of periods that are not allowed here, with those that they have instead.
pub(super) struct PeriodNames(BTreeMap<String, String>);

impl PeriodNames {
    pub(super) fn of(document: &Document, report: &mut Report) -> Self {
        let named = document.definitions.iter().filter_map(|one| one.name.as_ref());
        let taken: BTreeSet<&str> = named.clone().map(|name| name.value.as_str()).collect();
        let mut ours: BTreeMap<String, String> = BTreeMap::new();
        for name in named {
            let theirs = &name.value;
            if !theirs.contains('/') && theirs.chars().count() <= 64 {
                continue;
            }
            let plain: String = theirs.replace('/', "-").chars().take(60).collect();
            let mut number = 1_u32;
            let mut given = plain.clone();
            while taken.contains(given.as_str()) || ours.values().any(|other| *other == given) {
                number += 1;
                given = format!("{plain}-{number}");
            }
            report.note(Sort::Changed, name.span, format!("timeperiod \"{theirs}\" is period \"{given}\""));
            ours.insert(theirs.clone(), given);
        }
        Self(ours)
    }

    pub(super) fn ours(&self, theirs: &str) -> String {
        self.0.get(theirs).cloned().unwrap_or_else(|| theirs.to_owned())
    }

    pub(super) fn in_definition(&self, mut definition: Definition) -> Definition {
        for name in definition.name.iter_mut().chain(&mut definition.exclude) {
            name.value = self.ours(&name.value);
        }
        definition
    }

    pub(super) fn in_site(&self, site: &Site) -> Site {
        let mut site = site.clone();
        for period in site.contacts.values_mut().flat_map(|contact| contact.periods.iter_mut().flatten()) {
            *period = self.ours(period);
        }
        site
    }

    pub(super) fn in_levels(&self, alike: &[Alike]) -> Vec<Alike> {
        let part = |part: &Part| Part {
            within: part.within.as_ref().map(|period| self.ours(period)),
            outside: part.outside.iter().map(|period| self.ours(period)).collect(),
            ..part.clone()
        };
        let level = |level: &Level| Level { parts: level.parts.iter().map(part).collect(), ..level.clone() };
        let one = |one: &Alike| Alike {
            period: one.period.as_ref().map(|period| self.ours(period)),
            levels: one.levels.iter().map(level).collect(),
            ..one.clone()
        };
        alike.iter().map(one).collect()
    }
}
