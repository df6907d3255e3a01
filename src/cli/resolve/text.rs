//! Reads and compiles texts of the user, and reports their faults and warnings with places.

use std::path::Path;

use crate::diagnostic::{
    Diagnostic, Lines, MAX_SHOWN, Severity, first_error, masked, position, render,
};
use crate::engine::Engine;
use crate::engine::compile::Options;
use crate::engine::plan::Terms;
use crate::error::Error;
use crate::filter::allow::AllowList;
use crate::fql::Expr;
use crate::rules::Rules;

/// A text of the user.
#[derive(Default)]
pub(super) struct Text {
    pub name: String,
    pub text: String,
}

impl Text {
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(|source| Error::unreadable(path, source))?;
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Self { name: path.display().to_string(), text: text.to_owned() }),
            Err(error) => {
                let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
                let (line, column) = position(&good, good.len());
                Err(Error::NotUtf8 { path: path.to_owned(), line, column })
            }
        }
    }

    pub fn refused(&self, faults: &[Diagnostic]) -> Error {
        let errors = faults.iter().filter(|fault| fault.severity == Severity::Error);
        Error::Diagnostics {
            name: self.name.clone(),
            first: first_error(&self.text, faults),
            count: errors.count(),
            rendered: render(&self.name, &self.text, faults),
        }
    }
}

/// Compiles texts and collects warnings.
#[derive(Default)]
pub(super) struct Texts {
    /// The warnings, each with its place.
    pub warnings: Vec<String>,
}

impl Texts {
    pub fn warn(&mut self, source: &Text, doubts: &[Diagnostic]) {
        let lines = Lines::new(&source.text);
        for doubt in doubts.iter().take(MAX_SHOWN) {
            let (line, column) = lines.position(doubt.span.start);
            let help = doubt.help.as_ref().map_or_else(String::new, |help| format!(" ({help})"));
            let place = format!("{}:{line}:{column}", source.name);
            let text = masked(&format!("{}{help}", doubt.message));
            self.warnings.push(format!("{place}: {text}"));
        }
        if doubts.len() > MAX_SHOWN {
            let more = doubts.len() - MAX_SHOWN;
            let plural = if more == 1 { "" } else { "s" };
            self.warnings.push(format!("{}: and {more} more warning{plural}", source.name));
        }
    }

    pub fn allow(&mut self, file: &Text) -> Result<AllowList, Error> {
        let parsed = AllowList::parse(&file.text);
        let (list, doubts) = parsed.map_err(|faults| file.refused(&faults))?;
        self.warn(file, &doubts);
        Ok(list)
    }

    pub fn filter(&mut self, expr: String) -> Result<Expr, Error> {
        let source = Text { name: "--where".into(), text: expr };
        let compiled = Expr::compile(&source.text).map_err(|faults| source.refused(&faults))?;
        self.warn(&source, &compiled.warnings);
        Ok(compiled.expr)
    }
}

/// The rules file, or the default rules if there is none.
pub(super) struct RulesFile {
    /// The file.
    pub file: Option<Text>,
    /// The rules.
    pub rules: Rules,
}

impl RulesFile {
    /// Reads the file at `path`.
    pub fn read(path: Option<&Path>, texts: &mut Texts) -> Result<Self, Error> {
        let Some(path) = path else { return Ok(Self { file: None, rules: Rules::default() }) };
        let file = Text::read(path)?;
        let rules = Rules::parse(&file.text).map_err(|faults| file.refused(&faults))?;
        texts.warn(&file, &rules.warnings);
        Ok(Self { file: Some(file), rules })
    }

    /// Returns the allow list in the file, and the name of the file.
    pub fn allow_list(&self, texts: &mut Texts) -> Result<Option<(AllowList, &str)>, Error> {
        let Some(file) = &self.file else { return Ok(None) };
        let found = self.rules.allow_list().map_err(|faults| file.refused(&faults))?;
        Ok(found.map(|(list, doubts)| {
            texts.warn(file, &doubts);
            (list, file.name.as_str())
        }))
    }

    /// Compiles the rules and `options` to an engine; returns it with the limits of the plan and
    /// the file.
    pub fn compile(
        self,
        options: Options,
        texts: &mut Texts,
    ) -> Result<(Engine, Terms, Option<Text>), Error> {
        let Self { file, rules } = self;
        let none = Text::default();
        let text = file.as_ref().unwrap_or(&none);
        let compiled = Engine::compile(rules, options).map_err(|faults| text.refused(&faults))?;
        texts.warn(text, &compiled.warnings);
        Ok((compiled.engine, compiled.terms, file))
    }
}
