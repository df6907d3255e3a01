//! HTTP requests as AWS passes them to a Lambda function, as functions log them.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>
//! has payload formats 1.0 (REST APIs: `requestContext.requestTimeEpoch`, headers twice) and 2.0
//! (HTTP APIs and function URLs: `rawPath`, `requestContext.timeEpoch`). A load balancer's event has
//! a `requestContext` too, without a time.

use super::members::{Member, Members, text};
use super::{Body, Capture, seems_base64, time};
use crate::parse::shape::Shape;

pub(super) fn read<'t>(members: &Members<'t>) -> Option<Capture<'t>> {
    let context = members.object(Member::RequestContext)?;
    let flag = members.flag(Member::IsBase64Encoded);
    let body = match members.get(Member::Body) {
        None => Body::Absent("`body`"),
        Some(body) => {
            // Code that logs an event may leave the flag out.
            let looks_encoded = flag.is_none() && body.as_str().is_some_and(seems_base64);
            Body::new(body, flag == Some(true) || looks_encoded)
        }
    };
    Some(Capture {
        shape: Shape::ApiGateway,
        body,
        headers: members.headers(),
        path: members.path().or_else(|| text(context, "path")),
        time: time::first([context.get("requestTimeEpoch"), context.get("timeEpoch")]),
    })
}
