//! Completions as computed by the shells themselves, and their installation.

use std::path::Path;
use std::process::Command;

use crate::support::program;
use crate::support::{Finished, Workspace};

/// The script for `shell`, in a file of `workspace`.
fn script(workspace: &Workspace, shell: &str, name: &str) -> String {
    let finished = workspace.does("completions", &[shell]).exits(0);
    workspace.write(name, finished.stdout);
    workspace.path(name).to_str().unwrap().to_owned()
}

/// Returns the output of `command`.
#[track_caller]
fn printed(mut command: Command) -> String {
    let output = command.output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{command:?}\n{stdout}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    stdout
}

#[test]
fn bash_completes_commands_and_values() {
    let Some(_) = program::find("bash", &["--version"]) else { return };
    let workspace = Workspace::new();
    let file = script(&workspace, "bash", "backtrail.bash");
    let complete = |words: &[&str]| {
        let (last, before) = (words[words.len() - 1], words[words.len() - 2]);
        let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let text = format!(
            "source '{file}'\nCOMP_WORDS=({})\nCOMP_CWORD={}\n_backtrail backtrail '{last}' '{before}' \
             2>/dev/null\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
            quoted.join(" "),
            words.len() - 1,
        );
        let mut command = Command::new("bash");
        command.args(["--norc", "--noprofile", "-c", &text]);
        printed(command)
    };
    assert_eq!(complete(&["backtrail", "ru"]), "run\n");
    let formats = complete(&["backtrail", "run", "--format", ""]);
    assert_eq!(
        formats.split_whitespace().collect::<Vec<_>>(),
        ["csv", "ndjson", "json", "parquet"]
    );
}

#[test]
fn fish_completes_commands_and_values() {
    let Some(_) = program::find("fish", &["--version"]) else { return };
    let workspace = Workspace::new();
    let file = script(&workspace, "fish", "backtrail.fish");
    let complete = |line: &str| {
        let mut command = Command::new("fish");
        command.args(["--no-config", "-c", &format!("source '{file}'; complete -C '{line}'")]);
        // Fish stores its own files in the home folder.
        command.env("HOME", workspace.path("."));
        let text = printed(command);
        text.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(complete("backtrail ru"), ["run"]);
    let mut formats = complete("backtrail run --format ");
    formats.sort();
    assert_eq!(formats, ["csv", "json", "ndjson", "parquet"]);
}

/// Runs a shell in its own terminal; prints what it shows when Tab is pressed after `$line`.
const ZSH: &str = r#"
zmodload zsh/zpty || exit 1
zpty shell zsh -f -i
zpty -w shell "PS1=; unsetopt zle_bracketed_paste; unset zle_bracketed_paste; fpath=($folder \$fpath); autoload -Uz compinit; compinit -D -u; echo is''ready"
zpty -r shell text '*isready*' || exit 1
zpty -w -n shell "$line"$'\t'
sleep 3
while zpty -r -t shell text; do print -r -- $text; done
zpty -d shell
"#;

#[test]
fn zsh_completes_commands_and_values() {
    let Some(_) = program::find("zsh", &["--version"]) else { return };
    let workspace = Workspace::new();
    script(&workspace, "zsh", "functions/_backtrail");
    let complete = |line: &str| {
        let mut command = Command::new("zsh");
        command.args(["-f", "-c", ZSH]);
        command.env("folder", workspace.path("functions")).env("line", line);
        command.env("HOME", workspace.path(".")).env("TERM", "dumb");
        printed(command)
    };
    let shown = complete("backtrail ru");
    assert!(shown.contains("backtrail run "), "{shown}");
    let shown = complete("backtrail run --format ");
    for format in ["csv", "ndjson", "json", "parquet"] {
        assert!(shown.contains(format), "{format}\n{shown}");
    }
}

/// Runs `backtrail completions SHELL --install` for a user with this home folder.
fn install(workspace: &Workspace, shell: &str, variables: &[(&str, &Path)]) -> Finished {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backtrail"));
    command.args(["completions", shell, "--install"]).current_dir(workspace.path("."));
    for name in ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "HOME"] {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    let output = command.output().unwrap();
    Finished::of(&command, output)
}

#[test]
fn they_are_installed_where_the_shell_looks() {
    let workspace = Workspace::new();
    let (home, data) = (workspace.path("home"), workspace.path("data"));
    for (shell, variables, place) in [
        (
            "bash",
            &[("HOME", &*home)][..],
            "home/.local/share/bash-completion/completions/backtrail",
        ),
        (
            "bash",
            &[("HOME", &home), ("XDG_DATA_HOME", &data)],
            "data/bash-completion/completions/backtrail",
        ),
        ("zsh", &[("HOME", &home)], "home/.local/share/zsh/site-functions/_backtrail"),
        ("fish", &[("HOME", &home)], "home/.config/fish/completions/backtrail.fish"),
        ("fish", &[("XDG_CONFIG_HOME", &data)], "data/fish/completions/backtrail.fish"),
    ] {
        let finished = install(&workspace, shell, variables).exits(0);
        let said = String::from_utf8(finished.stdout).unwrap();
        assert_eq!(said.lines().next(), workspace.path(place).to_str(), "{said}");
        let script = workspace.does("completions", &[shell]).exits(0).stdout;
        assert!(workspace.read(place) == script, "{place}");
        // An earlier file of the program is replaced.
        install(&workspace, shell, variables).exits(0);
    }
    install(&workspace, "bash", &[]).exits(2).says("neither XDG_DATA_HOME nor HOME");
    install(&workspace, "bash", &[("HOME", Path::new("here"))]).exits(2).says("nor HOME");
}

#[test]
fn a_file_of_another_program_is_not_replaced() {
    let workspace = Workspace::new();
    let home = workspace.path("home");
    let place = "home/.config/fish/completions/backtrail.fish";
    workspace.write(place, "# mine\n");
    let finished = install(&workspace, "fish", &[("HOME", &home)]).exits(2);
    finished.says("backtrail.fish: backtrail has not written this file").says("remove it");
    assert_eq!(workspace.read(place), b"# mine\n");
}
