//! The functions of FQL: names, arities, and result types.

/// A function of the language (Segment's reference of the Destination Filter Query Language,
/// "Functions").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Contains,
    Match,
    Length,
    Lowercase,
    Uppercase,
    Snakecase,
    Kebabcase,
    Titlecase,
    Typeof,
    Bool,
    String,
    Number,
}

impl Function {
    pub(super) const ALL: [Self; 12] = [
        Self::Contains,
        Self::Match,
        Self::Length,
        Self::Lowercase,
        Self::Uppercase,
        Self::Snakecase,
        Self::Kebabcase,
        Self::Titlecase,
        Self::Typeof,
        Self::Bool,
        Self::String,
        Self::Number,
    ];

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Contains => "contains",
            Self::Match => "match",
            Self::Length => "length",
            Self::Lowercase => "lowercase",
            Self::Uppercase => "uppercase",
            Self::Snakecase => "snakecase",
            Self::Kebabcase => "kebabcase",
            Self::Titlecase => "titlecase",
            Self::Typeof => "typeof",
            Self::Bool => "bool",
            Self::String => "string",
            Self::Number => "number",
        }
    }

    /// Returns FQL's replacement for a function `name` of other languages.
    pub(super) fn advice(name: &str) -> Option<&'static str> {
        Some(match name.to_ascii_lowercase().as_str() {
            "not" => "FQL negates with `!`: write `!(…)`",
            "and" | "or" | "in" => "keywords are lower case and stand between two values",
            "startswith" | "starts_with" => "write `match(path, 'text*')`",
            "endswith" | "ends_with" => "write `match(path, '*text')`",
            "like" | "matches" | "regex" | "regexp" | "glob" => {
                "match a pattern with `match(path, 'a*')`"
            }
            "includes" => "write `contains(path, 'text')`",
            "len" | "size" | "count" => "write `length(path)`",
            "lower" | "tolower" | "tolowercase" => "write `lowercase(path)`",
            "upper" | "toupper" | "touppercase" => "write `uppercase(path)`",
            "exists" | "defined" | "isset" | "isnotnull" => "write `path != null`",
            "isnull" | "missing" | "isempty" => "write `path = null`, or `length(path) = 0`",
            _ => return None,
        })
    }

    /// Returns the syntax of a call, which also shows the number of arguments.
    pub(super) fn usage(self) -> &'static str {
        match self {
            Self::Contains => "contains(string, substring)",
            Self::Match => "match(string, pattern)",
            Self::Length => "length(list or string)",
            Self::Lowercase => "lowercase(string)",
            Self::Uppercase => "uppercase(string)",
            Self::Snakecase => "snakecase(string)",
            Self::Kebabcase => "kebabcase(string)",
            Self::Titlecase => "titlecase(string)",
            Self::Typeof => "typeof(value)",
            Self::Bool => "bool(value)",
            Self::String => "string(value)",
            Self::Number => "number(value)",
        }
    }

    pub(super) fn arity(self) -> usize {
        match self {
            Self::Contains | Self::Match => 2,
            _ => 1,
        }
    }

    /// Returns the types that a call can result in.
    pub(super) fn result(self) -> Types {
        match self {
            Self::Contains | Self::Match | Self::Bool => Types::BOOL,
            Self::Length | Self::Number => Types::NUMBER.or(Types::NULL),
            Self::Typeof | Self::String => Types::STRING,
            Self::Lowercase
            | Self::Uppercase
            | Self::Snakecase
            | Self::Kebabcase
            | Self::Titlecase => Types::STRING.or(Types::NULL),
        }
    }
}

/// A set of value types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Types(u8);

impl Types {
    pub(super) const NULL: Self = Self(1);
    pub(super) const BOOL: Self = Self(1 << 1);
    pub(super) const NUMBER: Self = Self(1 << 2);
    pub(super) const STRING: Self = Self(1 << 3);
    pub(super) const LIST: Self = Self(1 << 4);
    /// All types, objects included.
    pub(super) const ANY: Self = Self(0b11_1111);

    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns `true` if the sets have a common type.
    pub(super) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usage_names_its_function_and_all_its_arguments() {
        for function in Function::ALL {
            let usage = function.usage();
            assert_eq!(usage.split_once('(').unwrap().0, function.name());
            assert_eq!(usage.matches(',').count() + 1, function.arity());
            assert_eq!(Function::from_name(function.name()), Some(function));
        }
    }
}
