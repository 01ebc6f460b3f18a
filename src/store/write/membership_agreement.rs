//! How surely two memberships of one person in one organization are the same, if neither says so by an id.

use crate::store::read::membership_lookup::StoredMembership;

/// The values by which memberships of one person in one organization are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MembershipTerms<'m> {
    /// Role.
    pub(crate) role: Option<&'m str>,
    /// Post.
    pub(crate) post: Option<&'m str>,
    /// First day, a partial date.
    pub(crate) start: Option<&'m str>,
    /// Last day, a partial date.
    pub(crate) end: Option<&'m str>,
}

impl<'m> From<&'m StoredMembership> for MembershipTerms<'m> {
    fn from(stored: &'m StoredMembership) -> Self {
        let StoredMembership { role, post, start, end, .. } = stored;
        Self { role: role.as_deref(), post: post.as_deref(), start: start.as_deref(), end: end.as_deref() }
    }
}

/// What a membership and a stored one have in common if they are the same, from the surest to the least sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Agreement {
    /// All values.
    All,
    /// Role, post and start.
    PostAndStart,
    /// Role and post.
    Post,
    /// The start.
    Start,
    /// The person and the organization.
    Members,
}

impl Agreement {
    /// From the surest to the least sure.
    pub(crate) const ALL: [Self; 5] = [Self::All, Self::PostAndStart, Self::Post, Self::Start, Self::Members];

    /// Whether two memberships agree in this.
    pub(crate) fn holds(self, new: MembershipTerms<'_>, stored: MembershipTerms<'_>) -> bool {
        let has_same_post = new.role == stored.role && new.post == stored.post;
        match self {
            Self::All => new == stored,
            Self::PostAndStart => has_same_post && new.start == stored.start,
            Self::Post => has_same_post && !new.is_apart_from(stored),
            Self::Start => new.start.is_some() && new.start == stored.start,
            Self::Members => !new.is_apart_from(stored),
        }
    }
}

impl MembershipTerms<'_> {
    /// Whether one of two memberships begins after the other ended: then they are two, and not one that was corrected.
    pub(crate) fn is_apart_from(self, other: MembershipTerms<'_>) -> bool {
        let begins_after = |start: Option<&str>, end: Option<&str>| matches!((start, end), (Some(start), Some(end)) if start >= end);
        begins_after(self.start, other.end) || begins_after(other.start, self.end)
    }
}
