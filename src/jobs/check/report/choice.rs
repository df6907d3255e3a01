//! The choice of reports, and the destination of each.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The minimum similarity of a name that is suggested.
const LIKENESS: f64 = 0.7;

/// The format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// Every finding with its place, its line and a caret, for people.
    Text,
    /// Everything, as JSON for programs.
    Json,
    /// Test suites for CI servers.
    Junit,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands of GitHub Actions, and the summary of the step.
    Github,
    /// Tables, for comments and web pages.
    Markdown,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 6] =
        [Self::Text, Self::Json, Self::Junit, Self::Sarif, Self::Github, Self::Markdown];

    /// Returns the name that users write.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Junit => "junit",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Markdown => "markdown",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The destination of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Standard output.
    Stdout,
    /// A file.
    File(PathBuf),
}

/// A report to write: `FORMAT`, or `FORMAT=FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The format.
    pub format: Format,
    /// The destination.
    pub destination: Destination,
}

impl FromStr for Report {
    type Err = UnusableReport;

    fn from_str(text: &str) -> Result<Self, UnusableReport> {
        let (name, file) =
            text.split_once('=').map_or((text, None), |(name, file)| (name, Some(file)));
        let format = Format::ALL.into_iter().find(|format| format.name() == name);
        let format = format.ok_or_else(|| UnusableReport::Unknown(name.to_owned()))?;
        let destination = match file {
            None | Some("-") => Destination::Stdout,
            Some("") => return Err(UnusableReport::NoFile(format)),
            Some(file) => Destination::File(file.into()),
        };
        Ok(Self { format, destination })
    }
}

/// Why a report, or a combination of reports, cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnusableReport {
    /// There is no such format.
    Unknown(String),
    /// The file after `FORMAT=` is missing.
    NoFile(Format),
    /// Both reports would be written to standard output.
    OneStdout(Format, Format),
    /// Both reports would be written to the same file.
    OneFile(PathBuf),
}

impl fmt::Display for UnusableReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => {
                write!(f, "unknown report `{name}`; ")?;
                match nearest(name) {
                    Some(format) => write!(f, "did you mean `{format}`?"),
                    None => f.write_str("there are text, json, junit, sarif, github and markdown"),
                }
            }
            Self::NoFile(format) => {
                write!(
                    f,
                    "`{format}=` names no file; write `{format}=FILE`, or `{format}` alone for standard output"
                )
            }
            Self::OneStdout(first, second) => {
                write!(
                    f,
                    "both `{first}` and `{second}` go to standard output; give one of them a file, as in `{second}=FILE`"
                )
            }
            Self::OneFile(path) => {
                write!(f, "two reports go to {}; give each a file of its own", path.display())
            }
        }
    }
}

impl std::error::Error for UnusableReport {}

/// Returns the format that was probably meant by `name`.
fn nearest(name: &str) -> Option<Format> {
    let name = name.trim().to_lowercase();
    let likeness = |format: Format| strsim::jaro_winkler(format.name(), &name);
    let best = Format::ALL.into_iter().max_by(|a, b| likeness(*a).total_cmp(&likeness(*b)));
    best.filter(|format| likeness(*format) >= LIKENESS)
}

/// The environment of a step of GitHub Actions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actions {
    /// Whether this is such a step: `GITHUB_ACTIONS` is `true`.
    pub running: bool,
    /// The file for the summary of the step: `GITHUB_STEP_SUMMARY`.
    pub step_summary: Option<PathBuf>,
}

impl Actions {
    /// Reads the environment variables.
    pub fn read(variable: impl Fn(&OsStr) -> Option<OsString>) -> Self {
        let summary = variable("GITHUB_STEP_SUMMARY".as_ref()).filter(|name| !name.is_empty());
        Self {
            running: variable("GITHUB_ACTIONS".as_ref()).is_some_and(|value| value == "true"),
            step_summary: summary.map(PathBuf::from),
        }
    }
}

/// Returns the requested reports. If none of them goes to standard output, adds one: for GitHub in
/// a step of GitHub Actions, otherwise for people.
///
/// # Errors
/// Returns an error if two reports have the same destination.
pub fn chosen(asked: Vec<Report>, actions: &Actions) -> Result<Vec<Report>, UnusableReport> {
    let mut reports: Vec<Report> = Vec::with_capacity(asked.len() + 1);
    for report in asked {
        let same = reports.iter().find(|other| other.destination == report.destination);
        match (same, &report.destination) {
            (Some(same), _) if same.format == report.format => {}
            (Some(same), Destination::Stdout) => {
                return Err(UnusableReport::OneStdout(same.format, report.format));
            }
            (Some(_), Destination::File(path)) => {
                return Err(UnusableReport::OneFile(path.clone()));
            }
            (None, _) => reports.push(report),
        }
    }
    if !reports.iter().any(|report| report.destination == Destination::Stdout) {
        let format = if actions.running { Format::Github } else { Format::Text };
        reports.push(Report { format, destination: Destination::Stdout });
    }
    Ok(reports)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(text: &str) -> Report {
        text.parse().unwrap()
    }

    fn message(text: &str) -> String {
        text.parse::<Report>().unwrap_err().to_string()
    }

    #[test]
    fn every_format_reads_back_from_its_name() {
        for format in Format::ALL {
            let parsed = report(format.name());
            assert_eq!(parsed, Report { format, destination: Destination::Stdout });
        }
        let file = Destination::File("a=b.xml".into());
        assert_eq!(report("junit=a=b.xml"), Report { format: Format::Junit, destination: file });
        assert_eq!(report("json=-").destination, Destination::Stdout);
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        assert_eq!(message("sarfi"), "unknown report `sarfi`; did you mean `sarif`?");
        assert_eq!(message("JSON=x"), "unknown report `JSON`; did you mean `json`?");
        assert_eq!(
            message("html"),
            "unknown report `html`; there are text, json, junit, sarif, github and markdown"
        );
        assert!(message("sarif=").contains("`sarif=` names no file"));
    }

    #[test]
    fn one_report_at_most_goes_to_one_place() {
        let none = Actions::default();
        let chosen = |texts: &[&str]| {
            chosen(texts.iter().map(|text| report(text)).collect(), &none)
                .map_err(|error| error.to_string())
        };
        assert!(chosen(&["json", "text"]).unwrap_err().contains("both `json` and `text`"));
        assert!(chosen(&["json=a", "text=a"]).unwrap_err().contains("two reports go to a"));
        assert_eq!(chosen(&["json", "json"]).unwrap(), [report("json")]);
    }

    #[test]
    fn standard_output_is_for_people_or_for_github() {
        let asked = || vec![report("sarif=a"), report("junit=b")];
        let local = chosen(asked(), &Actions::default()).unwrap();
        assert_eq!(local[2], report("text"));
        let actions = Actions { running: true, step_summary: None };
        assert_eq!(chosen(asked(), &actions).unwrap()[2], report("github"));
        assert_eq!(chosen(vec![report("json")], &actions).unwrap(), [report("json")]);
    }

    #[test]
    fn github_tells_by_two_variables() {
        let set = |name: &OsStr| match name.to_str() {
            Some("GITHUB_ACTIONS") => Some("true".into()),
            Some("GITHUB_STEP_SUMMARY") => Some("/tmp/summary".into()),
            _ => None,
        };
        let expected = Actions { running: true, step_summary: Some("/tmp/summary".into()) };
        assert_eq!(Actions::read(set), expected);
        assert_eq!(Actions::read(|_| Some("".into())), Actions::default());
    }
}
