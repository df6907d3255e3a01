//! The arguments of the commands that turn records into events.

use clap::Args;

/// Which events are accepted, and what is added to them.
#[derive(Clone, Debug, Args)]
#[allow(clippy::struct_excessive_bools)] // each is a flag; they end in enums of the engine
pub struct EventArgs {
    /// Process only events for which this FQL expression is true
    ///
    /// FQL is Segment's Filter Query Language: 'type = "track" and contains(event, "Trial")'.
    #[arg(long = "where", value_name = "FQL", help_heading = "Rules and filters")]
    pub filter: Option<String>,
    /// Reject events without an anonymousId, as TrailSpark does
    #[arg(long, help_heading = "Rules and filters")]
    pub strict_detect: bool,
    /// Assign a messageId to events without one
    ///
    /// The id is derived from the content of the event, so that redelivered events get the same one.
    #[arg(long, help_heading = "Rules and filters")]
    pub assign_ids: bool,
    /// Correct the clocks of clients by the time of receipt
    ///
    /// For events as sent by clients, captured before they reach Segment: the time of an event
    /// becomes `receivedAt` (or else the time of the capture) minus the time between the event and
    /// `sentAt`, as Segment's servers compute it. Events with both a `timestamp` and an
    /// `originalTimestamp` have already been corrected and are not changed.
    #[arg(long, help_heading = "Rules and filters")]
    pub correct_clocks: bool,
}
