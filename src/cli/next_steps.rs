//! The hints for a call without a command.

use std::path::Path;

/// The sample company in the source tree, which is used if the program is started there.
const SAMPLE: &str = "testdata/trailco";

/// Returns commands to try next: on the sample data if it is available, otherwise on the user's
/// exports.
pub fn next_steps() -> String {
    let (events, rules) = if Path::new(SAMPLE).is_dir() {
        (format!("{SAMPLE}/events"), format!("{SAMPLE}/rules.toml"))
    } else {
        ("exports/".to_owned(), "rules.toml".to_owned())
    };
    steps(&events, &rules)
}

fn steps(events: &str, rules: &str) -> String {
    format!(
        "\
backtrail turns exports of Segment events into leads, signals and a plan report. Next:

  backtrail queue {events}
      which events there are
  backtrail queue {events} --suggest -o suggested.toml
      rules to start from
  backtrail run {events} --rules {rules} -o out
      leads, signals and a report in the folder out
  backtrail help
      all commands
"
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::Cli;

    #[test]
    fn every_step_is_understood() {
        let text = steps("exports/", "rules.toml");
        let commands = text.lines().filter_map(|line| line.strip_prefix("  backtrail "));
        let mut count = 0;
        for command in commands.filter(|command| *command != "help") {
            let args = ["backtrail"].into_iter().chain(command.split(' '));
            assert!(Cli::try_parse_from(args).is_ok(), "{command}");
            count += 1;
        }
        assert_eq!(count, 3);
    }
}
