//! Ids of people and messages: strings or numbers.

use crate::json::canonical::{write_integer, write_number};
use crate::json::{Json, Kind, Number};

/// An id as it stands in the JSON; never blank.
#[derive(Clone, Copy, Debug)]
pub enum Id<'t> {
    /// A string that is not blank.
    Text(&'t str),
    /// A number, which stands for its JSON text.
    Number(Number),
}

impl<'t> Id<'t> {
    /// The id that `value` is; `None` of blank strings and of what is neither string nor number.
    #[inline]
    pub fn from_json(value: Json<'t>) -> Option<Self> {
        match value.kind() {
            Kind::String(text) if !is_blank(text) => Some(Self::Text(text)),
            Kind::Number(number) => Some(Self::Number(number)),
            _ => None,
        }
    }

    /// The id's text; `scratch` holds it where it has to be written.
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

    /// Appends the id's text.
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
