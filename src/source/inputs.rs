//! A compact list of inputs, of which there may be millions.
//!
//! Inputs are encoded in groups of [`GROUP_LEN`]. Within a group, names are front-coded: each is
//! stored as the length of the prefix that it shares with the previous name, and its suffix.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::discover::{Input, Origin};
use super::etag::{pack, take, take_number, unpack};
use crate::store::{Object, Store};
use crate::varint;

/// The number of inputs in a group.
const GROUP_LEN: usize = 16;

// An encoded input starts with a byte of the following flags. Without `OBJECT` and `UNPACKED`, the
// input is a file whose path is its name.

/// An argument names the input.
const NAMED: u8 = 1;
/// The size follows.
const HAS_SIZE: u8 = 2;
/// The ETag follows.
const HAS_TAG: u8 = 4;
/// The input is an object in a bucket; the index of its store follows.
const OBJECT: u8 = 8;
/// The input cannot be encoded; its index in `unpacked` follows, and nothing else.
const UNPACKED: u8 = 16;

/// An ordered list of inputs.
#[derive(Clone, Default)]
pub struct Inputs {
    /// Encoded groups of [`GROUP_LEN`] inputs.
    groups: Vec<Box<[u8]>>,
    /// The last group, which may grow.
    last_group: Vec<u8>,
    count: usize,
    /// The number of inputs that are objects.
    objects: usize,
    /// The name of the last input.
    last_name: Vec<u8>,
    /// The indexes of inputs whose names are not greater than the previous one, in byte order. They
    /// start the sorted runs that [`sorted`](Self::sorted) merges.
    run_starts: Vec<usize>,
    /// The stores of the objects, each once.
    stores: Vec<Arc<Store>>,
    /// Inputs that the encoding cannot represent, such as standard input.
    unpacked: Vec<Input>,
}

impl Inputs {
    /// Returns the number of inputs.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Returns `true` if the list is empty.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns `true` if the list contains objects of stores.
    pub fn has_objects(&self) -> bool {
        self.objects > 0
    }

    /// Appends an input.
    pub fn push(&mut self, input: Input) {
        let name = input.display.as_bytes();
        if self.count > 0 && name <= self.last_name.as_slice() {
            self.run_starts.push(self.count);
        }
        if self.count > 0 && self.count.is_multiple_of(GROUP_LEN) {
            self.groups.push(self.last_group.as_slice().into());
            self.last_group.clear();
        }
        let is_first = self.last_group.is_empty();
        let shared = if is_first { 0 } else { shared_prefix_len(&self.last_name, name) };
        self.last_name.truncate(shared);
        self.last_name.extend(&name[shared..]);
        self.count += 1;
        self.objects += usize::from(input.object.is_some());
        self.encode(input, shared);
    }

    /// Appends `input` to the last group. Its name shares `shared` bytes with the previous one.
    fn encode(&mut self, input: Input, shared: usize) {
        let named = if input.origin == Origin::Named { NAMED } else { 0 };
        let is_file = input.path.as_deref() == Some(Path::new(&input.display));
        let object = match &input.object {
            Some(object) if object.is_in_bucket() && input.path.is_none() => Some(object),
            None if is_file => None,
            _ => {
                self.last_group.push(named | UNPACKED);
                varint::put(self.unpacked.len() as u64, &mut self.last_group);
                self.unpacked.push(input);
                return;
            }
        };
        let tag = object.and_then(Object::tag);
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        self.last_group.push(
            named
                | flag(object.is_some(), OBJECT)
                | flag(input.size.is_some(), HAS_SIZE)
                | flag(tag.is_some(), HAS_TAG),
        );
        if let Some(object) = object {
            let at = self.stores.iter().position(|store| Arc::ptr_eq(store, object.store()));
            let at = at.unwrap_or_else(|| {
                self.stores.push(Arc::clone(object.store()));
                self.stores.len() - 1
            });
            varint::put(at as u64, &mut self.last_group);
        }
        if let Some(size) = input.size {
            varint::put(size, &mut self.last_group);
        }
        if let Some(tag) = tag {
            pack(tag, &mut self.last_group);
        }
        let suffix = &input.display.as_bytes()[shared..];
        varint::put(shared as u64, &mut self.last_group);
        varint::put(suffix.len() as u64, &mut self.last_group);
        self.last_group.extend(suffix);
    }

    /// Returns the input at `index`.
    pub fn get(&self, index: usize) -> Option<Input> {
        if index < self.count { self.range(index..index + 1).next() } else { None }
    }

