//! Read plans: a tree with one node per level of a query.
//!
//! A query is planned as a whole and executed by one statement, whatever the number of its levels and rows. Only
//! polymorphic references take statements of their own, since their type is known only once they are read.

use uuid::Uuid;

use crate::catalog::catalog;
use crate::core::filter::Filter;
use crate::core::ids::{ChildId, FieldId, RelationId};
use crate::core::pagination::{Direction, Page};
use crate::entity::RecordType;

/// What to read of the rows of one level: fields and children.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Type of the rows.
    pub ty: RecordType,
    /// The selected fields, in ascending order.
    pub(crate) fields: Vec<FieldId>,
    /// What to read below each row.
    pub(crate) children: Vec<ChildPlan>,
}

/// What to read below each row of a level.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant)] // plans are few, and live as long as a request
pub enum ChildPlan {
    /// The record that a field refers to.
    One(FieldId, Box<Plan>),
    /// The record that a polymorphic field refers to, with a plan for each possible type.
    Any(FieldId, Vec<Plan>),
    /// The record into which the one that a polymorphic field refers to was merged, with a plan for each possible type.
    MergedInto(FieldId, Vec<Plan>),
    /// A page of the list of a relation.
    Many(RelationId, ListPlan),
}

/// A page of a list: its rows, and what to read of them.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "the flags are independent of each other")]
pub struct ListPlan {
    /// The filter of the list.
    pub filter: Filter,
    /// The order of the list: a field and a direction.
    pub order: (FieldId, Direction),
    /// The page.
    pub page: Page,
    /// Whether to read rows; otherwise only counts.
    pub rows: bool,
    /// Whether to read the sort keys of the rows, from which cursors are made.
    pub cursors: bool,
    /// Whether to read one row more than the page has, to tell whether more follow.
    pub probe_next: bool,
    /// Whether to count all rows of the list.
    pub total: bool,
    /// Whether the page has the default size because the request did not give one.
    pub has_default_size: bool,
    /// The facets to count all rows of the list by.
    pub facets: Vec<FacetSpec>,
    /// What to read of each row.
    pub plan: Plan,
}

/// A requested facet.
#[derive(Debug, Clone)]
pub struct FacetSpec {
    /// Index of its dimension.
    pub dimension: usize,
    /// Maximum number of values.
    pub first: u32,
    /// What to read of its values, if they are records.
    pub plan: Option<Plan>,
}

/// A unique key of a record.
#[derive(Debug, Clone)]
pub enum Lookup {
    /// The id.
    Id(Uuid),
    /// The slug.
    Slug(String),
    /// An identifier assigned by an external register.
    Identifier {
        /// The register that assigned it.
        scheme: String,
        /// The identifier itself.
        value: String,
    },
}

impl Plan {
    /// A plan that reads only the id.
    pub fn new(ty: RecordType) -> Self {
        Self { ty, fields: Vec::new(), children: Vec::new() }
    }

    /// Selects a field.
    pub fn select_field(&mut self, field: FieldId) {
        // whether readers may read the field changes of a revision depends on its kind
        if let Some([changes, kind]) = self.revision_fields()
            && field == changes
        {
            self.insert_field(kind);
        }
        self.insert_field(field);
    }

    fn insert_field(&mut self, field: FieldId) {
        if let Err(index) = self.fields.binary_search(&field) {
            self.fields.insert(index, field);
        }
    }

    /// Selects all fields.
    pub fn select_all_fields(&mut self) {
        self.fields = catalog().get(self.ty).fields_with_ids().map(|(id, _)| id).collect();
    }

    /// Adds a child.
    pub fn add_child(&mut self, child: ChildPlan) -> ChildId {
        if let ChildPlan::Any(field, _) | ChildPlan::MergedInto(field, _) = child {
            self.select_field(field);
        }
        self.children.push(child);
        ChildId::new(self.children.len() - 1)
    }

    /// All children with their ids.
    pub fn children_with_ids(&self) -> impl Iterator<Item = (ChildId, &ChildPlan)> {
        self.children.iter().enumerate().map(|(index, child)| (ChildId::new(index), child))
    }

    /// Sets the page size of all lists below that have the default size.
    pub fn set_default_page_size(&mut self, size: u32) {
        for child in &mut self.children {
            match child {
                ChildPlan::One(_, plan) => plan.set_default_page_size(size),
                ChildPlan::Any(_, plans) | ChildPlan::MergedInto(_, plans) => {
                    for plan in plans.iter_mut() {
                        plan.set_default_page_size(size);
                    }
                }
                ChildPlan::Many(_, list) => {
                    if list.has_default_size {
                        (list.page.size, list.probe_next) = (size, true);
                    }
                    list.plan.set_default_page_size(size);
                }
            }
        }
    }

    /// The fields with the field changes and the kind of a revision. Not set for other types.
    fn revision_fields(&self) -> Option<[FieldId; 2]> {
        let revision = catalog().get(RecordType::Revision);
        (self.ty == revision.ty).then(|| ["changes", "kind"].map(|name| revision.known_field(name)))
    }

    /// Indexes of the cells that hold the field changes and the kind of a revision, if the plan selects the former.
    pub(crate) fn revision_changes(&self) -> Option<[usize; 2]> {
        let [changes, kind] = self.revision_fields()?;
        Some([self.fields.binary_search(&changes).ok()?, self.fields.binary_search(&kind).ok()?])
    }

    /// Whether rows need more than the statement of the plan: polymorphic references to fetch, or revisions to redact.
    pub(crate) fn needs_completion(&self) -> bool {
        self.revision_changes().is_some()
            || self.children.iter().any(|child| match child {
                ChildPlan::Any(..) | ChildPlan::MergedInto(..) => true,
                ChildPlan::One(_, plan) => plan.needs_completion(),
                ChildPlan::Many(_, list) => {
                    list.plan.needs_completion() || list.facets.iter().filter_map(|facet| facet.plan.as_ref()).any(Self::needs_completion)
                }
            })
    }

    /// Whether there are lists at any level below.
    pub(crate) fn has_lists(&self) -> bool {
        self.children.iter().any(|child| match child {
            ChildPlan::One(_, plan) => plan.has_lists(),
            ChildPlan::Any(_, plans) | ChildPlan::MergedInto(_, plans) => plans.iter().any(Self::has_lists),
            ChildPlan::Many(..) => true,
        })
    }

    /// Whether only the id is read.
    pub fn is_id_only(&self) -> bool {
        self.fields.is_empty() && self.children.is_empty()
    }
}

impl ListPlan {
    /// The first page of the unfiltered list in its default order, without cursors.
    pub fn new(plan: Plan) -> Self {
        let order = catalog().get(plan.ty).default_order;
        Self {
            filter: Filter::all(),
            order,
            page: Page::default(),
            rows: true,
            cursors: false,
            probe_next: false,
            total: false,
            has_default_size: false,
            facets: Vec::new(),
            plan,
        }
    }

    /// The LIMIT of the statement.
    pub(crate) fn limit(&self) -> u64 {
        u64::from(self.page.size) + u64::from(self.probe_next)
    }
}
