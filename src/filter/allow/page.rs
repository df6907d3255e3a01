//! The name and the path of a page or a screen.

use crate::event::{Event, Member};
use crate::fql::glob::Glob;
use crate::json::Json;

/// Returns `true` if `glob` matches the path or the name of a page or screen.
pub(super) fn matches(event: &Event<'_>, glob: &Glob) -> bool {
    page_path(event).is_some_and(|path| glob.matches(path))
        || name(event).is_some_and(|name| glob.matches(name))
}

/// Returns `name`, else `properties.name`.
fn name<'t>(event: &Event<'t>) -> Option<&'t str> {
    filled(event.get(Member::Name)).or_else(|| filled(event.get(Member::Properties)?.get("name")))
}

/// Returns `properties.path`, else `context.page.path`, else the path of the URL in one of the two.
fn page_path<'t>(event: &Event<'t>) -> Option<&'t str> {
    let properties = event.get(Member::Properties);
    let page = event.get(Member::Context).and_then(|context| context.get("page"));
    let find = |name: &str| {
        [properties, page].into_iter().flatten().find_map(|object| filled(object.get(name)))
    };
    find("path").or_else(|| find("url").map(url_path))
}

/// Returns a string that is not empty.
fn filled(value: Option<Json<'_>>) -> Option<&str> {
    value.and_then(Json::as_str).filter(|text| !text.is_empty())
}

/// Returns the path of a URL, or `/` if it has none (RFC 3986, section 3).
fn url_path(url: &str) -> &str {
    let url = &url[..url.find(['?', '#']).unwrap_or(url.len())];
    let after_scheme = match url.split_once("://") {
        Some((_, rest)) => rest,
        None if url.starts_with('/') => return url,
        None => url,
    };
    after_scheme.find('/').map_or("/", |start| &after_scheme[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_url_stands_between_host_and_query() {
        for (url, path) in [
            ("https://example.test/pricing?plan=pro#top", "/pricing"),
            ("https://example.test", "/"),
            ("https://example.test?x=/y", "/"),
            ("https://example.test/a/b/#/c", "/a/b/"),
            ("/only/path?x", "/only/path"),
            ("example.test/pricing", "/pricing"),
            ("file:///tmp/x", "/tmp/x"),
        ] {
            assert_eq!(url_path(url), path, "{url}");
        }
    }
}
