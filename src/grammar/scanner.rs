//! The scanner for a single value.

use super::is_blank;
use super::number::Number;

/// The result of feeding bytes to a [`Scanner`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The value is not complete yet.
    More,
    /// The value is complete and has this many bytes.
    End(usize),
    /// The text is not JSON.
    Broken(Fault),
}

/// The position and kind of a syntax error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The offset of the offending byte, starting at 0 at the start of the text.
    pub at: usize,
    /// What the grammar allows there.
    pub expected: Expected,
}

/// What was expected at a syntax error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Value,
    /// The name of a member, in double quotes.
    Name,
    Colon,
    /// `,` or `]`.
    ListComma,
    /// `,` or `}`.
    ObjectComma,
    Escape,
    /// The digits of an escape such as `\u20ac` or `\x22`.
    HexDigits,
    /// An escape in place of a raw control character.
    EscapedControl,
    /// A closing quote for the string that begins here, on the same line.
    ClosingQuote,
    Number,
    /// `true`, `false` or `null`.
    Word,
}

/// The role of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Name,
    Value,
}

/// A container that is not closed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    List,
    Object,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Value,
    /// A value or the end of the list.
    FirstItem,
    Name,
    /// A name or the end of the object.
    FirstName,
    Colon,
    /// A comma or the end of the container.
    AfterValue,
    Text(Role),
    Escape(Role),
    /// A hexadecimal escape with this many digits missing.
    Hex(Role, u8),
    Number(Number),
    /// A literal with these letters missing.
    Word(&'static [u8]),
}

/// What happened to a byte.
enum Move {
    Taken,
    /// The byte ended the token before it and must be processed again.
    Kept,
}

/// A resumable scanner for one value, whose text may arrive in parts.
#[derive(Clone, Debug)]
pub(crate) struct Scanner {
    state: State,
    open: Vec<Open>,
    /// The number of bytes processed so far.
    passed: usize,
    /// The offset of the opening quote of the current string.
    quote: usize,
    /// The offset of the current escape, number or literal.
    token: usize,
}

impl Default for Scanner {
    fn default() -> Self {
        Self { state: State::Value, open: Vec::new(), passed: 0, quote: 0, token: 0 }
    }
}

impl Scanner {
    /// Scans `text` as a whole and returns the length of its value. An incomplete value is a fault.
    pub fn scan(text: &[u8]) -> Result<usize, Fault> {
        let mut scanner = Self::default();
        match scanner.feed(text) {
            Step::End(end) => Ok(end),
            Step::Broken(fault) => Err(fault),
            Step::More => scanner.end(),
        }
    }

