//! The encoding of parts of leads, and the sum of two parts.
//!
//! A part is the sum over some events of a lead. Numbers are little-endian, lengths are written by
//! [`put_length`], and a text follows its length. The fields are, in this order:
//!
//! | field | bytes |
//! | --- | --- |
//! | number of the e-mail that names the lead | 4 |
//! | 1 if any event belongs to it, plus 2 if the service would have accepted one that brings the e-mail | 1 |
//! | signals, high intent signals, rehydrated signals | 8 each |
//! | first seen, last seen, identified at; the missing time if there is none | 8 each |
//! | for each trait 0, or 1, a key and a text | |
//! | first touch: 0, or 1, a key and five texts | |
//! | last signal: 0, or 1, a key and a name | |
//! | groups: a length, and for each its number and a key | 4 + 32 each |
//! | anonymous ids, user ids, periods: for each a length and numbers | 4 each |
//! | signals by name: a length, and for each a name and a count | 8 + 8 each |
//!
//! A key is a time, a received time and a content hash (8 + 8 + 16). A name is the number of a
//! rule, or `u32::MAX` for none, and that of an event name (4 + 4).

use super::fold::earliest;
use super::{Dated, FirstTouch, Lead, Trait};
use crate::engine::exchange::bytes::{
    put_length, put_text, take, take_length, take_text, take_u32, take_u64,
};
use crate::engine::identity::fact::OrderKey;
use crate::engine::identity::ids::NodeId;
use crate::time::Time;

/// The number that encodes no rule.
const NONE: u32 = u32::MAX;

impl Lead {
    /// Appends the lead of `email` as a part.
    pub(super) fn write(&self, email: NodeId, out: &mut Vec<u8>) {
        out.extend_from_slice(&email.to_raw().to_le_bytes());
        out.push(u8::from(self.exists) | u8::from(self.accepted) << 1);
        for count in [self.signals, self.high_intent_signals, self.rehydrated_signals] {
            out.extend_from_slice(&count.to_le_bytes());
        }
        for time in [self.first_seen, self.last_seen, self.identified_at] {
            put_time(time.unwrap_or(Time::MISSING), out);
        }
        for kept in &self.traits {
            put_dated(kept.as_ref(), out, |value, out| put_text(value, out));
        }
        put_dated(self.first_touch.as_deref(), out, put_touch);
        put_dated(self.last_signal.as_ref(), out, |&name, out| put_name(name, out));
        put_length(self.groups.len(), out);
        for &(group, key) in &self.groups {
            out.extend_from_slice(&group.to_raw().to_le_bytes());
            put_key(key, out);
        }
        for ids in [self.anonymous_ids.as_slice(), self.user_ids.as_slice()] {
            put_numbers(ids.iter().map(|id| id.to_raw()), out);
        }
        put_numbers(self.periods.as_slice().iter().copied(), out);
        put_length(self.tallies.as_slice().len(), out);
        for &(name, count) in self.tallies.as_slice() {
            put_name(name, out);
            out.extend_from_slice(&count.to_le_bytes());
        }
    }

    /// Reads a part from the beginning of `bytes`, and advances it; returns `None` at the end.
    pub(super) fn read(bytes: &mut &[u8]) -> Option<(NodeId, Self)> {
        let email = NodeId::from_raw(take_u32(bytes)?);
        let [flags] = take(bytes)?;
        let mut lead = Self { exists: flags & 1 != 0, accepted: flags & 2 != 0, ..Self::default() };
        lead.signals = take_u64(bytes)?;
        lead.high_intent_signals = take_u64(bytes)?;
        lead.rehydrated_signals = take_u64(bytes)?;
        for time in [&mut lead.first_seen, &mut lead.last_seen, &mut lead.identified_at] {
            *time = Some(take_time(bytes)?).filter(|time| !time.is_missing());
        }
        for kept in &mut lead.traits {
            *kept = take_dated(bytes, |bytes| Some(take_text(bytes)?.into()))?;
        }
        lead.first_touch = take_dated(bytes, take_touch)?.map(Box::new);
        lead.last_signal = take_dated(bytes, take_name)?;
        for _ in 0..take_length(bytes)? {
            lead.groups.push((NodeId::from_raw(take_u32(bytes)?), take_key(bytes)?));
        }
        for ids in [&mut lead.anonymous_ids, &mut lead.user_ids] {
            for _ in 0..take_length(bytes)? {
                ids.insert(NodeId::from_raw(take_u32(bytes)?));
            }
        }
        for _ in 0..take_length(bytes)? {
            lead.periods.insert(take_u32(bytes)?);
        }
        for _ in 0..take_length(bytes)? {
            let name = take_name(bytes)?;
            lead.tallies.add_count(name, take_u64(bytes)?);
        }
        Some((email, lead))
    }

