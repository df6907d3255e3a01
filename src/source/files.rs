//! The files that were met while inputs were read, by the numbers that blocks bear.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::block::FileId;
use super::discover::{Given, Input};
use super::inputs::Inputs;

/// What is written in place of a name.
type Shown = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// The files that were met, in order: inputs, and in place of archives their members.
///
/// An input takes one bit beside the list of inputs, which clones share.
#[derive(Clone, Default)]
pub struct Files {
    inputs: Arc<Inputs>,
    /// Which inputs are files themselves, a bit each.
    met: Vec<u64>,
    /// The names of members.
    members: BTreeMap<FileId, String>,
    shown: Option<Shown>,
}

impl Files {
    pub(super) fn new(inputs: &Arc<Inputs>) -> Self {
        Self { inputs: Arc::clone(inputs), ..Self::default() }
    }

    /// Makes an input known as a file.
    pub(super) fn add_input(&mut self, input: u32) {
        let (word, bit) = (input as usize / 64, input % 64);
        if word >= self.met.len() {
            self.met.resize(word + 1, 0);
        }
        self.met[word] |= 1 << bit;
    }

    /// Makes a member of an input known.
    pub(super) fn add_member(&mut self, file: FileId, name: &str) {
        self.members.insert(file, name.to_owned());
    }

    fn is_met(&self, input: usize) -> bool {
        self.met.get(input / 64).is_some_and(|word| word >> (input % 64) & 1 == 1)
    }

    /// The same files with the names that `shown` gives in place of theirs.
    #[must_use]
    pub fn shown(self, shown: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self { shown: Some(Arc::new(shown)), ..self }
    }

    /// A file by its number.
    pub fn get(&self, file: FileId) -> Option<Input> {
        let input = match self.members.get(&file) {
            Some(name) => member(name),
            None if file.member == 0 && self.is_met(file.input as usize) => {
                self.inputs.get(file.input as usize)?
            }
            None => return None,
        };
        Some(self.renamed(input))
    }

    /// The name of a file; nothing where it was not met.
    pub fn name(&self, file: FileId) -> String {
        self.get(file).map(|file| file.display).unwrap_or_default()
    }

    /// All files.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, Input)> {
        (0..).zip(self.inputs.iter()).flat_map(move |(input, found)| {
            let first = FileId { input, member: 0 };
            let own = self.is_met(input as usize).then_some((first, found));
            let members = self.members.range(first..=FileId { input, member: u32::MAX });
            let members = members.map(|(file, name)| (*file, member(name)));
            own.into_iter().chain(members).map(|(file, input)| (file, self.renamed(input)))
        })
    }

    fn renamed(&self, input: Input) -> Input {
        match &self.shown {
            Some(shown) => Input { display: shown(&input.display), ..input },
            None => input,
        }
    }
}

fn member(name: &str) -> Input {
    Input { path: None, object: None, display: name.to_owned(), size: None, given: Given::Found }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_and_members_are_found_by_their_numbers_and_shown_by_other_names() {
        let names =
            (0..130).map(|number| Input { size: Some(number), ..member(&number.to_string()) });
        let mut files = Files::new(&Arc::new(names.collect()));
        let at = |input, member| FileId { input, member };
        files.add_input(129);
        files.add_input(3);
        files.add_member(at(64, 0), "64/a");
        files.add_member(at(64, 1), "64/b");
        let all = |files: &Files| -> Vec<String> {
            files
                .iter()
                .map(|(file, input)| {
                    assert_eq!(files.get(file).as_ref(), Some(&input));
                    input.display
                })
                .collect()
        };
        assert_eq!(all(&files), ["3", "64/a", "64/b", "129"]);
        assert_eq!(files.get(at(3, 0)).and_then(|input| input.size), Some(3));
        assert_eq!((files.name(at(64, 1)), files.name(at(4, 0))), ("64/b".into(), String::new()));
        assert_eq!(files.get(at(3, 1)), None);
        let files = files.shown(|name| format!("<{name}>"));
        assert_eq!(all(&files), ["<3>", "<64/a>", "<64/b>", "<129>"]);
    }
}
