//! The report of an audit as one web page that needs no network, no script and no other file.
//!
//! The JSON of the report is part of the page, so that programs can read what people see.

mod chart;

use std::fmt::{self, Write};

use super::report::{Change, Drop, Finding, LeadCounts, Loss, Name, Report, Usage};
use super::text::called;
use crate::diagnostic::is_unprintable;
use crate::report::text::{bytes, counted, percent, thousands};

const STYLE: &str = include_str!("html/style.css");
/// How many rows a table of the page has; the JSON has more.
const ROWS: usize = 500;

/// The page of `report`.
///
/// # Errors
/// When the report cannot be written as JSON.
pub fn page(report: &Report) -> Result<String, serde_json::Error> {
    let json = serde_json::to_string(report)?;
    let mut out = String::with_capacity(json.len() + (64 << 10));
    // Writing to a string cannot fail.
    let _ = write_page(report, &json, &mut out);
    Ok(out)
}

fn write_page(report: &Report, json: &str, out: &mut String) -> fmt::Result {
    let files: Vec<&str> = report.filter.iter().map(|filter| filter.file.as_str()).collect();
    let title = escaped(&format!("Audit of {}", files.join(" and ")));
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; \
         style-src 'unsafe-inline'\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">To the report</a>\n<header>\n<h1>{title}</h1>\n"
    )?;
    head(report, out)?;
    out.write_str("</header>\n<main id=\"main\">\n")?;
    outcome(report, out)?;
    findings(report, out)?;
    volume(report, out)?;
    names(report, out)?;
    losses(report, out)?;
    leads(report, out)?;
    if let Some(change) = &report.change {
        write_change(change, report, out)?;
    }
    doubts(report, out)?;
    // No text of the data ends the element or begins a comment.
    let json = json.replace('<', "\\u003c");
    write!(
        out,
        "</main>\n<script type=\"application/json\" id=\"report\">{json}</script>\n</body>\n</html>\n"
    )
}

fn head(report: &Report, out: &mut String) -> fmt::Result {
    if !report.against.is_empty() {
        let files: Vec<&str> = report.against.iter().map(|filter| filter.file.as_str()).collect();
        writeln!(out, "<p>Compared with {}.</p>", escaped(&files.join(" and ")))?;
    }
    let rejects: u64 = report.rejects.values().sum();
    writeln!(
        out,
        "<p class=\"soft\">{} from {} ({}), {} rejected. {} of {} pass, {} dropped ({}).</p>",
        counted(report.records, "record", "records"),
        counted(report.inputs.len() as u64, "input", "inputs"),
        bytes(report.bytes_read),
        thousands(rejects),
        thousands(report.events.after),
        counted(report.events.total, "event", "events"),
        thousands(report.events.total - report.events.after),
        percent(report.events.total - report.events.after, report.events.total),
    )?;
    if report.filter.iter().any(|filter| filter.estimate) {
        writeln!(
            out,
            "<p>All counts are estimates: Segment draws lots for samples without a path, and a hash \
             of the messageId decides here.</p>"
        )?;
    }
    Ok(())
}

/// Begins a table that can be moved sideways with the keyboard.
fn table(out: &mut String, id: &str, caption: &str, columns: &[&str]) -> fmt::Result {
    let caption = escaped(caption);
    write!(
        out,
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{caption}\">\
         <table id=\"{id}\"><caption>{caption}</caption><thead><tr>"
    )?;
    for column in columns {
        let (class, name) = match column.strip_prefix('<') {
            Some(name) => (" class=\"text\"", name),
            None => ("", *column),
        };
        write!(out, "<th scope=\"col\"{class}>{name}</th>")?;
    }
    out.write_str("</tr></thead><tbody>\n")
}

fn end_table(out: &mut String, all: usize) -> fmt::Result {
    out.write_str("</tbody></table></div>\n")?;
    match all.checked_sub(ROWS) {
        Some(more) if more > 0 => {
            writeln!(out, "<p class=\"soft\">{} more in the JSON.</p>", thousands(more as u64))
        }
        _ => Ok(()),
    }
}

