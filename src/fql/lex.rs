//! Splits a text into tokens.
//!
//! Invalid text is reported here and becomes [`Kind::Bad`] or the intended token, so that the
//! parser can continue without reporting it again.

use std::ops::Range;

use super::number;
use crate::diagnostic::Diagnostic;
use crate::event::path::Path;
use crate::json::Number;

/// One token and its span.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub kind: Kind,
    pub span: Range<usize>,
}

/// The kind of a token.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// A field path, or the name of a function.
    Path(Path),
    /// A string without its quotes.
    Text(Box<str>),
    Number(Number),
    Keyword(Keyword),
    Compare(Compare),
    Not,
    LeftParen,
    RightParen,
    LeftBracket,
    RightBracket,
    Comma,
    /// Text whose error has been reported.
    Bad,
    /// The end of the text; the last token and no other.
    End,
}

/// The keywords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    And,
    Or,
    In,
    True,
    False,
    Null,
}

impl Keyword {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "and" => Self::And,
            "or" => Self::Or,
            "in" => Self::In,
            "true" => Self::True,
            "false" => Self::False,
            "null" => Self::Null,
            _ => return None,
        })
    }
}

/// The comparison operators, except `in`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
}

/// Returns the tokens of `source`, the last of which is [`Kind::End`], and its errors.
pub(super) fn tokens(source: &str) -> (Vec<Token>, Vec<Diagnostic>) {
    let mut lexer = Lexer { source, offset: 0, errors: Vec::new() };
    let mut tokens = Vec::new();
    loop {
        let blank = source[lexer.offset..].trim_start_matches(is_blank);
        lexer.offset = source.len() - blank.len();
        let start = lexer.offset;
        let Some(first) = blank.chars().next() else {
            tokens.push(Token { kind: Kind::End, span: start..start });
            return (tokens, lexer.errors);
        };
        let kind = lexer.token(first);
        tokens.push(Token { kind, span: start..lexer.offset });
    }
}

/// Returns `true` for whitespace between tokens.
pub(super) fn is_blank(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\n' | '\r')
}

fn is_word(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.' | '\\')
}

/// Operators of other languages and their spelling in FQL.
const FOREIGN: [(&str, &str, Kind); 9] = [
    ("==", "=", Kind::Compare(Compare::Equal)),
    ("<>", "!=", Kind::Compare(Compare::NotEqual)),
    ("=<", "<=", Kind::Compare(Compare::LessEqual)),
    ("=>", ">=", Kind::Compare(Compare::GreaterEqual)),
    ("~=", "!=", Kind::Compare(Compare::NotEqual)),
    ("&&", "and", Kind::Keyword(Keyword::And)),
    ("||", "or", Kind::Keyword(Keyword::Or)),
    ("&", "and", Kind::Keyword(Keyword::And)),
    ("|", "or", Kind::Keyword(Keyword::Or)),
];

const OPERATORS: [(&str, Kind); 12] = [
    ("!=", Kind::Compare(Compare::NotEqual)),
    (">=", Kind::Compare(Compare::GreaterEqual)),
    ("<=", Kind::Compare(Compare::LessEqual)),
    ("=", Kind::Compare(Compare::Equal)),
    (">", Kind::Compare(Compare::Greater)),
    ("<", Kind::Compare(Compare::Less)),
    ("!", Kind::Not),
    ("(", Kind::LeftParen),
    (")", Kind::RightParen),
    ("[", Kind::LeftBracket),
    ("]", Kind::RightBracket),
    (",", Kind::Comma),
];

/// Returns `name` with the escapes that it needs in a path.
fn escaped(name: &str) -> String {
    let mut out = String::new();
    for char in name.chars() {
        if !(char.is_ascii_alphanumeric() || matches!(char, '_' | '-')) {
            out.push('\\');
        }
        out.push(char);
    }
    out
}

