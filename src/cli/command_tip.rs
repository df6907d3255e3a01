//! Suggests the command that was probably meant if letters of a short name are swapped: clap
//! compares longer names well, but suggests nothing for `rnu`.

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue};

use super::args::Cli;

/// The maximum number of typing errors in a command that is suggested.
const MAX_TYPOS: usize = 2;

/// Adds the nearest command to `error` if it is about an unknown command and has no suggestion yet.
#[must_use]
pub fn with_nearest_command(mut error: clap::Error) -> clap::Error {
    let Some(ContextValue::String(name)) = error.get(ContextKind::InvalidSubcommand) else {
        return error;
    };
    if let Some(nearest) = nearest_command(name)
        && error.get(ContextKind::SuggestedSubcommand).is_none()
    {
        let nearest = ContextValue::Strings(vec![nearest]);
        error.insert(ContextKind::SuggestedSubcommand, nearest);
    }
    error
}

fn nearest_command(name: &str) -> Option<String> {
    let commands = Cli::command();
    let names = commands.get_subcommands().map(clap::Command::get_name);
    let typos = |command: &str| strsim::damerau_levenshtein(&name.to_lowercase(), command);
    let near = names.map(|command| (typos(command), command));
    // A name of three letters with two errors is a different name.
    let near = near.filter(|(typos, command)| *typos <= MAX_TYPOS.min(command.len() / 3));
    near.min().map(|(_, command)| command.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_told_from_another_name() {
        for (name, command) in [
            ("rnu", "run"),
            ("RUN", "run"),
            ("ceck", "check"),
            ("quque", "queue"),
            ("adit", "audit"),
        ] {
            assert_eq!(nearest_command(name).as_deref(), Some(command), "{name}");
        }
        assert_eq!(nearest_command("import"), None);
        assert_eq!(nearest_command("sum"), None);
    }
}
