//! The frame of a page: head, style and sections.

use std::fmt::{self, Write};

use super::Text;

const STYLE: &str = include_str!("style.css");

/// Returns a page with a title, a subtitle as markup, and what `body` writes.
pub fn document(
    title: &str,
    subtitle: &str,
    body: impl FnOnce(&mut String) -> fmt::Result,
) -> String {
    let mut out = String::with_capacity(64 << 10);
    // Writing to a string cannot fail.
    let _ = write_document(title, subtitle, body, &mut out);
    out
}

fn write_document(
    title: &str,
    subtitle: &str,
    body: impl FnOnce(&mut String) -> fmt::Result,
    out: &mut String,
) -> fmt::Result {
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; \
         style-src 'unsafe-inline'\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"generator\" content=\"backtrail {version}\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">To the report</a>\n\
         <header>\n<h1>{title}</h1>\n<p class=\"soft\">{subtitle}</p>\n</header>\n\
         <main id=\"main\">\n",
        version = env!("CARGO_PKG_VERSION"),
        title = Text(title),
    )?;
    body(out)?;
    out.write_str("</main>\n</body>\n</html>\n")
}

/// Writes the most important sentences, which come first on the page, as markup.
///
/// # Errors
/// Returns an error if writing to `out` fails.
pub fn verdict(sentences: &[String], out: &mut String) -> fmt::Result {
    out.write_str("<section class=\"verdict\" aria-label=\"In short\">\n")?;
    for sentence in sentences {
        writeln!(out, "<p>{sentence}</p>")?;
    }
    out.write_str("</section>\n")
}

/// Writes a section with a heading; the ids of its elements begin with `id`.
///
/// # Errors
/// Returns the errors of `body`, and those of writing to `out`.
pub fn section(
    id: &str,
    heading: &str,
    out: &mut String,
    body: impl FnOnce(&mut String) -> fmt::Result,
) -> fmt::Result {
    writeln!(
        out,
        "<section aria-labelledby=\"{id}-h\">\n<h2 id=\"{id}-h\">{}</h2>",
        Text(heading)
    )?;
    body(out)?;
    out.write_str("</section>\n")
}
