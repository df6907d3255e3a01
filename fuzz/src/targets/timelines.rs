//! Identity resolution against a direct implementation of its rules.

use std::collections::{BTreeMap, BTreeSet};

use ahash::RandomState;
use backtrail::engine::identity::Identities;
use backtrail::engine::identity::all_ids::AllIds;
use backtrail::engine::identity::fact::{Fact, OrderKey};
use backtrail::engine::identity::facts::Facts;
use backtrail::engine::identity::ids::{Ids, NodeId, Space};
use backtrail::engine::identity::resolve::{Resolver, Visitor};
use backtrail::engine::identity::timeline::{MAX_STEPS, Room};
use backtrail::rules::{IdentityConfig, Policy};
use backtrail::time::{DAY_MS, Time};

const POLICIES: [Policy; 4] = [Policy::Split, Policy::First, Policy::Last, Policy::Strict];
const ANONYMOUS: u8 = 3;
const USERS: u8 = 10;
const EMAILS: u8 = 4;
/// The most connections of a history. The direct implementation takes exponential time.
const MAX_CONNECTIONS: usize = 20;

/// An id. Ids are ordered as the engine orders them within an event: a user id before an e-mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Id {
    Anonymous(u8),
    User(u8),
    Email(u8),
}

impl Id {
    fn source(byte: u8) -> Self {
        let number = byte % (ANONYMOUS + USERS);
        number.checked_sub(ANONYMOUS).map_or(Self::Anonymous(number), Self::User)
    }

    fn target(byte: u8) -> Self {
        let number = byte % (USERS + EMAILS);
        number.checked_sub(USERS).map_or(Self::User(number), Self::Email)
    }

    fn intern(self, ids: &mut Ids) -> NodeId {
        match self {
            Self::Anonymous(number) => ids.intern(Space::Anonymous, &format!("a{number}")),
            Self::User(number) => ids.intern(Space::User, &format!("u{number}")),
            Self::Email(number) => ids.intern(Space::Email, &format!("e{number}@acme.example")),
        }
    }
}

/// A connection of two ids, made by the event of this number at this time in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Connection {
    time: Option<i64>,
    event: usize,
    source: Id,
    target: Id,
}

/// A history and the settings under which it is resolved.
#[derive(Debug)]
struct History {
    /// In order of time, event and target.
    connections: Vec<Connection>,
    policy: Policy,
    lookback_ms: Option<i64>,
    max_emails: usize,
}

impl History {
    fn of(&self, id: Id) -> impl DoubleEndedIterator<Item = Connection> {
        self.connections.iter().copied().filter(move |connection| connection.source == id)
    }

    /// The e-mails of an id are its own and those of the user ids it is connected to, which are in
    /// `of_users`, except for those of shared ones.
    fn emails_with(&self, id: Id, of_users: &BTreeMap<Id, BTreeSet<Id>>) -> BTreeSet<Id> {
        let emails = self.of(id).flat_map(|connection| match connection.target {
            email @ Id::Email(_) => BTreeSet::from([email]),
            user => {
                let theirs = of_users.get(&user).cloned().unwrap_or_default();
                if theirs.len() > self.max_emails { BTreeSet::new() } else { theirs }
            }
        });
        emails.collect()
    }

    /// Counts the e-mails of `id`. Those of a user id are at most eight connections away.
    fn emails(&self, id: Id) -> usize {
        let mut of_users = BTreeMap::new();
        for _ in 0..MAX_STEPS {
            let users = (0..USERS).map(Id::User);
            of_users = users.map(|user| (user, self.emails_with(user, &of_users))).collect();
        }
        of_users.get(&id).cloned().unwrap_or_else(|| self.emails_with(id, &of_users)).len()
    }

    /// Returns the e-mail that `id` leads to for a signal at `time`, over the ids in `path`.
    fn lead(&self, id: Id, time: Option<i64>, path: &[Id]) -> Option<Id> {
        if path.contains(&id) || path.len() >= usize::from(MAX_STEPS) {
            return None;
        }
        let path = [path, &[id]].concat();
        // Of the connections that one event makes, the one to an e-mail decides.
        let identifies = |event| {
            self.of(id).any(|of_id| matches!(of_id.target, Id::Email(_)) && of_id.event == event)
        };
        let decides =
            |one: &Connection| matches!(one.target, Id::Email(_)) || !identifies(one.event);
        let (known, later): (Vec<_>, Vec<_>) =
            self.of(id).filter(decides).partition(|connection| connection.time <= time);
        let later = if self.emails(id) > self.max_emails { Vec::new() } else { later };
        let in_order: Vec<Connection> = match self.policy {
            Policy::Split | Policy::Strict => known.into_iter().rev().chain(later).collect(),
            Policy::First => known.into_iter().chain(later).collect(),
            Policy::Last => later.into_iter().rev().chain(known.into_iter().rev()).collect(),
        };
        in_order.into_iter().find_map(|connection| {
            if let (Some(lookback), Some(tied), Some(time)) =
                (self.lookback_ms, connection.time, time)
                && tied - time > lookback
            {
                return None;
            }
            match connection.target {
                email @ Id::Email(_) => Some(email),
                user => self.lead(user, time, &path),
            }
        })
    }