    /// Adds another part of the same lead. Addition is commutative and associative.
    pub(in crate::engine) fn merge(&mut self, other: Self) {
        self.exists |= other.exists;
        self.accepted |= other.accepted;
        self.signals += other.signals;
        self.high_intent_signals += other.high_intent_signals;
        self.rehydrated_signals += other.rehydrated_signals;
        if let Some(time) = other.first_seen {
            self.first_seen = earliest(self.first_seen, time);
        }
        self.last_seen = self.last_seen.max(other.last_seen);
        if let Some(time) = other.identified_at {
            self.identified_at = earliest(self.identified_at, time);
        }
        for (kept, other) in self.traits.iter_mut().zip(other.traits) {
            if *kept < other {
                *kept = other;
            }
        }
        if let Some(touch) = other.first_touch
            && self.first_touch.as_ref().is_none_or(|kept| touch < *kept)
        {
            self.first_touch = Some(touch);
        }
        self.last_signal = self.last_signal.take().max(other.last_signal);
        for (group, key) in other.groups {
            self.join(group, key);
        }
        self.anonymous_ids.extend(&other.anonymous_ids);
        self.user_ids.extend(&other.user_ids);
        self.periods.extend(&other.periods);
        for &(name, count) in other.tallies.as_slice() {
            self.tallies.add_count(name, count);
        }
    }
}

fn put_time(time: Time, out: &mut Vec<u8>) {
    out.extend_from_slice(&time.to_raw().to_le_bytes());
}

fn take_time(bytes: &mut &[u8]) -> Option<Time> {
    take(bytes).map(|raw| Time::from_raw(i64::from_le_bytes(raw)))
}

fn put_key(key: OrderKey, out: &mut Vec<u8>) {
    put_time(key.time, out);
    put_time(key.received, out);
    out.extend_from_slice(&key.signal_id.to_le_bytes());
}

fn take_key(bytes: &mut &[u8]) -> Option<OrderKey> {
    let (time, received) = (take_time(bytes)?, take_time(bytes)?);
    Some(OrderKey { time, received, signal_id: take(bytes).map(u128::from_le_bytes)? })
}

fn put_dated<T>(dated: Option<&Dated<T>>, out: &mut Vec<u8>, put: impl Fn(&T, &mut Vec<u8>)) {
    out.push(u8::from(dated.is_some()));
    if let Some(Dated { key, value }) = dated {
        put_key(*key, out);
        put(value, out);
    }
}

/// Returns `Some(None)` if the value is absent, and `None` at the end of `bytes`.
#[allow(clippy::option_option)]
fn take_dated<T>(
    bytes: &mut &[u8],
    value: impl Fn(&mut &[u8]) -> Option<T>,
) -> Option<Option<Dated<T>>> {
    match take(bytes)? {
        [0] => Some(None),
        _ => Some(Some(Dated { key: take_key(bytes)?, value: value(bytes)? })),
    }
}

fn put_touch(touch: &FirstTouch, out: &mut Vec<u8>) {
    let FirstTouch { page_url, referrer, utm_source, utm_medium, utm_campaign } = touch;
    for text in [page_url, referrer, utm_source, utm_medium, utm_campaign] {
        put_text(text, out);
    }
}

fn take_touch(bytes: &mut &[u8]) -> Option<FirstTouch> {
    let mut text = || take_text(bytes).map(Box::<str>::from);
    Some(FirstTouch {
        page_url: text()?,
        referrer: text()?,
        utm_source: text()?,
        utm_medium: text()?,
        utm_campaign: text()?,
    })
}

fn put_name((rule, event): (Option<u32>, u32), out: &mut Vec<u8>) {
    out.extend_from_slice(&rule.unwrap_or(NONE).to_le_bytes());
    out.extend_from_slice(&event.to_le_bytes());
}

