//! Extracts the texts, traits and mapped values of an event into its row.

use memchr::memchr;

use crate::engine::exchange::row::{Field, RowIds, Rows};
use crate::engine::identity::value::{Blocklist, normalise_email};
use crate::engine::map::write_text;
use crate::event::id::Id;
use crate::event::path::Path;
use crate::event::{CallType, Event, Inner, Member};
use crate::json::canonical::Canonical;
use crate::json::{Json, Kind};
use crate::rules::{FieldMap, IdentityConfig, Rule, first_present};

/// An event with the rule that maps it.
pub struct Extract<'a, 't> {
    /// The event.
    pub event: &'a Event<'t>,
    /// Its call.
    pub call: CallType,
    /// The rule that maps it, if any.
    pub rule: Option<&'a Rule>,
    /// Its ids, whose texts are in the batch.
    pub ids: RowIds,
}

/// Returns the value unless it is `null` or `""`.
fn present(value: Option<Json<'_>>) -> Option<Json<'_>> {
    value.filter(|value| value.is_present())
}

/// Returns the first present value at one of `paths`.
pub fn mapped<'t>(paths: &[Path], event: &Event<'t>) -> Option<Json<'t>> {
    if paths.is_empty() { None } else { first_present(paths, event) }
}

/// Returns the e-mail of an identify call from the first of the fields in `identity` that has one.
pub fn identify_email<'t>(event: &Event<'t>, identity: &IdentityConfig) -> Option<Json<'t>> {
    identity.email.iter().find_map(|field| field.find(event))
}

/// Writes the normalised user id of `event` to `out` if it is an e-mail address; returns whether it
/// is one. A blocked user id is not, even if it contains an address.
pub fn user_id_address(event: &Event<'_>, blocklist: &Blocklist, out: &mut Vec<u8>) -> bool {
    let text = event.text(Member::UserId).filter(|text| memchr(b'@', text.as_bytes()).is_some());
    text.is_some_and(|text| {
        !blocklist.blocks(text) && normalise_email(text, blocklist, out).is_ok()
    })
}

/// Returns the event name as TrailSpark knows it; empty if the call has none. Names that are no
/// strings are written to `scratch`.
#[inline]
pub fn event_name<'a>(
    event: &Event<'a>,
    call: CallType,
    canonical: &mut Canonical,
    scratch: &'a mut Vec<u8>,
) -> &'a str {
    call.fixed_name().or_else(|| event.text(Member::Event)).unwrap_or_else(|| {
        scratch.clear();
        write_text(event.get(Member::Event), canonical, scratch);
        std::str::from_utf8(scratch).unwrap_or_default()
    })
}

