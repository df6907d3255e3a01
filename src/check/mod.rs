//! Fixtures held against a tracking plan and mapping rules.
//!
//! [`examine`] holds each event against both and [`locate`] finds in the text what is wrong there;
//! [`rule`] and [`coverage`] look at the rules and the plan themselves, [`snapshot`] at what a run
//! makes of the fixtures. What they find is plain values ([`finding`]) that any report can be made
//! of.

pub mod coverage;
pub mod examine;
pub mod finding;
pub mod flaw;
pub mod locate;
pub mod place;
pub mod rule;
pub mod snapshot;
pub mod verdict;
