//! Glob patterns of FQL's `match`.
//!
//! `*` matches any sequence of characters, `/` included; `?` one character; `[abc]`, `[a-z]` and
//! `[^…]` one character of a class; `\x` the literal character `x`. In a class `[`, `]`, `-` and
//! `\` need a backslash. The whole text must match, and case matters (Segment's reference of the
//! Destination Filter Query Language, "match").

use std::str::Chars;

/// A compiled pattern.
///
/// The stars divide it into pieces that each match a fixed number of characters, so the first match
/// of a piece is always sufficient and no backtracking is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    pieces: Box<[Piece]>,
}

/// The error for a malformed pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct GlobError {
    /// The byte offset in the pattern, starting at 0.
    pub offset: usize,
    /// What is wrong.
    pub message: &'static str,
}

/// The part of a pattern between two stars.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// A piece of only literal characters.
    Text(Box<str>),
    /// Any other piece.
    Atoms(Box<[Atom]>),
}

/// A pattern that matches one character.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Atom {
    Char(char),
    Any,
    Class { negated: bool, ranges: Box<[(char, char)]> },
}

impl Glob {
    /// Compiles `pattern`.
    ///
    /// # Errors
    /// Returns the position and kind of the error if `pattern` is malformed.
    pub fn new(pattern: &str) -> Result<Self, GlobError> {
        let mut reader = Reader { pattern, chars: pattern.chars() };
        let mut pieces = Vec::new();
        let mut atoms = Vec::new();
        while let Some(char) = reader.chars.next() {
            match char {
                '*' => pieces.push(Piece::new(std::mem::take(&mut atoms))),
                '?' => atoms.push(Atom::Any),
                '[' => atoms.push(reader.class()?),
                '\\' => atoms.push(Atom::Char(reader.escaped()?)),
                _ => atoms.push(Atom::Char(char)),
            }
        }
        pieces.push(Piece::new(atoms));
        Ok(Self { pieces: pieces.into() })
    }

    /// Returns `true` if the whole of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.pieces.split_first() else { return text.is_empty() };
        let Some(mut text) = first.strip_start(text) else { return false };
        let Some((last, middle)) = rest.split_last() else { return text.is_empty() };
        for piece in middle {
            match piece.strip_through(text) {
                Some(after) => text = after,
                None => return false,
            }
        }
        last.ends(text)
    }

    /// Returns `true` if every text matches.
    pub fn is_any(&self) -> bool {
        self.pieces.len() > 1 && self.pieces.iter().all(Piece::is_empty)
    }
}

impl Piece {
    fn new(atoms: Vec<Atom>) -> Self {
        let chars = |atom: &Atom| match atom {
            Atom::Char(char) => Some(*char),
            Atom::Any | Atom::Class { .. } => None,
        };
        match atoms.iter().map(chars).collect::<Option<String>>() {
            Some(text) => Self::Text(text.into()),
            None => Self::Atoms(atoms.into()),
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }

    /// Returns the rest of `text` after this piece, if the text starts with it.
    fn strip_start<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::Text(piece) => text.strip_prefix(&**piece),
            Self::Atoms(atoms) => {
                let mut chars = text.chars();
                let fits =
                    atoms.iter().all(|atom| chars.next().is_some_and(|char| atom.takes(char)));
                fits.then_some(chars.as_str())
            }
        }
    }

    /// Returns the rest of `text` after the first occurrence of this piece.
    fn strip_through<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::Text(piece) => {
                let start = memchr::memmem::find(text.as_bytes(), piece.as_bytes())?;
                text.get(start + piece.len()..)
            }
            Self::Atoms(_) => {
                text.char_indices().find_map(|(start, _)| self.strip_start(&text[start..]))
            }
        }
    }

    /// Returns `true` if `text` ends with this piece.
    fn ends(&self, text: &str) -> bool {
        match self {
            Self::Text(piece) => text.ends_with(&**piece),
            Self::Atoms(atoms) => {
                let mut chars = text.chars().rev();
                atoms.iter().rev().all(|atom| chars.next().is_some_and(|char| atom.takes(char)))
            }
        }
    }
}

impl Atom {
    fn takes(&self, char: char) -> bool {
        match self {
            Self::Char(own) => *own == char,
            Self::Any => true,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|&(low, high)| (low..=high).contains(&char)) != *negated
            }
        }
    }
}

/// A pattern that is being read.
struct Reader<'p> {
    pattern: &'p str,
    chars: Chars<'p>,
}

