//! The ids that one event connects.

use super::ids::NodeId;

/// The ids of one event that are connected.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ties {
    /// The anonymous id, unless blocked.
    pub anonymous: Option<NodeId>,
    /// The user id, unless blocked or user ids are not used.
    pub user: Option<NodeId>,
    /// The e-mail that the ids are connected to.
    pub identifies: Option<NodeId>,
    /// The previous id of an alias, as anonymous id and as user id.
    pub previous: [Option<NodeId>; 2],
}

impl Ties {
    /// Returns each pair of a source and the target it is connected to.
    #[inline]
    pub fn each(self) -> impl Iterator<Item = (NodeId, NodeId)> {
        let Self { anonymous, user, identifies, previous } = self;
        let to_email = [anonymous, user].map(|id| id.zip(identifies));
        let to_user = [anonymous, previous[0], previous[1]].map(|id| id.zip(user));
        to_email.into_iter().chain(to_user).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_tied_to_the_email_and_to_the_user_id() {
        let [visitor, user, email, previous, other] = [0, 1, 2, 3, 4].map(NodeId::from_raw);
        let each = |ties: Ties| ties.each().collect::<Vec<_>>();
        let known = Ties { anonymous: Some(visitor), user: Some(user), ..Ties::default() };
        assert_eq!(each(known), [(visitor, user)]);
        let identified = [(visitor, email), (user, email), (visitor, user)];
        assert_eq!(each(Ties { identifies: Some(email), ..known }), identified);
        let alias = Ties { anonymous: None, previous: [Some(previous), Some(other)], ..known };
        assert_eq!(each(alias), [(previous, user), (other, user)]);
        let nobody = Ties { user: None, previous: [Some(previous), None], ..known };
        assert_eq!(each(nobody), []);
    }
}
