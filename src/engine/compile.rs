//! From a rules file and options to an engine.

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

/// Which allow list an engine filters with.
#[derive(Debug, Default)]
pub enum Allow {
    /// The one that the rules file holds, if it holds one.
    #[default]
    OfRules,
    /// This one, whatever the rules file holds.
    Given(Box<AllowList>),
    /// None, whatever the rules file holds.
    Ignored,
}

/// What an engine needs to know besides the rules file.
#[derive(Debug)]
pub struct Options {
    /// Only what the allow list takes passes.
    pub allow: Allow,
    /// Only what this is true of passes.
    pub filter: Option<Expr>,
    /// What passes these is dropped or changed by them, before anything else sees it.
    pub filters: Option<DestinationFilters>,
    /// Which events count as Segment's.
    pub detection: Detection,
    /// What becomes of events without a message id.
    pub message_ids: MessageIds,
    /// What captured deliveries must show.
    pub auth: Auth,
    /// Longer records are refused.
    pub max_record_bytes: u64,
    /// Whether message ids and contents that do not agree are counted.
    pub profile_duplicates: bool,
    /// What is made of clients' clocks.
    pub clocks: Clocks,
    /// Only what lies in it counts; everything does without one.
    pub window: Option<Window>,
    /// How outputs name leads where they are to name nobody.
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

/// An engine, and what else a rules file says.
#[derive(Debug)]
pub struct Compiled {
    /// What is done with each event.
    pub engine: Engine,
    /// What the plan allows.
    pub terms: Terms,
    /// What is doubtful about the rules file, beyond [`Rules::warnings`].
    pub warnings: Vec<Diagnostic>,
}

impl Engine {
    /// The engine of `rules` with `options`.
    ///
    /// # Errors
    /// Everything that is wrong with the allow list of the rules file, at its places in that file.
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

    /// The engine of `rules` alone.
    ///
    /// # Errors
    /// Those of [`compile`](Self::compile).
    pub fn of_rules(rules: Rules) -> Result<Self, Vec<Diagnostic>> {
        Ok(Self::compile(rules, Options::default())?.engine)
    }
}
