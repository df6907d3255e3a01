//! Ids of people and messages: strings or numbers.

use crate::json::canonical::{write_integer, write_number};
use crate::json::{Json, Kind, Number};

/// The id of a person or message as the JSON gives it; never blank.
#[derive(Clone, Copy, Debug)]
pub enum Id<'t> {
    /// A string that is not blank.
    Text(&'t str),
    /// A number, which is identified by its JSON text.
    Number(Number),
}

impl<'t> Id<'t> {
    /// Returns the id in `value`, or `None` if `value` is a blank string or neither a string nor a
    /// number.
    #[inline]
    pub fn from_json(value: Json<'t>) -> Option<Self> {
        match value.kind() {
            Kind::String(text) if !is_blank(text) => Some(Self::Text(text)),
            Kind::Number(number) => Some(Self::Number(number)),
            _ => None,
        }
    }

    /// Returns the id's text. `scratch` holds the text if the id is a number.
    #[inline]
    pub fn text<'a>(self, scratch: &'a mut Vec<u8>) -> &'a str
    where
        't: 'a,
    {
        if let Self::Text(text) = self {
            return text;
        }
        scratch.clear();
        self.write(scratch);
        // Numbers are written in ASCII.
        std::str::from_utf8(scratch).unwrap_or_default()
    }

    /// Appends the id's text to `out`.
    #[inline]
    pub fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => out.extend_from_slice(text.as_bytes()),
            Self::Number(Number::Int(value)) => write_integer(value, out),
            Self::Number(Number::Uint(value)) => write_integer(value, out),
            Self::Number(number) => write_number(number, out),
        }
    }
}

#[inline]
fn is_blank(text: &str) -> bool {
    match text.as_bytes().first() {
        None => true,
        Some(b'!'..=b'~') => false,
        Some(_) => text.trim().is_empty(),
    }
}
