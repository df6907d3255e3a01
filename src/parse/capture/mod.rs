//! Captured webhook deliveries: an object that holds a delivery's body beside other things, as the
//! tools write it that people catch webhooks with.
//!
//! A file a tool; each names the page that the shape is from. A capture is told by the members
//! that its tool writes, never by what the user says it is.

mod api_gateway;
mod body;
mod cloud_events;
mod event_bridge;
mod generic;
mod har;
mod headers;
mod hookdeck;
mod kafka;
mod log;
mod members;
pub(super) mod message;
mod ngrok;
mod pipedream;
mod pub_sub;
mod queue;
mod time;
mod webhook_site;

pub use body::Body;
pub(crate) use body::decode_base64;
use body::seems_base64;
pub use headers::Headers;

use super::shape::Shape;
use crate::json::Json;
use crate::time::Time;
use members::Members;

/// One delivery, as it was captured.
#[derive(Clone, Copy, Debug)]
pub struct Capture<'t> {
    /// The tool that wrote it.
    pub shape: Shape,
    /// What was delivered.
    pub body: Body<'t>,
    /// The headers that it was delivered with.
    pub headers: Headers<'t>,
    /// The path or URL that it was delivered to.
    pub path: Option<&'t str>,
    /// When it was delivered.
    pub time: Time,
}

impl<'t> Capture<'t> {
    /// That of `object`, of no known tool, whose delivery is the member `value` of `around`: the
    /// object itself, or one inside of it.
    pub(super) fn of_envelope(object: Json<'t>, around: Json<'t>, value: Json<'t>) -> Self {
        let (outer, inner) = (Members::new(object), Members::new(around));
        let headers = if inner.headers().is_none() { outer.headers() } else { inner.headers() };
        let path = |members: &Members<'t>| generic::path(members);
        Self {
            shape: Shape::Envelope,
            body: Body::new(value, false),
            headers,
            path: path(&inner).or_else(|| path(&outer)),
            time: generic::time(&outer).or(generic::time(&inner)),
        }
    }
}

/// Several deliveries in one object.
#[derive(Clone, Copy, Debug)]
pub struct List<'t> {
    /// The tool that wrote it.
    pub shape: Shape,
    /// The members that lead to the list.
    pub path: &'static [&'static str],
    /// The list.
    pub items: Json<'t>,
}

/// What an object holds.
#[derive(Clone, Copy, Debug)]
pub enum Found<'t> {
    /// One delivery.
    One(Capture<'t>),
    /// A list of deliveries.
    Many(List<'t>),
    /// An object with lists of deliveries; [`List::items`] is the object.
    ByName(List<'t>),
}

impl<'t> Found<'t> {
    /// What `object` holds, if it is a capture or a list of captures.
    pub fn in_object(object: Json<'t>) -> Option<Self> {
        let members = &Members::new(object);
        if let Some(lists) = kafka::lists(members) {
            return Some(Self::ByName(lists));
        }
        let lists = [
            har::list,
            ngrok::list,
            webhook_site::list,
            hookdeck::list,
            queue::list,
            pub_sub::list,
        ];
        let tools = [
            // The envelopes with the clearest marks come first.
            cloud_events::read,
            event_bridge::read,
            queue::read,
            kafka::read,
            ngrok::read,
            har::read,
            pipedream::read,
            hookdeck::read,
            api_gateway::read,
            webhook_site::read,
            pub_sub::read,
            generic::read,
            log::read,
        ];
        let list = lists.into_iter().find_map(|list| list(members)).map(Self::Many);
        list.or_else(|| tools.into_iter().find_map(|tool| tool(members)).map(Self::One))
    }
}

#[cfg(test)]
mod tests;
