//! Requests and events of Hookdeck's API, single or in a list (`include=data`).
//!
//! <https://hookdeck.com/docs/api#requests> and <https://hookdeck.com/docs/api#events>: `data` has
//! `path`, `query`, `headers` and `body`, which is parsed if the body was JSON. A request has
//! `ingested_at`, an event only `created_at`.

use super::members::{Member, Members, present, text};
use super::{Body, Capture, Headers, List, time};
use crate::parse::shape::Shape;

pub(super) fn list<'t>(members: &Members<'t>) -> Option<List<'t>> {
    let items = members.list(Member::Models)?;
    let is_page = members.has(Member::Pagination) || members.has(Member::Count);
    is_page.then_some(List { shape: Shape::Hookdeck, path: &["models"], items })
}

pub(super) fn read<'t>(members: &Members<'t>) -> Option<Capture<'t>> {
    let data = members.object(Member::Data)?;
    let body = match present(data, "body") {
        Some(body) => Body::new(body, false),
        None if members.has(Member::IngestedAt) => Body::Absent("`data.body`"),
        None => return None,
    };
    Some(Capture {
        shape: Shape::Hookdeck,
        body,
        headers: Headers::new(present(data, "headers")),
        path: text(data, "path").or_else(|| text(data, "url")),
        time: time::first([members.get(Member::IngestedAt), members.get(Member::CreatedAt)]),
    })
}
