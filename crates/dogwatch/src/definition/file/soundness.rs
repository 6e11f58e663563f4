//! Which periods can be put to use: those without an error, in themselves or in what they build on.
//!
//! An error belongs to the definition that begins last before it. A period is compiled from what
//! remains when a line of it cannot be read, and would answer as if that line were not there.

use std::collections::HashSet;

use rota::diagnostic::{FileId, Problem, Span, Spanned};
use rota::period::Definition;

/// Places at which definitions begin, and the names of the periods that are not sound.
#[derive(Debug, Default)]
pub(super) struct Soundness {
    begins: Vec<(FileId, u32)>,
    broken: HashSet<(FileId, u32)>,
    unsound: HashSet<String>,
}

impl Soundness {
    /// A definition begins here.
    pub(super) fn begins(&mut self, at: Option<Span>) {
        self.begins.extend(at.map(|span| (span.file, span.start)));
    }

    /// These problems belong to the definition that begins at `at`, wherever they are shown.
    pub(super) fn adds(&mut self, problems: &[Problem], at: Span) {
        if problems.iter().any(Problem::is_error) {
            self.broken.insert((at.file, at.start));
        }
    }

    /// Works out which periods are sound, once all problems are known.
    pub(super) fn decide(&mut self, definitions: &[Definition], problems: &[Problem]) {
        self.begins.sort_unstable();
        for span in problems.iter().filter(|problem| problem.is_error()).filter_map(|problem| problem.span) {
            let at = (span.file, span.start);
            let owner = self.begins.partition_point(|begin| *begin <= at);
            let owner = owner.checked_sub(1).and_then(|index| self.begins.get(index));
            self.broken.extend(owner.filter(|owner| owner.0 == span.file));
        }
        let mut sound: Vec<bool> = definitions
            .iter()
            .map(|definition| {
                let place = definition.place.span.map(|span| (span.file, span.start));
                place.is_none_or(|place| !self.broken.contains(&place))
            })
            .collect();
        // Whoever uses or excludes what is unsound is unsound; this goes on until nothing changes.
        loop {
            let names = |name: fn(&Definition) -> Option<&Spanned<String>>| -> HashSet<&str> {
                let unsound = definitions.iter().zip(&sound).filter(|(_, sound)| !**sound);
                unsound.filter_map(|(definition, _)| Some(name(definition)?.value.as_str())).collect()
            };
            let templates = names(|definition| definition.template.as_ref());
            let periods = names(|definition| definition.name.as_ref());
            let builds_on = |definition: &Definition| {
                definition.uses.iter().any(|name| templates.contains(name.value.as_str()))
                    || definition.exclude.iter().any(|name| periods.contains(name.value.as_str()))
            };
            let next: Vec<bool> =
                definitions.iter().zip(&sound).map(|(d, sound)| *sound && !builds_on(d)).collect();
            if next == sound {
                self.unsound = periods.into_iter().map(str::to_owned).collect();
                return;
            }
            sound = next;
        }
    }

    /// Whether a period can be put to use.
    pub(super) fn is_sound(&self, name: &str) -> bool {
        !self.unsound.contains(name)
    }
}
