//! What to read: a tree with one entry for each level of a query, made before anything is read.
//!
//! A query is planned whole, then read by one statement, however many levels and rows it has. Only
//! references to records of any type begin a statement of their own: their type is known when they are read.

use crate::catalog::record::catalog;
use crate::core::filter::Filter;
use crate::core::pagination::{Direction, Page};
use crate::entity::RecordType;
use crate::store::aggregate::facet::FacetSpec;

/// What to read of the rows of one level.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Type of the rows.
    pub ty: RecordType,
    /// Fields to read, in ascending order.
    pub(crate) fields: Vec<usize>,
    /// What to read below.
    pub(crate) children: Vec<ChildPlan>,
}

/// What to read below the rows of a level.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant)] // plans are few, and live as long as a request
pub enum ChildPlan {
    /// The record that a field refers to.
    One(usize, Box<Plan>),
    /// The record that a field refers to, of any of these types.
    Any(usize, Vec<Plan>),
    /// A page of a relation.
    Many(usize, ListPlan),
}

/// Which rows of a list to read, and what of them.
#[derive(Debug, Clone)]
pub struct ListPlan {
    /// Only rows that satisfy this.
    pub filter: Filter,
    /// Order of the rows: a place in the fields, and a direction.
    pub order: (usize, Direction),
    /// Which page of them.
    pub page: Page,
    /// Whether rows are wanted at all, or their number only.
    pub rows: bool,
    /// Whether cursors of the rows are wanted.
    pub cursors: bool,
    /// Whether it is wanted to know if rows follow after the page.
    pub beyond: bool,
    /// Whether the number of all rows is wanted.
    pub total: bool,
    /// Whether the size of the page is not what somebody asked for, but the usual one.
    pub usual: bool,
    /// What all rows are counted by.
    pub facets: Vec<FacetSpec>,
    /// What of each row.
    pub plan: Plan,
}

impl Plan {
    /// Rows of a type, of which nothing but the id is read so far.
    pub fn new(ty: RecordType) -> Self {
        Self { ty, fields: Vec::new(), children: Vec::new() }
    }

    /// Reads this field too.
    pub fn read(&mut self, field: usize) {
        if let Err(index) = self.fields.binary_search(&field) {
            self.fields.insert(index, field);
        }
    }

    /// Reads every field.
    pub fn read_all(&mut self) {
        self.fields = (0..catalog().get(self.ty).fields.len()).collect();
    }

    /// Reads this below the rows; gives its place among what is below.
    pub fn add(&mut self, child: ChildPlan) -> usize {
        if let ChildPlan::Any(field, _) = child {
            self.read(field);
        }
        self.children.push(child);
        self.children.len() - 1
    }

    /// Makes every list below, whose size nobody asked for, as long as this at most.
    pub fn widen(&mut self, most: u32) {
        for child in &mut self.children {
            match child {
                ChildPlan::One(_, plan) => plan.widen(most),
                ChildPlan::Any(_, plans) => plans.iter_mut().for_each(|plan| plan.widen(most)),
                ChildPlan::Many(_, list) => {
                    if list.usual {
                        (list.page.size, list.beyond) = (most, true);
                    }
                    list.plan.widen(most);
                }
            }
        }
    }

    /// Whether there are lists below.
    pub(crate) fn has_lists(&self) -> bool {
        self.children.iter().any(|child| match child {
            ChildPlan::One(_, plan) => plan.has_lists(),
            ChildPlan::Any(_, plans) => plans.iter().any(Self::has_lists),
            ChildPlan::Many(..) => true,
        })
    }

    /// Whether nothing but the id is read.
    pub fn is_bare(&self) -> bool {
        self.fields.is_empty() && self.children.is_empty()
    }
}

impl ListPlan {
    /// The first page of everything, in the order of the type, without cursors.
    pub fn new(plan: Plan) -> Self {
        let order = catalog().get(plan.ty).default_order;
        Self {
            filter: Filter::all(),
            order,
            page: Page::default(),
            rows: true,
            cursors: false,
            beyond: false,
            total: false,
            usual: false,
            facets: Vec::new(),
            plan,
        }
    }

    /// Rows that the statement asks for at most: one more than the page has tells whether there is more.
    pub(crate) fn limit(&self) -> u64 {
        u64::from(self.page.size) + u64::from(self.beyond)
    }
}
