//! Builds the tree from the tokens by recursive descent, in order of precedence: `or` < `and` < `!`
//! < comparison < operand.
//!
//! Parsing continues after an error: a missing part becomes [`AstKind::Bad`], and parsing resumes
//! at the next token that can follow, so that all errors are found at once.

use std::ops::Range;

use super::ast::{Ast, AstKind};
use super::function::Function;
use super::lex::{self, Keyword, Kind, Token};
use crate::diagnostic::Diagnostic;

/// The maximum nesting depth of parentheses, `!`, calls and lists.
const MAX_DEPTH: usize = 128;

/// Returns the tree of `source` and its errors.
pub(super) fn parse(source: &str) -> (Ast, Vec<Diagnostic>) {
    let (tokens, errors) = lex::tokens(source);
    let mut parser = Parser { source, tokens, next: 0, depth: 0, errors, gave_up: false };
    let ast = parser.whole();
    // For the same span, the lexer's error comes first and is more specific than the parser's.
    parser.errors.sort_by_key(|error| error.span.start);
    parser.errors.dedup_by(|second, first| second.span == first.span);
    (ast, parser.errors)
}

struct Parser<'s> {
    source: &'s str,
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
    errors: Vec<Diagnostic>,
    gave_up: bool,
}

impl Parser<'_> {
    /// Parses an expression that extends to the end of the text.
    fn whole(&mut self) -> Ast {
        if matches!(self.kind(), Kind::End) {
            self.report(0..self.source.len(), "expected an expression, found nothing", None);
            return Ast::new(AstKind::Bad, 0..0);
        }
        let first = self.expression();
        if matches!(self.kind(), Kind::End) {
            return first;
        }
        // The rest is only parsed to find its errors.
        let mut parts = vec![first];
        while !matches!(self.kind(), Kind::End) {
            self.unexpected("an operator or the end of the expression");
            self.skip_to_operator();
            if !matches!(self.kind(), Kind::End) {
                self.advance();
                parts.push(self.expression());
            }
        }
        Ast::new(AstKind::List(parts), 0..self.source.len())
    }

    fn expression(&mut self) -> Ast {
        self.chain(Keyword::Or, AstKind::Or, |parser| {
            parser.chain(Keyword::And, AstKind::And, Self::negation)
        })
    }

    /// Parses `part`s joined by `keyword`, or a single part.
    fn chain(
        &mut self,
        keyword: Keyword,
        make: fn(Vec<Ast>) -> AstKind,
        part: impl Fn(&mut Self) -> Ast,
    ) -> Ast {
        let first = part(self);
        if !self.take_joint(keyword) {
            return first;
        }
        let mut parts = vec![first, part(self)];
        while self.take_joint(keyword) {
            parts.push(part(self));
        }
        let span = parts[0].span.start..parts[parts.len() - 1].span.end;
        Ast::new(make(parts), span)
    }

    fn negation(&mut self) -> Ast {
        if !matches!(self.kind(), Kind::Not) {
            return self.comparison();
        }
        let start = self.advance().start;
        let inner = self.nested(start, Self::negation);
        let span = start..inner.span.end;
        Ast::new(AstKind::Not(Box::new(inner)), span)
    }

    fn comparison(&mut self) -> Ast {
        let left = self.operand();
        let Some(make) = self.take_comparison() else { return left };
        let right = self.operand();
        let span = left.span.start..right.span.end;
        let ast = Ast::new(make([left, right]), span);
        while matches!(self.kind(), Kind::Compare(_) | Kind::Keyword(Keyword::In)) {
            let help = "join comparisons with `and`, or put one of them in parentheses";
            self.report(self.span(), "expected the comparison to end here", Some(help));
            self.advance();
            self.operand();
        }
        ast
    }

    fn take_comparison(&mut self) -> Option<impl FnOnce([Ast; 2]) -> AstKind + use<>> {
        let operator = match *self.kind() {
            Kind::Compare(operator) => Some(operator),
            Kind::Keyword(Keyword::In) => None,
            _ if self.is_miswritten("in") => {
                self.miswritten(Keyword::In);
                None
            }
            _ => return None,
        };
        self.advance();
        Some(move |sides| match operator {
            Some(operator) => AstKind::Compare(operator, Box::new(sides)),
            None => AstKind::In(Box::new(sides)),
        })
    }

    fn operand(&mut self) -> Ast {
        let span = self.span();
        let kind = match self.kind().clone() {
            Kind::Path(_) if matches!(self.tokens[self.next + 1].kind, Kind::LeftParen) => {
                return self.call();
            }
            Kind::LeftParen => return self.group(),
            Kind::LeftBracket => return self.list(),
            Kind::Path(path) => AstKind::Path(path),
            Kind::Text(text) => AstKind::Text(text),
            Kind::Number(number) => AstKind::Number(number),
            Kind::Keyword(Keyword::True) => AstKind::Bool(true),
            Kind::Keyword(Keyword::False) => AstKind::Bool(false),
            Kind::Keyword(Keyword::Null) => AstKind::Null,
            Kind::Bad => AstKind::Bad,
            Kind::Not => {
                let help = "put what `!` turns round in parentheses: `a = (!b)`";
                self.report(span.clone(), "expected a value, found `!`", Some(help));
                self.advance();
                let inner = self.nested(span.start, Self::operand);
                return Ast::new(AstKind::Bad, span.start..inner.span.end);
            }
            _ => {
                self.unexpected("a value");
                return Ast::new(AstKind::Bad, span.start..span.start);
            }
        };
        self.advance();
        Ast::new(kind, span)
    }

    fn group(&mut self) -> Ast {
        let open = self.advance();
        let mut inner = self.nested(open.start, Self::expression);
        self.close(&open, &Kind::RightParen, "`)`");
        inner.grouped = true;
        inner
    }

    fn list(&mut self) -> Ast {
        let open = self.advance();
        let items = self.items(&open, &Kind::RightBracket, "`,` or `]`");
        Ast::new(AstKind::List(items), open.start..self.previous_end())
    }

    fn call(&mut self) -> Ast {
        let name = self.advance();
        let open = self.advance();
        let args = self.items(&open, &Kind::RightParen, "`,` or `)`");
        let span = name.start..self.previous_end();
        let function = Function::from_name(&self.source[name.clone()]);
        Ast::new(AstKind::Call { name, function, args }, span)
    }

    /// Parses comma-separated expressions up to and including the bracket `end`, after `open`.
    fn items(&mut self, open: &Range<usize>, end: &Kind, expected: &str) -> Vec<Ast> {
        let mut items = Vec::new();
        if !self.is(end) {
            items.push(self.nested(open.start, Self::expression));
            while matches!(self.kind(), Kind::Comma) {
                self.advance();
                items.push(self.nested(open.start, Self::expression));
            }
        }
        self.close(open, end, expected);
        items
    }

    /// Reads the bracket `end` that matches `open`; any tokens before it are reported and skipped.
    fn close(&mut self, open: &Range<usize>, end: &Kind, expected: &str) {
        if !self.is(end) {
            let bracket = &self.source[open.clone()];
            if matches!(self.kind(), Kind::End) {
                let help = format!("this `{bracket}` is never closed");
                self.report(
                    open.clone(),
                    &format!("expected {expected} before the end"),
                    Some(&help),
                );
            } else {
                self.unexpected(expected);
            }
            self.skip_to(end);
        }
        if self.is(end) {
            self.advance();
        }
    }

    /// Runs `read` one level deeper. Beyond the limit, the rest of the text is skipped.
    fn nested(&mut self, start: usize, read: impl FnOnce(&mut Self) -> Ast) -> Ast {
        if self.depth == MAX_DEPTH {
            let message = format!("expected at most {MAX_DEPTH} levels of nesting");
            self.report(
                start..start + 1,
                &message,
                Some("split the expression, or drop parentheses"),
            );
            self.gave_up = true;
            self.next = self.tokens.len() - 1;
            return Ast::new(AstKind::Bad, start..start);
        }
        self.depth += 1;
        let ast = read(self);
        self.depth -= 1;
        ast
    }

    fn kind(&self) -> &Kind {
        &self.tokens[self.next].kind
    }

    fn is(&self, kind: &Kind) -> bool {
        std::mem::discriminant(self.kind()) == std::mem::discriminant(kind)
    }

    fn span(&self) -> Range<usize> {
        self.tokens[self.next].span.clone()
    }

    /// Returns the end of the previous token.
    fn previous_end(&self) -> usize {
        self.next.checked_sub(1).map_or(0, |before| self.tokens[before].span.end)
    }

    /// Advances past the next token, except the last, and returns its span.
    fn advance(&mut self) -> Range<usize> {
        let span = self.span();
        if !matches!(self.kind(), Kind::End) {
            self.next += 1;
        }
        span
    }

    /// Advances to the bracket `end` of this level, or to the end of the text.
    fn skip_to(&mut self, end: &Kind) {
        let mut open = 0_usize;
        while !matches!(self.kind(), Kind::End) && (open > 0 || !self.is(end)) {
            match self.kind() {
                Kind::LeftParen | Kind::LeftBracket => open += 1,
                Kind::RightParen | Kind::RightBracket => open = open.saturating_sub(1),
                _ => {}
            }
            self.advance();
        }
    }

    /// Advances by at least one token to the next `and` or `or`.
    fn skip_to_operator(&mut self) {
        loop {
            self.advance();
            if matches!(self.kind(), Kind::End | Kind::Keyword(Keyword::And | Keyword::Or)) {
                return;
            }
        }
    }

    /// Reads `and` or `or`, also if misspelled as `AND`.
    fn take_joint(&mut self, keyword: Keyword) -> bool {
        let name = if keyword == Keyword::And { "and" } else { "or" };
        if self.is_miswritten(name) {
            self.miswritten(keyword);
        } else if !matches!(self.kind(), Kind::Keyword(found) if *found == keyword) {
            return false;
        }
        self.advance();
        true
    }

    /// Returns `true` if the next token is a path that equals `keyword` except for its case.
    fn is_miswritten(&self, keyword: &str) -> bool {
        matches!(self.kind(), Kind::Path(_))
            && self.source[self.span()].eq_ignore_ascii_case(keyword)
            && self.source[self.span()] != *keyword
    }

    fn miswritten(&mut self, keyword: Keyword) {
        let name = match keyword {
            Keyword::And => "and",
            Keyword::Or => "or",
            _ => "in",
        };
        let message = format!("expected `{name}`, found `{}`", &self.source[self.span()]);
        self.report(
            self.span(),
            &message,
            Some(&format!("write `{name}`: keywords are lower case")),
        );
    }

    /// Reports that the next token is not what was `expected`.
    fn unexpected(&mut self, expected: &str) {
        if matches!(self.kind(), Kind::Bad) {
            return;
        }
        let text = &self.source[self.span()];
        let found = match self.kind() {
            Kind::End => "the end".to_owned(),
            Kind::Text(_) => "a string".to_owned(),
            _ => format!("`{text}`"),
        };
        let help = self.unquoted().or_else(|| self.null_test());
        let help = help.as_deref().or_else(|| self.advice());
        self.report(self.span(), &format!("expected {expected}, found {found}"), help);
    }

    /// Returns advice for a text of several words after an operator that lacks quotes.
    fn unquoted(&self) -> Option<String> {
        let is_word = |token: &&Token| matches!(token.kind, Kind::Path(_) | Kind::Number(_));
        let first = self.next.checked_sub(1)?;
        let operator = &self.tokens[first.checked_sub(1)?].kind;
        if !matches!(operator, Kind::Compare(_))
            || !matches!(self.tokens[first].kind, Kind::Path(_))
        {
            return None;
        }
        let joint = |token: &&Token| {
            let word = &self.source[token.span.clone()];
            ["and", "or"].iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
        };
        let words = self.tokens[self.next..].iter();
        let words = words.take_while(|token| is_word(token) && !joint(token));
        let last = words.last()?;
        let text = &self.source[self.tokens[first].span.start..last.span.end];
        Some(format!("a text stands in quotes: `'{text}'`"))
    }

    /// Returns advice for SQL's `is null` or `is not null` at the next token.
    fn null_test(&self) -> Option<String> {
        let is = |place: usize, word: &str| {
            let token = self.tokens.get(self.next + place);
            token.is_some_and(|token| self.source[token.span.clone()].eq_ignore_ascii_case(word))
        };
        let sign = match (is(0, "is"), is(1, "null"), is(1, "not") && is(2, "null")) {
            (true, true, _) => "=",
            (true, _, true) => "!=",
            _ => return None,
        };
        let before = self.next.checked_sub(1).map(|before| &self.tokens[before]);
        let path = before.filter(|token| matches!(token.kind, Kind::Path(_)));
        let path = path.map_or("path", |token| &self.source[token.span.clone()]);
        Some(format!("write `{path} {sign} null`"))
    }

    /// Returns advice on what the author likely meant by the next token.
    fn advice(&self) -> Option<&'static str> {
        let before = self.next.checked_sub(1).map(|before| &self.tokens[before]);
        let word = |token: &Token| match token.kind {
            Kind::Path(_) => Some(self.source[token.span.clone()].to_ascii_lowercase()),
            _ => None,
        };
        match word(&self.tokens[self.next]).as_deref() {
            Some("not") => return Some("write `!(x in list)` for a value that is not in a list"),
            Some("is") => {
                return Some("compare with `=` or `!=`, as `userId = null` or `userId != null`");
            }
            Some("like" | "matches") => return Some("match a pattern with `match(path, 'a*')`"),
            Some("contains" | "includes") => return Some("write `contains(path, 'text')`"),
            _ => {}
        }
        if before.and_then(word).as_deref() == Some("not") {
            return Some("negate with `!`");
        }
        match (before.map(|token| &token.kind), self.kind()) {
            (_, Kind::Comma) if self.depth > 0 => Some("a list stands in `[` and `]`"),
            (_, Kind::RightParen | Kind::RightBracket) if self.depth == 0 => {
                Some("nothing is open that this would close")
            }
            (Some(Kind::Text(_)), Kind::Path(_) | Kind::Text(_)) => {
                Some("a string cannot hold its own quote; use the other kind around it")
            }
            (Some(Kind::Path(_)), Kind::Path(_) | Kind::Number(_)) => {
                Some("a blank in a field name needs a backslash before it: `product\\ 1`")
            }
            _ => None,
        }
    }

    /// Adds an error, unless the rest of the text is being skipped.
    fn report(&mut self, span: Range<usize>, message: &str, help: Option<&str>) {
        if self.gave_up {
            return;
        }
        let mut error = Diagnostic::error(span, message);
        error.help = help.map(str::to_owned);
        self.errors.push(error);
    }
}
