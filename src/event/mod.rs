//! A borrowed view of one Segment event on the tape: its call type, ids, times and members.
//!
//! The member names are those of Segment's common fields and of its six calls (Segment Spec).

pub mod content;
pub mod id;
pub mod outline;
pub mod path;
pub mod word;

use crate::event::outline::Outline;
use crate::event::outline::content::Content;
use crate::json::Json;
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

    /// The call that `type` names in whatever letters.
    pub fn from_any_case(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|call| call.name().eq_ignore_ascii_case(name.trim()))
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

    /// The name that TrailSpark gives to events of this call; none to tracked ones, which have
    /// names of their own.
    #[inline]
    pub fn fixed_name(self) -> Option<&'static str> {
        match self {
            Self::Track => None,
            Self::Page => Some("Page Viewed"),
            Self::Screen => Some("Screen Viewed"),
            Self::Identify | Self::Group | Self::Alias => Some(""),
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
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

/// What every signal and every identify call is asked for, further inside: found with the members,
/// so that it is found once for all lines of an outline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // each is the field of that path
pub enum Inner {
    PropertiesUrl,
    PropertiesName,
    PropertiesReferrer,
    PropertiesEmail,
    TraitsName,
    TraitsFirstName,
    TraitsLastName,
    TraitsTitle,
    TraitsPhone,
    TraitsCompany,
    /// The name in a company that is an object.
    TraitsCompanyName,
    PageUrl,
    PageReferrer,
    CampaignSource,
    CampaignMedium,
    CampaignName,
    ContextTraitsEmail,
    UserAgent,
}

impl Inner {
    const COUNT: usize = Self::UserAgent as usize + 1;

    /// Whether it is a part of the context, which a batch can lend.
    fn is_of_context(self) -> bool {
        self as usize >= Self::PageUrl as usize
    }
}

/// Where the known members of an object stand in its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Members {
    top: [u32; Member::ALL.len()],
    inner: [u32; Inner::COUNT],
}

impl Members {
    /// The place of a member that is absent or `null`: at the first node is the outermost value.
    const ABSENT: u32 = 0;

    /// Those of `object`. A member that is `null` counts as absent; of two with one name the last
    /// counts.
    #[inline]
    pub fn of(object: Json<'_>) -> Self {
        let mut top = [Self::ABSENT; Member::ALL.len()];
        for (key, value) in object.entries() {
            if let Some(member) = Member::from_key(key) {
                top[member as usize] = Self::unless_null(value);
            }
        }
        let mut members = Self { top, inner: [Self::ABSENT; Inner::COUNT] };
        members.look_inside(object);
        members
    }

    fn look_inside(&mut self, object: Json<'_>) {
        let value = |place| Json::at(object.doc(), place);
        if let Some(properties) = self.place(Member::Properties).map(value) {
            let names = [
                ("url", Inner::PropertiesUrl),
                ("name", Inner::PropertiesName),
                ("referrer", Inner::PropertiesReferrer),
                ("email", Inner::PropertiesEmail),
            ];
            self.note(properties, &names);
        }
        if let Some(traits) = self.place(Member::Traits).map(value) {
            let names = [
                ("name", Inner::TraitsName),
                ("firstName", Inner::TraitsFirstName),
                ("lastName", Inner::TraitsLastName),
                ("title", Inner::TraitsTitle),
                ("phone", Inner::TraitsPhone),
                ("company", Inner::TraitsCompany),
            ];
            self.note(traits, &names);
            if let Some(company) = self.inner_place(Inner::TraitsCompany).map(value) {
                self.note(company, &[("name", Inner::TraitsCompanyName)]);
            }
        }
        for (key, part) in
            self.place(Member::Context).map(value).into_iter().flat_map(Json::entries)
        {
            let names: &[(&str, Inner)] = match key {
                "page" => &[("url", Inner::PageUrl), ("referrer", Inner::PageReferrer)],
                "campaign" => &[
                    ("source", Inner::CampaignSource),
                    ("medium", Inner::CampaignMedium),
                    ("name", Inner::CampaignName),
                ],
                "traits" => &[("email", Inner::ContextTraitsEmail)],
                "userAgent" => {
                    self.inner[Inner::UserAgent as usize] = Self::unless_null(part);
                    continue;
                }
                _ => continue,
            };
            self.note(part, names);
        }
    }

    /// Notes where the members of `object` that have these names stand; of two with one name the
    /// last counts.
    fn note(&mut self, object: Json<'_>, names: &[(&str, Inner)]) {
        for &(_, inner) in names {
            self.inner[inner as usize] = Self::ABSENT;
        }
        for (key, value) in object.entries() {
            if let Some(&(_, inner)) = names.iter().find(|(name, _)| *name == key) {
                self.inner[inner as usize] = Self::unless_null(value);
            }
        }
    }

    fn unless_null(value: Json<'_>) -> u32 {
        if value.is_null() { Self::ABSENT } else { value.place() }
    }

    /// The place of `member`, unless it is absent.
    #[inline]
    pub(crate) fn place(&self, member: Member) -> Option<u32> {
        let place = self.top[member as usize];
        (place != Self::ABSENT).then_some(place)
    }

    #[inline]
    fn inner_place(&self, inner: Inner) -> Option<u32> {
        let place = self.inner[inner as usize];
        (place != Self::ABSENT).then_some(place)
    }
}

