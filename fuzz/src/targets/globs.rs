//! Globs against a matcher that tries everything.

use backtrail::fql::glob::Glob;

/// Takes `data` as a pattern and a text, apart by a zero byte.
///
/// # Panics
/// If the program and the reference differ.
pub fn target(data: &[u8]) {
    let Ok(data) = std::str::from_utf8(data) else { return };
    let (pattern, text) = data.split_once('\0').unwrap_or((data, ""));
    if pattern.len() > 200 || text.len() > 200 {
        return;
    }
    let atoms = atoms(pattern);
    match (Glob::new(pattern), atoms) {
        (Ok(glob), Some(atoms)) => {
            let text: Vec<char> = text.chars().collect();
            let string: String = text.iter().collect();
            assert_eq!(glob.matches(&string), matches(&atoms, &text), "{pattern:?} on {string:?}");
        }
        (Err(error), None) => assert!(error.offset <= pattern.len(), "{error:?} of {pattern:?}"),
        (found, atoms) => panic!("{pattern:?} compiles to {found:?}, the reference to {atoms:?}"),
    }
}

/// Whether the reference takes the whole of `text` by `pattern`, which is well formed.
pub(super) fn takes(pattern: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    matches(&atoms(pattern).unwrap(), &text)
}

#[derive(Clone, Debug)]
enum Atom {
    Star,
    Any,
    Char(char),
    Class(bool, Vec<(char, char)>),
}

/// The atoms of a pattern; `None` of a malformed one.
fn atoms(pattern: &str) -> Option<Vec<Atom>> {
    let chars: Vec<char> = pattern.chars().collect();
    let (mut at, mut atoms) = (0, Vec::new());
    while at < chars.len() {
        at += 1;
        atoms.push(match chars[at - 1] {
            '*' => Atom::Star,
            '?' => Atom::Any,
            '\\' => {
                at += 1;
                Atom::Char(*chars.get(at - 1)?)
            }
            '[' => class(&chars, &mut at)?,
            other => Atom::Char(other),
        });
    }
    Some(atoms)
}

/// The class whose first character is at `at`, which moves behind it.
fn class(chars: &[char], at: &mut usize) -> Option<Atom> {
    let negated = chars.get(*at) == Some(&'^');
    *at += usize::from(negated);
    let mut ranges = Vec::new();
    let member = |at: &mut usize| {
        let char = *chars.get(*at)?;
        *at += 1;
        match char {
            '\\' => {
                *at += 1;
                chars.get(*at - 1).copied()
            }
            '[' | ']' | '-' => None,
            other => Some(other),
        }
    };
    while *chars.get(*at)? != ']' {
        let first = member(at)?;
        let mut last = first;
        if chars.get(*at) == Some(&'-') {
            *at += 1;
            last = member(at)?;
        }
        ranges.push((first, last));
    }
    *at += 1;
    (!ranges.is_empty()).then_some(Atom::Class(negated, ranges))
}

/// Whether `atoms` match the whole of `text`, by a table of all suffixes.
fn matches(atoms: &[Atom], text: &[char]) -> bool {
    let mut rest: Vec<bool> = (0..=text.len()).map(|at| at == text.len()).collect();
    for atom in atoms.iter().rev() {
        let mut here = vec![false; text.len() + 1];
        for at in (0..=text.len()).rev() {
            let takes = |char: char| match atom {
                Atom::Star | Atom::Any => true,
                Atom::Char(wanted) => *wanted == char,
                Atom::Class(negated, ranges) => {
                    ranges.iter().any(|&(first, last)| (first..=last).contains(&char)) != *negated
                }
            };
            here[at] = match atom {
                Atom::Star => rest[at] || (at < text.len() && here[at + 1]),
                _ => at < text.len() && takes(text[at]) && rest[at + 1],
            };
        }
        rest = here;
    }
    rest[0]
}
