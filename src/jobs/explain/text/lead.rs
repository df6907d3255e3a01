//! Writes leads of the text report.

use super::{line_of, second};
use crate::jobs::explain::report::{Lead, Report, RuleScore, Status};
use crate::report::figure::{counted, thousands};
use crate::report::layout::{Cell, Column, Page, Table};

/// The indentation of the place of a value.
const BELOW: &str = "      ";

/// Writes the lead in full if it is the subject, otherwise a line for each lead.
pub(super) fn leads(report: &Report, page: &mut Page) {
    let is_event = matches!(report.subject.kind, "message_id" | "signal_id");
    match report.leads.as_slice() {
        [] => page.item("lead", none(report)),
        [lead] if !is_event => whole(lead, page),
        leads => {
            for (at, lead) in leads.iter().enumerate() {
                let head = if at == 0 { "leads" } else { "" };
                page.item(head, &format!("{}: {}", lead.email, score(lead)));
            }
            page.continued("--email explains how a score came about");
        }
    }
}

fn none(report: &Report) -> &'static str {
    let mut signals = report.events.iter().filter_map(|event| event.signal.as_ref());
    if signals.any(|signal| signal.internal) {
        "none: it is staff ([identity] internal_domains)"
    } else if report.events.iter().any(|event| event.status == Status::Deleted) {
        "none: no event that is left leads to an e-mail, once deletion requests are carried out"
    } else if report.window.is_some() {
        "none: no event that is sent leads to an e-mail, or none of them lies in the window"
    } else {
        "none: no event that is sent leads to an e-mail"
    }
}

fn whole(lead: &Lead, page: &mut Page) {
    page.item("lead", &format!("{}: {}", lead.email, score(lead)));
    page.continued(&format!(
        "{} of high intent, {} from before it was identified",
        thousands(lead.high_intent_signals),
        thousands(lead.rehydrated_signals)
    ));
    if !lead.joined_emails.is_empty() {
        let joined = lead.joined_emails.join(", ");
        page.item("merged", &format!("{joined}: part of this lead, as they share a user id"));
    }
    if let Some(emails) = lead.merge_refused {
        let emails = counted(emails as u64, "e-mail", "e-mails");
        let text =
            format!("{emails} share a user id, more than max_emails: each stays a lead of its own");
        page.item("not merged", &text);
    }
    let seen = format!(
        "{} to {}, identified {}",
        second(lead.first_seen.as_deref()),
        second(lead.last_seen.as_deref()),
        second(lead.identified_at.as_deref()),
    );
    page.item("seen", &seen);
    score_by_rule(lead, page);
    sources(lead, page);
    page.blank();
}

fn score_by_rule(lead: &Lead, page: &mut Page) {
    if lead.score_by_rule.is_empty() {
        return;
    }
    let figures = ["each", "signals", "limit", "scoring", "sum"].map(Column::figure);
    let mut table = Table::new([Column::name("score by rule")].into_iter().chain(figures));
    for rule in &lead.score_by_rule {
        let RuleScore { rule, score, limit, signals, scoring, sum } = rule;
        let limit = limit.map_or_else(String::new, |limit| thousands(limit.into()));
        let [signals, scoring] = [*signals, *scoring].map(thousands);
        let cells = [rule.clone(), score.to_string(), signals, limit, scoring, sum.to_string()];
        table.row(cells.map(Cell::from));
    }
    let total = ["score", "", "", "", "", &lead.score.to_string()].map(Cell::from);
    table.row(total);
    page.blank();
    page.table(&table);
}

fn sources(lead: &Lead, page: &mut Page) {
    if lead.sources.is_empty() {
        return;
    }
    let mut table =
        Table::new([Column::word("column"), Column::name("value, and where it is from")]);
    for source in &lead.sources {
        table.row([source.value.column, &source.value.value].map(Cell::from));
        table.below([format!("{BELOW}{}", line_of(&source.place))]);
    }
    page.blank();
    page.table(&table);
}

fn score(lead: &Lead) -> String {
    format!("score {} of {}", lead.score, counted(lead.signals, "signal", "signals"))
}
