//! From physical lines to logical ones: continuations joined, comments gone, blanks trimmed.
//!
//! A logical line remembers where each of its bytes stood, so that a problem can be shown in the
//! text as it was written. What a line means is not known here.
//!
//! Read next: [`super::objects`], which puts lines together into definitions.

use std::borrow::Cow;

use crate::diagnostic::{FileId, Span};

/// One line as the language sees it.
#[derive(Clone, Debug)]
pub(crate) struct Line<'a> {
    /// What stands on it; never empty.
    pub(crate) text: Cow<'a, str>,
    file: FileId,
    /// Pieces of `text` that stand together in the file: (offset in `text`, offset in the file).
    pieces: Vec<(u32, u32)>,
}

impl Line<'_> {
    /// The place of the bytes `start..end` of the line.
    pub(crate) fn span(&self, start: usize, end: usize) -> Span {
        let start_at = self.offset(start);
        let end_at = if end > start { self.offset(end - 1) + 1 } else { start_at };
        Span { file: self.file, start: start_at, end: end_at.max(start_at) }
    }

    /// The place of the whole line.
    pub(crate) fn whole(&self) -> Span {
        self.span(0, self.text.len())
    }

    /// The same line, apart from the text it was read from.
    pub(crate) fn to_owned_line(&self) -> Line<'static> {
        Line {
            text: Cow::Owned(self.text.clone().into_owned()),
            file: self.file,
            pieces: self.pieces.clone(),
        }
    }

    /// The same line of a text that stands inside another: `places` says where (see
    /// [`super::Part`]).
    pub(crate) fn inside(mut self, places: &[(u32, u32)]) -> Self {
        let mut pieces = Vec::with_capacity(self.pieces.len());
        for (index, &(at, start)) in self.pieces.iter().enumerate() {
            let next = self.pieces.get(index + 1).map_or(self.text.len() as u32, |next| next.0);
            let end = start + next.saturating_sub(at);
            let later = places.partition_point(|place| place.0 <= start);
            let (from, to) = places[..later].last().copied().unwrap_or_default();
            pieces.push((at, to + (start - from)));
            let within = places[later..].iter().take_while(|place| place.0 < end);
            pieces.extend(within.map(|&(from, to)| (at + (from - start), to)));
        }
        self.pieces = pieces;
        self
    }

    /// The whole of a text as one line, in which nothing is a comment.
    pub(crate) fn of(file: FileId, text: &str) -> Line<'static> {
        Line { text: Cow::Owned(text.to_owned()), file, pieces: vec![(0, 0)] }
    }

    /// Keeps only the bytes `start..end`.
    pub(crate) fn cut(&mut self, start: usize, end: usize) {
        let text = self.text.get(start..end).unwrap_or_default().to_owned();
        let first = (0, self.offset(start));
        let inner = self.pieces.iter().filter(|piece| piece.0 as usize > start && (piece.0 as usize) < end);
        // Offsets within the line, which are 32 bits wide.
        let inner = inner.map(|&(at, place)| (at - start as u32, place));
        self.pieces = std::iter::once(first).chain(inner).collect();
        self.text = Cow::Owned(text);
    }

    /// The line without the closing brace at its end.
    pub(crate) fn without_brace(&self) -> Line<'static> {
        let kept = self.text.strip_suffix('}').unwrap_or(&self.text);
        Line { text: Cow::Owned(kept.trim_end_matches(is_trimmed).to_owned()), ..self.to_owned_line() }
    }

    fn offset(&self, at: usize) -> u32 {
        // Texts are far shorter than 2^32 bytes: diagnostic::MAX_TEXT_BYTES.
        let at = at as u32;
        let index = self.pieces.partition_point(|piece| piece.0 <= at);
        let (line, file) = self.pieces[..index].last().copied().unwrap_or_default();
        file + (at - line)
    }
}

/// The logical lines of a text.
pub(crate) fn lines(file: FileId, text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut rest = Physical { text, at: 0 };
    // A byte order mark says nothing here.
    if text.starts_with('\u{feff}') {
        rest.at = '\u{feff}'.len_utf8();
    }
    std::iter::from_fn(move || {
        loop {
            let (start, first) = rest.next_line()?;
            let mut line = Line { text: Cow::Borrowed(first), file, pieces: vec![(0, start as u32)] };
            join_continuations(&mut line, &mut rest);
            cut_comment(&mut line);
            trim(&mut line);
            if !line.text.is_empty() && !line.text.starts_with('#') {
                return Some(line);
            }
        }
    })
}

struct Physical<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Physical<'a> {
    /// The next physical line without its end, and its offset.
    fn next_line(&mut self) -> Option<(usize, &'a str)> {
        let start = self.at;
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        let (line, length) = match rest.find('\n') {
            Some(end) => (&rest[..end], end + 1),
            None => (rest, rest.len()),
        };
        self.at = start + length;
        Some((start, line.strip_suffix('\r').unwrap_or(line)))
    }
}

