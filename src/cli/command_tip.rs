//! The command that was likely meant where letters of a short name are swapped: clap compares
//! longer names well, and tells nothing of `rnu`.

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue};

use super::args::Cli;

/// How many slips make another name.
const MOST_SLIPS: usize = 2;

/// `error`, with the nearest command where it is about an unknown one and has none yet.
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
    let slips = |command: &str| strsim::damerau_levenshtein(&name.to_lowercase(), command);
    let near = names.map(|command| (slips(command), command));
    // Two of three letters are another name.
    let near = near.filter(|(slips, command)| *slips <= MOST_SLIPS.min(command.len() / 3));
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
