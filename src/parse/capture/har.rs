//! HTTP archives (HAR 1.2), as browsers and proxies save them, and single entries of archives.
//!
//! <https://w3c.github.io/web-performance/specs/HAR/Overview.html> and
//! <http://www.softwareishard.com/blog/har-12-spec/>: `request.postData.text` is the body. The
//! format defines no `encoding` for the body of a request; tools that save binary bodies put it
//! next to the text, as in a response's `content`.

use super::members::{Member, Members, present, text};
use super::{Body, Capture, Headers, List, time};
use crate::json::Json;
use crate::parse::shape::Shape;

pub(super) fn list<'t>(members: &Members<'t>) -> Option<List<'t>> {
    let items = present(members.object(Member::Log)?, "entries").filter(|list| list.is_array())?;
    Some(List { shape: Shape::Har, path: &["log", "entries"], items })
}

pub(super) fn read<'t>(members: &Members<'t>) -> Option<Capture<'t>> {
    let request = members.object(Member::Request)?;
    let post = present(request, "postData");
    if post.is_none() && !members.has(Member::StartedDateTime) {
        return None;
    }
    let body = match post.and_then(|post| present(post, "text")) {
        Some(body) => Body::new(body, post.is_some_and(is_base64)),
        // A request without a body, or with the fields of a form.
        None => text(request, "url")
            .and_then(pixel)
            .map_or(Body::Absent("`request.postData.text`"), Body::Base64),
    };
    Some(Capture {
        shape: Shape::Har,
        body,
        headers: Headers::new(present(request, "headers")),
        path: text(request, "url"),
        time: time::first([members.get(Member::StartedDateTime)]),
    })
}

/// Returns the call in a pixel URL: JSON in base64 in the query
/// (<https://segment.com/docs/connections/sources/catalog/libraries/server/pixel-tracking-api/>).
fn pixel(url: &str) -> Option<&str> {
    let (path, query) = url.split_once('?')?;
    let data = query.split('&').find_map(|field| field.strip_prefix("data="))?;
    path.contains("/v1/pixel/").then(|| data.trim_end_matches("%3D").trim_end_matches("%3d"))
}

fn is_base64(post: Json<'_>) -> bool {
    text(post, "encoding").is_some_and(|encoding| encoding.eq_ignore_ascii_case("base64"))
}
