//! An explanation that names nobody.

use super::report::{Event, Fact, Lead, LeadValue, Place, Report, Status};
use crate::engine::redact::Redaction;
use crate::report::redact::{redact_inputs, redact_text, redact_texts};

/// What stands for the name or phone number of a person.
const HIDDEN: &str = "***";

impl Report {
    /// Takes out what tells who a person is; leads become their ids.
    pub fn redact(&mut self, redaction: &Redaction) {
        let subject = &mut self.subject;
        subject.value = id(subject.kind, &subject.value, redaction);
        redact_inputs(&mut self.inputs, &mut self.faults, redaction);
        redact_texts(&mut self.warnings, redaction);
        for lead in &mut self.leads {
            redact_lead(lead, redaction);
        }
        // Their order would tell of the addresses.
        self.leads.sort_by(|a, b| a.email.cmp(&b.email));
        for own in &mut self.ids {
            own.value = id(own.kind, &own.value, redaction);
        }
        self.ids.sort_by(|a, b| (a.kind, &a.value).cmp(&(b.kind, &b.value)));
        for event in &mut self.events {
            redact_event(event, redaction);
        }
    }
}

/// An id of some `kind`, as tables have it.
fn id(kind: &str, value: &str, redaction: &Redaction) -> String {
    if kind == "email" { redaction.lead_id(value) } else { redaction.id(value).into_owned() }
}

fn redact_ids(ids: &mut [String], kind: &str, redaction: &Redaction) {
    for own in &mut *ids {
        *own = id(kind, own, redaction);
    }
    ids.sort_unstable();
}

fn redact_lead(lead: &mut Lead, redaction: &Redaction) {
    lead.email = redaction.lead_id(&lead.email);
    for text in [&mut lead.name, &mut lead.first_name, &mut lead.last_name, &mut lead.phone] {
        *text = None;
    }
    let Lead { company, title, utm_source, utm_medium, utm_campaign, .. } = lead;
    let texts = [company, title, utm_source, utm_medium, utm_campaign];
    for text in texts.into_iter().chain([&mut lead.last_signal, &mut lead.top_signal]).flatten() {
        redact_text(text, redaction);
    }
    for url in [&mut lead.first_page_url, &mut lead.first_referrer].into_iter().flatten() {
        *url = redaction.url(url).into_owned();
    }
    redact_ids(&mut lead.anonymous_ids, "anonymous_id", redaction);
    redact_ids(&mut lead.user_ids, "user_id", redaction);
    redact_ids(&mut lead.joined_emails, "email", redaction);
    for source in &mut lead.sources {
        redact_value(&mut source.value, redaction);
        redact_place(&mut source.place, redaction);
    }
}

fn redact_value(LeadValue { column, value }: &mut LeadValue, redaction: &Redaction) {
    *value = match *column {
        "name" | "first_name" | "last_name" | "phone" => HIDDEN.to_owned(),
        "first_page_url" | "first_referrer" => redaction.url(value).into_owned(),
        _ => redaction.text(value).into_owned(),
    };
}

fn redact_place(place: &mut Place, redaction: &Redaction) {
    redact_text(&mut place.file, redaction);
}

fn redact_fact(fact: &mut Fact, redaction: &Redaction) {
    fact.source = id(fact.source_kind, &fact.source, redaction);
    fact.target = id(fact.target_kind, &fact.target, redaction);
}

fn redact_event(event: &mut Event, redaction: &Redaction) {
    redact_place(&mut event.place, redaction);
    if let Some(text) = &mut event.event {
        redact_text(text, redaction);
    }
    if let Some(url) = &mut event.page_url {
        *url = redaction.url(url).into_owned();
    }
    let Event { message_id, anonymous_id, user_id, .. } = event;
    for own in [message_id, anonymous_id, user_id].into_iter().flatten() {
        *own = redaction.id(own).into_owned();
    }
    match &mut event.status {
        Status::Kept | Status::OutsideWindow | Status::Deleted => {}
        Status::Duplicate { of } => redact_place(of, redaction),
        Status::Filtered { because } => redact_text(because, redaction),
    }
    for place in &mut event.copies {
        redact_place(place, redaction);
    }
    for fact in &mut event.facts {
        redact_fact(fact, redaction);
    }
    for value in &mut event.supplies {
        redact_value(value, redaction);
    }
    let Some(signal) = &mut event.signal else { return };
    redact_text(&mut signal.signal, redaction);
    if let Some(email) = &mut signal.lead_email {
        *email = redaction.lead_id(email);
    }
    for tie in &mut signal.ties {
        redact_fact(&mut tie.fact, redaction);
        redact_place(&mut tie.place, redaction);
    }
    redact_texts(&mut signal.cold_because, redaction);
    for tried in &mut signal.tried {
        redact_text(&mut tried.failed, redaction);
    }
}
