//! Writes conditions and allow-list lines for a part of a site.

use super::quote::{begins, equals, glob, pattern};
use crate::jobs::queue::fields::FieldList;

/// The fields in which page events have their path, the most complete first.
const PATHS: [&str; 2] = ["properties.path", "context.page.path"];
const URLS: [&str; 2] = ["properties.url", "context.page.url"];

/// The fields in which the page events of an input have their path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PagePaths {
    /// Fields that contain a path; if there are none, fields that contain a URL.
    paths: Vec<&'static str>,
    are_urls: bool,
}

impl PagePaths {
    /// Chooses the fields from the payloads of page events.
    pub fn new(payload: Option<(u64, &FieldList)>) -> Self {
        let filled = |path: &&&str| {
            let (events, fields) = payload?;
            let field = fields.iter().find(|(name, _)| name == **path);
            field.map(|(_, field)| (field.filled, field.filled >= events))
        };
        let of = |paths: &'static [&'static str]| {
            let mut found: Vec<&str> = Vec::new();
            for path in paths.iter().filter(|path| filled(path).is_some()) {
                found.push(path);
                if filled(&path).is_some_and(|(_, all)| all) {
                    break;
                }
            }
            found
        };
        let (paths, urls) = (of(&PATHS), of(&URLS));
        match (paths.is_empty(), urls.is_empty()) {
            (true, false) => Self { paths: urls, are_urls: true },
            (true, true) => Self { paths: vec![PATHS[0]], are_urls: false },
            _ => Self { paths, are_urls: false },
        }
    }

    /// Returns the condition for pages at `step` and below it. With `has_longer`, another step
    /// begins with this one, as `/pricing-old` begins with `/pricing`, and is excluded.
    pub fn when(&self, step: &str, has_longer: bool) -> String {
        let tests = self.paths.iter().flat_map(|path| {
            if self.are_urls {
                return in_url(path, step, has_longer);
            }
            if step == "/" {
                return vec![equals(path, step)];
            }
            if has_longer {
                return vec![equals(path, step), begins(path, &format!("{step}/"), "*")];
            }
            vec![begins(path, step, "*")]
        });
        let tests: Vec<String> = tests.collect();
        match tests.as_slice() {
            [one] => format!("type = \"page\" and {one}"),
            several => format!("type = \"page\" and ({})", several.join(" or ")),
        }
    }
}

/// Returns the conditions for pages whose URL, in the field `path`, has a path that begins with
/// `step`.
fn in_url(path: &str, step: &str, has_longer: bool) -> Vec<String> {
    let ends: &[&str] = match step {
        "/" => &["/"],
        _ if has_longer => &["", "/*", "\\?*", "#*"],
        _ => &["*"],
    };
    let step = if step == "/" { "" } else { step };
    let test = |end: &&str| format!("match({path}, {})", pattern("*://*", step, end));
    ends.iter().map(test).collect()
}

/// Returns the allow-list lines for pages at `step` and below it.
pub fn allow(step: &str, has_longer: bool) -> Vec<String> {
    let step_glob = glob(step);
    match step {
        "/" => vec!["page /".into()],
        _ if has_longer => vec![format!("page {step_glob}"), format!("page {step_glob}/*")],
        _ => vec![format!("page {step_glob}*")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::queue::fields::Field;

    fn paths(filled: &[(&str, u64)]) -> PagePaths {
        let field =
            |&(path, filled): &(&str, u64)| (path.to_owned(), Field { filled, ..Field::default() });
        let fields: FieldList = filled.iter().map(field).collect();
        PagePaths::new(Some((10, &fields)))
    }

    #[test]
    fn a_part_of_a_site_is_told_by_the_fields_that_pages_have() {
        let both = paths(&[("properties.path", 10), ("context.page.path", 10)]);
        assert_eq!(
            both.when("/docs", false),
            r#"type = "page" and match(properties.path, "/docs*")"#
        );
        assert_eq!(both.when("/", false), r#"type = "page" and properties.path = "/""#);
        assert_eq!(
            both.when("/docs", true),
            r#"type = "page" and (properties.path = "/docs" or match(properties.path, "/docs/*"))"#
        );
        let some = paths(&[("properties.path", 9), ("context.page.path", 2)]);
        assert_eq!(
            some.when("/a", false),
            r#"type = "page" and (match(properties.path, "/a*") or match(context.page.path, "/a*"))"#
        );
        let urls = paths(&[("context.page.url", 10)]);
        assert_eq!(
            urls.when("/a", false),
            r#"type = "page" and match(context.page.url, "*://*/a*")"#
        );
        assert_eq!(allow("/docs", true), ["page /docs", "page /docs/*"]);
    }
}