    /// Returns an iterator over all inputs in order.
    pub fn iter(&self) -> Iter<'_> {
        self.range(0..self.count)
    }

    /// Returns an iterator over `range`. Decodes from the start of the group that contains it.
    fn range(&self, range: Range<usize>) -> Iter<'_> {
        let first = range.start / GROUP_LEN * GROUP_LEN;
        let mut iter = Iter { inputs: self, group: &[], name: Vec::new(), range: first..range.end };
        while iter.range.start < range.start && iter.next().is_some() {}
        iter
    }

    /// Keeps only the inputs for which `is_kept` returns `true`.
    pub fn retain(&mut self, mut is_kept: impl FnMut(&Input) -> bool) {
        *self = self.iter().filter(|input| is_kept(input)).collect();
    }

    /// Sorts the inputs by the bytes of their names, and removes duplicates of names. Merges the
    /// sorted runs, so that a list that is sorted already is returned as it is.
    #[must_use]
    pub(super) fn sorted(self) -> Self {
        if self.run_starts.is_empty() {
            return self;
        }
        let ends = self.run_starts.iter().copied().chain([self.count]);
        let starts = [0].into_iter().chain(self.run_starts.iter().copied());
        let mut runs: Vec<_> =
            starts.zip(ends).map(|(start, end)| self.range(start..end)).collect();
        let mut heads: Vec<Option<Input>> = runs.iter_mut().map(Iterator::next).collect();
        let name = |head: &Option<Input>| head.as_ref().map(|input| input.display.clone());
        let mut order: BinaryHeap<_> = (heads.iter().enumerate())
            .filter_map(|(run, head)| Some(Reverse((name(head)?, run))))
            .collect();
        let mut sorted = Self::default();
        while let Some(Reverse((_, run))) = order.pop() {
            let input = std::mem::replace(&mut heads[run], runs[run].next());
            order.extend(name(&heads[run]).map(|name| Reverse((name, run))));
            let is_new =
                |input: &Input| sorted.is_empty() || sorted.last_name != input.display.as_bytes();
            if let Some(input) = input.filter(is_new) {
                sorted.push(input);
            }
        }
        sorted
    }
}

/// Returns the length of the common prefix of two names, in bytes.
fn shared_prefix_len(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

/// An iterator over a range of [`Inputs`].
pub struct Iter<'i> {
    inputs: &'i Inputs,
    /// The rest of the current group.
    group: &'i [u8],
    /// The name of the previous input.
    name: Vec<u8>,
    range: Range<usize>,
}

impl Iterator for Iter<'_> {
    type Item = Input;

    fn next(&mut self) -> Option<Input> {
        let index = self.range.next()?;
        let inputs = self.inputs;
        if index.is_multiple_of(GROUP_LEN) {
            self.group =
                inputs.groups.get(index / GROUP_LEN).map_or(&inputs.last_group, |group| group);
        }
        let at = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let group = &mut self.group;
        let flags = take(group, 1)[0];
        if flags & UNPACKED != 0 {
            let input = inputs.unpacked[at(take_number(group))].clone();
            self.name = input.display.clone().into_bytes();
            return Some(input);
        }
        let store = (flags & OBJECT != 0).then(|| &inputs.stores[at(take_number(group))]);
        let size = (flags & HAS_SIZE != 0).then(|| take_number(group));
        let tag = (flags & HAS_TAG != 0).then(|| unpack(group));
        self.name.truncate(at(take_number(group)));
        let suffix_len = at(take_number(group));
        self.name.extend(take(group, suffix_len));
        let display = String::from_utf8_lossy(&self.name).into_owned();
        let object = store.map(|store| Object::in_bucket(store, tag.map(Into::into)));
        let path = object.is_none().then(|| PathBuf::from(&display));
        let origin = if flags & NAMED != 0 { Origin::Named } else { Origin::Found };
        Some(Input { path, object, display, size, origin })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.range.size_hint()
    }
}

impl<'i> IntoIterator for &'i Inputs {
    type Item = Input;
    type IntoIter = Iter<'i>;

    fn into_iter(self) -> Iter<'i> {
        self.iter()
    }
}

impl FromIterator<Input> for Inputs {
    fn from_iter<I: IntoIterator<Item = Input>>(all: I) -> Self {
        let mut inputs = Self::default();
        inputs.extend(all);
        inputs
    }
}

impl Extend<Input> for Inputs {
    fn extend<I: IntoIterator<Item = Input>>(&mut self, all: I) {
        all.into_iter().for_each(|input| self.push(input));
    }
}

impl PartialEq for Inputs {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Inputs {}

impl fmt::Debug for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(name: &str, size: Option<u64>) -> Input {
        let path = Some(PathBuf::from(name));
        Input { path, object: None, display: name.to_owned(), size, origin: Origin::Found }
    }

    #[test]
    fn inputs_of_all_kinds_are_decoded_unchanged() {
        let stdin = Input { path: None, ..file("-", None) };
        let copied = Input { path: Some("/tmp/copy".into()), ..file("pipe", Some(3)) };
        let named = Input { origin: Origin::Named, ..file("logs/a", Some(u64::MAX)) };
        let given = [stdin, copied, named, file("", None), file("logs/ü", Some(0))];
        let inputs: Inputs = given.iter().cloned().collect();
        assert_eq!(inputs.iter().collect::<Vec<_>>(), given);
        assert_eq!(inputs.get(2).as_ref(), Some(&given[2]));
        assert_eq!(inputs.get(5), None);
        assert!(!inputs.has_objects());
    }

    #[test]
    fn names_with_common_prefixes_take_little_memory() {
        let name = |number| format!("segment-logs/source/1746057600000/{number:08}.gz");
        let inputs: Inputs = (0..10_000).map(|number| file(&name(number), Some(5_000))).collect();
        let bytes: usize = inputs.groups.iter().map(|group| group.len()).sum();
        assert!(bytes < 150_000, "{bytes}");
    }

    proptest! {
        #[test]
        fn any_inputs_are_returned_by_index_and_sorted(names in prop::collection::vec("[ab/ü]{0,4}", 0..60)) {
            let given: Vec<Input> =
                names.iter().map(|name| file(name, Some(name.len() as u64))).collect();
            let inputs: Inputs = given.iter().cloned().collect();
            for (index, input) in given.iter().enumerate() {
                prop_assert_eq!(inputs.get(index), Some(input.clone()));
            }
            let mut expected = given;
            expected.sort_by(|a, b| a.display.cmp(&b.display));
            expected.dedup();
            prop_assert_eq!(inputs.sorted().iter().collect::<Vec<_>>(), expected);
        }
    }
}
