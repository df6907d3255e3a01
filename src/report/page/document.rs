//! The frame of a page: its head, its style and its sections.

use std::fmt::{self, Write};

use super::Text;

const STYLE: &str = include_str!("style.css");

/// A page with a title, a line below it as markup, and what `body` writes.
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

/// The sentences that say the most, before anything else. They are markup.
///
/// # Errors
/// Those of writing to `out`.
pub fn verdict(sentences: &[String], out: &mut String) -> fmt::Result {
    out.write_str("<section class=\"verdict\" aria-label=\"In short\">\n")?;
    for sentence in sentences {
        writeln!(out, "<p>{sentence}</p>")?;
    }
    out.write_str("</section>\n")
}

/// A section with a heading, whose elements begin with `id`.
///
/// # Errors
/// Those of `body`.
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
