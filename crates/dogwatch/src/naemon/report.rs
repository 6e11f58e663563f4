//! What an administrator has to know before signing it off.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use rota::diagnostic::{Files, Span};

/// What became of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sort {
    /// It is there.
    Carried,
    /// It is there in another way.
    Changed,
    /// There is nothing like it.
    Left,
}

impl Sort {
    const ALL: [Self; 3] = [Self::Changed, Self::Left, Self::Carried];

    const fn heading(self) -> &'static str {
        match self {
            Self::Carried => "CARRIED OVER",
            Self::Changed => "CHANGED, AND WHY",
            Self::Left => "NO COUNTERPART",
        }
    }
}

/// One line of the report.
#[derive(Clone, Debug)]
pub struct Note {
    /// What became of it.
    pub sort: Sort,
    /// In a sentence.
    pub text: String,
    /// Where it stands.
    pub place: Option<Span>,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The lines, in the order in which they were found.
    pub notes: Vec<Note>,
    known: HashSet<(Sort, String)>,
}

impl Report {
    /// Notes something. The same is not noted twice.
    pub(super) fn note(&mut self, sort: Sort, place: Option<Span>, text: impl Into<String>) {
        let text = text.into();
        if self.known.insert((sort, text.clone())) {
            self.notes.push(Note { sort, text, place });
        }
    }

    /// For a terminal or a printer: what needs a decision first. `routes` says which team answers for what.
    pub fn show(&self, files: &Files, routes: &[(String, String)]) -> String {
        let mut out = String::new();
        for sort in Sort::ALL {
            let notes: Vec<&Note> = self.notes.iter().filter(|note| note.sort == sort).collect();
            let _ = writeln!(out, "{} ({})", sort.heading(), notes.len());
            for note in notes {
                let place = note.place.map(|span| files.place(span));
                let place = place.map(|at| format!("{}:{}: ", at.file, at.line)).unwrap_or_default();
                let _ = writeln!(out, "  {place}{}", note.text);
            }
            out.push('\n');
        }
        let _ = writeln!(out, "WHICH TEAM ANSWERS FOR WHAT ({})", routes.len());
        let mut teams: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (object, team) in routes {
            teams.entry(team).or_default().push(object);
        }
        for (team, own) in teams {
            let _ = writeln!(out, "  {team}: {}", own.join(", "));
        }
        out
    }
}
