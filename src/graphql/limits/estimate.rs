//! Estimates the cost of an operation from its selection, before anything is read: page sizes are multiplied through the
//! levels and summed over all fields, aliased or not.

use async_graphql::Value;
use async_graphql::registry::{MetaType, MetaTypeName, Registry};

use crate::catalog::catalog;
use crate::catalog::record::RecordKind;
use crate::core::pagination::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::entity::RecordType;
use crate::graphql::limits::comparison::comparisons;
use crate::graphql::limits::cost::{Cost, UNPAGED_LIST_LENGTH};
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::builder::NODE;
use crate::graphql::schema::connection::{EDGES, FACETS, NODES, TOTAL_COUNT};
use crate::store::aggregate::query::DEFAULT_GROUPS;
use crate::store::likeness::score::comparisons as compared_types;
use crate::store::read::table_sizes::TableSizes;

/// Records that a count, a facet or statistics count as: they read more rows than they return.
const COUNT_COST: u64 = 20;
/// Parent records whose lists together count as one whole list.
const PARENTS_PER_SCAN: u64 = 100;
/// Records that the state of a record as of a revision counts as: its history is read.
const STATE_NODES: u64 = 100;
/// Whole lists that the state of a record as of a revision counts as: its history, its parts and their references.
const STATE_SCANS: u64 = 5;
/// Type of the entries of the history.
const REVISION: &str = "Revision";
/// Whole lists that the search for duplicates of a record counts as: its names are compared with those of all others.
const DUPLICATES_SCANS: u64 = 5;
/// Whole lists that all pairs of possible duplicates count as: the names of all records are compared.
const DUPLICATE_PAIRS_SCANS: u64 = 20;
/// Records that all pairs of possible duplicates count as: up to 20,000 pairs are compared.
const DUPLICATE_PAIRS_NODES: u64 = 2_000;
/// Matches of a candidate if the request does not say how many.
const DEFAULT_MATCHES: u64 = 5;
/// Lists that `needsCare` reads: one for each kind and type.
const CARE_SCANS: u64 = 30;
/// Records and values of the description of the whole schema.
const SCHEMA_NODES: u64 = 1_000;
const SCHEMA_VALUES: u64 = 100_000;
/// Records and values of the description of a type.
const TYPE_NODES: u64 = 20;
const TYPE_VALUES: u64 = 2_000;

/// Estimates costs by a schema and the sizes of the tables.
#[derive(Clone, Copy)]
pub(crate) struct CostEstimator<'r> {
    pub(crate) registry: &'r Registry,
    pub(crate) sizes: &'r TableSizes,
    /// Name of the type of the root fields.
    pub(crate) root: &'r str,
}

/// Where fields are selected.
#[derive(Debug, Clone, Copy)]
struct Place<'p> {
    /// Type of the records.
    parent: &'p str,
    /// Number of the records.
    rows: u64,
    /// Assumed length of lists of the records that are not paginated.
    list_length: u64,
}

impl Place<'_> {
    /// Whole lists that one list of each record counts as.
    fn scans(&self) -> u64 {
        self.rows.div_ceil(PARENTS_PER_SCAN)
    }
}

