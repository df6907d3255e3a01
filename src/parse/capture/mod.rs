//! Captured webhook deliveries: an object with a delivery's body and metadata, in the formats of
//! the tools that capture webhooks.
//!
//! Each tool has a file, which names the page that documents the format. A capture is recognised by
//! the members that its tool writes, without any setting of the user.

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

/// One captured delivery.
#[derive(Clone, Copy, Debug)]
pub struct Capture<'t> {
    /// The tool that wrote the capture.
    pub shape: Shape,
    /// The body of the delivery.
    pub body: Body<'t>,
    /// The headers of the delivery.
    pub headers: Headers<'t>,
    /// The path or URL that the delivery was sent to.
    pub path: Option<&'t str>,
    /// The time of the delivery.
    pub time: Time,
}

impl<'t> Capture<'t> {
    /// Creates the capture of `object`, which no known tool wrote. Its body is the member `value`
    /// of `around`, which is `object` itself or an object inside it.
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

/// A list of deliveries in one object.
#[derive(Clone, Copy, Debug)]
pub struct List<'t> {
    /// The tool that wrote the list.
    pub shape: Shape,
    /// The names of the members that lead to the list.
    pub path: &'static [&'static str],
    /// The list.
    pub items: Json<'t>,
}

/// The deliveries in an object.
#[derive(Clone, Copy, Debug)]
pub enum Found<'t> {
    /// One delivery.
    One(Capture<'t>),
    /// A list of deliveries.
    Many(List<'t>),
    /// Lists of deliveries, each a member of the object [`List::items`].
    ByName(List<'t>),
}

impl<'t> Found<'t> {
    /// Returns the deliveries in `object`, if it is a capture or a list of captures.
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
            // The most distinctive formats come first.
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
