//! The layout of the values of a file, detected from its beginning.

use memchr::{memchr, memrchr};

use super::cut::next_start;
use super::input::OpenInput;
use super::reader::Options;
use crate::grammar::{Scanner, Step, is_blank, skip_separators};

/// How a file is to be cut.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Each line stands alone.
    Lines,
    /// Values end where their structure ends.
    Values,
    /// The file is one value over many lines: this is all of it.
    Whole(Vec<u8>),
    /// It begins with so many bytes of blank lines: what comes behind them will tell.
    Blank(usize),
}

impl Layout {
    /// Finds out how `input` is laid out; `head` is a buffer for its first bytes. What was read to
    /// find out is put back, unless it is one value or blank.
    pub fn find(input: &mut OpenInput, head: &mut [u8], options: &Options) -> Self {
        let filled = input.fill(head);
        let (text, ended) = (&head[..filled], filled < head.len());
        if !ended
            && matches!(Beginning::of(text), Beginning::Blank)
            && let Some(line_end) = memrchr(b'\n', text)
        {
            input.put_back(&text[line_end + 1..]);
            return Self::Blank(line_end + 1);
        }
        let mut first = None;
        match told(&mut first, text, ended, options) {
            Some(Told::Lines) => {
                input.put_back(text);
                return Self::Lines;
            }
            Some(Told::Values) => {
                input.put_back(text);
                return Self::Values;
            }
            Some(Told::Whole) => return Self::Whole(text.to_vec()),
            None => {}
        }
        let mut text = text.to_vec();
        loop {
            let start = text.len();
            text.resize(start + head.len(), 0);
            let count = input.fill(&mut text[start..]);
            let ended = start + count < text.len();
            text.truncate(start + count);
            let layout = match told(&mut first, &text, ended, options) {
                Some(Told::Lines) => Self::Lines,
                Some(Told::Values) => Self::Values,
                Some(Told::Whole) => return Self::Whole(text),
                None => continue,
            };
            input.put_back_owned(text);
            return layout;
        }
    }
}

/// What is told of a file that begins with `text`, and is all of it if it `ended`; `None` where more
/// must be seen. `first` is its first value, once that has begun.
fn told(first: &mut Option<First>, text: &[u8], ended: bool, options: &Options) -> Option<Told> {
    if let Some(first) = first {
        return first.look(text, ended, options);
    }
    match Beginning::of(text) {
        Beginning::Value(start) => first.insert(First::new(start)).look(text, ended, options),
        Beginning::Other => Some(Told::Lines),
        Beginning::Blank | Beginning::Comment => {
            (ended || text.len() > options.far()).then_some(Told::Lines)
        }
    }
}

/// What a file begins with.
enum Beginning {
    /// A value, from here on. Lines that are comments may stand before it.
    Value(usize),
    /// Nothing but separators so far.
    Blank,
    /// Nothing but comments, and what may become one.
    Comment,
    /// Neither.
    Other,
}

impl Beginning {
    fn of(text: &[u8]) -> Self {
        let (mut at, mut commented) = (0, false);
        loop {
            at = skip_separators(text, at);
            match &text[at..] {
                [] if !commented => return Self::Blank,
                [] | [b'/'] => return Self::Comment,
                [b'{' | b'[', ..] => return Self::Value(at),
                [b'#', ..] | [b'/', b'/' | b'*', ..] => match memchr(b'\n', &text[at..]) {
                    Some(length) => (at, commented) = (at + length, true),
                    None => return Self::Comment,
                },
                _ => return Self::Other,
            }
        }
    }
}

/// What the first value of a file tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Lines,
    Values,
    Whole,
}

/// The first value of a file.
struct First {
    start: usize,
    /// All before this was looked at.
    looked: usize,
    state: State,
    /// It is longer than a value over many lines may be.
    too_long: bool,
}

enum State {
    Open(Scanner),
    /// It is whole and spans lines.
    Ended,
    /// It spans lines and is broken.
    Broken,
}

impl First {
    /// The one that begins at `start`.
    fn new(start: usize) -> Self {
        Self { start, looked: start, state: State::Open(Scanner::default()), too_long: false }
    }

