//! Items on the way to their records: those that become part of others, and memberships without slugs.

use std::collections::HashMap;

use super::builder::RecordBuilder;
use crate::interchange::popolo::fields::FieldMap;
use crate::interchange::popolo::model::PopoloItem;
use crate::store::draft::Origin;
use crate::store::draft::value_tree::Tree;
use crate::store::write::membership_agreement::MembershipTerms;

/// An event, which memberships refer to as their legislative period, and speeches as their occasion.
#[derive(Debug, Default)]
pub(super) struct ConvertedEvent {
    pub(super) name: Option<String>,
    pub(super) start: Option<Tree>,
    pub(super) end: Option<Tree>,
    pub(super) origin: Origin,
    /// Whether something refers to it.
    pub(super) is_used: bool,
    /// Whether a membership has it as its legislative period.
    pub(super) is_period: bool,
}

/// An area, which memberships and organizations refer to.
#[derive(Debug)]
pub(super) struct NamedArea {
    pub(super) name: String,
    pub(super) origin: Origin,
    pub(super) is_used: bool,
}

/// Items that become part of the records of those that refer to them: posts, motions.
#[derive(Debug, Default)]
pub(super) struct ReferredItems(HashMap<String, (FieldMap, Origin, bool)>);

impl ReferredItems {
    /// The items by their ids.
    pub(super) fn new(items: Vec<PopoloItem>) -> Self {
        Self(items.into_iter().filter_map(|item| Some((item.id?, (item.fields, item.origin, false)))).collect())
    }

    /// The fields of an item, which is then used.
    pub(super) fn fields(&mut self, id: &str) -> Option<FieldMap> {
        let (fields, _, is_used) = self.0.get_mut(id)?;
        *is_used = true;
        Some(fields.clone())
    }

    /// The items that nothing refers to.
    pub(super) fn unused(self) -> impl Iterator<Item = (FieldMap, Origin)> {
        self.0.into_values().filter(|(_, _, is_used)| !is_used).map(|(fields, origin, _)| (fields, origin))
    }
}

/// A converted membership whose slug is not assigned yet, and what tells it from others of the same person in the same
/// organization.
pub(super) struct ConvertedMembership {
    pub(super) id: Option<String>,
    pub(super) builder: RecordBuilder,
    pub(super) person: String,
    pub(super) organization: String,
    pub(super) on_behalf_of: Option<String>,
    pub(super) role: Option<String>,
    pub(super) post: Option<String>,
    pub(super) area: Option<String>,
    /// Name of the legislative period.
    pub(super) period: Option<String>,
    /// Not set if neither a label nor a role is given.
    pub(super) label: Option<String>,
    /// The label that a new record gets.
    pub(super) new_label: String,
    pub(super) start: Option<String>,
    pub(super) end: Option<String>,
    /// Values by which a new membership without an id gets its slug.
    pub(super) identity: String,
}

impl ConvertedMembership {
    /// The values by which it is compared with stored memberships.
    pub(super) fn terms(&self) -> MembershipTerms<'_> {
        let Self { role, post, area, period, start, end, .. } = self;
        let [role, post, area, period, start, end] = [role, post, area, period, start, end].map(Option::as_deref);
        MembershipTerms { role, post, area, period, start, end }
    }
}