/// What tells that an object is an event.
#[derive(Clone, Copy, Debug)]
struct Marks<'t> {
    call: Option<CallType>,
    message: Option<Id<'t>>,
    anonymous: Option<Id<'t>>,
    user: Option<Id<'t>>,
}

impl<'t> Marks<'t> {
    #[inline]
    fn of(root: Json<'t>, members: &Members) -> Self {
        let get = |member| members.place(member).map(|place| Json::at(root.doc(), place));
        let id = |member| get(member).and_then(Id::from_json);
        Self {
            call: get(Member::Type).and_then(Json::as_str).and_then(CallType::from_name),
            message: id(Member::MessageId),
            anonymous: id(Member::AnonymousId),
            user: id(Member::UserId),
        }
    }
}

/// One event: its known members found once, so that each later look-up is an index.
#[derive(Clone, Copy, Debug)]
pub struct Event<'t> {
    root: Json<'t>,
    members: &'t Members,
    marks: Marks<'t>,
    /// The batch that lends what the event lacks.
    batch: Option<&'t Event<'t>>,
    /// What it shares with other events, unless a batch lends it something.
    outline: Option<&'t Outline>,
    /// No string of it has an escape.
    plain: bool,
}

impl Event<'_> {
    /// The members that a batch lends to its events.
    pub const LENT: [Member; 4] =
        [Member::Context, Member::Integrations, Member::ReceivedAt, Member::SentAt];
}

impl<'t> Event<'t> {
    /// The view of `root`, an object that has these `members`.
    #[inline]
    pub fn new(root: Json<'t>, members: &'t Members) -> Self {
        let marks = Marks::of(root, members);
        Self { root, marks, members, batch: None, outline: None, plain: false }
    }

    /// The view of `root`, the object of a line that has this `outline`; `plain` where no string of
    /// it has an escape.
    #[inline]
    pub(crate) fn outlined(root: Json<'t>, outline: &'t Outline, plain: bool) -> Self {
        Self { outline: Some(outline), plain, ..Self::new(root, outline.members()) }
    }

    /// Lets `batch`, which brought this event, fill the members of [`Event::LENT`] where the event
    /// lacks them (HTTP tracking API, "Batch").
    pub fn fill_from(&mut self, batch: &'t Event<'t>) {
        self.batch = Some(batch);
        self.outline = None;
    }

    /// The batch that brought this event.
    #[inline]
    pub(crate) fn batch(&self) -> Option<&'t Event<'t>> {
        self.batch
    }

    /// A top-level member that is not `null`, but for what the batch lends.
    #[inline]
    pub(crate) fn own(&self, member: Member) -> Option<Json<'t>> {
        self.members.place(member).map(|place| Json::at(self.root.doc(), place))
    }

    /// What is hashed of the event, where its outline says so.
    #[inline]
    pub(crate) fn content(&self) -> Option<&'t Content> {
        // What has escapes does not stand in the line as it is hashed.
        self.outline.filter(|_| self.plain).map(Outline::content)
    }

    /// The object itself, as it stands in the input.
    #[inline]
    pub fn root(&self) -> Json<'t> {
        self.root
    }

    /// A top-level member that is not `null`.
    #[inline]
    pub fn get(&self, member: Member) -> Option<Json<'t>> {
        let own = self.own(member);
        let Some(batch) = self.batch else { return own };
        own.or_else(|| match member {
            _ if Self::LENT.contains(&member) => batch.get(member),
            _ => None,
        })
    }

    /// A member further inside that is not `null`.
    #[inline]
    pub fn inner(&self, inner: Inner) -> Option<Json<'t>> {
        match self.batch {
            Some(batch)
                if inner.is_of_context() && self.members.place(Member::Context).is_none() =>
            {
                batch.inner(inner)
            }
            _ => self.members.inner_place(inner).map(|place| Json::at(self.root.doc(), place)),
        }
    }

    /// A top-level member that is a string.
    #[inline]
    pub fn text(&self, member: Member) -> Option<&'t str> {
        self.get(member).and_then(Json::as_str)
    }

    /// A top-level member that is an id.
    #[inline]
    pub fn id(&self, member: Member) -> Option<Id<'t>> {
        match member {
            Member::MessageId => self.marks.message,
            Member::AnonymousId => self.marks.anonymous,
            Member::UserId => self.marks.user,
            _ => self.get(member).and_then(Id::from_json),
        }
    }

    /// Whether the message or the visitor has a number as id.
    #[inline]
    pub fn has_number_as_id(&self) -> bool {
        let Marks { message, anonymous, user, .. } = &self.marks;
        [message, anonymous, user].into_iter().any(|id| matches!(id, Some(Id::Number(_))))
    }

    /// The call that `type` names, where it is one of the six.
    #[inline]
    pub fn call_type(&self) -> Option<CallType> {
        self.marks.call
    }
}

impl<'t> Lookup<'t> for Event<'t> {
    #[inline]
    fn lookup(&self, path: &Path) -> Option<Json<'t>> {
        let find = || {
            let value = match path.member() {
                Some(member) => self.get(member)?,
                None => self.root.get(path.head())?,
            };
            path.descend(value)
        };
        match self.outline {
            Some(outline) => outline
                .place_of(path, || find().map(Json::place))
                .map(|place| Json::at(self.root.doc(), place)),
            None => find(),
        }
    }
}
