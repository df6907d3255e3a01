//! Compiles a rules file and options into an engine.

use super::Engine;
use super::identity::value::Blocklist;
use super::map::times::Clocks;
use super::plan::Terms;
use super::redact::{Digest, Redaction};
use super::window::Window;
use crate::diagnostic::Diagnostic;
use crate::filter::allow::AllowList;
use crate::filter::destination::DestinationFilters;
use crate::fql::Expr;
use crate::parse::auth::Auth;
use crate::parse::{Detection, MessageIds};
use crate::rules::Rules;

/// The allow list of an engine.
#[derive(Debug, Default)]
pub enum Allow {
    /// That of the rules file, if it has one.
    #[default]
    OfRules,
    /// This list, in place of that of the rules file.
    Given(Box<AllowList>),
    /// None, even if the rules file has one.
    Ignored,
}

/// The options of an engine that the rules file does not hold.
#[derive(Debug)]
pub struct Options {
    /// The allow list: events it does not list are filtered out.
    pub allow: Allow,
    /// The filter expression: events for which it is false are filtered out.
    pub filter: Option<Expr>,
    /// The destination filters, which drop or change events before the rules see them.
    pub filters: Option<DestinationFilters>,
    /// Which records count as Segment events.
    pub detection: Detection,
    /// How events without a message id are handled.
    pub message_ids: MessageIds,
    /// The credentials that captured deliveries must carry.
    pub auth: Auth,
    /// The longest accepted record, in bytes.
    pub max_record_bytes: u64,
    /// Whether to count message ids with several contents, and contents with several message ids.
    pub profile_duplicates: bool,
    /// Whether times are corrected for clock skew of clients.
    pub clocks: Clocks,
    /// The time window that is counted; `None` counts all events.
    pub window: Option<Window>,
    /// How lead ids are derived from e-mail addresses in redacted outputs; `None` does not redact.
    pub redact: Option<Digest>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            allow: Allow::OfRules,
            filter: None,
            filters: None,
            detection: Detection::EitherId,
            message_ids: MessageIds::Required,
            auth: Auth::default(),
            max_record_bytes: 8 << 20,
            profile_duplicates: false,
            clocks: Clocks::AsSent,
            window: None,
            redact: None,
        }
    }
}

/// An engine, with what else the rules file says.
#[derive(Debug)]
pub struct Compiled {
    /// The engine.
    pub engine: Engine,
    /// The terms of the plan.
    pub terms: Terms,
    /// Warnings about the allow list of the rules file, beyond [`Rules::warnings`].
    pub warnings: Vec<Diagnostic>,
}

impl Engine {
    /// Compiles `rules` and `options`.
    ///
    /// # Errors
    /// All errors of the allow list in the rules file, with their positions in that file.
    pub fn compile(rules: Rules, options: Options) -> Result<Compiled, Vec<Diagnostic>> {
        let (allow, warnings) = match options.allow {
            Allow::Given(list) => (Some(*list), Vec::new()),
            Allow::Ignored => (None, Vec::new()),
            Allow::OfRules => match rules.allow_list()? {
                Some((list, warnings)) => (Some(list), warnings),
                None => (None, Vec::new()),
            },
        };
        let terms = Terms::from(&rules.plan);
        let engine = Engine {
            blocklist: Blocklist::new(rules.identity.block.clone()),
            redaction: options.redact.map(|digest| Redaction::new(digest, &rules)),
            rules,
            allow,
            filter: options.filter,
            filters: options.filters,
            detection: options.detection,
            message_ids: options.message_ids,
            auth: options.auth,
            max_record_bytes: options.max_record_bytes,
            profile_duplicates: options.profile_duplicates,
            clocks: options.clocks,
            window: options.window,
        };
        Ok(Compiled { engine, terms, warnings })
    }

    /// Compiles `rules` with the default options.
    ///
    /// # Errors
    /// Those of [`compile`](Self::compile).
    pub fn of_rules(rules: Rules) -> Result<Self, Vec<Diagnostic>> {
        Ok(Self::compile(rules, Options::default())?.engine)
    }
}