impl<'t> Extract<'_, 't> {
    /// Writes the texts of all fields, then the `columns` custom columns of the rules.
    pub fn write(&self, rows: &mut Rows, canonical: &mut Canonical, columns: usize) {
        let mut to = Writer { rows, canonical };
        match self.call.fixed_name() {
            Some(name) => to.rows.text(Field::Event, name),
            None => to.value(Field::Event, self.event.get(Member::Event)),
        }
        let url = self.page_url();
        if self.call.is_signal() {
            to.value(Field::PageUrl, url);
            let name = || self.inner(Inner::PropertiesName);
            to.value(Field::PageName, present(self.event.get(Member::Name)).or_else(name));
        }
        if self.ids.anonymous.is_none() {
            to.id(Field::AnonymousId, self.event.id(Member::AnonymousId));
        }
        if self.ids.user.is_none() {
            to.id(Field::UserId, self.event.id(Member::UserId));
        }
        to.id(Field::MessageId, self.event.id(Member::MessageId));
        if url.is_some() {
            let referrer = self.inner(Inner::PropertiesReferrer);
            to.value(Field::Referrer, referrer.or_else(|| self.inner(Inner::PageReferrer)));
            to.value(Field::UtmSource, self.inner(Inner::CampaignSource));
            to.value(Field::UtmMedium, self.inner(Inner::CampaignMedium));
            to.value(Field::UtmCampaign, self.inner(Inner::CampaignName));
        }
        match (self.call, self.rule) {
            (CallType::Identify, _) => self.person(&mut to),
            (CallType::Group, _) => {
                to.value(Field::GroupName, self.trait_text(Inner::TraitsName));
            }
            (_, Some(rule)) => self.enrichment(&rule.map, &mut to),
            _ => {}
        }
        self.columns(&mut to, columns);
    }

    fn columns(&self, to: &mut Writer<'_>, columns: usize) {
        let mut mapped_columns =
            self.rule.map_or(&[][..], |rule| &rule.map.columns).iter().peekable();
        for column in 0..columns {
            let value = mapped_columns
                .next_if(|(mapped, _)| *mapped == column)
                .and_then(|(_, paths)| mapped(paths, self.event));
            match value {
                None => to.rows.no_cell(),
                Some(value) => {
                    let is_text = value.as_str().is_some();
                    to.rows.cell(is_text, |out| write_text(Some(value), to.canonical, out));
                }
            }
        }
    }

    fn inner(&self, inner: Inner) -> Option<Json<'t>> {
        present(self.event.inner(inner))
    }

    /// Returns the URL of the page of a signal.
    fn page_url(&self) -> Option<Json<'t>> {
        if !self.call.is_signal() {
            return None;
        }
        self.inner(Inner::PropertiesUrl).or_else(|| self.inner(Inner::PageUrl))
    }

    /// Returns a trait if it is a string or a number.
    fn trait_text(&self, inner: Inner) -> Option<Json<'t>> {
        let value = self.inner(inner)?;
        matches!(value.kind(), Kind::String(_) | Kind::Number(_)).then_some(value)
    }

    /// Writes the personal traits of an identify call.
    fn person(&self, to: &mut Writer<'_>) {
        to.rows.write_text(Field::Name, |out| self.full_name(out));
        to.value(Field::FirstName, self.trait_text(Inner::TraitsFirstName));
        to.value(Field::LastName, self.trait_text(Inner::TraitsLastName));
        // `traits.company` is either the name or an object with a name.
        let company = self.trait_text(Inner::TraitsCompany);
        let company = company.or_else(|| self.trait_text(Inner::TraitsCompanyName));
        to.value(Field::Company, company);
        to.value(Field::Title, self.trait_text(Inner::TraitsTitle));
        to.value(Field::Phone, self.trait_text(Inner::TraitsPhone));
    }

    /// Writes the personal fields that a rule maps.
    fn enrichment(&self, map: &FieldMap, to: &mut Writer<'_>) {
        for (field, paths) in [
            (Field::Name, &map.name),
            (Field::FirstName, &map.first_name),
            (Field::LastName, &map.last_name),
            (Field::Company, &map.company),
            (Field::Title, &map.title),
            (Field::Phone, &map.phone),
        ] {
            to.value(field, mapped(paths, self.event));
        }
    }

    /// Writes `traits.name`, or else the first and the last name.
    fn full_name(&self, out: &mut Vec<u8>) {
        if let Some(name) = self.trait_text(Inner::TraitsName).and_then(Json::as_str) {
            return out.extend_from_slice(name.as_bytes());
        }
        let start = out.len();
        let parts =
            [Inner::TraitsFirstName, Inner::TraitsLastName].map(|part| self.trait_text(part));
        for part in parts.into_iter().flatten().filter_map(Json::as_str) {
            if out.len() > start {
                out.push(b' ');
            }
            out.extend_from_slice(part.as_bytes());
        }
    }
}

/// Writes single fields of a row.
struct Writer<'w> {
    rows: &'w mut Rows,
    canonical: &'w mut Canonical,
}

impl Writer<'_> {
    #[inline]
    fn value(&mut self, field: Field, value: Option<Json<'_>>) {
        let Some(value) = value else { return };
        match value.as_str() {
            Some(text) => self.rows.text(field, text),
            None => self.rows.write_text(field, |out| write_text(Some(value), self.canonical, out)),
        }
    }

    #[inline]
    fn id(&mut self, field: Field, id: Option<Id<'_>>) {
        match id {
            Some(Id::Text(text)) => self.rows.text(field, text),
            Some(id) => self.rows.write_text(field, |out| id.write(out)),
            None => {}
        }
    }
}
