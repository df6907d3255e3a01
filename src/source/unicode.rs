//! Transcoding of UTF-16 and UTF-32 to UTF-8.

use super::bytes::{BufferedSource, DecodeError, Source};

/// The number of bytes that are read at a time; a multiple of the length of every code unit.
const CHUNK_BYTES: usize = 64 << 10;

/// An encoding that a byte order mark identifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf16Le,
    Utf16Be,
    Utf32Le,
    Utf32Be,
}

impl Encoding {
    /// Detects the encoding by its byte order mark, except UTF-8.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xff, 0xfe, 0, 0, ..] => Some(Self::Utf32Le),
            [0, 0, 0xfe, 0xff, ..] => Some(Self::Utf32Be),
            [0xff, 0xfe, ..] => Some(Self::Utf16Le),
            [0xfe, 0xff, ..] => Some(Self::Utf16Be),
            _ => None,
        }
    }

    /// Returns the length of a code unit, in bytes.
    fn unit_bytes(self) -> usize {
        match self {
            Self::Utf16Le | Self::Utf16Be => 2,
            Self::Utf32Le | Self::Utf32Be => 4,
        }
    }

    /// Decodes the code unit in `bytes`.
    fn unit(self, bytes: &[u8]) -> u32 {
        let join = |high: u32, byte: &u8| high << 8 | u32::from(*byte);
        match self {
            Self::Utf16Be | Self::Utf32Be => bytes.iter().fold(0, join),
            Self::Utf16Le | Self::Utf32Le => bytes.iter().rev().fold(0, join),
        }
    }
}

/// A source transcoded to UTF-8, without its byte order mark. Invalid code units are replaced by
/// U+FFFD.
pub(super) struct Transcoder {
    raw: BufferedSource,
    encoding: Encoding,
    /// `text[position..]` was decoded and not returned yet.
    text: String,
    position: usize,
    /// The high surrogate whose low surrogate follows.
    high: Option<u32>,
    error: Option<DecodeError>,
}

impl Transcoder {
    /// Transcodes `raw`, which begins with the byte order mark of `encoding`.
    pub fn new(mut raw: BufferedSource, encoding: Encoding) -> Self {
        raw.grow(CHUNK_BYTES);
        raw.consume(encoding.unit_bytes());
        Self { raw, encoding, text: String::new(), position: 0, high: None, error: None }
    }

    /// Decodes the next part into `text`, which is empty at the end.
    fn decode(&mut self) -> Result<(), DecodeError> {
        let size = self.encoding.unit_bytes();
        self.text.clear();
        self.position = 0;
        self.raw.refill(size)?;
        let bytes = self.raw.available();
        let whole = bytes.len() - bytes.len() % size;
        if whole == 0 {
            if self.high.take().is_some() {
                self.text.push(char::REPLACEMENT_CHARACTER);
            }
            return match bytes.len() {
                0 => Ok(()),
                _ => Err(self.raw.error("the text is cut off inside a character")),
            };
        }
        for unit in bytes[..whole].chunks_exact(size) {
            let unit = self.encoding.unit(unit);
            push(&mut self.text, &mut self.high, unit, size);
        }
        self.raw.consume(whole);
        Ok(())
    }
}

/// Appends the character that `unit`, of `size` bytes, encodes or completes.
fn push(text: &mut String, high: &mut Option<u32>, unit: u32, size: usize) {
    if size == 2
        && let Some(first) = high.take()
    {
        if (0xdc00..0xe000).contains(&unit) {
            let scalar = 0x1_0000 + ((first - 0xd800) << 10) + (unit - 0xdc00);
            text.push(char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER));
            return;
        }
        text.push(char::REPLACEMENT_CHARACTER);
    }
    if size == 2 && (0xd800..0xdc00).contains(&unit) {
        *high = Some(unit);
    } else {
        text.push(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
    }
}

