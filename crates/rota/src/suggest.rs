//! "Did you mean": the known word that was probably meant.
//!
//! Knows no words itself: whoever asks brings the candidates.
//!
//! Read next: [`crate::syntax`] and [`crate::period`], which ask.

/// Longer words are not compared: no known word is that long, and comparing takes square time.
const LONGEST_WORD: usize = 64;

/// The candidate nearest to `word`, if one is near enough to be meant.
///
/// Nothing for a word that is known. A difference in case and an abbreviation are near; else there may be one slip (a letter wrong,
/// missing, too many, or two exchanged) for each three letters.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let length = lower.chars().count();
    if length == 0 || length > LONGEST_WORD {
        return None;
    }
    let allowed = (length / 3).min(3);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        if candidate == word {
            return None;
        }
        let candidate_lower = candidate.to_lowercase();
        let distance = if candidate_lower == lower {
            0
        } else if length >= 3 && candidate_lower.starts_with(lower.trim_end_matches('.')) {
            1
        } else {
            distance(&lower, &candidate_lower, allowed)
        };
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The same, as advice.
pub(crate) fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, candidates).map(|candidate| format!("did you mean \"{candidate}\"?"))
}

/// Slips between two words, where exchanging two neighbours is one; more than `allowed` is any
/// larger number.
fn distance(a: &str, b: &str, allowed: usize) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    if a.len().abs_diff(b.len()) > allowed || b.len() > LONGEST_WORD {
        return allowed + 1;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let substituted = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = substituted.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_known_word_is_suggested() {
        let words = ["timeperiod_name", "monday", "sunday", "july", "june", "day"];
        for (written, meant) in [
            ("timeperod_name", Some("timeperiod_name")),
            ("Monday", Some("monday")),
            ("mon", Some("monday")),
            ("modnay", Some("monday")),
            ("JUL", Some("july")),
            ("jully", Some("july")),
            ("foo", None),
            ("", None),
            ("monday", None),
        ] {
            assert_eq!(nearest(written, words), meant, "for {written}");
        }
    }
}
