//! The list of inputs in little memory: there may be millions of them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::discover::{Given, Input};
use super::tag::{pack, take, take_number, unpack};
use crate::store::{Object, Store};
use crate::varint;

/// So many inputs in a row are told by what their names have that the ones before them have not.
const ROW: usize = 16;

/// What an entry begins with, added up. Without `OBJECT` and `OTHER` it is a file of that path.
const NAMED: u8 = 1;
const SIZED: u8 = 2;
const TAGGED: u8 = 4;
/// An object that a store listed.
const OBJECT: u8 = 8;
/// What has more to it than its name, size and tag.
const OTHER: u8 = 16;

/// Inputs in an order.
#[derive(Clone, Default)]
pub struct Inputs {
    /// Rows that are full.
    rows: Vec<Box<[u8]>>,
    /// The one that is not.
    row: Vec<u8>,
    count: usize,
    /// How many of them are objects.
    objects: usize,
    /// The name of the last one.
    last: Vec<u8>,
    /// Where those stand that do not come behind the ones before them, by the bytes of their names.
    breaks: Vec<usize>,
    stores: Vec<Arc<Store>>,
    others: Vec<Input>,
}

impl Inputs {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether some are objects of stores.
    pub fn has_objects(&self) -> bool {
        self.objects > 0
    }

    /// Adds an input.
    pub fn push(&mut self, input: Input) {
        let name = input.display.as_bytes();
        if self.count > 0 && name <= self.last.as_slice() {
            self.breaks.push(self.count);
        }
        if self.count > 0 && self.count.is_multiple_of(ROW) {
            self.rows.push(self.row.as_slice().into());
            self.row.clear();
        }
        let is_first = self.row.is_empty();
        let shared = if is_first { 0 } else { shared(&self.last, name) };
        self.last.truncate(shared);
        self.last.extend(&name[shared..]);
        self.count += 1;
        self.objects += usize::from(input.object.is_some());
        self.write(input, shared);
    }

    fn write(&mut self, input: Input, shared: usize) {
        let named = if input.given == Given::Named { NAMED } else { 0 };
        let is_file = input.path.as_deref() == Some(Path::new(&input.display));
        let object = match &input.object {
            Some(object) if object.is_in_bucket() && input.path.is_none() => Some(object),
            None if is_file => None,
            _ => {
                self.row.push(named | OTHER);
                varint::put(self.others.len() as u64, &mut self.row);
                self.others.push(input);
                return;
            }
        };
        let tag = object.and_then(Object::tag);
        let kinds =
            [(object.is_some(), OBJECT), (input.size.is_some(), SIZED), (tag.is_some(), TAGGED)];
        let kinds = kinds.into_iter().filter(|(is, _)| *is).map(|(_, kind)| kind);
        self.row.push(kinds.fold(named, |all, kind| all | kind));
        if let Some(object) = object {
            let at = self.stores.iter().position(|store| Arc::ptr_eq(store, object.store()));
            let at = at.unwrap_or_else(|| {
                self.stores.push(Arc::clone(object.store()));
                self.stores.len() - 1
            });
            varint::put(at as u64, &mut self.row);
        }
        if let Some(size) = input.size {
            varint::put(size, &mut self.row);
        }
        if let Some(tag) = tag {
            pack(tag, &mut self.row);
        }
        let rest = &input.display.as_bytes()[shared..];
        varint::put(shared as u64, &mut self.row);
        varint::put(rest.len() as u64, &mut self.row);
        self.row.extend(rest);
    }

    /// The input at `index`.
    pub fn get(&self, index: usize) -> Option<Input> {
        if index < self.count { self.range(index..index + 1).next() } else { None }
    }

