//! What the terminal can show: colours, or none.

use std::io::IsTerminal;

/// The colours of a terminal, or none. Nothing may be told by colour alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint(bool);

impl Paint {
    /// Colours if the reader is a person at a terminal who has not asked for plain text.
    pub(super) fn for_stdout() -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let is_dumb = set("TERM").is_some_and(|terminal| terminal == "dumb");
        Self(std::io::stdout().is_terminal() && set("NO_COLOR").is_none() && !is_dumb)
    }

    /// A text with the attributes of an ANSI code.
    pub(super) fn with(self, code: &str, text: &str) -> String {
        if self.0 && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    pub(super) fn strong(self, text: &str) -> String {
        self.with("1", text)
    }

    pub(super) fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    pub(super) fn note(self, text: &str) -> String {
        self.with("33", text)
    }

    pub(super) fn inside(self, text: &str) -> String {
        self.with("32", text)
    }

    /// What is wrong.
    pub(super) fn wrong(self, text: &str) -> String {
        self.with("1;31", text)
    }

    /// What nobody must miss.
    pub(super) fn alarm(self, text: &str) -> String {
        self.with("1;97;41", text)
    }
}
