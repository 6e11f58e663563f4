//! Where texts come from: a [`Source`] that the caller gives, and the files that files ask for.
//!
//! This crate opens nothing itself. Files are read once each, in a fixed order: directories by
//! name, and what a file includes right after that file, so a circle of includes ends where it
//! began.
//!
//! Read next: [`super::objects`].

use std::collections::HashSet;

use super::objects::{self, Include, Object};
use crate::diagnostic::{Files, MAX_TEXT_BYTES, Problem, Span};

/// Directories within directories are followed this far: a link to a parent would never end.
const MAX_DEPTH: usize = 32;

/// What a directory holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its name within the directory.
    pub name: String,
    /// Whether it is itself a directory.
    pub is_directory: bool,
}

/// Gives the texts of files.
///
/// The messages that it returns are shown to people, after the path.
pub trait Source {
    /// The text of a file.
    ///
    /// # Errors
    ///
    /// Why there is none, in a few words.
    fn read(&mut self, path: &str) -> Result<String, String>;

    /// What a directory holds, in any order.
    ///
    /// # Errors
    ///
    /// Why it cannot be said, in a few words.
    fn list(&mut self, path: &str) -> Result<Vec<Entry>, String>;

    /// One spelling for all paths that lead to the same file, so that it is read once.
    fn identity(&mut self, path: &str) -> String {
        path.to_owned()
    }
}

/// A file or a directory that somebody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root<'a> {
    /// A file, whatever its name.
    File(&'a str),
    /// All `.cfg` files in a directory and the directories in it.
    Directory(&'a str),
}

struct Wanted {
    path: String,
    is_directory: bool,
    depth: usize,
    /// The line that asks for it.
    span: Option<Span>,
}

/// Reads the roots and all that they include.
pub(crate) fn read_all(
    source: &mut dyn Source,
    roots: &[Root<'_>],
    files: &mut Files,
    problems: &mut Vec<Problem>,
) -> Vec<Object> {
    let mut objects = Vec::new();
    let mut seen = HashSet::new();
    // The last is next, so everything is pushed in reverse.
    let mut wanted: Vec<Wanted> = roots.iter().rev().map(|root| root.wanted()).collect();
    while let Some(next) = wanted.pop() {
        let identity = source.identity(&next.path);
        if !seen.insert((next.is_directory, identity)) {
            if next.span.is_some() {
                let message = format!("\"{}\" was read already, and is not read again", next.path);
                problems.push(
                    Problem::warning(next.span, message)
                        .hint("take the line away, or break the circle of includes"),
                );
            }
            continue;
        }
        if next.is_directory {
            list(source, &next, &mut wanted, problems);
            continue;
        }
        match source.read(&next.path) {
            Err(reason) => problems.push(cannot_read(&next, &reason)),
            Ok(text) if text.len() > MAX_TEXT_BYTES => {
                problems.push(cannot_read(&next, "it is larger than 64 MiB"));
            }
            Ok(text) => {
                let file = files.add(&next.path, text);
                let contents = objects::read(files, file, problems);
                objects.extend(contents.objects);
                let includes = contents.includes.into_iter().rev();
                wanted.extend(includes.map(|include| include.wanted(&next)));
            }
        }
    }
    objects
}

fn list(source: &mut dyn Source, directory: &Wanted, wanted: &mut Vec<Wanted>, problems: &mut Vec<Problem>) {
    if directory.depth >= MAX_DEPTH {
        problems.push(cannot_read(directory, "directories are nested too deep"));
        return;
    }
    let mut entries = match source.list(&directory.path) {
        Ok(entries) => entries,
        Err(reason) => {
            problems.push(cannot_read(directory, &reason));
            return;
        }
    };
    entries.sort();
    entries
        .retain(|entry| !entry.name.starts_with('.') && (entry.is_directory || entry.name.ends_with(".cfg")));
    wanted.extend(entries.into_iter().rev().map(|entry| Wanted {
        path: format!("{}/{}", directory.path.trim_end_matches('/'), entry.name),
        is_directory: entry.is_directory,
        depth: directory.depth + 1,
        span: None,
    }));
}

fn cannot_read(wanted: &Wanted, reason: &str) -> Problem {
    let what = if wanted.is_directory { "the directory" } else { "the file" };
    let message = format!("cannot read {what} \"{}\": {reason}", wanted.path);
    Problem::error(wanted.span, message)
}

impl Root<'_> {
    fn wanted(self) -> Wanted {
        let (path, is_directory) = match self {
            Root::File(path) => (path, false),
            Root::Directory(path) => (path, true),
        };
        Wanted { path: path.to_owned(), is_directory, depth: 0, span: None }
    }
}

impl Include {
    /// A relative path begins at the file that asks.
    fn wanted(self, from: &Wanted) -> Wanted {
        let directory = from.path.rsplit_once('/').map(|(directory, _)| directory);
        let path = match directory {
            Some(directory) if !self.path.value.starts_with('/') => {
                format!("{directory}/{}", self.path.value)
            }
            _ => self.path.value,
        };
        Wanted { path, is_directory: self.is_directory, depth: 0, span: self.path.span }
    }
}