impl Reader<'_> {
    fn offset(&self) -> usize {
        self.pattern.len() - self.chars.as_str().len()
    }

    fn peek(&self) -> Option<char> {
        self.chars.clone().next()
    }

    /// Reads the character after a backslash.
    fn escaped(&mut self) -> Result<char, GlobError> {
        let offset = self.offset() - 1;
        let message = "expected a character after the backslash at the end of the pattern";
        self.chars.next().ok_or(GlobError { offset, message })
    }

    /// Reads the rest of a class after its `[`.
    fn class(&mut self) -> Result<Atom, GlobError> {
        let open = self.offset() - 1;
        let negated = self.peek() == Some('^');
        if negated {
            self.chars.next();
        }
        let mut ranges = Vec::new();
        while ranges.is_empty() || self.peek() != Some(']') {
            let low = self.member(open)?;
            let is_range = self.peek() == Some('-');
            if is_range {
                self.chars.next();
            }
            ranges.push((low, if is_range { self.member(open)? } else { low }));
        }
        self.chars.next();
        Ok(Atom::Class { negated, ranges: ranges.into() })
    }

    /// Reads one character of the class that begins at `open`.
    fn member(&mut self, open: usize) -> Result<char, GlobError> {
        let offset = self.offset();
        match self.chars.next() {
            None => Err(GlobError { offset: open, message: "expected a `]` that closes this `[`" }),
            Some('\\') => self.escaped(),
            Some('[' | ']' | '-') => Err(GlobError {
                offset,
                message: "expected a character of the class; `[`, `]` and `-` need a backslash there",
            }),
            Some(char) => Ok(char),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Glob::new(pattern).unwrap().matches(text)
    }

    #[test]
    fn the_whole_text_must_match() {
        assert!(matches("", ""));
        assert!(matches("/pricing", "/pricing"));
        for text in ["/pricing/", "x/pricing", "/pricin", ""] {
            assert!(!matches("/pricing", text), "{text}");
        }
        assert!(!matches("", "x"));
        assert!(!matches("abc", "ABC"));
    }

    #[test]
    fn a_star_takes_any_run_and_slashes_too() {
        for text in ["", "a", "/a/b", "\n"] {
            assert!(matches("*", text) && matches("**", text), "{text}");
        }
        assert!(matches("/docs/*/edit", "/docs/a/b/edit"));
        assert!(!matches("/docs/*/edit", "/docs/edit"));
        assert!(matches("*.pdf", "a.pdf.pdf"));
        assert!(matches("a*a", "aa") && !matches("a*a", "a"));
        assert!(matches("*ab*ba*", "xabbay") && !matches("*ab*ba*", "xabay"));
        assert!(matches("*?b", "xab") && !matches("*?b", "b"));
    }

    #[test]
    fn a_question_mark_takes_one_unicode_character() {
        assert!(matches("caf?", "café") && matches("?", "日") && matches("*?", "日本"));
        assert!(!matches("?", "") && !matches("?", "ab"));
    }

    #[test]
    fn classes_take_lists_ranges_and_what_is_not_listed() {
        assert!(matches("[abc]", "b") && !matches("[abc]", "d"));
        assert!(matches("v[0-9].[0-9x]", "v1.x") && !matches("v[0-9]", "va"));
        assert!(matches("[^0-9]", "a") && !matches("[^0-9]", "7") && !matches("[^0-9]", ""));
        assert!(matches("[a^]", "^") && matches("[а-я]", "ж") && matches("[!a]", "a"));
        assert!(matches("x*[0-9][0-9]", "x-42") && !matches("x*[0-9][0-9]", "x-4"));
        assert!(!matches("[z-a]", "m") && matches("[^z-a]", "m"));
    }

    #[test]
    fn a_backslash_makes_any_character_literal() {
        assert!(matches(r"a\*b", "a*b") && !matches(r"a\*b", "axb"));
        assert!(matches(r"\[x\]", "[x]") && matches(r"\\", r"\") && matches(r"\a", "a"));
        for text in ["]", "[", "-", r"\"] {
            assert!(matches(r"[\]\[\-\\]", text), "{text}");
        }
        assert!(matches(r"[\a-\c]", "b"));
        assert!(matches("a]", "a]"), "outside a class a bracket closes nothing");
    }

    #[test]
    fn what_is_malformed_says_where() {
        let malformed = [
            ("[", 0),
            ("ab[cd", 2),
            ("[]", 1),
            ("[]a]", 1),
            ("[^]", 2),
            ("[-x]", 1),
            ("[x-]", 3),
            ("[a-b-c]", 4),
            ("[[]", 1),
            ("a\\", 1),
            ("[a\\", 2),
            ("*é[a-", 3),
        ];
        for (pattern, offset) in malformed {
            assert_eq!(
                Glob::new(pattern).map_err(|error| error.offset).err(),
                Some(offset),
                "{pattern}"
            );
        }
    }

    #[test]
    fn many_stars_do_not_explode() {
        let pattern = "a*".repeat(500) + "b";
        let text = "a".repeat(50_000);
        assert!(!matches(&pattern, &text));
        assert!(matches(&pattern, &(text + "b")));
    }

    #[test]
    fn only_stars_take_everything() {
        assert!(Glob::new("*").unwrap().is_any() && Glob::new("***").unwrap().is_any());
        assert!(!Glob::new("").unwrap().is_any() && !Glob::new("*a").unwrap().is_any());
    }

    /// Matches by definition, trying every possibility.
    fn takes(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|from| takes(rest, &text[from..])),
            Some(('?', rest)) => !text.is_empty() && takes(rest, &text[1..]),
            Some((char, rest)) => text.first() == Some(char) && takes(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn stars_and_question_marks_agree_with_the_definition(
            pattern in "[abé*?]{0,8}", text in "[abé]{0,10}",
        ) {
            let (p, t): (Vec<_>, Vec<_>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(matches(&pattern, &text), takes(&p, &t));
        }

        #[test]
        fn no_text_panics(pattern in "\\PC{0,12}|[\\[\\]^\\\\*?a-c-]{0,12}", text in "\\PC{0,12}") {
            if let Ok(glob) = Glob::new(&pattern) {
                glob.matches(&text);
            }
        }

        #[test]
        fn an_escaped_text_matches_itself_alone(text in "\\PC{0,12}", other in "\\PC{0,12}") {
            let pattern: String = text.chars().flat_map(|char| ['\\', char]).collect();
            prop_assert!(matches(&pattern, &text));
            prop_assert_eq!(matches(&pattern, &other), text == other);
        }
    }
}
