//! The formats of tables.

use std::fmt;
use std::str::FromStr;

/// The format of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// RFC 4180, with a header, LF line ends and UTF-8.
    Csv,
    /// One JSON object per line.
    Ndjson,
    /// One JSON array of objects, with one object per line.
    Json,
    /// Apache Parquet, compressed with zstd.
    Parquet,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Csv, Self::Ndjson, Self::Json, Self::Parquet];

    /// Returns the name that users write.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Json => "json",
            Self::Parquet => "parquet",
        }
    }

    /// Returns the file extension, without the dot.
    pub fn extension(self) -> &'static str {
        self.name()
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| {
            let nearness = |format: &Self| {
                let name = name.trim().to_lowercase();
                strsim::jaro_winkler(format.name(), &name)
            };
            let nearest = Self::ALL.into_iter().max_by(|a, b| nearness(a).total_cmp(&nearness(b)));
            UnknownFormat {
                name: name.to_owned(),
                nearest: nearest.filter(|format| nearness(format) > 0.7),
            }
        })
    }
}

/// The error for a name that is not a [`Format`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFormat {
    name: String,
    nearest: Option<Format>,
}

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown format `{}`", self.name)?;
        match self.nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => f.write_str("; there are csv, ndjson, json and parquet"),
        }
    }
}

impl std::error::Error for UnknownFormat {}

/// Whether CSV cells are guarded against being run as formulas by spreadsheets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FormulaGuard {
    /// A cell that a spreadsheet could run gets a leading `'` (OWASP, "CSV Injection").
    #[default]
    On,
    /// Cells are written unchanged.
    Off,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_reads_back_from_its_name() {
        for format in Format::ALL {
            assert_eq!(format.name().parse(), Ok(format));
        }
    }

    #[test]
    fn a_near_miss_is_told_what_was_meant() {
        let message = |name: &str| name.parse::<Format>().unwrap_err().to_string();
        assert_eq!(message("parqet"), "unknown format `parqet`; did you mean `parquet`?");
        assert_eq!(message("CSV"), "unknown format `CSV`; did you mean `csv`?");
        assert_eq!(
            message("xlsx"),
            "unknown format `xlsx`; there are csv, ndjson, json and parquet"
        );
    }
}
