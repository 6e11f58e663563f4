//! Names that are allowed here, for names that need not be.

use std::collections::{BTreeMap, BTreeSet};

/// The longest name.
const MOST: usize = 64;

/// Gives each name of one kind a name of ours, always the same, no two alike.
#[derive(Debug, Default)]
pub(super) struct Names {
    given: BTreeMap<String, String>,
    taken: BTreeSet<String>,
}

impl Names {
    /// Our name for theirs.
    pub(super) fn of(&mut self, theirs: &str) -> String {
        if let Some(known) = self.given.get(theirs) {
            return known.clone();
        }
        let ours = self.new_like(theirs);
        self.given.insert(theirs.to_owned(), ours.clone());
        ours
    }

    /// One that nobody has, and that looks like this.
    pub(super) fn new_like(&mut self, wanted: &str) -> String {
        let plain = plain(wanted);
        let mut name = plain.clone();
        for number in 2_u32.. {
            if self.taken.insert(name.clone()) {
                break;
            }
            let ending = format!("-{number}");
            let kept: String = plain.chars().take(MOST - ending.len()).collect();
            name = kept + &ending;
        }
        name
    }
}

/// Lower case, without what is not allowed.
fn plain(wanted: &str) -> String {
    let mut name = String::new();
    for letter in wanted.chars().flat_map(char::to_lowercase) {
        match letter {
            'a'..='z' | '0'..='9' | '.' | '_' | '-' => name.push(letter),
            'ä' | 'æ' => name.push_str("ae"),
            'ö' | 'ø' | 'œ' => name.push_str("oe"),
            'ü' => name.push_str("ue"),
            'ß' => name.push_str("ss"),
            'à'..='å' => name.push('a'),
            'è'..='ë' => name.push('e'),
            'ì'..='ï' => name.push('i'),
            'ò'..='õ' => name.push('o'),
            'ù'..='û' => name.push('u'),
            'ç' => name.push('c'),
            'ñ' => name.push('n'),
            _ if name.ends_with('-') || name.is_empty() => {}
            _ => name.push('-'),
        }
    }
    let name: String = name.chars().take(MOST).collect();
    let name = name.trim_matches(['-', '.']).to_owned();
    if name.is_empty() { "unnamed".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_stable_and_no_two_alike() {
        let mut names = Names::default();
        assert_eq!(names.of("Jürgen Müller"), "juergen-mueller");
        assert_eq!(names.of("juergen mueller"), "juergen-mueller-2");
        assert_eq!(names.of("Jürgen Müller"), "juergen-mueller");
        assert_eq!(names.of("..//"), "unnamed");
        assert_eq!(names.of(&"x".repeat(100)).len(), 64);
        assert_eq!(names.of(&"x".repeat(99)).len(), 64);
    }
}
