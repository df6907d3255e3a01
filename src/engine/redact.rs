//! Outputs that name nobody: a hash for each e-mail address, and no names, phone numbers or IP
//! addresses.

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

/// What stands for what is hidden.
const HIDDEN: &str = "***";

/// How an e-mail address becomes the id of a lead.
#[derive(Clone, Debug)]
pub enum Digest {
    /// Its SHA-256, as TrailSpark's `emailHash`: whoever can guess an address can check the guess.
    Sha256,
    /// Its HMAC-SHA-256 (RFC 2104) with a key, without which nobody can.
    Hmac(Secret),
}

/// Takes from outputs what tells who a person is.
#[derive(Debug)]
pub struct Redaction {
    digest: Digest,
    /// For each own column of the rules, whether it holds something of a person.
    hidden_columns: Vec<bool>,
}

impl Redaction {
    /// A redaction of what `rules` map.
    pub fn new(digest: Digest, rules: &Rules) -> Self {
        let mut hidden_columns = vec![false; rules.columns.len()];
        for (column, paths) in rules.rules.iter().flat_map(|rule| &rule.map.columns) {
            hidden_columns[*column] |= paths.iter().any(|path| is_personal_path(path.names()));
        }
        Self { digest, hidden_columns }
    }

    /// The id of the lead whose e-mail, trimmed and lower-cased, is `email`: 64 hex digits.
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

    /// `text` from outside: the id of a lead where it is an address, else without what tells who or
    /// where somebody is.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if let Some(email) = address(text) {
            return self.lead_id(&email).into();
        }
        personal(text)
    }

    /// The id of a visitor. One that tells who or where somebody is becomes a hash, so that it still
    /// tells visitors apart.
    pub fn id<'t>(&self, id: &'t str) -> Cow<'t, str> {
        match address(id) {
            Some(email) => self.lead_id(&email).into(),
            None if personal(id) == id => Cow::Borrowed(id),
            None => self.lead_id(id).into(),
        }
    }

    /// A URL, whose parameters that hold something of a person lose their values.
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

    /// A URL without parameters. A slash may stand in an address, but here it divides.
    fn page(url: &str) -> String {
        let part = |part: &str| match part.strip_suffix('/') {
            Some(part) => format!("{}/", personal(part)),
            None => personal(part).into_owned(),
        };
        url.split_inclusive('/').map(part).collect()
    }

    /// The shape of a text that may hold anything: `x` for each letter, `0` for each digit.
    pub fn shape(text: &str) -> String {
        let shape = |char: char| match char {
            _ if char.is_alphabetic() => 'x',
            _ if char.is_numeric() => '0',
            _ => char,
        };
        text.chars().map(shape).collect()
    }

    /// Hands what may be shown of `row` to `then`.
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

    /// Hands what may be shown of `row` to `then`; its names and phone number are gone.
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

    /// The name of a page or screen; that of a track call is whatever its `properties.name` is, which
    /// may well be that of whoever filled in a form.
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
            // A page, or anything else that holds parameters.
            Cell::Text(text) if text.contains("://") => Shown::Text(self.url(text)),
            Cell::Text(text) => Shown::Text(self.text(text)),
            // Who knows what is in it?
            Cell::Json(json) if json.starts_with(['{', '[']) => Shown::Text(HIDDEN.into()),
            Cell::Json(json) => Shown::Json(json),
        }
    }
}

/// A cell that may be shown.
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

/// The address that `text` is, as leads are named by it.
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
    fn an_address_becomes_its_hash_however_it_is_written() {
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
    fn urls_keep_their_pages_and_lose_who_saw_them() {
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
    fn ids_that_tell_somebody_still_tell_visitors_apart() {
        let redaction = redaction();
        let [one, other] = ["203.0.113.9", "203.0.113.10"].map(|id| redaction.id(id));
        assert!(one != other && one.len() == 64);
        assert_eq!(redaction.id("a-17"), "a-17");
    }

    #[test]
    fn a_shape_has_no_word() {
        assert_eq!(Redaction::shape(r#"{"näme":"Ana 世", 12"#), r#"{"xxxx":"xxx x", 00"#);
    }
}