fn outcome(report: &Report, out: &mut String) -> fmt::Result {
    out.write_str("<section aria-labelledby=\"outcome-h\"><h2 id=\"outcome-h\">What it saves and loses</h2>\n")?;
    table(out, "outcome", "Before and after the filter", &["What", "Before", "After", "Lost"])?;
    let (before, after) = (&report.leads.before, &report.leads.after);
    let (old, new) = (&report.signals.before, &report.signals.after);
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let rows = [
        ("raw-signals", "Raw signals", count(report.events.before), count(report.events.after)),
        ("leads", "Leads", count(before.total), count(after.total)),
        (
            "with-signals",
            "Leads with signals",
            count(before.with_signals),
            count(after.with_signals),
        ),
        ("score", "Sum of scores", before.total_score, after.total_score),
        ("resolved", "Resolved signals", count(old.resolved), count(new.resolved)),
        ("mapped", "Mapped signals", count(old.mapped), count(new.mapped)),
    ];
    for (id, name, before, after) in rows {
        writeln!(
            out,
            "<tr id=\"outcome-{id}\"><th scope=\"row\">{name}</th><td>{}</td><td>{}</td><td>{}</td></tr>",
            signed(before),
            signed(after),
            signed(before.saturating_sub(after)),
        )?;
    }
    end_table(out, 0)?;
    out.write_str("</section>\n")
}

fn findings(report: &Report, out: &mut String) -> fmt::Result {
    writeln!(
        out,
        "<section aria-labelledby=\"findings-h\"><h2 id=\"findings-h\">Findings ({})</h2>",
        report.findings.len()
    )?;
    if report.findings.is_empty() {
        out.write_str("<p>Nothing to say against it.</p>\n")?;
    }
    out.write_str("<ol class=\"findings\">\n")?;
    for finding in report.findings.iter().take(ROWS) {
        write_finding(finding, out)?;
    }
    out.write_str("</ol></section>\n")
}

fn write_finding(finding: &Finding, out: &mut String) -> fmt::Result {
    write!(
        out,
        "<li class=\"{severity}\"><h3><b>{severity}</b> {}</h3><p>{}</p>",
        finding.finding,
        ticked(&finding.message),
        severity = finding.severity.name(),
    )?;
    if let Some(help) = &finding.help {
        write!(out, "<p class=\"soft\">{}</p>", ticked(help))?;
    }
    if let Some(rule) = &finding.rule {
        write!(out, "<pre tabindex=\"0\">{}</pre>", escaped(rule))?;
    }
    if !finding.examples.is_empty() {
        let places: Vec<String> = finding
            .examples
            .iter()
            .map(|example| format!("<code>{}:{}</code>", escaped(&example.file), example.line))
            .collect();
        write!(out, "<p class=\"soft\">at {}</p>", places.join(", "))?;
    }
    out.write_str("</li>\n")
}

fn volume(report: &Report, out: &mut String) -> fmt::Result {
    let plan = &report.plan;
    out.write_str(
        "<section aria-labelledby=\"volume-h\"><h2 id=\"volume-h\">Volume against the plan</h2>\n",
    )?;
    if plan.periods.is_empty() {
        return out.write_str("<p>No event has a time.</p></section>\n");
    }
    let over = plan.periods.iter().filter(|period| period.after.over > 0).count();
    let limit = match plan.raw_signals_limit {
        Some(limit) => format!("The plan allows {} a {}", thousands(limit), plan.period),
        None => "The plan has no limit".to_owned(),
    };
    writeln!(
        out,
        "<p id=\"volume-text\">{limit}; after the filter {over} of {} periods are over it. Periods \
         begin at midnight in {}. The tables below have the figures.</p>",
        plan.periods.len(),
        escaped(&plan.timezone),
    )?;
    chart::write(plan, out)?;
    out.write_str(
        "\n<p class=\"key\" aria-hidden=\"true\">\
         <b><span class=\"before\"></span>before</b><b><span class=\"kept\"></span>after</b>\
         <b><span class=\"plan\"></span>plan</b></p>\n",
    )?;
    let columns =
        ["Period", "Before", "Of the plan", "After", "Of the plan", "Over", "Lost", "Active leads"];
    table(out, "periods", "Raw signals by period", &columns)?;
    for period in &plan.periods {
        let (before, after) = (&period.before, &period.after);
        writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>\
             <td>{}</td><td>{}</td></tr>",
            escaped(&period.period),
            thousands(before.raw_signals),
            light(before),
            thousands(after.raw_signals),
            light(after),
            thousands(after.over),
            thousands(after.lost),
            thousands(after.active_leads),
        )?;
    }
    end_table(out, 0)?;
    out.write_str("<details><summary>Raw signals by day</summary>\n")?;
    table(out, "days", "Raw signals by day", &["Day", "Before", "After"])?;
    for day in plan.days.iter().rev().take(ROWS).rev() {
        writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td></tr>",
            escaped(&day.day),
            thousands(day.before),
            thousands(day.after)
        )?;
    }
    end_table(out, plan.days.len())?;
    out.write_str("</details></section>\n")
}

fn light(usage: &Usage) -> String {
    usage.share.map_or_else(
        || "–".into(),
        |share| format!("<span class=\"{0}\">{1:.1} % {0}</span>", usage.light, share * 100.0),
    )
}

