//! Man pages, generated from the same definition as the help.

use std::io::{self, Write};
use std::path::Path;

use clap::{Command, CommandFactory};

use super::args::Cli;
use crate::error::Error;

/// The date of the pages, which is required: that of the last change to them. With the date of the
/// build, every build would write different pages.
const DATE: &str = "2026-11-30";

/// A man page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The name of the file.
    pub file_name: String,
    /// The content, in roff.
    pub text: Vec<u8>,
}

/// Returns all pages: that of `backtrail`, then one for each command.
///
/// # Errors
/// Does not fail in practice: pages are written to memory.
pub fn pages() -> io::Result<Vec<Page>> {
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    let commands = root.get_subcommands();
    let named = commands.map(|command| (command, format!("backtrail-{}", command.get_name())));
    std::iter::once((&root, "backtrail".to_owned()))
        .chain(named)
        .map(|(command, name)| page(command, &name))
        .collect()
}

fn page(command: &Command, name: &str) -> io::Result<Page> {
    let man = clap_mangen::Man::new(command.clone().display_name(name.to_owned()))
        .title(name.to_uppercase())
        .source(format!("backtrail {}", env!("CARGO_PKG_VERSION")))
        .date(DATE)
        .manual("backtrail");
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
    }
    if let Some(after) = command.get_after_long_help().or(command.get_after_help()) {
        write_sections(&after.to_string(), &mut text)?;
    }
    let text = tidied(&String::from_utf8_lossy(&text)).into_bytes();
    Ok(Page { file_name: format!("{name}.1"), text })
}

/// Returns the page `text` without what readers of roff complain about: the repeated definition in
/// each section, breaks around empty lines, and trailing spaces.
fn tidied(text: &str) -> String {
    let length: usize = text.split_inclusive('\n').take(2).map(str::len).sum();
    let (definition, rest) = text.split_at(length);
    let rest = rest.replace(definition, "").replace("\n.br\n\n.br\n", "\n.sp\n");
    let lines = definition.lines().chain(rest.lines()).map(str::trim_end);
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// Writes the text below the options in the help: a line that ends in a colon becomes the heading
/// of a section, and the indented lines below it are kept unchanged.
fn write_sections(help: &str, out: &mut Vec<u8>) -> io::Result<()> {
    for block in help.split("\n\n") {
        let Some((heading, lines)) = block.split_once(":\n") else { continue };
        writeln!(out, ".SH \"{}\"\n.nf", escaped(&heading.to_uppercase()))?;
        for line in lines.lines() {
            writeln!(out, "{}", escaped(line.strip_prefix("  ").unwrap_or(line)))?;
        }
        writeln!(out, ".fi")?;
    }
    Ok(())
}

/// Returns `line` in roff, with special characters escaped.
fn escaped(line: &str) -> String {
    let escaped = line.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq");
    if escaped.starts_with('.') { format!("\\&{escaped}") } else { escaped }
}

/// Writes the page of `backtrail` itself and returns the exit code 0.
///
/// # Errors
/// Returns an error if writing to `out` fails.
pub fn print(out: &mut dyn Write) -> Result<u8, Error> {
    let pages = pages().map_err(Error::Write)?;
    written(pages.iter().take(1).try_for_each(|page| out.write_all(&page.text)), out)
}

/// Writes every page to `dir` and returns the exit code 0.
///
/// # Errors
/// Returns an error with the path if a page cannot be written.
pub fn write_all(dir: &Path) -> Result<u8, Error> {
    let failed = |path: &Path, error: io::Error| {
        Error::Write(io::Error::new(error.kind(), format!("{}: {error}", path.display())))
    };
    std::fs::create_dir_all(dir).map_err(|error| failed(dir, error))?;
    for page in pages().map_err(Error::Write)? {
        let path = dir.join(page.file_name);
        std::fs::write(&path, page.text).map_err(|error| failed(&path, error))?;
    }
    Ok(0)
}

fn written(result: io::Result<()>, out: &mut dyn Write) -> Result<u8, Error> {
    result.and_then(|()| out.flush()).map(|()| 0).map_err(Error::from_output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_page_for_each_command() {
        let names: Vec<String> = pages().unwrap().into_iter().map(|page| page.file_name).collect();
        let expected =
            ["", "-run", "-audit", "-check", "-queue", "-explain", "-completions", "-man"]
                .map(|command| format!("backtrail{command}.1"));
        assert_eq!(names, expected);
    }

    #[test]
    fn roff_takes_no_line_for_its_own() {
        assert_eq!(escaped(".a 'b' \\c --d"), "\\&.a \\(aqb\\(aq \\ec \\-\\-d");
        let mut out = Vec::new();
        write_sections("Exit codes:\n  0  fine\n\nNo heading", &mut out).unwrap();
        assert_eq!(out, b".SH \"EXIT CODES\"\n.nf\n0  fine\n.fi\n");
    }

    #[test]
    fn the_help_is_a_consistent_definition() {
        Cli::command().debug_assert();
    }
}
