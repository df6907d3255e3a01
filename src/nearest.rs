//! Suggestions for misspelled names.

/// The minimum similarity (0 to 1) at which a name counts as a misspelling of another.
const LIKENESS: f64 = 0.8;

/// Returns the one of `names` that is most similar to `name`, ignoring case, `_` and `-`, or `None`
/// if none is similar enough.
pub(crate) fn nearest<'n>(name: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let plain = plain(name);
    names
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&plain, &self::plain(candidate)), candidate))
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .max_by(|(left, left_name), (right, right_name)| {
            // Of equally similar names, the one whose spelling is most similar.
            let written = |candidate: &str| strsim::jaro_winkler(name, candidate);
            let order = left.total_cmp(right);
            order.then_with(|| written(left_name).total_cmp(&written(right_name)))
        })
        .map(|(_, candidate)| candidate)
}

/// Names to look for the nearest one in again and again: what [`nearest`] finds, without comparing
/// every name with every other letter by letter.
#[derive(Debug)]
pub(crate) struct Names<'n>(Vec<Candidate<'n>>);

#[derive(Debug)]
struct Candidate<'n> {
    name: &'n str,
    plain: String,
    letters: Letters,
}

impl<'n> Names<'n> {
    /// Prepares `names`.
    pub fn new(names: impl IntoIterator<Item = &'n str>) -> Self {
        let candidate = |name: &'n str| {
            let plain = plain(name);
            Candidate { name, letters: Letters::of(&plain), plain }
        };
        Self(names.into_iter().map(candidate).collect())
    }

    /// The place of the name that is nearest to `name`; `None` where none is near.
    pub fn nearest(&self, name: &str) -> Option<usize> {
        let plain = plain(name);
        let letters = Letters::of(&plain);
        let bounds = self.0.iter().map(|candidate| letters.most_alike(&candidate.letters));
        let mut promising: Vec<(f64, usize)> =
            bounds.zip(0..).filter(|(bound, _)| *bound >= LIKENESS).collect();
        promising.sort_unstable_by(|(left, _), (right, _)| right.total_cmp(left));
        let mut best: Option<(f64, f64, usize)> = None;
        for (bound, place) in promising {
            if best.is_some_and(|(likeness, ..)| bound < likeness) {
                break;
            }
            let candidate = &self.0[place];
            let likeness = strsim::jaro_winkler(&plain, &candidate.plain);
            if likeness < best.map_or(LIKENESS, |(likeness, ..)| likeness) {
                continue;
            }
            // Of those alike, the one written most alike, and of these the last.
            let found = (likeness, strsim::jaro_winkler(name, candidate.name), place);
            let order = |(likeness, written, place): (f64, f64, usize),
                         other: (f64, f64, usize)| {
                let order = likeness.total_cmp(&other.0);
                order.then_with(|| written.total_cmp(&other.1)).then(place.cmp(&other.2))
            };
            if best.is_none_or(|best| order(found, best).is_gt()) {
                best = Some(found);
            }
        }
        best.map(|(.., place)| place)
    }
}

/// Which letters a plain name has, in whatever order: enough to tell how alike it can be to another.
#[derive(Debug)]
struct Letters {
    /// Bit by letter: whether it is there, is there twice, and so on. Rare letters share bits.
    occurrences: [u64; 4],
    /// How many letters there are beyond those.
    beyond: u32,
    length: u32,
    /// The first letters: a name that begins alike counts as more alike.
    first: [Option<char>; 4],
}

impl Letters {
    fn of(plain: &str) -> Self {
        let mut letters = Self { occurrences: [0; 4], beyond: 0, length: 0, first: [None; 4] };
        for (place, char) in plain.chars().enumerate() {
            letters.length += 1;
            if let Some(first) = letters.first.get_mut(place) {
                *first = Some(char);
            }
            let bit = 1
                << match char {
                    'a'..='z' => char as u32 - 'a' as u32,
                    '0'..='9' => 26 + char as u32 - '0' as u32,
                    _ => 36 + char as u32 % 28,
                };
            match letters.occurrences.iter_mut().find(|seen| **seen & bit == 0) {
                Some(seen) => *seen |= bit,
                None => letters.beyond += 1,
            }
        }
        letters
    }

    /// The Jaro-Winkler likeness of the two names is at most this.
    #[inline]
    fn most_alike(&self, other: &Self) -> f64 {
        if self.length == 0 || other.length == 0 {
            return if self.length == other.length { 1.0 } else { 0.0 };
        }
        let occurrences = self.occurrences.iter().zip(&other.occurrences);
        let shared: u32 = occurrences.map(|(own, others)| (own & others).count_ones()).sum();
        let shared = f64::from(shared + self.beyond.min(other.beyond));
        let (length, other_length) = (f64::from(self.length), f64::from(other.length));
        let jaro = (shared / length + shared / other_length + 1.0) / 3.0;
        let firsts = self.first.iter().zip(&other.first);
        let alike = firsts.take_while(|(own, others)| own.is_some() && own == others).count();
        #[allow(clippy::cast_precision_loss)] // at most four
        let boosted = jaro + 0.1 * alike as f64 * (1.0 - jaro);
        // Where the likeness is computed, it is rounded elsewhere.
        boosted + 1e-9
    }
}

/// Returns `name` without the differences in case and separators between spellings.
pub(crate) fn plain(name: &str) -> String {
    name.chars()
        .filter(|char| char.is_alphanumeric())
        .map(|char| char.to_ascii_lowercase())
        .take(64)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn names_that_are_prepared_give_what_a_look_at_each_gives(
            names in prop::collection::vec(prop_oneof!["[aB_ ]{0,6}", "[abc1é]{0,12}", "Event [0-9]{2,3}", ".{0,70}"], 0..24),
            name in prop_oneof!["[aB_ ]{0,6}", "[abc1é]{0,12}", "Event [0-9]{2,3}", ".{0,70}"],
        ) {
            let texts = || names.iter().map(String::as_str);
            let found = Names::new(texts()).nearest(&name).map(|place| names[place].as_str());
            prop_assert_eq!(found, nearest(&name, texts()));
        }
    }

    #[test]
    fn a_slip_is_told_from_another_name() {
        let names = ["receivedAt", "userId", "properties"];
        assert_eq!(nearest("received_at", names), Some("receivedAt"));
        assert_eq!(nearest("userid", names), Some("userId"));
        assert_eq!(nearest("propertes", names), Some("properties"));
        assert_eq!(nearest("plan", names), None);
        assert_eq!(nearest("", names), None);
    }
}