fn take_name(bytes: &mut &[u8]) -> Option<(Option<u32>, u32)> {
    let rule = take_u32(bytes)?;
    Some(((rule != NONE).then_some(rule), take_u32(bytes)?))
}

fn put_numbers(numbers: impl ExactSizeIterator<Item = u32>, out: &mut Vec<u8>) {
    put_length(numbers.len(), out);
    numbers.for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
}

const _: () = assert!(Trait::ALL.len() == 6, "the table above speaks of each trait");

#[cfg(test)]
mod tests {
    use super::super::{Page, Signal, Touch};
    use super::*;
    use proptest::prelude::*;

    /// An update of a lead.
    #[derive(Clone, Debug)]
    struct Happening {
        key: OrderKey,
        call: u8,
        ids: [Option<u8>; 2],
        traits: [String; 6],
        brings_email: Option<bool>,
        rule: Option<u32>,
        event: u32,
        flags: [bool; 2],
        page: Option<String>,
    }

    fn happening() -> impl Strategy<Value = Happening> {
        let time = || prop_oneof![Just(Time::MISSING), (0..5_i64).prop_map(Time::from_raw)];
        let key = (time(), time(), 0..4_u128).prop_map(|(time, received, signal_id)| OrderKey {
            time,
            received,
            signal_id,
        });
        let ids = [proptest::option::of(0..9_u8), proptest::option::of(0..9_u8)];
        let traits: [&str; 6] = ["[ab]{0,2}"; 6];
        let signal = (proptest::option::of(0..3_u32), 0..4_u32, any::<[bool; 2]>());
        let page = proptest::option::of("[pq]{1,2}");
        let brings = proptest::option::of(any::<bool>());
        (key, 0..4_u8, ids, traits, brings, signal, page).prop_map(
            |(key, call, ids, traits, brings_email, (rule, event, flags), page)| Happening {
                key,
                call,
                ids,
                traits,
                brings_email,
                rule,
                event,
                flags,
                page,
            },
        )
    }

    fn happen(lead: &mut Lead, what: &Happening) {
        let id = |id: Option<u8>| id.map(|id| NodeId::from_raw(id.into()));
        let touch = Touch {
            lead: NodeId::from_raw(0),
            key: what.key,
            anonymous: id(what.ids[0]),
            user: id(what.ids[1]),
            traits: what.traits.each_ref().map(String::as_str),
            brings_email: what.brings_email,
        };
        let page = what.page.as_deref().map(|url| Page {
            url,
            referrer: "",
            utm_source: url,
            utm_medium: "",
            utm_campaign: "",
        });
        let signal = Signal {
            rule: what.rule,
            event: what.event,
            high_intent: what.flags[0],
            rehydrated: what.flags[1],
            period: what.ids[0].map(u32::from),
            page,
        };
        match what.call {
            0 => lead.join(NodeId::from_raw(what.event), what.key),
            1 => lead.touch(&touch),
            2 => lead.accepted = true,
            _ => {
                lead.touch(&touch);
                lead.signal(what.key, &signal);
            }
        }
        lead.exists |= what.call != 2;
    }

    fn bytes(lead: &Lead) -> Vec<u8> {
        let mut bytes = Vec::new();
        lead.write(NodeId::from_raw(7), &mut bytes);
        bytes
    }

    proptest! {
        #[test]
        fn parts_in_any_order_add_up_to_the_whole(
            parts in proptest::collection::vec(proptest::collection::vec(happening(), 0..9), 1..5),
            backwards in any::<bool>(),
        ) {
            let (mut whole, mut read) = (Lead::default(), Vec::new());
            for part in &parts {
                let mut lead = Lead::default();
                for what in part {
                    happen(&mut lead, what);
                    happen(&mut whole, what);
                }
                let bytes = bytes(&lead);
                let mut rest = bytes.as_slice();
                let (email, lead) = Lead::read(&mut rest).unwrap();
                prop_assert_eq!((email.to_raw(), rest.len()), (7, 0));
                prop_assert!(Lead::read(&mut &bytes[..bytes.len() - 1]).is_none());
                read.push(lead);
            }
            if backwards {
                read.reverse();
            }
            let mut sum = Lead::default();
            for part in read {
                sum.merge(part);
            }
            sum.finish();
            whole.finish();
            prop_assert_eq!(bytes(&sum), bytes(&whole));
        }
    }
}
