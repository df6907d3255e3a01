//! Suggests the mapping of a rule from the fields of its events.

use crate::emit::Table;
use crate::event::path;
use crate::event::word::words;
use crate::jobs::queue::bounded::is_machine_made;
use crate::jobs::queue::fields::{Field, FieldList};
use crate::mask::is_secret_path;

/// The maximum number of paths of a column, and of additional columns of a rule.
const PATHS: usize = 3;
const OWN: usize = 5;

/// Names of fields by the column that they fill, in lower case and without `_`, `-` and dots.
const COLUMNS: [(&str, &[&str]); 6] = [
    ("name", &["name", "fullname", "contactname"]),
    ("first_name", &["firstname", "givenname"]),
    ("last_name", &["lastname", "surname", "familyname"]),
    ("company", &["company", "companyname", "organization", "organizationname", "organisation"]),
    ("title", &["title", "jobtitle", "jobrole", "position"]),
    ("phone", &["phone", "phonenumber", "mobile", "telephone"]),
];
/// Columns whose field names mean something else unless the event also contains an e-mail: products
/// have names, and pages have titles.
const AMBIGUOUS: [&str; 2] = ["name", "title"];
/// Fields that describe where an event happened: `signals` already has them, or nobody needs them.
const PLACES: [&str; 7] = ["url", "path", "title", "referrer", "search", "name", "host"];

/// The mapping of a rule: columns with the paths of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Map {
    /// The columns, in order.
    pub columns: Vec<(String, Vec<String>)>,
}

impl Map {
    /// Suggests the mapping of `events` events that have `fields`.
    pub fn new(events: u64, fields: &FieldList) -> Self {
        let mut columns = Vec::new();
        let emails = by_count(fields, |_, field| field.emails);
        let has_email = !emails.is_empty();
        if has_email {
            columns.push(("email".to_owned(), emails));
        }
        for (column, names) in COLUMNS {
            let is_one = |path: &str| names.contains(&plain(tail(path)).as_str());
            let is_clear = |path: &str| {
                has_email || !AMBIGUOUS.contains(&column) || !path.starts_with("properties.")
            };
            let paths =
                by_count(
                    fields,
                    |path, field| {
                        if is_one(path) && is_clear(path) { field.filled } else { 0 }
                    },
                );
            if !paths.is_empty() {
                columns.push((column.to_owned(), paths));
            }
        }
        columns.extend(own(events, fields, &columns));
        Self { columns }
    }

    /// Returns `true` if the mapping contains an e-mail address.
    pub fn has_email(&self) -> bool {
        self.columns.first().is_some_and(|(column, _)| column == "email")
    }
}

/// Returns the paths with the highest `count`, without those whose count is 0.
fn by_count(fields: &FieldList, count: impl Fn(&str, &Field) -> u64) -> Vec<String> {
    let counted = fields.iter().map(|(path, field)| (count(path, field), path));
    let mut counted: Vec<_> = counted.filter(|(count, _)| *count > 0).collect();
    counted.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    counted.into_iter().take(PATHS).map(|(_, path)| path.clone()).collect()
}

/// Returns an additional column for each property that at least half of the events have.
fn own(
    events: u64,
    fields: &FieldList,
    columns: &[(String, Vec<String>)],
) -> Vec<(String, Vec<String>)> {
    let is_mapped = |path: &String| columns.iter().any(|(_, paths)| paths.contains(path));
    let own = fields.iter().filter(|(path, field)| {
        field.filled * 2 >= events && field.emails == 0 && !is_mapped(path)
    });
    let column = |(path, _): &(String, Field)| {
        let parsed = path::Path::parse(path).ok()?;
        let mut names = parsed.names();
        let (Some("properties"), Some(name), None) = (names.next(), names.next(), names.next())
        else {
            return None;
        };
        let is_known = columns.iter().any(|(column, _)| column == name)
            || COLUMNS.iter().any(|(column, _)| *column == name)
            || name == "email"
            || PLACES.contains(&name)
            || Table::Signals(&[]).is_built_in(name);
        let is_fit = !is_known && !is_machine_made(name) && !is_secret_path(name);
        is_fit.then(|| (name.to_owned(), vec![path.clone()]))
    };
    own.filter_map(column).take(OWN).collect()
}

/// Returns `company.name` for `properties.company.name` and for `context.traits.company.name`.
fn tail(path: &str) -> &str {
    let heads = ["context.traits.", "properties.", "traits."];
    heads.iter().find_map(|head| path.strip_prefix(head)).unwrap_or(path)
}

fn plain(name: &str) -> String {
    words(name).concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(list: &[(&str, u64, u64)]) -> FieldList {
        let field = |&(path, filled, emails): &(&str, u64, u64)| {
            (path.to_owned(), Field { filled, emails, ..Field::default() })
        };
        list.iter().map(field).collect()
    }

    fn mapped(list: &[(&str, u64, u64)]) -> Vec<String> {
        let map = Map::new(10, &fields(list));
        map.columns.iter().map(|(column, paths)| format!("{column} {}", paths.join(" "))).collect()
    }

    #[test]
    fn people_are_found_whatever_their_fields_are_called() {
        assert_eq!(
            mapped(&[
                ("properties.businessEmail", 4, 4),
                ("properties.email", 9, 6),
                ("properties.full_name", 9, 0),
                ("properties.company", 2, 0),
                ("properties.company.name", 5, 0),
                ("properties.jobTitle", 1, 0),
                ("properties.form_name", 9, 0),
            ]),
            [
                "email properties.email properties.businessEmail",
                "name properties.full_name",
                "company properties.company.name properties.company",
                "title properties.jobTitle",
                "form_name properties.form_name",
            ]
        );
    }

    #[test]
    fn without_a_person_a_name_is_that_of_a_thing() {
        assert_eq!(
            mapped(&[
                ("properties.name", 10, 0),
                ("properties.title", 10, 0),
                ("traits.name", 3, 0),
                ("properties.plan", 5, 0),
                ("properties.seats", 4, 0),
                ("properties.score", 10, 0),
                ("properties.api_token", 10, 0),
                ("properties.id_123456", 10, 0),
            ]),
            ["name traits.name", "plan properties.plan"]
        );
    }
}
