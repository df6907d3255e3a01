//! The arguments of the commands that turn records into events.

use clap::Args;

/// Which events are accepted, and what is added to them.
#[derive(Clone, Debug, Args)]
#[allow(clippy::struct_excessive_bools)] // each is a flag; they end in enums of the engine
pub struct EventArgs {
    /// Only events of which this FQL expression is true pass
    ///
    /// FQL is Segment's Filter Query Language: 'type = "track" and contains(event, "Trial")'.
    #[arg(long = "where", value_name = "FQL", help_heading = "Rules and filters")]
    pub filter: Option<String>,
    /// Reject events without an anonymousId, as TrailSpark does
    #[arg(long, help_heading = "Rules and filters")]
    pub strict_detect: bool,
    /// Give events without a messageId one made of their content, so that a
    /// redelivery gets the same
    #[arg(long, help_heading = "Rules and filters")]
    pub assign_ids: bool,
    /// Set the times of clients right by the clock of whoever received their events
    ///
    /// For events as clients send them, caught before Segment: their time becomes `receivedAt` (else
    /// the time of the capture) less what lay between the event and `sentAt`, as Segment's own
    /// servers make it. Events that have both a `timestamp` and an `originalTimestamp` have been
    /// through these, and stay as they are.
    #[arg(long, help_heading = "Rules and filters")]
    pub correct_clocks: bool,
}
