//! Requests to webhook.site, single or in the list that its API returns.
//!
//! <https://docs.webhook.site/api/requests.html>; the example of a whole list is in
//! <https://docs.webhook.site/api/examples.html>. A request's `time` is the duration of its
//! response.

use super::members::{Member, Members};
use super::{Body, Capture, Headers, List, time};
use crate::parse::shape::Shape;

pub(super) fn list<'t>(members: &Members<'t>) -> Option<List<'t>> {
    let items = members.list(Member::Data)?;
    let is_page = members.has(Member::Total) && members.has(Member::PerPage);
    is_page.then_some(List { shape: Shape::WebhookSite, path: &["data"], items })
}

pub(super) fn read<'t>(members: &Members<'t>) -> Option<Capture<'t>> {
    if !members.has(Member::TokenId) || !members.has(Member::CreatedAt) {
        return None;
    }
    Some(Capture {
        shape: Shape::WebhookSite,
        // E-mails and DNS requests have no content.
        body: members
            .get(Member::Content)
            .map_or(Body::Absent("`content`"), |content| Body::new(content, false)),
        headers: Headers::new(members.get(Member::Headers)),
        path: members.text(Member::Url),
        time: time::first([members.get(Member::CreatedAt)]),
    })
}