    /// All of them, in order.
    pub fn iter(&self) -> Iter<'_> {
        self.range(0..self.count)
    }

    fn range(&self, range: Range<usize>) -> Iter<'_> {
        let first = range.start / ROW * ROW;
        let mut iter = Iter { inputs: self, row: &[], name: Vec::new(), range: first..range.end };
        while iter.range.start < range.start && iter.next().is_some() {}
        iter
    }

    /// Keeps those that `keeps` says so of.
    pub fn retain(&mut self, mut keeps: impl FnMut(&Input) -> bool) {
        *self = self.iter().filter(|input| keeps(input)).collect();
    }

    /// The same in the order of the bytes of their names, each name once.
    #[must_use]
    pub(super) fn sorted(self) -> Self {
        if self.breaks.is_empty() {
            return self;
        }
        let ends = self.breaks.iter().copied().chain([self.count]);
        let starts = [0].into_iter().chain(self.breaks.iter().copied());
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
                |input: &Input| sorted.is_empty() || sorted.last != input.display.as_bytes();
            if let Some(input) = input.filter(is_new) {
                sorted.push(input);
            }
        }
        sorted
    }
}

/// How many bytes two names begin with alike.
fn shared(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

/// Inputs one after the other.
pub struct Iter<'i> {
    inputs: &'i Inputs,
    /// What is left of a row.
    row: &'i [u8],
    /// The name of the one before.
    name: Vec<u8>,
    range: Range<usize>,
}

impl Iterator for Iter<'_> {
    type Item = Input;

    fn next(&mut self) -> Option<Input> {
        let index = self.range.next()?;
        let inputs = self.inputs;
        if index.is_multiple_of(ROW) {
            self.row = inputs.rows.get(index / ROW).map_or(&inputs.row, |row| row);
        }
        let at = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let row = &mut self.row;
        let kind = take(row, 1)[0];
        if kind & OTHER != 0 {
            let input = inputs.others[at(take_number(row))].clone();
            self.name = input.display.clone().into_bytes();
            return Some(input);
        }
        let store = (kind & OBJECT != 0).then(|| &inputs.stores[at(take_number(row))]);
        let size = (kind & SIZED != 0).then(|| take_number(row));
        let tag = (kind & TAGGED != 0).then(|| unpack(row));
        self.name.truncate(at(take_number(row)));
        let rest = at(take_number(row));
        self.name.extend(take(row, rest));
        let display = String::from_utf8_lossy(&self.name).into_owned();
        let object = store.map(|store| Object::in_bucket(store, tag.map(Into::into)));
        let path = object.is_none().then(|| PathBuf::from(&display));
        let given = if kind & NAMED != 0 { Given::Named } else { Given::Found };
        Some(Input { path, object, display, size, given })
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
        Input { path, object: None, display: name.to_owned(), size, given: Given::Found }
    }

    #[test]
    fn inputs_of_all_kinds_come_back_as_they_were() {
        let stdin = Input { path: None, ..file("-", None) };
        let copied = Input { path: Some("/tmp/copy".into()), ..file("pipe", Some(3)) };
        let named = Input { given: Given::Named, ..file("logs/a", Some(u64::MAX)) };
        let given = [stdin, copied, named, file("", None), file("logs/ü", Some(0))];
        let inputs: Inputs = given.iter().cloned().collect();
        assert_eq!(inputs.iter().collect::<Vec<_>>(), given);
        assert_eq!(inputs.get(2).as_ref(), Some(&given[2]));
        assert_eq!(inputs.get(5), None);
        assert!(!inputs.has_objects());
    }

    #[test]
    fn names_that_are_alike_take_little_memory() {
        let name = |number| format!("segment-logs/source/1746057600000/{number:08}.gz");
        let inputs: Inputs = (0..10_000).map(|number| file(&name(number), Some(5_000))).collect();
        let bytes: usize = inputs.rows.iter().map(|row| row.len()).sum();
        assert!(bytes < 150_000, "{bytes}");
    }

    proptest! {
        #[test]
        fn any_inputs_are_found_by_their_places_and_sorted(names in prop::collection::vec("[ab/ü]{0,4}", 0..60)) {
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
