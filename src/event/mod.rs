//! A borrowed view of one Segment event on the tape: its call type, ids, times and members.
//!
//! The member names are those of Segment's common fields and of its six calls (Segment Spec).

pub mod id;
pub mod path;

use crate::parse::json::Json;
use id::Id;
use path::{Lookup, Path};

/// Segment's six calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CallType {
    /// Ties ids to traits of a person.
    Identify,
    /// Something a person did.
    Track,
    /// A page of a web site that was seen.
    Page,
    /// A screen of an app that was seen.
    Screen,
    /// Ties a person to an organisation.
    Group,
    /// Ties one id to another.
    Alias,
}

impl CallType {
    /// All six.
    pub const ALL: [Self; 6] =
        [Self::Identify, Self::Track, Self::Page, Self::Screen, Self::Group, Self::Alias];

    /// The call that `type` names.
    #[inline]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "identify" => Self::Identify,
            "track" => Self::Track,
            "page" => Self::Page,
            "screen" => Self::Screen,
            "group" => Self::Group,
            "alias" => Self::Alias,
            _ => return None,
        })
    }

    /// The name as it stands in `type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identify => "identify",
            Self::Track => "track",
            Self::Page => "page",
            Self::Screen => "screen",
            Self::Group => "group",
            Self::Alias => "alias",
        }
    }

    /// Whether events of this call can count for a lead.
    #[inline]
    pub fn is_signal(self) -> bool {
        matches!(self, Self::Track | Self::Page | Self::Screen)
    }
}

macro_rules! members {
    ($($variant:ident $name:literal),+ $(,)?) => {
        /// The top-level members that a Segment event can have.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)] // each is the field of that name
        pub enum Member { $($variant),+ }

        impl Member {
            /// All of them, by name.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The member called `key`.
            #[inline]
            pub fn from_key(key: &str) -> Option<Self> {
                Some(match key { $($name => Self::$variant,)+ _ => return None })
            }

            /// Its name in JSON.
            pub fn key(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

members! {
    AnonymousId "anonymousId",
    Category "category",
    Channel "channel",
    Context "context",
    Event "event",
    GroupId "groupId",
    Integrations "integrations",
    MessageId "messageId",
    Metadata "_metadata",
    Name "name",
    OriginalTimestamp "originalTimestamp",
    PreviousId "previousId",
    ProjectId "projectId",
    Properties "properties",
    ReceivedAt "receivedAt",
    SentAt "sentAt",
    Timestamp "timestamp",
    Traits "traits",
    Type "type",
    UserId "userId",
    Version "version",
    WriteKey "writeKey",
}

/// One event: its known members found once, so that each later look-up is an index.
#[derive(Clone, Copy, Debug)]
pub struct Event<'t> {
    root: Json<'t>,
    members: [Option<Json<'t>>; Member::ALL.len()],
}

impl<'t> Event<'t> {
    /// The view of `root`, an object. A member that is `null` counts as absent; of two with one
    /// name the last counts.
    #[inline]
    pub fn new(root: Json<'t>) -> Self {
        let mut members = [None; Member::ALL.len()];
        for (key, value) in root.entries() {
            if let Some(member) = Member::from_key(key) {
                members[member as usize] = (!value.is_null()).then_some(value);
            }
        }
        Self { root, members }
    }

    /// Fills `sentAt`, `context` and `integrations` from the batch that brought this event, where
    /// the event lacks them (HTTP tracking API, "Batch").
    pub fn fill_from(&mut self, batch: &Event<'t>) {
        for member in [Member::SentAt, Member::Context, Member::Integrations] {
            let slot = &mut self.members[member as usize];
            *slot = slot.or(batch.members[member as usize]);
        }
    }

    /// The object itself, as it stands in the input.
    #[inline]
    pub fn root(&self) -> Json<'t> {
        self.root
    }

    /// A top-level member that is not `null`.
    #[inline]
    pub fn get(&self, member: Member) -> Option<Json<'t>> {
        self.members[member as usize]
    }

    /// A top-level member that is a string.
    #[inline]
    pub fn text(&self, member: Member) -> Option<&'t str> {
        self.get(member).and_then(Json::as_str)
    }

    /// A top-level member that is an id.
    #[inline]
    pub fn id(&self, member: Member) -> Option<Id<'t>> {
        self.get(member).and_then(Id::from_json)
    }

    /// The call that `type` names, where it is one of the six.
    #[inline]
    pub fn call_type(&self) -> Option<CallType> {
        self.text(Member::Type).and_then(CallType::from_name)
    }
}

impl<'t> Lookup<'t> for Event<'t> {
    #[inline]
    fn lookup(&self, path: &Path) -> Option<Json<'t>> {
        let value = match path.member() {
            Some(member) => self.get(member)?,
            None => self.root.get(path.head())?,
        };
        path.descend(value)
    }
}