    fn owner(&self, user: Option<Id>, anonymous: Option<Id>, time: Option<i64>) -> Option<Id> {
        user.and_then(|id| self.lead(id, time, &[])).or_else(|| {
            let id = anonymous?;
            let is_ambiguous = self.policy == Policy::Strict && self.emails(id) > 1;
            if is_ambiguous { None } else { self.lead(id, time, &[]) }
        })
    }
}

/// Reads a time in half days; 255 is a missing time.
fn time(byte: u8) -> Option<i64> {
    (byte != u8::MAX).then(|| i64::from(byte) * DAY_MS / 2)
}

/// Resolves signals of each id of a history, and of pairs. The first byte is the policy and the number
/// of e-mails of one person, the second the lookback, the third the time of the signals; each
/// further three are a connection. A connection whose second byte is at least 128 is made by the
/// same event as the one before.
///
/// # Panics
/// If an owner differs from that of the direct implementation.
pub fn target(data: &[u8]) {
    let [mode, lookback, at, rest @ ..] = data else { return };
    let mut connections: Vec<Connection> = Vec::new();
    for &[when, source, target] in rest.as_chunks().0.iter().take(MAX_CONNECTIONS) {
        let (time, event) = match connections.last() {
            Some(last) if source >= 128 => (last.time, last.event),
            _ => (time(when), connections.len()),
        };
        let (source, target) = (Id::source(source), Id::target(target));
        connections.push(Connection { time, event, source, target });
    }
    let policy = POLICIES[usize::from(mode % 4)];
    let max_emails = u32::from(mode / 4 % 3) + 1;
    let lookback_days = (*lookback != 0).then(|| u32::from(*lookback % 8));
    let config = IdentityConfig { policy, max_emails, lookback_days, ..IdentityConfig::default() };

    let mut ids = Ids::new(RandomState::with_seeds(1, 2, 3, 4));
    let raw = |time: Option<i64>| time.map_or(Time::MISSING, |ms| Time::from_millis(ms).unwrap());
    let facts = connections.iter().map(|connection| {
        let (time, event) = (raw(connection.time), connection.event);
        Fact {
            key: OrderKey { time, received: time, signal_id: event as u128 },
            source: connection.source.intern(&mut ids),
            target: connection.target.intern(&mut ids),
            event: event as u64,
        }
    });
    let facts = Facts::Memory(facts.collect());
    let users = (0..USERS).map(Id::User).map(Some);
    let anonymous = (0..ANONYMOUS).map(Id::Anonymous).map(Some);
    let mut visitors: Vec<(Option<Id>, Option<Id>)> =
        users.clone().zip(anonymous.clone()).collect();
    visitors.extend(users.map(|user| (user, None)));
    visitors.extend(anonymous.map(|anonymous| (None, anonymous)));
    let emails: Vec<_> = (0..EMAILS).map(|number| Id::Email(number).intern(&mut ids)).collect();
    let nodes: Vec<Visitor> = visitors
        .iter()
        .map(|(user, anonymous)| Visitor {
            user: user.map(|id| id.intern(&mut ids)),
            anonymous: anonymous.map(|id| id.intern(&mut ids)),
        })
        .collect();
    let ids = AllIds::Memory(ids);
    let room = Room { bytes: 0, dir: &std::env::temp_dir() };
    let identities = Identities::new(facts, &ids, &config, room).unwrap();
    let resolver = Resolver::new(&identities.timelines, &ids, &config);

    connections.sort_by_key(|connection| (connection.time, connection.event, connection.target));
    let lookback_ms = lookback_days.map(|days| i64::from(days) * DAY_MS);
    let history = History { connections, policy, lookback_ms, max_emails: max_emails as usize };
    for (visitor, (user, anonymous)) in nodes.into_iter().zip(visitors) {
        let found = resolver.owner(visitor, raw(time(*at)), policy).map(|owner| owner.email);
        let expected = history.owner(user, anonymous, time(*at)).map(|email| match email {
            Id::Email(number) => emails[usize::from(number)],
            _ => unreachable!("an owner is an e-mail"),
        });
        assert_eq!(found, expected, "{user:?} {anonymous:?} at {at} in {history:?}");
    }
}