    /// Processes the next bytes of the text, up to the end of the value.
    pub fn feed(&mut self, bytes: &[u8]) -> Step {
        let before = self.passed;
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let place = before + at;
            if let State::Text(role) = self.state {
                let run = &bytes[at..];
                let stop = run.iter().position(|&byte| matches!(byte, b'"' | b'\\' | 0..0x20));
                at += stop.unwrap_or(run.len());
                if let Some(stop) = stop
                    && let Err(fault) = self.stop(role, run[stop], before + at)
                {
                    return Step::Broken(fault);
                }
                at += usize::from(stop.is_some());
            } else {
                match self.take(byte, place) {
                    Ok(Move::Taken) => at += 1,
                    Ok(Move::Kept) => {}
                    Err(expected) => {
                        let at = if self.is_in_token() { self.token } else { place };
                        return Step::Broken(Fault { at, expected });
                    }
                }
            }
            if self.open.is_empty() && self.state == State::AfterValue {
                return Step::End(before + at);
            }
        }
        self.passed = before + at;
        Step::More
    }

    /// Returns the number of bytes processed so far.
    pub fn passed(&self) -> usize {
        self.passed
    }

    /// Ends the text. Returns the length of the value if it may end here, else the fault.
    pub fn end(&self) -> Result<usize, Fault> {
        let expected = match self.state {
            State::Number(number) if self.open.is_empty() && number.is_whole() => {
                return Ok(self.passed);
            }
            State::Text(_) => Expected::ClosingQuote,
            State::Escape(_) => Expected::Escape,
            State::Hex(..) => Expected::HexDigits,
            State::Word(_) => Expected::Word,
            State::Number(number) if !number.is_whole() => Expected::Number,
            State::Value | State::FirstItem => Expected::Value,
            State::Name | State::FirstName => Expected::Name,
            State::Colon => Expected::Colon,
            State::Number(_) | State::AfterValue => self.comma(),
        };
        let at = match self.state {
            State::Text(_) => self.quote,
            _ if self.is_in_token() => self.token,
            _ => self.passed,
        };
        Err(Fault { at, expected })
    }

    fn is_in_token(&self) -> bool {
        match self.state {
            State::Number(number) => !number.is_whole(),
            State::Escape(_) | State::Hex(..) | State::Word(_) => true,
            _ => false,
        }
    }

    /// Processes the byte that ends a run of plain bytes of a string.
    fn stop(&mut self, role: Role, byte: u8, place: usize) -> Result<(), Fault> {
        match byte {
            b'"' if role == Role::Name => self.state = State::Colon,
            b'"' => self.state = State::AfterValue,
            b'\\' => {
                self.token = place;
                self.state = State::Escape(role);
            }
            b'\n' | b'\r' => {
                return Err(Fault { at: self.quote, expected: Expected::ClosingQuote });
            }
            _ => return Err(Fault { at: place, expected: Expected::EscapedControl }),
        }
        Ok(())
    }

    /// Processes a byte outside of the plain part of a string.
    fn take(&mut self, byte: u8, place: usize) -> Result<Move, Expected> {
        match self.state {
            State::Number(number) => {
                if let Some(next) = number.next(byte) {
                    self.state = State::Number(next);
                } else if number == Number::Sign && byte == b'I' {
                    self.state = State::Word(b"nfinity");
                } else if number.is_whole() {
                    self.state = State::AfterValue;
                    return Ok(Move::Kept);
                } else {
                    return Err(Expected::Number);
                }
            }
            State::Word(rest) => match rest.split_first() {
                Some((&letter, rest)) if letter == byte => {
                    self.state =
                        if rest.is_empty() { State::AfterValue } else { State::Word(rest) };
                }
                _ => return Err(Expected::Word),
            },
            State::Escape(role) => {
                self.state = match byte {
                    b'u' => State::Hex(role, 4),
                    b'x' => State::Hex(role, 2),
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => State::Text(role),
                    _ => return Err(Expected::Escape),
                };
            }
            State::Hex(role, missing) if byte.is_ascii_hexdigit() => {
                self.state = match missing {
                    1 => State::Text(role),
                    _ => State::Hex(role, missing - 1),
                };
            }
            State::Hex(..) => return Err(Expected::HexDigits),
            _ if is_blank(byte) => {}
            _ => self.structure(byte, place)?,
        }
        Ok(Move::Taken)
    }

    /// Processes a byte between tokens.
    fn structure(&mut self, byte: u8, place: usize) -> Result<(), Expected> {
        match (self.state, byte) {
            (State::FirstItem, b']') | (State::FirstName, b'}') => {
                self.open.pop();
                self.state = State::AfterValue;
            }
            (State::Value | State::FirstItem, _) => self.value(byte, place)?,
            (State::Name | State::FirstName, b'"') => {
                self.quote = place;
                self.state = State::Text(Role::Name);
            }
            (State::Name | State::FirstName, _) => return Err(Expected::Name),
            (State::Colon, b':') => self.state = State::Value,
            (State::Colon, _) => return Err(Expected::Colon),
            _ => match (self.open.last(), byte) {
                (Some(Open::List), b',') => self.state = State::Value,
                (Some(Open::Object), b',') => self.state = State::Name,
                (Some(Open::List), b']') | (Some(Open::Object), b'}') => {
                    self.open.pop();
                }
                _ => return Err(self.comma()),
            },
        }
        Ok(())
    }

    fn value(&mut self, byte: u8, place: usize) -> Result<(), Expected> {
        self.state = match byte {
            b'{' => {
                self.open.push(Open::Object);
                State::FirstName
            }
            b'[' => {
                self.open.push(Open::List);
                State::FirstItem
            }
            b'"' => {
                self.quote = place;
                State::Text(Role::Value)
            }
            b't' => State::Word(b"rue"),
            b'f' => State::Word(b"alse"),
            b'n' => State::Word(b"ull"),
            b'N' => State::Word(b"aN"),
            b'I' => State::Word(b"nfinity"),
            _ => State::Number(Number::begin(byte).ok_or(Expected::Value)?),
        };
        self.token = place;
        Ok(())
    }

    fn comma(&self) -> Expected {
        match self.open.last() {
            Some(Open::Object) => Expected::ObjectComma,
            _ => Expected::ListComma,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fault(text: &str) -> Option<(usize, Expected)> {
        Scanner::scan(text.as_bytes()).err().map(|fault| (fault.at, fault.expected))
    }

    #[test]
    fn a_value_ends_where_its_structure_ends() {
        for (text, end) in [
            ("{}", 2),
            (r#"{"a":[1,{"b":"}"}],"c":-1.5e3}{"#, 30),
            ("[] ,", 2),
            ("\"a\" 1", 3),
            (" 12 ", 3),
            ("null", 4),
            (r#"[NaN,-Infinity,"\x22\u00e9"]x"#, 28),
        ] {
            assert_eq!(Scanner::scan(text.as_bytes()), Ok(end), "{text}");
        }
    }

    #[test]
    fn a_fault_stands_where_the_text_stops_being_json() {
        for (text, at, expected) in [
            ("", 0, Expected::Value),
            (r#"{"a":1"#, 6, Expected::ObjectComma),
            (r#"{"a":1 "b""#, 7, Expected::ObjectComma),
            (r#"{"a" 1}"#, 5, Expected::Colon),
            (r#"{"a":1,}"#, 7, Expected::Name),
            ("[1,]", 3, Expected::Value),
            ("[1 2]", 3, Expected::ListComma),
            ("[1}", 2, Expected::ListComma),
            (r#"["ab\qc"]"#, 4, Expected::Escape),
            (r#"["ab\u12"]"#, 4, Expected::HexDigits),
            (r#"["ab\nc"#, 1, Expected::ClosingQuote),
            ("[\"ab\nc\"]", 1, Expected::ClosingQuote),
            ("[\"a\tb\"]", 3, Expected::EscapedControl),
            ("[1.]", 1, Expected::Number),
            ("[tru]", 1, Expected::Word),
            ("{'a':1}", 1, Expected::Name),
        ] {
            assert_eq!(fault(text), Some((at, expected)), "{text}");
        }
    }

    fn value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            any::<f64>().prop_map(serde_json::Value::from),
            any::<Option<bool>>().prop_map(serde_json::Value::from),
            any::<String>().prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
                prop::collection::btree_map(".{0,3}", inner, 0..4)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_value_ends_at_its_end_however_it_is_cut(
            value in prop::collection::vec(value(), 0..3),
            pretty in any::<bool>(),
            step in 1_usize..20,
        ) {
            let value = serde_json::Value::from(value);
            let text = if pretty { format!("{value:#}") } else { value.to_string() };
            let longer = format!("{text}[");
            let mut scanner = Scanner::default();
            let mut steps = longer.as_bytes().chunks(step).map(|bytes| scanner.feed(bytes));
            prop_assert_eq!(steps.find(|step| *step != Step::More), Some(Step::End(text.len())));
        }

        #[test]
        fn what_another_parser_takes_is_taken_and_nothing_else(text in r#"[\[\]{}:,"a\\ 01.e+-]{0,9}|[\[{]"[a\\u0"]{0,9}[:,0"\]}]{0,4}"#) {
            let ours = Scanner::scan(text.as_bytes());
            let whole = ours.is_ok_and(|end| text[end..].trim_ascii().is_empty());
            let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(whole, theirs, "{}", text);
        }
    }
}