    /// Looks at more of the file, which begins with `text`, and all of which it is if it `ended`.
    fn look(&mut self, text: &[u8], ended: bool, options: &Options) -> Option<Told> {
        if let State::Open(scanner) = &mut self.state {
            let step = scanner.feed(&text[self.looked..]);
            self.looked = text.len();
            let (end, next) = match step {
                Step::End(length) => (self.start + length, State::Ended),
                Step::Broken(fault) => (self.start + fault.at, State::Broken),
                Step::More if ended || text.len() > options.max_value_bytes => {
                    (text.trim_ascii_end().len(), State::Broken)
                }
                Step::More => return None,
            };
            if memchr(b'\n', &text[self.start..end]).is_none() {
                return Some(Told::Lines);
            }
            self.too_long = !ended && matches!(step, Step::More);
            self.looked = if let State::Ended = next { end } else { self.start + 1 };
            self.state = next;
        }
        if let State::Ended = self.state {
            let rest = &text[self.looked..];
            self.looked = text.len();
            return match rest.iter().all(|&byte| is_blank(byte)) {
                false => Some(Told::Values),
                true if text.len() > options.max_value_bytes => Some(Told::Values),
                true => ended.then_some(Told::Whole),
            };
        }
        self.after_broken(text, ended, options)
    }

    /// A first line that was cut is followed by lines that are whole; a broken value over many
    /// lines is not.
    fn after_broken(&mut self, text: &[u8], ended: bool, options: &Options) -> Option<Told> {
        if let Some(next) = next_start(text, self.looked) {
            let line = &text[next..];
            let end = memchr(b'\n', line);
            if end.is_some() || ended {
                let line = &line[skip_separators(line, 0)..end.unwrap_or(line.len())];
                let is_whole = Scanner::scan(line).is_ok();
                return Some(if is_whole { Told::Lines } else { Told::Values });
            }
            // Its line end, by which it is found again.
            self.looked = next - 1;
        } else {
            // The line end may be the last byte so far.
            self.looked = text.len().saturating_sub(1).max(self.looked);
        }
        if ended {
            return Some(Told::Values);
        }
        let told = if self.too_long { Told::Values } else { Told::Lines };
        (text.len() - self.start > options.far()).then_some(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of `text`, whichever way it comes.
    fn told(text: &str) -> Told {
        let options = Options::default();
        let look = |first: &mut Option<First>, text: &[u8], ended| {
            super::told(first, text, ended, &options)
        };
        let told = look(&mut None, text.as_bytes(), true).unwrap();
        for cut in 0..text.len() {
            let mut first = None;
            let early = look(&mut first, &text.as_bytes()[..cut], false);
            let late = early.or_else(|| look(&mut first, text.as_bytes(), true));
            assert_eq!(late, Some(told), "{text:?} cut at {cut}");
        }
        told
    }

    #[test]
    fn a_first_line_that_is_whole_makes_lines_of_all() {
        for text in [
            "",
            "\n\n",
            "text\n{\n}",
            "{}\n{\n}",
            "{\"a\":1}{\n}",
            "{\"a\":1},\n{\"a\":2}\n",
            ",{\"a\":1}\n,{\"a\":2}",
            "\u{1e}{}\n\u{1e}{}\n",
            "{broken}\n{}\n",
            "{\"a\":\"cut o\n{\"a\":2}\n",
            "[2025-03-01] text\n",
            "{\"a\":1",
        ] {
            assert_eq!(told(text), Told::Lines, "{text:?}");
        }
    }

    #[test]
    fn a_cut_first_line_before_whole_ones_is_a_line() {
        for text in [
            "{\"a\":1\n{\"a\":2}\n{\"a\":3}\n",
            "{\"a\":\n{\"b\":{}}\n{\"a\":3}\n",
            "{\"a\":[\n{\"a\":2}\n{\"a\":3}",
            "[\n{\"a\":1},\n{\"a\":\n{\"a\":3}\n]\n",
            "[\nz\n{\"a\":1}\n]\n",
        ] {
            assert_eq!(told(text), Told::Lines, "{text:?}");
        }
    }

    #[test]
    fn a_file_that_is_one_value_is_told() {
        for text in ["{\n}", " [\n{\"a\":1}\n,{}]\r\n \n", "// x\n{\n\"a\":1\n}\n", "\u{1e}{\n}\n"]
        {
            assert_eq!(told(text), Told::Whole, "{text:?}");
        }
    }

    #[test]
    fn values_over_lines_are_told_also_when_the_first_is_broken() {
        for text in [
            "{\n}\n{\n}",
            "{\n}{}",
            "{\n},\n{\n},",
            "[\n1]\nx",
            "{\n\"a\":\n}\n{\n\"b\":1\n}\n",
            "{\"batch\":[\n,{}\n,{}",
            "{\n\"a\": 1",
        ] {
            assert_eq!(told(text), Told::Values, "{text:?}");
        }
    }
}
