//! How surely two memberships of one person in one organization are the same, if neither says so by an id.

use crate::store::read::membership_lookup::StoredMembership;

/// The values by which memberships of one person in one organization are compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct MembershipTerms<'m> {
    /// Role.
    pub(crate) role: Option<&'m str>,
    /// Post.
    pub(crate) post: Option<&'m str>,
    /// Area that the person represents.
    pub(crate) area: Option<&'m str>,
    /// Legislative period.
    pub(crate) period: Option<&'m str>,
    /// First day, a partial date.
    pub(crate) start: Option<&'m str>,
    /// Last day, a partial date.
    pub(crate) end: Option<&'m str>,
}

impl<'m> From<&'m StoredMembership> for MembershipTerms<'m> {
    fn from(stored: &'m StoredMembership) -> Self {
        let StoredMembership { role, post, area, period, start, end, .. } = stored;
        let [role, post, area, period, start, end] = [role, post, area, period, start, end].map(Option::as_deref);
        Self { role, post, area, period, start, end }
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
            Self::PostAndStart => has_same_post && new.start == stored.start && !new.is_of_other_period(stored),
            Self::Post => has_same_post && !new.is_apart_from(stored),
            Self::Start => new.start.is_some() && new.start == stored.start,
            // another role from another day on is another membership
            Self::Members => !(new.is_apart_from(stored) || differ(new.role, stored.role) && differ(new.start, stored.start)),
        }
    }
}

/// Whether two memberships are one, as far as their values tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sameness {
    /// They are one, and some values of it are corrected at most.
    Same,
    /// They may be one that was corrected, or two.
    Possible,
    /// They are two.
    Other,
}

impl MembershipTerms<'_> {
    /// Whether two memberships are two, and not one that was corrected: one begins after the other ended, or they are of
    /// different legislative periods.
    pub(crate) fn is_apart_from(self, other: MembershipTerms<'_>) -> bool {
        let begins_after = |start: Option<&str>, end: Option<&str>| matches!((start, end), (Some(start), Some(end)) if start >= end);
        let has_same_start = self.start.is_some() && self.start == other.start;
        let is_before_or_after = begins_after(self.start, other.end) || begins_after(other.start, self.end);
        (is_before_or_after && !has_same_start) || self.is_of_other_period(other)
    }

    /// Whether two memberships are of different legislative periods. One that began on the same day has another name for it.
    fn is_of_other_period(self, other: MembershipTerms<'_>) -> bool {
        differ(self.period, other.period) && !(self.start.is_some() && self.start == other.start)
    }

    /// Whether this membership is a stored one. `has_same_label` compares their labels; not set if they are in different languages.
    pub(crate) fn sameness(self, stored: MembershipTerms<'_>, has_same_label: Option<bool>) -> Sameness {
        let has_role = self.role.is_some() && stored.role.is_some();
        let is_other_post = differ(self.role, stored.role)
            || differ(self.post, stored.post)
            || differ(self.area, stored.area)
            || (!has_role && has_same_label == Some(false));
        let has_same_start = matches!((self.start, stored.start), (Some(start), Some(other)) if is_more_precise(start, other));
        let has_other_start = self.start.is_some() && stored.start.is_some() && !has_same_start;
        if (self.is_apart_from(stored) && !has_same_start) || (is_other_post && has_other_start) {
            return Sameness::Other;
        }
        let is_same_post =
            !is_other_post && self.role == stored.role && self.post == stored.post && (has_role || has_same_label == Some(true));
        let has_same_end = match (self.end, stored.end) {
            (Some(end), Some(other)) => is_more_precise(end, other),
            (None, _) | (_, None) => true,
        };
        let is_undated = self.start.is_none() && stored.start.is_none() && has_same_end && has_same_label != Some(false);
        if is_same_post && (has_same_start || is_undated) { Sameness::Same } else { Sameness::Possible }
    }
}

