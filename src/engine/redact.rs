//! Redaction of outputs: e-mail addresses are hashed; names, phone numbers and IP addresses are
//! removed.

use std::borrow::Cow;
use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};

use crate::emit::row::{Cell, LeadRow, SignalRow};
use crate::engine::identity::value::{Blocklist, normalise_email};
use crate::event::CallType;
use crate::mask::{is_personal_parameter, is_personal_path, personal};
use crate::parse::auth::Secret;
use crate::rules::Rules;

/// The placeholder of redacted text.
const HIDDEN: &str = "***";

/// How the id of a lead is derived from its e-mail address.
#[derive(Clone, Debug)]
pub enum Digest {
    /// SHA-256, like TrailSpark's `emailHash`. Guessed addresses can be verified against it.
    Sha256,
    /// HMAC-SHA-256 (RFC 2104). Guessed addresses can be verified only with the key.
    Hmac(Secret),
}

/// Removes personal data from outputs.
#[derive(Clone, Debug)]
pub struct Redaction {
    digest: Digest,
    /// For each custom column of the rules, whether it maps a personal field.
    hidden_columns: Vec<bool>,
}

impl Redaction {
    /// Creates a redaction for the columns that `rules` map.
    pub fn new(digest: Digest, rules: &Rules) -> Self {
        let mut hidden_columns = vec![false; rules.columns.len()];
        for (column, paths) in rules.rules.iter().flat_map(|rule| &rule.map.columns) {
            hidden_columns[*column] |= paths.iter().any(|path| is_personal_path(path.names()));
        }
        Self { digest, hidden_columns }
    }

    /// Returns the lead id for `email`, a trimmed and lower-cased address: 64 hex digits.
    pub fn lead_id(&self, email: &str) -> String {
        let hash: [u8; 32] = match &self.digest {
            Digest::Sha256 => Sha256::digest(email).into(),
            // HMAC takes keys of any length.
            Digest::Hmac(key) => match Hmac::<Sha256>::new_from_slice(key.as_bytes()) {
                Ok(mac) => mac.chain_update(email).finalize().into_bytes().into(),
                Err(_) => [0; 32],
            },
        };
        hash.iter().fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// Redacts `text` of unknown origin: a text that is an e-mail address becomes a lead id, and
    /// other personal data is masked.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if let Some(email) = address(text) {
            return self.lead_id(&email).into();
        }
        personal(text)
    }

    /// Redacts the id of a visitor. An id with personal data becomes a hash, so that different
    /// visitors keep different ids.
    pub fn id<'t>(&self, id: &'t str) -> Cow<'t, str> {
        match address(id) {
            Some(email) => self.lead_id(&email).into(),
            None if personal(id) == id => Cow::Borrowed(id),
            None => self.lead_id(id).into(),
        }
    }

    /// Redacts a URL: the values of personal parameters are masked.
    pub fn url<'t>(&self, url: &'t str) -> Cow<'t, str> {
        let Some(start) = url.find(['?', '#']) else {
            return if url.contains("://") { Self::page(url).into() } else { self.text(url) };
        };
        let (page, parameters) = url.split_at(start);
        let mut out = Self::page(page);
        for part in parameters.split_inclusive(['?', '#', '&', ';']) {
            let (part, end) = match part.char_indices().next_back() {
                Some((at, '?' | '#' | '&' | ';')) => part.split_at(at),
                _ => (part, ""),
            };
            match part.split_once('=') {
                Some((name, _)) if is_personal_parameter(name) => {
                    out.extend([&personal(name), "=", HIDDEN]);
                }
                _ => out.push_str(&personal(part)),
            }
            out.push_str(end);
        }
        out.into()
    }

    /// Redacts a URL without its parameters, segment by segment: a slash is valid in an e-mail
    /// address, but in a URL it is a separator.
    fn page(url: &str) -> String {
        let part = |part: &str| match part.strip_suffix('/') {
            Some(part) => format!("{}/", personal(part)),
            None => personal(part).into_owned(),
        };
        url.split_inclusive('/').map(part).collect()
    }

    /// Returns the shape of free text: `x` for each letter, `0` for each digit, other characters
    /// unchanged.
    pub fn shape(text: &str) -> String {
        let shape = |char: char| match char {
            _ if char.is_alphabetic() => 'x',
            _ if char.is_numeric() => '0',
            _ => char,
        };
        text.chars().map(shape).collect()
    }

    /// Calls `then` with the redacted `row`.
    pub fn signal<R>(&self, row: &SignalRow<'_>, then: impl FnOnce(&SignalRow<'_>) -> R) -> R {
        let hidden = |place: usize| self.hidden_columns.get(place).copied().unwrap_or(true);
        let columns = row.columns.iter().enumerate();
        let columns: Vec<Shown<'_>> =
            columns.map(|(place, cell)| self.cell(*cell, hidden(place))).collect();
        let columns: Vec<Cell<'_>> = columns.iter().map(Shown::cell).collect();
        let lead_id =
            if row.lead_email.is_empty() { String::new() } else { self.lead_id(row.lead_email) };
        then(&SignalRow {
            event: &self.text(row.event),
            signal: &self.text(row.signal),
            lead_email: &lead_id,
            anonymous_id: &self.id(row.anonymous_id),
            user_id: &self.id(row.user_id),
            page_url: &self.url(row.page_url),
            page_name: &self.page_name(row),
            message_id: &self.id(row.message_id),
            columns: &columns,
            ..*row
        })
    }

    /// Calls `then` with the redacted `row`. Personal names and the phone number become empty.
    pub fn lead<R>(&self, row: &LeadRow<'_>, then: impl FnOnce(&LeadRow<'_>) -> R) -> R {
        let ids = |ids: &[&str]| {
            let mut ids: Vec<String> = ids.iter().map(|id| self.id(id).into_owned()).collect();
            ids.sort_unstable();
            ids
        };
        let (anonymous_ids, user_ids) = (ids(row.anonymous_ids), ids(row.user_ids));
        let anonymous_ids: Vec<&str> = anonymous_ids.iter().map(String::as_str).collect();
        let user_ids: Vec<&str> = user_ids.iter().map(String::as_str).collect();
        then(&LeadRow {
            email: &self.lead_id(row.email),
            name: "",
            first_name: "",
            last_name: "",
            phone: "",
            company: &self.text(row.company),
            title: &self.text(row.title),
            first_page_url: &self.url(row.first_page_url),
            first_referrer: &self.url(row.first_referrer),
            utm_source: &self.text(row.utm_source),
            utm_medium: &self.text(row.utm_medium),
            utm_campaign: &self.text(row.utm_campaign),
            last_signal: &self.text(row.last_signal),
            top_signal: &self.text(row.top_signal),
            anonymous_ids: &anonymous_ids,
            user_ids: &user_ids,
            ..*row
        })
    }

    /// Redacts the name of a page or screen. That of a track call is its `properties.name`, which
    /// can be the name of a person who filled in a form.
    fn page_name<'t>(&self, row: &SignalRow<'t>) -> Cow<'t, str> {
        match row.call {
            CallType::Track if !row.page_name.is_empty() => HIDDEN.into(),
            _ => self.text(row.page_name),
        }
    }

    fn cell<'t>(&self, cell: Cell<'t>, hidden: bool) -> Shown<'t> {
        match cell {
            Cell::Absent => Shown::Absent,
            _ if hidden => Shown::Text(HIDDEN.into()),
            // URLs of pages and everything else with parameters.
            Cell::Text(text) if text.contains("://") => Shown::Text(self.url(text)),
            Cell::Text(text) => Shown::Text(self.text(text)),
            // Objects and arrays can hold anything.
            Cell::Json(json) if json.starts_with(['{', '[']) => Shown::Text(HIDDEN.into()),
            Cell::Json(json) => Shown::Json(json),
        }
    }
}

