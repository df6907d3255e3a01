//! The files that were read, by the [`FileId`] in blocks.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::block::FileId;
use super::discover::{Input, Origin};
use super::inputs::Inputs;

/// Converts the name of a file to a display name.
type Rename = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// The files that were read, in order. Archives are represented by their members.
///
/// An input takes one bit in addition to the list of inputs, which clones share.
#[derive(Clone, Default)]
pub struct Files {
    inputs: Arc<Inputs>,
    /// One bit for each input, set if the input is a file itself and was registered.
    registered: Vec<u64>,
    /// The names of members.
    members: BTreeMap<FileId, String>,
    rename: Option<Rename>,
}

impl Files {
    pub(super) fn new(inputs: &Arc<Inputs>) -> Self {
        Self { inputs: Arc::clone(inputs), ..Self::default() }
    }

    /// Registers an input that is a file itself.
    pub(super) fn add_input(&mut self, input: u32) {
        let (word, bit) = (input as usize / 64, input % 64);
        if word >= self.registered.len() {
            self.registered.resize(word + 1, 0);
        }
        self.registered[word] |= 1 << bit;
    }

    /// Registers a member of an archive.
    pub(super) fn add_member(&mut self, file: FileId, name: &str) {
        self.members.insert(file, name.to_owned());
    }

    fn is_registered(&self, input: usize) -> bool {
        self.registered.get(input / 64).is_some_and(|word| word >> (input % 64) & 1 == 1)
    }

    /// Replaces the names of all files by those that `rename` returns.
    #[must_use]
    pub fn renamed(self, rename: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self { rename: Some(Arc::new(rename)), ..self }
    }

    /// Returns the file with this id, if it was registered.
    pub fn get(&self, file: FileId) -> Option<Input> {
        let input = match self.members.get(&file) {
            Some(name) => member(name),
            None if file.member == 0 && self.is_registered(file.input as usize) => {
                self.inputs.get(file.input as usize)?
            }
            None => return None,
        };
        Some(self.with_display_name(input))
    }

    /// Returns the name of a file; an empty text if it was not registered.
    pub fn name(&self, file: FileId) -> String {
        self.get(file).map(|file| file.display).unwrap_or_default()
    }

    /// Returns all files in order.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, Input)> {
        (0..).zip(self.inputs.iter()).flat_map(move |(input, found)| {
            let first = FileId { input, member: 0 };
            let own = self.is_registered(input as usize).then_some((first, found));
            let members = self.members.range(first..=FileId { input, member: u32::MAX });
            let members = members.map(|(file, name)| (*file, member(name)));
            own.into_iter()
                .chain(members)
                .map(|(file, input)| (file, self.with_display_name(input)))
        })
    }

    fn with_display_name(&self, input: Input) -> Input {
        match &self.rename {
            Some(rename) => Input { display: rename(&input.display), ..input },
            None => input,
        }
    }
}

fn member(name: &str) -> Input {
    Input { path: None, object: None, display: name.to_owned(), size: None, origin: Origin::Found }
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
    fn returns_inputs_and_members_by_id_and_renames_them() {
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
        let files = files.renamed(|name| format!("<{name}>"));
        assert_eq!(all(&files), ["<3>", "<64/a>", "<64/b>", "<129>"]);
    }
}