fn names(report: &Report, out: &mut String) -> fmt::Result {
    out.write_str(
        "<section aria-labelledby=\"names-h\"><h2 id=\"names-h\">Events by name</h2>\n\
         <p class=\"key\" aria-hidden=\"true\"><b><span class=\"kept\"></span>kept</b>\
         <b><span class=\"dropped\"></span>dropped</b></p>\n",
    )?;
    let columns = ["Event", "Count", "Share", "Kept", "Dropped", "Mapped", "<By", "<"];
    table(out, "names", "Kept and dropped by event name", &columns)?;
    let most = report.names.first().map_or(1, |name| name.count).max(1);
    for name in report.names.iter().take(ROWS) {
        write_name(name, most, out)?;
    }
    end_table(out, report.names.len())?;
    out.write_str("</section>\n")
}

#[allow(clippy::cast_precision_loss)] // the length of a bar
fn write_name(name: &Name, most: u64, out: &mut String) -> fmt::Result {
    let by = name.by.iter().take(3).map(|by| {
        let text = by.text.as_deref().unwrap_or("");
        match (by.number, by.fate.name()) {
            (Some(number), "dropped") => format!("filter {number} <code>{}</code>", escaped(text)),
            (Some(number), _) => format!("line {number} <code>{}</code>", escaped(text)),
            (None, "dropped") => "no line".to_owned(),
            (None, _) => String::new(),
        }
    });
    let mut by: Vec<String> = by.filter(|text| !text.is_empty()).collect();
    if name.by.len() > 3 {
        by.push(format!("{} more", name.by.len() - 3));
    }
    let percent_of = |count: u64| count as f64 / most as f64 * 100.0;
    let dropped = name.count - name.kept;
    write!(
        out,
        "<tr><th scope=\"row\"><bdi>{}</bdi></th><td>{}</td><td>{:.1} %</td><td>{}</td><td>{}</td>\
         <td>{}</td><td class=\"text\">{}</td><td class=\"bar\" aria-hidden=\"true\">",
        escaped(&called(name.call, &name.event)),
        thousands(name.count),
        name.share * 100.0,
        thousands(name.kept),
        thousands(dropped),
        thousands(name.mapped),
        by.join("<br>"),
    )?;
    for (class, count) in [("kept", name.kept), ("dropped", dropped)] {
        if count > 0 {
            let length = percent_of(count);
            write!(out, "<span class=\"{class}\" style=\"inline-size:{length:.2}%\"></span>")?;
        }
    }
    out.write_str("</td></tr>\n")
}

fn losses(report: &Report, out: &mut String) -> fmt::Result {
    out.write_str(
        "<section aria-labelledby=\"losses-h\"><h2 id=\"losses-h\">What leads lose</h2>\n",
    )?;
    if report.losses.is_empty() {
        return out.write_str("<p>No signal of a lead is lost.</p></section>\n");
    }
    let columns = ["Event", "Signals before", "After", "Lost", "Scored lost", "Gone cold"];
    table(out, "losses", "Signals of leads that are lost, by event name", &columns)?;
    for loss in report.losses.iter().take(ROWS) {
        let Loss { call, event, resolved, scored, gone_cold } = loss;
        writeln!(
            out,
            "<tr><th scope=\"row\"><bdi>{}</bdi></th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escaped(&called(call, event)),
            thousands(resolved.before),
            thousands(resolved.after),
            thousands(resolved.before - resolved.after),
            thousands(scored.before.saturating_sub(scored.after)),
            thousands(*gone_cold),
        )?;
    }
    end_table(out, report.losses.len())?;
    out.write_str("</section>\n")
}

fn leads(report: &Report, out: &mut String) -> fmt::Result {
    let leads = &report.leads;
    if leads.lost == 0 && leads.lowered == 0 {
        return Ok(());
    }
    out.write_str(
        "<section aria-labelledby=\"leads-h\"><h2 id=\"leads-h\">Leads lost and lowered</h2>\n",
    )?;
    if leads.lost > 0 {
        let caption = counted(leads.lost, "lost lead", "lost leads");
        table(out, "lost-leads", &caption, &["Lead", "Score", "Signals"])?;
        for lead in leads.lost_leads.iter().take(ROWS) {
            writeln!(
                out,
                "<tr><th scope=\"row\"><bdi>{}</bdi></th><td>{}</td><td>{}</td></tr>",
                escaped(&lead.email),
                signed(lead.score),
                thousands(lead.signals)
            )?;
        }
        end_table(out, usize::try_from(leads.lost).unwrap_or(usize::MAX))?;
    }
    if leads.lowered > 0 {
        let caption = format!("{} with a lower score", counted(leads.lowered, "lead", "leads"));
        table(out, "lowered-leads", &caption, &["Lead", "Before", "After"])?;
        for lead in leads.lowered_leads.iter().take(ROWS) {
            writeln!(
                out,
                "<tr><th scope=\"row\"><bdi>{}</bdi></th><td>{}</td><td>{}</td></tr>",
                escaped(&lead.email),
                signed(lead.before),
                signed(lead.after)
            )?;
        }
        end_table(out, usize::try_from(leads.lowered).unwrap_or(usize::MAX))?;
    }
    out.write_str("</section>\n")
}

