//! The table of dependencies names what `Cargo.toml` names, with the same features.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Features by crate; `None` is the default ones.
type Crates = BTreeMap<String, Option<Vec<String>>>;

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The direct dependencies of the program, and the additional ones of the Python module.
fn required() -> Crates {
    let mut crates = required_by("python/Cargo.toml");
    crates.remove("backtrail");
    crates.extend(required_by("Cargo.toml"));
    crates
}

/// The direct dependencies of every table of a manifest.
fn required_by(manifest: &str) -> Crates {
    let manifest: toml::Table = toml::from_str(&read(manifest)).unwrap();
    let targets = manifest.get("target").and_then(|targets| targets.as_table());
    let targets = targets.into_iter().flat_map(|targets| targets.values());
    let mut tables: Vec<&toml::Table> = targets.filter_map(|target| target.as_table()).collect();
    tables.push(&manifest);
    let mut crates = Crates::new();
    for table in tables {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, wanted) in table.get(kind).and_then(|it| it.as_table()).into_iter().flatten()
            {
                crates.insert(name.clone(), features(wanted));
            }
        }
    }
    crates
}

fn features(wanted: &toml::Value) -> Option<Vec<String>> {
    let named = wanted.get("features").and_then(|features| features.as_array());
    let named = named.into_iter().flatten().map(|name| name.as_str().unwrap().to_owned());
    let named: Vec<String> = named.collect();
    let has_default = wanted.get("default-features").is_none_or(|it| it.as_bool() == Some(true));
    if named.is_empty() && has_default { None } else { Some(named) }
}

/// The rows of the tables.
fn described() -> Crates {
    let text = read("docs/dependencies.md");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_end_matches(" |").split(" | ").collect();
        let [name, features, purpose, instead] = cells[..] else { panic!("four cells: {row}") };
        assert!(purpose.len() > 5 && instead.len() > 5, "{row}");
        let features = match features {
            "default" => None,
            "none" => Some(Vec::new()),
            named => Some(named.split(", ").map(|it| it.trim_matches('`').to_owned()).collect()),
        };
        (name.trim_end_matches('`').to_owned(), features)
    })
    .collect()
}

#[test]
fn the_table_of_dependencies_names_those_of_the_manifest() {
    let (required, described) = (required(), described());
    let missing: Vec<_> = required.keys().filter(|name| !described.contains_key(*name)).collect();
    assert!(missing.is_empty(), "docs/dependencies.md lacks {missing:?}");
    let extra: Vec<_> = described.keys().filter(|name| !required.contains_key(*name)).collect();
    assert!(extra.is_empty(), "docs/dependencies.md names {extra:?}, which are not there");
    for (name, features) in &required {
        assert_eq!(&described[name], features, "features of {name}");
    }
}
