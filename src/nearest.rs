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
