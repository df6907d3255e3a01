//! The section on findings about the data or the plan, with advice.

use std::fmt::{self, Write};

use crate::report::Report;
use crate::report::finding::Finding;
use crate::report::page::{Text, section, ticked};

/// Writes all findings.
pub fn write(report: &Report, out: &mut String) -> fmt::Result {
    section("findings", "What to do", out, |out| {
        if report.findings.is_empty() {
            return out
                .write_str("<p>Nothing is wrong with the data, and the plan suffices.</p>\n");
        }
        out.write_str("<ol class=\"findings\" id=\"findings\">\n")?;
        for finding in &report.findings {
            write_finding(finding, out)?;
        }
        out.write_str("</ol>\n")
    })
}

fn write_finding(finding: &Finding, out: &mut String) -> fmt::Result {
    let Finding { finding: kind, severity, message, help, rule, .. } = finding;
    write!(
        out,
        "<li class=\"{severity}\"><p><span class=\"severity\">{severity}</span> \
         <small>{kind}</small></p><p>{}</p><p class=\"soft\">{}</p>",
        ticked(&sentence(message)),
        ticked(&sentence(help)),
        severity = severity.name(),
    )?;
    if let Some(rule) = rule {
        write!(out, "<pre tabindex=\"0\">{}</pre>", Text(rule))?;
    }
    out.write_str("</li>\n")
}

/// Returns `text` as a sentence, with a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().collect::<String>());
    format!("{}{}.", first.unwrap_or_default(), chars.as_str().trim_end_matches('.'))
}