impl CostEstimator<'_> {
    /// The cost of root fields. The fields of a subscription cost as much as a page of its events.
    pub(crate) fn operation(&self, roots: &[Selection<'_>], is_subscription: bool) -> Cost {
        let mut cost = Cost::default();
        let rows = if is_subscription { u64::from(MAX_PAGE_SIZE) } else { 1 };
        self.fields(Place { parent: self.root, rows, list_length: UNPAGED_LIST_LENGTH }, roots, &mut cost);
        cost
    }

    fn fields(&self, place: Place<'_>, selections: &[Selection<'_>], cost: &mut Cost) {
        for selection in selections {
            self.field(place, selection, cost);
        }
    }

    fn field(&self, place: Place<'_>, selection: &Selection<'_>, cost: &mut Cost) {
        let place = Place { parent: selection.type_condition.unwrap_or(place.parent), ..place };
        let is_root = place.parent == self.root;
        if is_root {
            add_fixed(selection.name(), selection, cost);
            if selection.name() == "possibleDuplicatePairs" {
                // the keys are read to count them, and again to find the pairs
                add(&mut cost.scanned, 2, comparisons_of_likeness().map(|ty| self.sizes.of(ty)).fold(0, u64::saturating_add));
            }
        }
        let field = self.registry.types.get(place.parent).and_then(|ty| ty.field_by_name(selection.name()));
        // a meta field, such as __typename
        let Some(field) = field else { return add(&mut cost.values, place.rows, 1) };
        let name = MetaTypeName::concrete_typename(&field.ty);
        let is_list = field.ty.contains('[');
        if !self.registry.types.get(name).is_some_and(MetaType::is_composite) {
            let length = if is_list { place.list_length } else { 1 };
            return add(&mut cost.values, place.rows, length);
        }
        if let Some(record) = name.strip_suffix("Connection") {
            return self.connection(place, selection, (name, record), is_root, cost);
        }
        let below = selection.subfields_of_each_type();
        if is_root && selection.name() == "match" {
            let rows = selection.list_argument("candidates").len() as u64;
            let list_length = page_size(selection).unwrap_or(DEFAULT_MATCHES);
            return self.fields(Place { parent: name, rows, list_length }, &below, cost);
        }
        if let Some(record) = name.strip_suffix("Statistics") {
            let groups = page_size(selection).unwrap_or(u64::from(DEFAULT_GROUPS));
            let lists = 1 + selection.list_argument("groupBy").len() as u64;
            self.count(place, selection, lists, record, is_root, cost);
            add(&mut cost.nodes, place.rows, COUNT_COST);
            return self.fields(Place { parent: name, list_length: groups, ..place }, &below, cost);
        }
        let length = match selection.argument("ids") {
            _ if !is_list => 1,
            Some(Value::List(ids)) => ids.len() as u64,
            _ => page_size(selection).unwrap_or(place.list_length),
        };
        let rows = place.rows.saturating_mul(length);
        add(&mut cost.nodes, rows, u64::from(self.is_record(name)));
        self.fields(Place { parent: name, rows, list_length: UNPAGED_LIST_LENGTH }, &below, cost);
    }

    /// Adds a page and the fields beside its rows.
    fn connection(&self, place: Place<'_>, selection: &Selection<'_>, (name, record): (&str, &str), is_root: bool, cost: &mut Cost) {
        // nodes and edges return the same rows
        let (row_fields, others): (Vec<_>, Vec<_>) =
            selection.subfields_of_each_type().into_iter().partition(|below| matches!(below.name(), NODES | EDGES));
        if !row_fields.is_empty() {
            if selection.argument("filter").is_some() {
                self.count(place, selection, 1, record, is_root, cost);
            }
            // a page size above the maximum is rejected where the page is read
            let size = page_size(selection).unwrap_or(u64::from(DEFAULT_PAGE_SIZE)).min(u64::from(MAX_PAGE_SIZE));
            let rows = place.rows.saturating_mul(size);
            add(&mut cost.nodes, rows, 1);
            for field in row_fields {
                let parent = self.type_of(name, field.name());
                let place = Place { parent, rows, list_length: UNPAGED_LIST_LENGTH };
                let below = field.subfields_of_each_type();
                if field.name() == NODES {
                    self.fields(place, &below, cost);
                    continue;
                }
                for field in below {
                    if field.name() == "node" {
                        let place = Place { parent: self.type_of(parent, "node"), ..place };
                        self.fields(place, &field.subfields_of_each_type(), cost);
                    } else {
                        self.field(place, &field, cost);
                    }
                }
            }
        }
        for other in others {
            let is_facets = other.name() == FACETS;
            let lists = if is_facets { other.list_argument("by").len() as u64 } else { 1 };
            if is_facets || other.name() == TOTAL_COUNT {
                self.count(place, selection, lists, record, is_root, cost);
                add(&mut cost.nodes, place.rows.saturating_mul(lists), COUNT_COST);
            }
            if is_facets {
                let rows = place.rows.saturating_mul(lists);
                let list_length = page_size(&other).unwrap_or(UNPAGED_LIST_LENGTH);
                self.fields(Place { parent: self.type_of(name, FACETS), rows, list_length }, &other.subfields_of_each_type(), cost);
            } else {
                self.field(Place { parent: name, list_length: UNPAGED_LIST_LENGTH, ..place }, &other, cost);
            }
        }
    }

    /// Adds the evaluation of the filter of a list on whole lists.
    fn count(&self, place: Place<'_>, list: &Selection<'_>, lists: u64, record: &str, is_root: bool, cost: &mut Cost) {
        let scans = place.scans().saturating_mul(lists);
        add(&mut cost.scans, scans, 1);
        let filter = list.argument("filter");
        if let Some(filter) = &filter {
            add(&mut cost.filter_values, scans, filter_values(filter));
        }
        if is_root {
            let found = catalog().all().find(|known| known.name() == record);
            let (size, compared) = match (found, &filter) {
                // the history has a revision or more of each record
                _ if record == REVISION => (self.sizes.of_records(), self.sizes.of_records().saturating_mul(2)),
                (Some(record), Some(filter)) => (self.sizes.of(record.ty), comparisons(self.sizes, record, filter)),
                (Some(record), None) => (self.sizes.of(record.ty), self.sizes.of(record.ty)),
                // other lists, such as saved queries, are short
                (None, _) => (0, 0),
            };
            add(&mut cost.scanned, lists, size);
            add(&mut cost.comparisons, lists, compared);
        }
    }

    /// Type of a field of a type.
    fn type_of(&self, ty: &str, field: &str) -> &str {
        let field = self.registry.types.get(ty).and_then(|ty| ty.field_by_name(field));
        field.map(|field| MetaTypeName::concrete_typename(&field.ty)).unwrap_or_default()
    }

    fn is_record(&self, name: &str) -> bool {
        match self.registry.types.get(name) {
            Some(MetaType::Object { .. }) => self.registry.implements.get(name).is_some_and(|interfaces| interfaces.contains(NODE)),
            Some(MetaType::Interface { .. } | MetaType::Union { .. }) => true,
            _ => false,
        }
    }
}