/// A redacted cell.
enum Shown<'t> {
    Absent,
    Text(Cow<'t, str>),
    Json(&'t str),
}

impl Shown<'_> {
    fn cell(&self) -> Cell<'_> {
        match self {
            Self::Absent => Cell::Absent,
            Self::Text(text) => Cell::Text(text),
            Self::Json(json) => Cell::Json(json),
        }
    }
}

/// Returns the normalised e-mail address if `text` is one.
fn address(text: &str) -> Option<String> {
    if !text.contains('@') {
        return None;
    }
    let mut email = Vec::new();
    normalise_email(text, &Blocklist::default(), &mut email).ok()?;
    String::from_utf8(email).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redaction() -> Redaction {
        Redaction::new(Digest::Sha256, &Rules::default())
    }

    #[test]
    fn an_address_in_any_notation_becomes_its_hash() {
        // printf ana@acme.example | sha256sum
        let hash = redaction().lead_id("ana@acme.example");
        assert_eq!(redaction().text(" Ana <ANA@acme.example>"), hash);
        assert_eq!(redaction().id("ana@Acme.example"), hash);
        assert_eq!(hash.len(), 64);
    }

    #[test]
    fn hmac_is_that_of_rfc_4231() {
        let key = Secret::new(b"Jefe".to_vec()).unwrap();
        let redaction = Redaction::new(Digest::Hmac(key), &Rules::default());
        assert_eq!(
            redaction.lead_id("what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn urls_keep_their_pages_and_lose_personal_parameters() {
        for (url, shown) in [
            ("https://a.example/pricing?plan=pro", "https://a.example/pricing?plan=pro"),
            (
                "https://a.example/?first_name=Ana&utm_source=x&email=ana%40acme.example#name=Ana",
                "https://a.example/?first_name=***&utm_source=x&email=***#name=***",
            ),
            ("https://203.0.113.9/?ip=::1", "https://***/?ip=***"),
            ("https://a.example/u/a.ana@acme.example/x?", "https://a.example/u/***/x?"),
            ("https://203.0.113.9/x", "https://***/x"),
            ("/pricing", "/pricing"),
        ] {
            assert_eq!(redaction().url(url), shown);
        }
    }

    #[test]
    fn redacted_ids_still_distinguish_visitors() {
        let redaction = redaction();
        let [one, other] = ["203.0.113.9", "203.0.113.10"].map(|id| redaction.id(id));
        assert!(one != other && one.len() == 64);
        assert_eq!(redaction.id("a-17"), "a-17");
    }

    #[test]
    fn a_shape_has_no_words() {
        assert_eq!(Redaction::shape(r#"{"näme":"Ana 世", 12"#), r#"{"xxxx":"xxx x", 00"#);
    }
}
