//! The subject of an explanation.

use crate::engine::identity::value::{Blocklist, EmailFault, normalise_email};
use crate::error::Error;

/// A person, a visitor or an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The lead with this normalised address.
    Email(String),
    /// The visitor with this anonymous id.
    AnonymousId(String),
    /// The user with this user id.
    UserId(String),
    /// The events with this message id.
    MessageId(String),
    /// The event with this content hash.
    SignalId(u128),
}

impl Subject {
    /// Parses `text` as the address of a lead.
    ///
    /// # Errors
    /// Returns an error if the text is not an address, or if the rules block the address.
    pub fn email(text: &str, blocklist: &Blocklist) -> Result<Self, Error> {
        let mut email = Vec::new();
        match normalise_email(text, blocklist, &mut email) {
            Ok(()) => Ok(Self::Email(String::from_utf8_lossy(&email).into_owned())),
            Err(EmailFault::Invalid) => Err(Error::Usage(
                "--email: expected one e-mail address: a name, an `@`, and a domain with a dot"
                    .into(),
            )),
            Err(EmailFault::Blocked) => Err(Error::Usage(
                "--email: the rules file blocks this address ([identity] block), so it is never a \
                 lead; --message-id explains one of its events"
                    .into(),
            )),
        }
    }

    /// Parses `text` as a content hash, in the format of the column `signal_id`.
    ///
    /// # Errors
    /// Returns an error if the text is not such a hash.
    pub fn signal_id(text: &str) -> Result<Self, Error> {
        let digits = text.trim();
        let is_hash = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let hash = is_hash.then(|| u128::from_str_radix(digits, 16).ok()).flatten();
        hash.map(Self::SignalId).ok_or_else(|| {
            Error::Usage(
                "--signal-id: expected 32 hexadecimal digits, as the column `signal_id` of signals \
                 has them"
                    .into(),
            )
        })
    }

    /// Returns the subject after checking that its id is not blocked.
    ///
    /// # Errors
    /// Returns an error if the id is blocked.
    pub fn checked(self, blocklist: &Blocklist) -> Result<Self, Error> {
        match &self {
            Self::AnonymousId(id) | Self::UserId(id) if blocklist.blocks(id) => {
                Err(Error::Usage(format!(
                    "{}: this value is never an id: it is a placeholder such as `null`, or the \
                     rules file blocks it ([identity] block); --message-id explains one of its \
                     events",
                    self.flag()
                )))
            }
            _ => Ok(self),
        }
    }

    /// Returns the command-line flag of this kind of subject.
    pub fn flag(&self) -> &'static str {
        match self {
            Self::Email(_) => "--email",
            Self::AnonymousId(_) => "--anonymous-id",
            Self::UserId(_) => "--user-id",
            Self::MessageId(_) => "--message-id",
            Self::SignalId(_) => "--signal-id",
        }
    }

    /// Returns the name of the kind in reports.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Email(_) => "email",
            Self::AnonymousId(_) => "anonymous_id",
            Self::UserId(_) => "user_id",
            Self::MessageId(_) => "message_id",
            Self::SignalId(_) => "signal_id",
        }
    }

    /// Returns the name of the kind in words.
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Email(_) => "e-mail address",
            Self::AnonymousId(_) => "anonymous id",
            Self::UserId(_) => "user id",
            Self::MessageId(_) => "message id",
            Self::SignalId(_) => "signal id",
        }
    }

    /// Returns the address or id.
    pub fn text(&self) -> String {
        match self {
            Self::Email(text)
            | Self::AnonymousId(text)
            | Self::UserId(text)
            | Self::MessageId(text) => text.clone(),
            Self::SignalId(hash) => format!("{hash:032x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fql::glob::Glob;

    #[test]
    fn what_is_no_subject_is_refused_without_being_shown() {
        let blocklist = Blocklist::new(vec![Glob::new("*@spam.example").unwrap()]);
        assert_eq!(
            Subject::email(" Ana@Acme.example", &blocklist).unwrap(),
            Subject::Email("ana@acme.example".into())
        );
        for address in ["ana", "ana@spam.example"] {
            let error = Subject::email(address, &blocklist).unwrap_err().to_string();
            assert!(error.starts_with("--email: ") && !error.contains("ana"), "{error}");
        }
        assert!(Subject::AnonymousId("null".into()).checked(&blocklist).is_err());
        assert!(Subject::MessageId("null".into()).checked(&blocklist).is_ok());
    }

    #[test]
    fn a_signal_id_is_a_whole_hash() {
        let hash = "00000000000000000000000000000aBc";
        assert_eq!(Subject::signal_id(hash).unwrap(), Subject::SignalId(0xabc));
        assert_eq!(Subject::SignalId(0xabc).text(), hash.to_lowercase());
        for text in
            ["", "abc", "g0000000000000000000000000000abc", "+0000000000000000000000000000abc"]
        {
            assert!(Subject::signal_id(text).is_err(), "{text}");
        }
    }
}