struct Lexer<'s> {
    source: &'s str,
    offset: usize,
    errors: Vec<Diagnostic>,
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        &self.source[self.offset..]
    }

    fn token(&mut self, first: char) -> Kind {
        match first {
            '\'' | '"' => self.text(first),
            _ if is_word(first) || first.is_alphanumeric() => self.word(),
            '+' => self.signed(),
            _ => self.operator(first),
        }
    }

    fn text(&mut self, quote: char) -> Kind {
        let start = self.offset;
        let content = &self.rest()[1..];
        let Some(length) = content.find(quote) else {
            self.offset = self.source.len();
            let help = format!("a string ends with the quote it began with: {quote}");
            self.errors.push(
                Diagnostic::error(
                    start..self.offset,
                    format!("expected a closing {quote} of this string"),
                )
                .with_help(help),
            );
            return Kind::Bad;
        };
        self.offset += length + 2;
        Kind::Text(content[..length].into())
    }

    /// Reads a path, a keyword or a number.
    fn word(&mut self) -> Kind {
        let start = self.offset;
        let mut foreign = None;
        let mut chars = self.rest().char_indices();
        let mut length = self.rest().len();
        while let Some((at, char)) = chars.next() {
            if char == '\\' {
                chars.next();
            } else if !is_word(char) {
                if !char.is_alphanumeric() {
                    length = at;
                    break;
                }
                foreign = foreign.or(Some((start + at, char)));
            }
        }
        self.offset += length;
        let word = &self.source[start..self.offset];
        if let Some((at, char)) = foreign {
            let message = "expected only letters a to z, digits, `_` and `-` in a field path";
            self.errors.push(
                Diagnostic::error(at..at + char.len_utf8(), message)
                    .with_help(format!("write `\\{char}` for `{char}`")),
            );
            return Kind::Bad;
        }
        if let Some(keyword) = Keyword::from_name(word) {
            return Kind::Keyword(keyword);
        }
        if let Some(number) = number::parse_literal(word) {
            return Kind::Number(number);
        }
        self.path(word, start)
    }

    fn path(&mut self, word: &str, start: usize) -> Kind {
        match Path::parse(word) {
            Ok(_) if self.rest().starts_with('[') => self.subscript(start),
            Ok(path) => Kind::Path(path),
            Err(_) if number::parse_literal(&format!("0{word}")).is_some() => {
                let message = format!("expected digits before the point of the number `{word}`");
                let error = Diagnostic::error(start..self.offset, message);
                self.errors.push(error.with_help(format!("write `0{word}`")));
                Kind::Bad
            }
            Err(error) => {
                let at = (start + error.offset).min(self.offset);
                let end = self.source[at..].chars().next().map_or(at, |char| at + char.len_utf8());
                let what = match self.source[at..].chars().next() {
                    Some('\\') => "expected a character after this backslash",
                    Some('.') => "expected a name before this `.`",
                    _ => "expected a name after the `.`",
                };
                let error = Diagnostic::error(at..end.min(self.offset), what)
                    .with_help("a field path is names joined by `.`, such as `properties.plan`");
                self.errors.push(error);
                Kind::Bad
            }
        }
    }

    /// Reports a path that continues with `[0]` or `['name']`, as in other languages.
    fn subscript(&mut self, start: usize) -> Kind {
        let open = self.offset;
        let mut names = self.source[start..open].to_owned();
        while let Some(inside) = self.rest().strip_prefix('[') {
            let Some((inside, _)) = inside.split_once(']') else { break };
            self.offset += inside.len() + 2;
            let rest = self.rest();
            let member = &rest[..rest.find(|char: char| !is_word(char)).unwrap_or(rest.len())];
            self.offset += member.len();
            let name = inside.trim_matches(|char: char| is_blank(char) || "'\"".contains(char));
            names.push('.');
            names.push_str(&escaped(name));
            names.push_str(member);
        }
        if self.offset == open {
            self.offset += 1;
        }
        let message = "expected a path of names joined by `.`, found `[`";
        let error = Diagnostic::error(open..self.offset, message);
        self.errors.push(match Path::parse(&names) {
            Ok(_) if names.len() > open - start => error.with_help(format!("write `{names}`")),
            _ => error.with_help("an item of a list is named by its place: `properties.items.0`"),
        });
        Kind::Bad
    }

    /// Reads a number that begins with `+`.
    fn signed(&mut self) -> Kind {
        let start = self.offset;
        let digits = self.rest()[1..].find(|char: char| !is_word(char));
        let end = digits.map_or(self.source.len(), |length| start + 1 + length);
        if let Some(number) = number::parse_literal(&self.source[start..end]) {
            self.offset = end;
            return Kind::Number(number);
        }
        self.operator('+')
    }

    fn operator(&mut self, first: char) -> Kind {
        let start = self.offset;
        for (spelling, right, kind) in FOREIGN {
            if self.rest().starts_with(spelling) {
                self.offset += spelling.len();
                self.errors.push(
                    Diagnostic::error(
                        start..self.offset,
                        format!("expected `{right}`, found `{spelling}`"),
                    )
                    .with_help(format!("FQL writes `{right}`")),
                );
                return kind;
            }
        }
        for (spelling, kind) in OPERATORS {
            if self.rest().starts_with(spelling) {
                self.offset += spelling.len();
                return kind;
            }
        }
        self.offset += first.len_utf8();
        let mut error = Diagnostic::error(
            start..self.offset,
            format!("expected a value or an operator, found `{}`", first.escape_debug()),
        );
        error.help = match first {
            '‘' | '’' | '“' | '”' | '`' | '«' | '»' => {
                Some("strings stand in straight quotes: `'…'` or `\"…\"`".to_owned())
            }
            '+' | '*' | '/' | '%' => Some("FQL has no arithmetic".to_owned()),
            '$' | '@' | ':' | '#' | '~' => {
                Some(format!("in a field path write `\\{first}` for `{first}`"))
            }
            _ => None,
        };
        self.errors.push(error);
        Kind::Bad
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(source: &str) -> Vec<Kind> {
        let (tokens, errors) = tokens(source);
        assert_eq!(errors, [], "{source}");
        tokens.into_iter().map(|token| token.kind).collect()
    }

    fn path(source: &str) -> String {
        match &kinds(source)[..] {
            [Kind::Path(path), Kind::End] => path.to_string(),
            other => panic!("{source}: {other:?}"),
        }
    }

    #[test]
    fn paths_may_have_digits_dashes_escapes_and_keywords() {
        for source in [
            "event",
            "context.page.url",
            "properties.items.0.sku",
            r"properties.product\ 1.price",
            r"a\.b",
            "_metadata.bundled-ids",
            "properties.in.and.or.true.null",
            "null.x",
            "1e5",
            "1.2.3",
            "-",
        ] {
            assert_eq!(path(source), source);
        }
        assert_eq!(path(r"\and"), "and");
        assert_eq!(path(r"\5"), "5");
    }

    #[test]
    fn keywords_and_numbers_are_whole_words() {
        assert!(matches!(kinds("and")[0], Kind::Keyword(Keyword::And)));
        assert!(matches!(kinds("-12.5")[0], Kind::Number(Number::Float(f)) if f < -12.4));
        assert!(matches!(kinds("+3")[0], Kind::Number(Number::Int(3))));
        assert_eq!(path("android"), "android");
        assert_eq!(path("True"), "True");
    }

    #[test]
    fn strings_have_no_escapes() {
        assert!(matches!(&kinds(r"'a\'")[0], Kind::Text(text) if &**text == r"a\"));
        assert!(matches!(&kinds(r#""it's""#)[0], Kind::Text(text) if &**text == "it's"));
        assert!(matches!(&kinds("'a\nb é'")[0], Kind::Text(text) if &**text == "a\nb é"));
        assert!(matches!(&kinds("''")[0], Kind::Text(text) if text.is_empty()));
    }

    #[test]
    fn blanks_are_space_tab_newline_and_carriage_return() {
        assert_eq!(kinds(" a\t=\r\n1 ").len(), 4);
        assert_eq!(kinds("a>=1").len(), 4);
        assert_eq!(kinds("!a!=b").len(), 5);
        assert_eq!(tokens("a\u{a0}=\u{b}1").1.len(), 2);
    }

    #[test]
    fn every_stray_character_is_reported_at_its_place() {
        let starts = |source| {
            let (_, errors) = tokens(source);
            errors.into_iter().map(|error| (error.span.start, error.span.len())).collect::<Vec<_>>()
        };
        assert_eq!(starts("a == 'b' && c"), [(2, 2), (9, 2)]);
        assert_eq!(starts("a..b"), [(2, 1)]);
        assert_eq!(starts("a. = 1"), [(2, 0)]);
        assert_eq!(starts(".5"), [(0, 2)]);
        assert_eq!(starts(".a"), [(0, 1)]);
        assert_eq!(starts("a\\"), [(1, 1)]);
        assert_eq!(starts("caf\u{e9}.x = $y"), [(3, 2), (10, 1)]);
        assert_eq!(starts("x = 'open"), [(4, 5)]);
        assert_eq!(starts("“x”"), [(0, 3), (4, 3)]);
    }
}