fn write_change(change: &Change, report: &Report, out: &mut String) -> fmt::Result {
    out.write_str(
        "<section aria-labelledby=\"change-h\"><h2 id=\"change-h\">The smallest change</h2>\n",
    )?;
    if !change.fits {
        out.write_str(
            "<p>Nothing that keeps identify calls fits the plan. This comes nearest.</p>\n",
        )?;
    }
    let columns = ["Drop as well", "Raw signals saved", "Leads lost", "Score lost"];
    table(out, "change", "What would be dropped as well", &columns)?;
    for drop in &change.drop {
        write_drop(drop, out)?;
    }
    end_table(out, 0)?;
    let LeadCounts { total, .. } = change.leads;
    writeln!(
        out,
        "<p>Of {} leads remain {}; the sum of scores falls by {}.</p>",
        thousands(report.leads.after.total),
        thousands(total),
        signed(change.score_lost)
    )?;
    if !change.allow.is_empty() {
        writeln!(
            out,
            "<h3>The allow list with this change</h3>\n<pre tabindex=\"0\">{}</pre>",
            escaped_lines(&change.allow)
        )?;
    }
    out.write_str("</section>\n")
}

fn write_drop(drop: &Drop, out: &mut String) -> fmt::Result {
    let what = match (&drop.event, &drop.entry) {
        (Some(event), _) => escaped(&called(drop.call, event)),
        (None, Some(entry)) => {
            format!("line {} <code>{}</code>", entry.number, escaped(&entry.text))
        }
        (None, None) => format!("{} calls", drop.call),
    };
    writeln!(
        out,
        "<tr><th scope=\"row\"><bdi>{what}</bdi></th><td>{}</td><td>{}</td><td>{}</td></tr>",
        thousands(drop.saved),
        thousands(drop.leads_lost),
        signed(drop.score_lost)
    )
}

fn doubts(report: &Report, out: &mut String) -> fmt::Result {
    if report.warnings.is_empty() && report.faults.is_empty() {
        return Ok(());
    }
    out.write_str("<section aria-labelledby=\"doubts-h\"><h2 id=\"doubts-h\">Files</h2>\n<ul>\n")?;
    for fault in &report.faults {
        writeln!(out, "<li>{}</li>", escaped(&fault.to_string()))?;
    }
    for warning in &report.warnings {
        writeln!(out, "<li>{}</li>", escaped(warning))?;
    }
    out.write_str("</ul></section>\n")
}

fn signed(number: i64) -> String {
    let digits = thousands(number.unsigned_abs());
    if number < 0 { format!("-{digits}") } else { digits }
}

fn escaped_lines(lines: &[String]) -> String {
    lines.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("\n")
}

/// `text` with what stands between backticks as code.
fn ticked(text: &str) -> String {
    let mut out = String::new();
    for (place, part) in text.split('`').enumerate() {
        if place % 2 == 1 {
            out.push_str("<code>");
            out.push_str(&escaped(part));
            out.push_str("</code>");
        } else {
            out.push_str(&escaped(part));
        }
    }
    out
}

/// `text` as text of a page or of an attribute.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            char if is_unprintable(char) && char != '\n' => out.push('\u{fffd}'),
            char => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_of_the_data_becomes_markup() {
        let evil = "</script><script>alert(1)</script><!-- \" ' &\u{1b}";
        let mut report = Report::default();
        report.names.push(Name { call: "track", event: evil.into(), ..Name::default() });
        report.findings.push(Finding { message: format!("a `{evil}`"), ..Finding::default() });
        report.warnings.push(evil.into());
        let page = page(&report).unwrap();
        assert_eq!(page.matches("<script").count(), 1, "{page}");
        assert_eq!(page.matches("</script").count(), 1, "{page}");
        assert!(!page.contains("<!--") && !page.contains('\u{1b}'), "{page}");
        let (_, json) = page.split_once("id=\"report\">").unwrap();
        let (json, _) = json.split_once("</script>").unwrap();
        let read: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(read["names"][0]["event"], evil);
    }
}
