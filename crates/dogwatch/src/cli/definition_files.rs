//! Definition files from disk: which of the given paths and folders are read, and as what.
//!
//! What stands in them is read by [`crate::definition::file`].

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rota::diagnostic::{MAX_TEXT_BYTES, Problem};
use rota::syntax::{self, Entry, Root, Source};

use crate::clock::{Clock, SystemClock};
use crate::definition::file::Loaded;

/// Folders within folders are followed this far: a link to a parent would never end.
const MAX_DEPTH: usize = 32;

/// Reads all definitions in `paths`: files, and folders with the `.cfg` and `.toml` files in them.
///
/// A file that cannot be read is one more problem.
pub(super) fn load(paths: &[PathBuf]) -> Loaded {
    load_at(paths, SystemClock.now())
}

/// The same, as if it were then.
pub(super) fn load_at(paths: &[PathBuf], now: Timestamp) -> Loaded {
    let mut found = Found::default();
    for path in paths {
        found.add(path, 0);
    }
    let roots: Vec<Root<'_>> = found.naemon.iter().map(|path| Root::File(path)).collect();
    let mut naemon = syntax::read(&mut Disk, &roots);
    naemon.problems.splice(0..0, found.problems);
    Loaded::new(naemon, found.toml, now)
}

/// What is to be read, each file once.
#[derive(Default)]
struct Found {
    seen: HashSet<PathBuf>,
    naemon: Vec<String>,
    toml: Vec<(String, String)>,
    problems: Vec<Problem>,
}

impl Found {
    fn add(&mut self, path: &Path, depth: usize) {
        if path.is_dir() {
            self.add_folder(path, depth);
            return;
        }
        if !self.seen.insert(std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())) {
            return;
        }
        let name = path.to_string_lossy().into_owned();
        if has_ending(path, "cfg") {
            self.naemon.push(name);
            return;
        }
        match Disk.read(&name) {
            Err(reason) => self.cannot_read(path, &reason),
            // A file by any other name is what it looks like.
            Ok(text) if !has_ending(path, "toml") && looks_like_naemon(&text) => self.naemon.push(name),
            Ok(text) => self.toml.push((name, text)),
        }
    }

    fn add_folder(&mut self, folder: &Path, depth: usize) {
        if depth >= MAX_DEPTH {
            self.cannot_read(folder, "folders are nested too deep");
            return;
        }
        let entries = std::fs::read_dir(folder)
            .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>());
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => {
                self.cannot_read(folder, &reason(&error));
                return;
            }
        };
        entries.sort();
        for entry in entries {
            let is_hidden = entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            let is_ours = has_ending(&entry, "cfg") || has_ending(&entry, "toml") || entry.is_dir();
            if is_ours && !is_hidden {
                self.add(&entry, depth + 1);
            }
        }
    }

    fn cannot_read(&mut self, path: &Path, reason: &str) {
        let message = format!("cannot read \"{}\": {reason}", path.display());
        self.problems.push(Problem::error(None, message));
    }
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|extension| extension == ending)
}

fn looks_like_naemon(text: &str) -> bool {
    text.lines().any(|line| line.trim_start().starts_with("define "))
}

/// The files of this machine.
pub(super) struct Disk;

impl Source for Disk {
    fn read(&mut self, path: &str) -> Result<String, String> {
        let bytes = std::fs::read(path).map_err(|error| reason(&error))?;
        if bytes.len() > MAX_TEXT_BYTES {
            return Err("it is larger than 64 MiB".to_owned());
        }
        String::from_utf8(bytes).map_err(|error| {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
            format!("line {line} is not UTF-8; convert it, for instance with iconv -f latin1 -t utf-8")
        })
    }

    fn list(&mut self, path: &str) -> Result<Vec<Entry>, String> {
        let entries = std::fs::read_dir(path).map_err(|error| reason(&error))?;
        entries
            .map(|entry| {
                let entry = entry.map_err(|error| reason(&error))?;
                let name = entry.file_name().to_string_lossy().into_owned();
                Ok(Entry { name, is_directory: entry.path().is_dir() })
            })
            .collect()
    }

    fn identity(&mut self, path: &str) -> String {
        std::fs::canonicalize(path).map_or_else(|_| path.to_owned(), |path| path.display().to_string())
    }
}

/// Why a file cannot be read, without the number of the error.
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}
