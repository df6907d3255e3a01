//! A borrowed view of one Segment event: its call type, ids, times and members.
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
    /// Links ids to traits of a person.
    Identify,
    /// Records an action of a person.
    Track,
    /// Records a view of a web page.
    Page,
    /// Records a view of an app screen.
    Screen,
    /// Links a person to an organisation.
    Group,
    /// Links one id to another.
    Alias,
}

impl CallType {
    /// All six calls.
    pub const ALL: [Self; 6] =
        [Self::Identify, Self::Track, Self::Page, Self::Screen, Self::Group, Self::Alias];

    /// Returns the call named `name`, which must be in lower case as in `type`.
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

    /// Returns the call named `name`, ignoring ASCII case and surrounding whitespace.
    pub fn from_any_case(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|call| call.name().eq_ignore_ascii_case(name.trim()))
    }

    /// Returns the value of `type` for this call.
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

    /// Returns the event name that TrailSpark gives to every event of this call, or `None` for
    /// `track`, whose events have individual names.
    #[inline]
    pub fn fixed_name(self) -> Option<&'static str> {
        match self {
            Self::Track => None,
            Self::Page => Some("Page Viewed"),
            Self::Screen => Some("Screen Viewed"),
            Self::Identify | Self::Group | Self::Alias => Some(""),
        }
    }

    /// Returns `true` if events of this call can count for a lead.
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
            /// All members, sorted by name.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Returns the member named `key`.
            #[inline]
            pub fn from_key(key: &str) -> Option<Self> {
                Some(match key { $($name => Self::$variant,)+ _ => return None })
            }

            /// Returns the member's name in JSON.
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

/// The nested fields that every signal and every identify call is read for. They are located
/// together with the top-level members, so that they are located once for all lines of an outline.
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

    /// Returns `true` if the field is part of `context`, which a batch can supply to its events.
    fn is_of_context(self) -> bool {
        self as usize >= Self::PageUrl as usize
    }
}

/// The node indices of the known members of an object within its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Members {
    top: [u32; Member::ALL.len()],
    inner: [u32; Inner::COUNT],
}

impl Members {
    /// The node index of a member that is absent or `null`. Node 0 is the outermost value, so no
    /// member has this index.
    const ABSENT: u32 = 0;

    /// Locates the members of `object`. A member that is `null` counts as absent; if a name occurs
    /// twice, the last occurrence counts.
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
            self.locate_inner(properties, &names);
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
            self.locate_inner(traits, &names);
            if let Some(company) = self.inner_place(Inner::TraitsCompany).map(value) {
                self.locate_inner(company, &[("name", Inner::TraitsCompanyName)]);
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
            self.locate_inner(part, names);
        }
    }

    /// Records the node indices of the members of `object` that `names` lists; if a name occurs
    /// twice, the last occurrence counts.
    fn locate_inner(&mut self, object: Json<'_>, names: &[(&str, Inner)]) {
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

    /// Returns the node index of `member`, or `None` if it is absent or `null`.
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

/// The fields that decide whether an object is an event.
#[derive(Clone, Copy, Debug)]
struct KeyFields<'t> {
    call: Option<CallType>,
    message: Option<Id<'t>>,
    anonymous: Option<Id<'t>>,
    user: Option<Id<'t>>,
}

impl<'t> KeyFields<'t> {
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

/// A view of one event whose known members are located once, so that each later look-up is an
/// index.
#[derive(Clone, Copy, Debug)]
pub struct Event<'t> {
    root: Json<'t>,
    members: &'t Members,
    key_fields: KeyFields<'t>,
    /// The batch that supplies the members that the event lacks.
    batch: Option<&'t Event<'t>>,
    /// The outline that the event shares with other events; `None` if a batch supplies members.
    outline: Option<&'t Outline>,
    /// Whether no string of the event has an escape.
    plain: bool,
}

impl Event<'_> {
    /// The members that a batch supplies to its events.
    pub const LENT: [Member; 4] =
        [Member::Context, Member::Integrations, Member::ReceivedAt, Member::SentAt];
}

impl<'t> Event<'t> {
    /// Returns the view of `root`, an object whose members are at `members`.
    #[inline]
    pub fn new(root: Json<'t>, members: &'t Members) -> Self {
        let key_fields = KeyFields::of(root, members);
        Self { root, key_fields, members, batch: None, outline: None, plain: false }
    }

    /// Returns the view of `root`, the object of a line that has this `outline`. `plain` states
    /// that no string of the line has an escape.
    #[inline]
    pub(crate) fn outlined(root: Json<'t>, outline: &'t Outline, plain: bool) -> Self {
        Self { outline: Some(outline), plain, ..Self::new(root, outline.members()) }
    }

    /// Lets `batch`, which contained this event, supply the members of [`Event::LENT`] that the
    /// event lacks (HTTP tracking API, "Batch").
    pub fn fill_from(&mut self, batch: &'t Event<'t>) {
        self.batch = Some(batch);
        self.outline = None;
    }

    /// Returns the batch that contained this event.
    #[inline]
    pub(crate) fn batch(&self) -> Option<&'t Event<'t>> {
        self.batch
    }

    /// Returns a top-level member of the event itself, ignoring the batch; `None` if it is absent
    /// or `null`.
    #[inline]
    pub(crate) fn own(&self, member: Member) -> Option<Json<'t>> {
        self.members.place(member).map(|place| Json::at(self.root.doc(), place))
    }

    /// Returns the pieces of the line to hash, if the event has an outline and no escapes.
    #[inline]
    pub(crate) fn content(&self) -> Option<&'t Content> {
        // Strings with escapes are not in canonical form in the line.
        self.outline.filter(|_| self.plain).map(Outline::content)
    }

    /// Returns the event's object as the input gives it.
    #[inline]
    pub fn root(&self) -> Json<'t> {
        self.root
    }

    /// Returns a top-level member, or `None` if it is absent or `null`.
    #[inline]
    pub fn get(&self, member: Member) -> Option<Json<'t>> {
        let own = self.own(member);
        let Some(batch) = self.batch else { return own };
        own.or_else(|| match member {
            _ if Self::LENT.contains(&member) => batch.get(member),
            _ => None,
        })
    }

    /// Returns a nested field, or `None` if it is absent or `null`.
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

    /// Returns a top-level member if it is a string.
    #[inline]
    pub fn text(&self, member: Member) -> Option<&'t str> {
        self.get(member).and_then(Json::as_str)
    }

    /// Returns a top-level member if it is an id.
    #[inline]
    pub fn id(&self, member: Member) -> Option<Id<'t>> {
        match member {
            Member::MessageId => self.key_fields.message,
            Member::AnonymousId => self.key_fields.anonymous,
            Member::UserId => self.key_fields.user,
            _ => self.get(member).and_then(Id::from_json),
        }
    }

    /// Returns `true` if `messageId`, `anonymousId` or `userId` is a number.
    #[inline]
    pub fn has_number_as_id(&self) -> bool {
        let KeyFields { message, anonymous, user, .. } = &self.key_fields;
        [message, anonymous, user].into_iter().any(|id| matches!(id, Some(Id::Number(_))))
    }

    /// Returns the call that `type` names, if it is one of the six.
    #[inline]
    pub fn call_type(&self) -> Option<CallType> {
        self.key_fields.call
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