impl Source for Transcoder {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, DecodeError> {
        while self.position == self.text.len() {
            if let Some(error) = &self.error {
                return Err(error.clone());
            }
            match self.decode() {
                Ok(()) if self.text.is_empty() && self.high.is_none() => return Ok(0),
                Ok(()) => {}
                Err(error) => self.error = Some(error),
            }
        }
        let rest = &self.text.as_bytes()[self.position..];
        let count = rest.len().min(out.len());
        out[..count].copy_from_slice(&rest[..count]);
        self.position += count;
        Ok(count)
    }

    fn offset(&self, _behind: usize) -> u64 {
        self.raw.offset(0)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::source::bytes::Stored;

    fn encoded(text: &str, encoding: Encoding) -> Vec<u8> {
        let units = |unit: u32| match encoding {
            Encoding::Utf16Le => unit.to_le_bytes()[..2].to_vec(),
            Encoding::Utf16Be => unit.to_be_bytes()[2..].to_vec(),
            Encoding::Utf32Le => unit.to_le_bytes().to_vec(),
            Encoding::Utf32Be => unit.to_be_bytes().to_vec(),
        };
        let text = format!("\u{feff}{text}");
        if encoding.unit_bytes() == 2 {
            text.encode_utf16().flat_map(|unit| units(unit.into())).collect()
        } else {
            text.chars().flat_map(|char| units(char.into())).collect()
        }
    }

    fn decoded(bytes: Vec<u8>, step: usize) -> (Vec<u8>, Option<DecodeError>) {
        let encoding = Encoding::of(&bytes).unwrap();
        let source = Stored::stream(Box::new(Cursor::new(bytes)), None, Arc::default());
        let mut raw = BufferedSource::new(Box::new(source), 4);
        raw.refill(4).unwrap();
        let mut transcoder = Transcoder::new(raw, encoding);
        let (mut text, mut piece) = (Vec::new(), vec![0; step]);
        loop {
            match transcoder.read(&mut piece) {
                Ok(0) => return (text, None),
                Ok(count) => text.extend_from_slice(&piece[..count]),
                Err(error) => return (text, Some(error)),
            }
        }
    }

    const ALL: [Encoding; 4] =
        [Encoding::Utf16Le, Encoding::Utf16Be, Encoding::Utf32Le, Encoding::Utf32Be];

    proptest! {
        #[test]
        fn text_in_any_encoding_is_decoded_unchanged(text in "[a-zé\u{1f600}\n\u{feff}]{0,40}", step in 1_usize..9) {
            for encoding in ALL {
                let (found, error) = decoded(encoded(&text, encoding), step);
                prop_assert_eq!(String::from_utf8(found).unwrap(), text.as_str());
                prop_assert_eq!(error, None);
            }
        }
    }

    #[test]
    fn text_longer_than_a_chunk_is_complete() {
        let text = "a\u{1f600}é".repeat(CHUNK_BYTES);
        for encoding in ALL {
            assert!(decoded(encoded(&text, encoding), 4096).0 == text.as_bytes(), "{encoding:?}");
        }
    }

    #[test]
    fn unpaired_surrogates_become_replacement_characters() {
        for (units, expected) in [
            (&[0xd83d, 0x61][..], "\u{fffd}a"),
            (&[0xdc00, 0x61], "\u{fffd}a"),
            (&[0xd83d, 0xd83d, 0xde00], "\u{fffd}\u{1f600}"),
            (&[0x61, 0xd83d], "a\u{fffd}"),
        ] {
            let bytes = [0xfeff_u16].iter().chain(units).flat_map(|unit| unit.to_le_bytes());
            assert_eq!(decoded(bytes.collect(), 3), (expected.into(), None));
        }
    }

    #[test]
    fn a_text_that_ends_inside_a_character_is_an_error_at_its_offset() {
        let mut bytes = encoded("ab", Encoding::Utf16Le);
        bytes.pop();
        let (text, error) = decoded(bytes, 7);
        assert_eq!((text.as_slice(), error.unwrap().offset), (b"a".as_slice(), 4));
    }
}