fn join_continuations<'a>(line: &mut Line<'a>, rest: &mut Physical<'a>) {
    while line.text.ends_with('\\') {
        let mut text = std::mem::take(&mut line.text).into_owned();
        text.pop();
        // Two backslashes stand for one, and do not continue.
        if text.ends_with('\\') {
            line.text = Cow::Owned(text);
            return;
        }
        if let Some((start, next)) = rest.next_line() {
            let kept = next.trim_start_matches([' ', '\t']);
            let start = start + next.len() - kept.len();
            line.pieces.push((text.len() as u32, start as u32));
            text.push_str(kept);
            // What follows decides anew whether the line goes on.
            line.text = Cow::Owned(text);
        } else {
            line.text = Cow::Owned(text);
            return;
        }
    }
}

/// Cuts at the first `;`; a `\;` stands for the sign itself.
fn cut_comment(line: &mut Line<'_>) {
    let text = &line.text;
    let escaped = |at: usize| at > 0 && text.as_bytes()[at - 1] == b'\\';
    let signs = || text.match_indices(';').map(|(at, _)| at);
    let end = signs().find(|&at| !escaped(at)).unwrap_or(text.len());
    let escapes: Vec<usize> = signs().take_while(|&at| at < end).collect();
    if escapes.is_empty() {
        match &mut line.text {
            Cow::Borrowed(text) => *text = &text[..end],
            Cow::Owned(text) => text.truncate(end),
        }
        return;
    }
    // Copied stretch by stretch, each without the backslash before the next sign.
    let mut kept = String::with_capacity(end);
    let mut pieces = Vec::with_capacity(line.pieces.len() + escapes.len());
    let starts = std::iter::once(0).chain(escapes.iter().copied());
    let ends = escapes.iter().map(|at| at - 1).chain(std::iter::once(end));
    let mut old = line.pieces.iter().peekable();
    for (start, end) in starts.zip(ends) {
        let to = kept.len() as u32;
        pieces.push((to, line.offset(start)));
        while let Some(&&(at, place)) = old.peek()
            && (at as usize) < end
        {
            if at as usize > start {
                pieces.push((at - start as u32 + to, place));
            }
            old.next();
        }
        kept.push_str(&text[start..end]);
    }
    line.text = Cow::Owned(kept);
    line.pieces = pieces;
}

/// What does not count at the ends of a line.
pub(crate) fn is_trimmed(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\u{b}'
}

fn trim(line: &mut Line<'_>) {
    let kept = line.text.trim_start_matches(is_trimmed);
    let cut = line.text.len() - kept.len();
    let kept_length = kept.trim_end_matches(is_trimmed).len();
    let shift = |offset: u32| (offset as usize).saturating_sub(cut) as u32;
    if cut > 0 {
        let start = line.offset(cut);
        let index = line.pieces.partition_point(|piece| piece.0 as usize <= cut);
        line.pieces.drain(..index);
        for piece in &mut line.pieces {
            piece.0 = shift(piece.0);
        }
        line.pieces.insert(0, (0, start));
    }
    match &mut line.text {
        Cow::Borrowed(text) => *text = &text[cut..cut + kept_length],
        Cow::Owned(text) => {
            text.truncate(cut + kept_length);
            text.drain(..cut);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Files;

    /// Each logical line, with the source text that its span covers.
    fn check(text: &str, expected: &[(&str, &str)]) {
        let mut files = Files::new();
        let file = files.add("t", text);
        let read: Vec<_> = lines(file, text)
            .map(|line| {
                let span = line.whole();
                let source = &text[span.start as usize..span.end as usize];
                (line.text.into_owned(), source.to_owned())
            })
            .collect();
        let read: Vec<_> = read.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(read, expected);
    }

    #[test]
    fn lines_lose_comments_and_blanks() {
        check("\u{feff} a b ; c\r\n\r\n # d\r\n;\ne # f\n", &[("a b", "a b"), ("e # f", "e # f")]);
    }

    #[test]
    fn a_backslash_continues_and_drops_the_blanks_after_it() {
        check("a,\\\n\t b ;c\\\n d\ne", &[("a,b", "a,\\\n\t b"), ("e", "e")]);
        check("a\\\r\nb", &[("ab", "a\\\r\nb")]);
        check("a\\\\\nb", &[("a\\", "a\\"), ("b", "b")]);
        check("a\\", &[("a", "a")]);
    }

    #[test]
    fn an_escaped_semicolon_is_a_sign_like_any_other() {
        check(" a\\;b\\;c ; d", &[("a;b;c", "a\\;b\\;c")]);
        check("a\\;\\\n b\\;c;d", &[("a;b;c", "a\\;\\\n b\\;c")]);
    }

    #[test]
    fn every_part_of_a_line_is_found_again() {
        let text = "\t x\\;y \\\n   zz\\;ä ;c";
        let mut files = Files::new();
        let file = files.add("t", text);
        let line = lines(file, text).next().unwrap();
        assert_eq!(line.text, "x;y zz;ä");
        for (part, source) in [("x", "x"), (";", ";"), ("y", "y"), ("zz", "zz"), ("ä", "ä")] {
            let at = line.text.find(part).unwrap();
            let span = line.span(at, at + part.len());
            assert_eq!(&text[span.start as usize..span.end as usize], source);
        }
    }
}