/// Adds what a root field reads whatever its selection.
fn add_fixed(name: &str, selection: &Selection<'_>, cost: &mut Cost) {
    let (nodes, values, scans) = match name {
        "__schema" => (SCHEMA_NODES, SCHEMA_VALUES, 0),
        "__type" => (TYPE_NODES, TYPE_VALUES, 0),
        "recordState" => (STATE_NODES, 0, STATE_SCANS),
        "compareRevisions" => (2 * STATE_NODES, 0, 2 * STATE_SCANS),
        "needsCare" => (COUNT_COST, 0, CARE_SCANS),
        "possibleDuplicates" => (COUNT_COST, 0, DUPLICATES_SCANS),
        "possibleDuplicatePairs" => (DUPLICATE_PAIRS_NODES, 0, DUPLICATE_PAIRS_SCANS),
        // each candidate is looked up by its keys, and searched if they find nothing
        "match" => {
            let candidates = selection.list_argument("candidates").len() as u64;
            (candidates.saturating_mul(COUNT_COST), 0, candidates.saturating_mul(2))
        }
        "savedQueries" => (page_size(selection).unwrap_or(u64::from(DEFAULT_PAGE_SIZE)), 0, 1),
        "dataset" if selection.all_subfields().iter().any(|below| below.name() == "records") => {
            (COUNT_COST, 0, catalog().all().filter(|record| record.kind == RecordKind::Record).count() as u64)
        }
        "search" => {
            let words = |text: &str| text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).count() as u64;
            // the argument is required
            (0, 0, selection.string_argument("query").map_or(u64::MAX, |text| words(&text).max(1)))
        }
        "changed" => {
            if let Some(filter) = selection.argument("filter") {
                cost.filter_values = cost.filter_values.saturating_add(filter_values(&filter));
            }
            (0, 0, 0)
        }
        // the cost of other root fields follows from their arguments and selections
        _ => (0, 0, 0),
    };
    add(&mut cost.nodes, nodes, 1);
    add(&mut cost.values, values, 1);
    add(&mut cost.scans, scans, 1);
}

/// Types whose records are compared with each other.
fn comparisons_of_likeness() -> impl Iterator<Item = RecordType> {
    compared_types().map(|comparison| comparison.ty)
}

/// Conditions of a filter and their values: each member that holds another condition, and each scalar.
fn filter_values(filter: &Value) -> u64 {
    match filter {
        Value::Object(members) => members.values().filter(|value| **value != Value::Null).fold(0, |sum: u64, value| {
            let nests = matches!(value, Value::Object(_));
            sum.saturating_add(u64::from(nests)).saturating_add(filter_values(value))
        }),
        Value::List(items) => items.iter().map(filter_values).fold(0, u64::saturating_add),
        Value::Null => 0,
        Value::Number(_) | Value::String(_) | Value::Boolean(_) | Value::Binary(_) | Value::Enum(_) => 1,
    }
}

fn add(sum: &mut u64, times: u64, amount: u64) {
    *sum = sum.saturating_add(times.saturating_mul(amount));
}

/// Requested page size.
fn page_size(selection: &Selection<'_>) -> Option<u64> {
    selection.int_argument("first").or_else(|| selection.int_argument("last")).map(|size| size.max(0).unsigned_abs())
}