/// Whether two values are known and differ.
fn differ(one: Option<&str>, other: Option<&str>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one != other)
}

/// Whether two partial dates are equal, or one is the other with its month or day.
fn is_more_precise(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn terms<'m>(role: &'m str, start: &'m str, end: &'m str) -> MembershipTerms<'m> {
        let given = |text: &'m str| Some(text).filter(|text| !text.is_empty());
        MembershipTerms { role: given(role), start: given(start), end: given(end), ..MembershipTerms::default() }
    }

    #[rstest]
    #[case::end_given_later(("deputy", "2010", ""), ("deputy", "2010", "2014"), Some(true), Sameness::Same)]
    #[case::end_in_the_year_of_the_start(("deputy", "2010", ""), ("deputy", "2010", "2010"), Some(true), Sameness::Same)]
    #[case::end_corrected(("deputy", "2010", "2013"), ("deputy", "2010", "2014"), Some(true), Sameness::Same)]
    #[case::start_more_precise(("deputy", "2010", ""), ("deputy", "2010-03-01", ""), Some(true), Sameness::Same)]
    #[case::label_corrected(("deputy", "2010", ""), ("deputy", "2010", ""), Some(false), Sameness::Same)]
    #[case::second_term(("deputy", "2010", "2014"), ("deputy", "2014-03", ""), Some(true), Sameness::Other)]
    #[case::start_differs(("deputy", "2010", ""), ("deputy", "2014", ""), Some(true), Sameness::Possible)]
    #[case::start_unknown(("deputy", "2010", ""), ("deputy", "", ""), Some(true), Sameness::Possible)]
    #[case::role_differs(("deputy", "2010", ""), ("chair", "2010", ""), Some(false), Sameness::Possible)]
    #[case::role_and_start_differ(("deputy", "2010", ""), ("chair", "2014", ""), Some(false), Sameness::Other)]
    #[case::labels_alone(("", "", ""), ("", "", ""), Some(true), Sameness::Same)]
    #[case::labels_alone_differ(("", "", ""), ("", "", ""), Some(false), Sameness::Possible)]
    #[case::labels_differ_with_the_start(("", "2010", ""), ("", "2014", ""), Some(false), Sameness::Other)]
    #[case::labels_in_other_languages(("", "2010", ""), ("", "2010", ""), None, Sameness::Possible)]
    #[case::undated_ends_differ(("deputy", "", "2010"), ("deputy", "", "2014"), Some(true), Sameness::Possible)]
    fn values_tell_a_correction_from_another_membership(
        #[case] stored: (&str, &str, &str),
        #[case] given: (&str, &str, &str),
        #[case] has_same_label: Option<bool>,
        #[case] expected: Sameness,
    ) {
        let (stored, given) = (terms(stored.0, stored.1, stored.2), terms(given.0, given.1, given.2));
        assert_eq!(given.sameness(stored, has_same_label), expected);
        assert_eq!(stored.sameness(given, has_same_label), expected);
    }

    #[test]
    fn memberships_of_different_periods_are_two() {
        let of = |period| MembershipTerms { role: Some("deputy"), period: Some(period), ..MembershipTerms::default() };
        assert_eq!(of("5").sameness(of("6"), Some(true)), Sameness::Other);
        assert!(Agreement::ALL.into_iter().all(|agreement| !agreement.holds(of("5"), of("6"))));
        // the period has another name
        let dated = |period| MembershipTerms { start: Some("2010"), ..of(period) };
        assert_eq!(dated("5").sameness(dated("V"), Some(true)), Sameness::Same);
        assert!(Agreement::PostAndStart.holds(dated("5"), dated("V")));
    }

    #[test]
    fn another_role_from_another_day_is_no_correction() {
        let (stored, given) = (terms("deputy", "2010", ""), terms("chair", "2014", ""));
        assert!(Agreement::ALL.into_iter().all(|agreement| !agreement.holds(given, stored)));
    }
}
