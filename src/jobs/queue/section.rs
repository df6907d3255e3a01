//! The part of a site or an app to which a page or screen call belongs.

use crate::engine::exchange::row::{Field, Row};
use crate::event::CallType;

/// Writes the part to which `row` belongs to `out`: `page /pricing` for a page below `/pricing`,
/// otherwise `page named Pricing` or `screen named Account`. Returns `false` if it belongs to none.
pub fn section(row: &Row<'_>, out: &mut String) -> bool {
    let call = row.head.call;
    if !matches!(call, CallType::Page | CallType::Screen) {
        return false;
    }
    out.clear();
    out.push_str(call.name());
    let (url, name) = (row.text(Field::PageUrl), row.text(Field::PageName));
    if call == CallType::Page && !url.is_empty() {
        out.push(' ');
        out.push_str(first_step(path_of(url)));
        return true;
    }
    out.push_str(" named ");
    out.push_str(name);
    !name.is_empty()
}

/// Returns the first step of a path, such as `/docs` for `/docs/api`.
fn first_step(path: &str) -> &str {
    let end = path.get(1..).and_then(|rest| rest.find('/')).map_or(path.len(), |at| at + 1);
    &path[..end]
}

/// Returns the path of a URL, or `/` if it has none (RFC 3986, section 3).
fn path_of(url: &str) -> &str {
    let url = &url[..url.find(['?', '#']).unwrap_or(url.len())];
    let after_scheme = match url.split_once("://") {
        Some((_, rest)) => rest,
        None => url,
    };
    after_scheme.find('/').map_or("/", |start| &after_scheme[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_belong_to_the_first_step_of_their_path() {
        for (url, step) in [
            ("https://example.test/pricing?plan=pro#top", "/pricing"),
            ("https://example.test/docs/api", "/docs"),
            ("https://example.test", "/"),
            ("https://example.test/?x=/y", "/"),
            ("/docs/", "/docs"),
            ("//docs", "/"),
        ] {
            assert_eq!(first_step(path_of(url)), step, "{url}");
        }
    }
}
