//! Text to tree and back: Naemon object files.
//!
//! [`read`] takes files from a [`Source`] and gives a [`Document`]: every object as it was
//! written, the timeperiods among them as [`Definition`]s, and every problem of every file. What
//! definitions mean together (templates, excluded periods) is not known here: give them to
//! [`crate::period::compile`]. [`print()`] writes definitions out again.
//!
//! Read next, in the order in which text passes through: `source`, `lexer`, `objects`, `parser`,
//! `days`, `hours`; then `inside`, for text that stands in another file, and `printer`.

mod days;
mod hours;
mod inside;
mod lexer;
mod objects;
mod parser;
mod printer;
mod source;

use crate::diagnostic::{self, Files, Problem};
use crate::period::Definition;

pub use inside::{Part, read_days, read_directives, read_hours};
pub use objects::{Directive, Object};
pub use printer::{print, print_directives};
pub use source::{Entry, Root, Source};

/// Objects that were read, and what was wrong with how they are written.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// The texts, to show problems in.
    pub files: Files,
    /// All objects, of every type, in the order read.
    pub objects: Vec<Object>,
    /// The timeperiods, in the order read.
    pub definitions: Vec<Definition>,
    /// What is wrong or doubtful, in the order of the texts.
    pub problems: Vec<Problem>,
}

/// Reads files, and the files that they include.
pub fn read(source: &mut dyn Source, roots: &[Root<'_>]) -> Document {
    let mut document = Document::default();
    document.objects = source::read_all(source, roots, &mut document.files, &mut document.problems);
    understand(document)
}

/// Reads one text; its includes are reported, for there is nowhere to read them from.
pub fn read_text(name: &str, text: &str) -> Document {
    struct OneText<'a>(&'a str, &'a str);
    impl Source for OneText<'_> {
        fn read(&mut self, path: &str) -> Result<String, String> {
            let found = (path == self.0).then(|| self.1.to_owned());
            found.ok_or_else(|| "files cannot be included here".to_owned())
        }
        fn list(&mut self, _: &str) -> Result<Vec<Entry>, String> {
            Err("directories cannot be included here".to_owned())
        }
    }
    read(&mut OneText(name, text), &[Root::File(name)])
}

const TIMEPERIOD: &str = "timeperiod";

fn understand(mut document: Document) -> Document {
    let timeperiods = document.objects.iter().filter(|o| o.kind.value == TIMEPERIOD);
    document.definitions = timeperiods.map(|object| parser::read(object, &mut document.problems)).collect();
    diagnostic::sort(&mut document.problems);
    document
}
