//! What a row takes from an event: its texts, its traits and the values that its rule maps.

use super::map::write_text;
use super::stored::{Field, RowIds, Rows};
use crate::canonical::Canonical;
use crate::event::path::Path;
use crate::event::{CallType, Event, Inner, Member};
use crate::parse::json::{Json, Kind};
use crate::rules::{Rule, first_present};

/// An event and the rule that maps it.
pub struct Extract<'a, 't> {
    /// The event.
    pub event: &'a Event<'t>,
    /// Its call.
    pub call: CallType,
    /// Its rule.
    pub rule: Option<&'a Rule>,
    /// Its ids, whose texts are those of the batch.
    pub ids: RowIds,
}

/// A value that is neither `null` nor `""`.
fn present(value: Option<Json<'_>>) -> Option<Json<'_>> {
    value.filter(|value| value.is_present())
}

/// The first present value that `paths` lead to.
pub fn mapped<'t>(paths: &[Path], event: &Event<'t>) -> Option<Json<'t>> {
    if paths.is_empty() { None } else { first_present(paths, event) }
}

/// The e-mail of an identify call: `traits.email`, else `context.traits.email`, else a top-level
/// `email`, whatever the case of the name.
pub fn identify_email<'t>(event: &Event<'t>) -> Option<Json<'t>> {
    let context_traits = || event.get(Member::Context).and_then(|context| context.get("traits"));
    event
        .get(Member::Traits)
        .and_then(email_member)
        .or_else(|| context_traits().and_then(email_member))
        .or_else(|| email_member(event.root()))
}

fn email_member(object: Json<'_>) -> Option<Json<'_>> {
    object
        .entries()
        .filter(|(key, _)| key.eq_ignore_ascii_case("email"))
        .filter_map(|(_, value)| present(Some(value)))
        .last()
}

/// The event's name as TrailSpark knows it, empty of a call that has none; `scratch` holds it where
/// it has to be written.
#[inline]
pub fn event_name<'a>(
    event: &Event<'a>,
    call: CallType,
    canonical: &mut Canonical,
    scratch: &'a mut Vec<u8>,
) -> &'a str {
    match call {
        CallType::Track => event.text(Member::Event).unwrap_or_else(|| {
            scratch.clear();
            write_text(event.get(Member::Event), canonical, scratch);
            std::str::from_utf8(scratch).unwrap_or_default()
        }),
        CallType::Page => "Page Viewed",
        CallType::Screen => "Screen Viewed",
        CallType::Identify | CallType::Group | CallType::Alias => "",
    }
}

impl<'t> Extract<'_, 't> {
    /// Writes the texts of every field, then the rules' own columns, of which there are `columns`.
    pub fn write(&self, rows: &mut Rows, canonical: &mut Canonical, columns: usize) {
        // Most signals are mapped by no rule, and bring nothing of a person.
        let fields = if self.brings_traits() { Field::ALL } else { Field::OF_SIGNALS };
        let url = self.page_url();
        for &field in fields {
            rows.text(|out| self.field(field, url, canonical, out));
        }
        rows.no_texts(Field::ALL.len() - fields.len());
        let mut mapped_columns =
            self.rule.map_or(&[][..], |rule| &rule.map.columns).iter().peekable();
        for column in 0..columns {
            let value = mapped_columns
                .next_if(|(mapped, _)| *mapped == column)
                .and_then(|(_, paths)| mapped(paths, self.event));
            match value {
                None => rows.no_cell(),
                Some(value) => {
                    let is_text = value.as_str().is_some();
                    rows.cell(is_text, |out| write_text(Some(value), canonical, out));
                }
            }
        }
    }

    fn field(
        &self,
        field: Field,
        url: Option<Json<'t>>,
        canonical: &mut Canonical,
        out: &mut Vec<u8>,
    ) {
        let id = |member| self.event.id(member);
        let value = match field {
            Field::Event => match self.call {
                CallType::Track => self.event.get(Member::Event),
                CallType::Page => return out.extend_from_slice(b"Page Viewed"),
                CallType::Screen => return out.extend_from_slice(b"Screen Viewed"),
                CallType::Identify | CallType::Group | CallType::Alias => None,
            },
            Field::AnonymousId if self.ids.anonymous.is_some() => None,
            Field::UserId if self.ids.user.is_some() => None,
            Field::AnonymousId => return id(Member::AnonymousId).map_or((), |id| id.write(out)),
            Field::UserId => return id(Member::UserId).map_or((), |id| id.write(out)),
            Field::MessageId => return id(Member::MessageId).map_or((), |id| id.write(out)),
            Field::PageUrl => url,
            Field::PageName if self.call.is_signal() => {
                present(self.event.get(Member::Name)).or_else(|| self.inner(Inner::PropertiesName))
            }
            Field::Referrer if url.is_some() => {
                self.inner(Inner::PropertiesReferrer).or_else(|| self.inner(Inner::PageReferrer))
            }
            Field::UtmSource if url.is_some() => self.inner(Inner::CampaignSource),
            Field::UtmMedium if url.is_some() => self.inner(Inner::CampaignMedium),
            Field::UtmCampaign if url.is_some() => self.inner(Inner::CampaignName),
            Field::Name if self.call == CallType::Identify => return self.full_name(out),
            Field::GroupName if self.call == CallType::Group => self.trait_text(Inner::TraitsName),
            _ if self.call == CallType::Identify => self.person(field),
            _ => self.rule.and_then(|rule| mapped(enrichment(rule, field), self.event)),
        };
        write_text(value, canonical, out);
    }

    /// Whether the fields of a person or a group can have a text.
    fn brings_traits(&self) -> bool {
        self.rule.is_some() || !self.call.is_signal()
    }

    fn inner(&self, inner: Inner) -> Option<Json<'t>> {
        present(self.event.inner(inner))
    }

    /// The page that a signal was on.
    fn page_url(&self) -> Option<Json<'t>> {
        if !self.call.is_signal() {
            return None;
        }
        self.inner(Inner::PropertiesUrl).or_else(|| self.inner(Inner::PageUrl))
    }

    /// A trait that is a string or a number.
    fn trait_text(&self, inner: Inner) -> Option<Json<'t>> {
        let value = self.inner(inner)?;
        matches!(value.kind(), Kind::String(_) | Kind::Number(_)).then_some(value)
    }

    fn person(&self, field: Field) -> Option<Json<'t>> {
        match field {
            Field::FirstName => self.trait_text(Inner::TraitsFirstName),
            Field::LastName => self.trait_text(Inner::TraitsLastName),
            Field::Title => self.trait_text(Inner::TraitsTitle),
            Field::Phone => self.trait_text(Inner::TraitsPhone),
            // Only a company that is an object has a name.
            Field::Company => self
                .trait_text(Inner::TraitsCompany)
                .or_else(|| self.trait_text(Inner::TraitsCompanyName)),
            _ => None,
        }
    }

    /// `traits.name`, else the first and the last name.
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

/// Where a rule looks for what enriches a lead.
fn enrichment(rule: &Rule, field: Field) -> &[Path] {
    match field {
        Field::Name => &rule.map.name,
        Field::FirstName => &rule.map.first_name,
        Field::LastName => &rule.map.last_name,
        Field::Company => &rule.map.company,
        Field::Title => &rule.map.title,
        Field::Phone => &rule.map.phone,
        _ => &[],
    }
}
