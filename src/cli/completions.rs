//! Shell completions: printed, or installed where the shell looks for them.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap_complete::Shell;

use super::args::Cli;
use super::resolve::Surroundings;
use crate::diagnostic::shown;
use crate::emit::staging::{Readers, put};
use crate::error::Error;

/// The last line of each script: a file with this line may be replaced.
const MARK: &str = "# Written by `backtrail completions`.\n";

/// Writes the completions for `shell` to `out` and returns the exit code 0.
///
/// # Errors
/// Returns an error if writing to `out` fails.
pub fn print(shell: Shell, out: &mut dyn Write) -> Result<u8, Error> {
    let written = out.write_all(&script(shell)).and_then(|()| out.flush());
    written.map(|()| 0).map_err(Error::from_output)
}

/// Installs the completions where `shell` looks for them, and writes to `out` where that is and
/// what else to do. Returns the exit code 0.
///
/// # Errors
/// Returns an error if the shell has no such folder, if a file of the user or of another program
/// exists there, or if the file or `out` cannot be written.
pub fn install(shell: Shell, around: Surroundings, out: &mut dyn Write) -> Result<u8, Error> {
    let path = place(shell, around)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    match std::fs::read(&path) {
        Ok(found) if !is_ours(&found) => {
            return Err(Error::Usage(format!(
                "{}: backtrail has not written this file, and does not replace it; remove it, or \
                 print the completions with `backtrail completions {shell}`",
                shown(&path)
            )));
        }
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Error::unreadable(&path, error));
        }
        Ok(_) | Err(_) => {}
    }
    std::fs::create_dir_all(folder).map_err(|error| {
        Error::Write(std::io::Error::new(error.kind(), format!("{}: {error}", shown(folder))))
    })?;
    put(&path, Readers::Umask, |file| file.write_all(&script(shell)))?;
    let text = format!("{}\n{}", shown(&path), next(shell, folder));
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Error::from_output)?;
    Ok(0)
}

fn script(shell: Shell) -> Vec<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "backtrail", &mut text);
    text.extend_from_slice(MARK.as_bytes());
    text
}

fn is_ours(found: &[u8]) -> bool {
    found.is_empty() || found.ends_with(MARK.as_bytes())
}

/// Returns the path that `shell` reads, by the folders of the XDG Base Directory Specification.
fn place(shell: Shell, around: Surroundings) -> Result<PathBuf, Error> {
    let base = |variable: &str, below_home: &str| {
        // The specification requires relative paths to be ignored.
        let folder = |name: &str| {
            let path = (around.variable)(name.as_ref()).map(PathBuf::from);
            path.filter(|path| path.is_absolute())
        };
        let found = folder(variable).or_else(|| Some(folder("HOME")?.join(below_home)));
        found.ok_or_else(|| {
            let text = format!("neither {variable} nor HOME names a folder; set one of them");
            Error::Usage(text)
        })
    };
    match shell {
        Shell::Bash => {
            let data = base("XDG_DATA_HOME", ".local/share")?;
            Ok(data.join("bash-completion/completions/backtrail"))
        }
        Shell::Zsh => {
            Ok(base("XDG_DATA_HOME", ".local/share")?.join("zsh/site-functions/_backtrail"))
        }
        Shell::Fish => {
            Ok(base("XDG_CONFIG_HOME", ".config")?.join("fish/completions/backtrail.fish"))
        }
        other => Err(Error::Usage(format!(
            "{other} looks in no folder for completions; add what `backtrail completions {other}` \
             prints to its start-up file"
        ))),
    }
}

/// Describes what remains to be done once the file is in `folder`.
fn next(shell: Shell, folder: &Path) -> String {
    match shell {
        Shell::Zsh => format!(
            "Zsh reads it once ~/.zshrc has, before `compinit`:\n  fpath+=('{}')\n",
            shown(folder)
        ),
        Shell::Bash => {
            "Bash reads it in new shells, where the package bash-completion is there.\n".into()
        }
        _ => "New shells read it.\n".into(),
    }
}
