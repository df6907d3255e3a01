//! JSON pointers (RFC 6901).

use std::borrow::Cow;

/// Returns `pointer` extended by the member `name`.
pub fn join(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", escaped(name))
}

fn escaped(name: &str) -> Cow<'_, str> {
    if name.contains(['~', '/']) {
        name.replace('~', "~0").replace('/', "~1").into()
    } else {
        name.into()
    }
}

/// Returns the unescaped steps of `pointer`, outermost first.
pub fn steps(pointer: &str) -> impl Iterator<Item = Cow<'_, str>> {
    pointer.split('/').skip(1).map(|step| {
        if step.contains('~') {
            step.replace("~1", "/").replace("~0", "~").into()
        } else {
            step.into()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_whole_value_has_no_steps() {
        assert_eq!(steps("").count(), 0);
        assert_eq!(steps("/").collect::<Vec<_>>(), [""]);
    }

    proptest! {
        #[test]
        fn what_is_joined_comes_apart_again(names in proptest::collection::vec("[a~/01é]{0,4}", 0..5)) {
            let pointer = names.iter().fold(String::new(), |pointer, name| join(&pointer, name));
            prop_assert_eq!(steps(&pointer).collect::<Vec<_>>(), names);
        }
    }
}
