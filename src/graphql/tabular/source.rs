//! Where the rows of a table come from.

use serde_json::Value as Json;

use crate::catalog::catalog;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::Record;
use crate::catalog::relation::Relation;
use crate::core::error::{Result, bad_input};
use crate::core::pagination::Page;
use crate::entity::RecordType;
use crate::graphql::projection::connection::{ConnectionProjection, EdgePart, Part};
use crate::graphql::projection::json_writer::Fields;
use crate::graphql::projection::selection::Selection;
use crate::graphql::projection::{Projection, list_of};
use crate::graphql::query;
use crate::graphql::query::Named;
use crate::graphql::schema::scalar;
use crate::graphql::tabular::Wanted;
use crate::graphql::tabular::value::{Context, MOST};
use crate::store::Store;
use crate::store::read::plan::{ChildPlan, ListPlan, Plan};
use crate::store::read::result::{Cell, RowRef};
use crate::store::read::scan::Scan;

/// What a table is read from.
pub(super) enum Source {
    /// A list of records.
    Walk(Box<Scan>),
    /// The list of a record that is not there.
    Nothing,
    /// The answer to the query.
    Answer(Vec<Json>),
}

/// What a row shows.
pub(super) enum RowShape {
    /// A record.
    Record(Projection),
    /// A record with its place in the list.
    Edge(Fields<EdgePart>),
    /// Whatever the answer has there.
    Json,
}

/// What reads a list of records, what its rows show, and their citations if they are wanted.
pub(super) type Read = (Source, RowShape, Option<Cited>);

/// The list that keys lead to from a field of the root, where it is one of records.
pub(super) async fn list(store: &Store, root: &Selection<'_>, keys: &[String], wanted: &Wanted) -> Result<Option<Read>> {
    let (mut list, shape, way) = match query::named(root)? {
        Some(Named::List(list, connection)) => match of_connection(*list, connection, keys) {
            Some((list, shape)) => (list, shape, None),
            None => return Ok(None),
        },
        Some(Named::Record(record, by)) => match below(root, record, keys)? {
            Some(Below { way, steps, relation, list, shape }) => (list, shape, Some((by, way, steps, relation))),
            None => return Ok(None),
        },
        None => return Ok(None),
    };
    let cited = wanted.sources.then(|| Cited::new(&mut list.plan)).transpose()?;
    list.plan.set_default_page_size(MOST);
    let store = store.snapshot().await?;
    let parent = match way {
        None => None,
        Some((by, way, steps, relation)) => {
            let found = store.get(&by, &way).await?;
            // the record that the way leads to is the one whose list it is
            match (0..steps).fold(found.get(0), |node, _| node?.one(0)) {
                Some(parent) => Some((relation, parent.uuid())),
                None => return Ok(Some((Source::Nothing, shape, cited))),
            }
        }
    };
    let walk = store.scan(list, parent, wanted.limit.unwrap_or(u64::MAX)).await?;
    Ok(Some((Source::Walk(Box::new(walk)), shape, cited)))
}

/// The rows of a connection, where that is what keys lead to.
fn of_connection(list: ListPlan, connection: ConnectionProjection, keys: &[String]) -> Option<(ListPlan, RowShape)> {
    let [key] = keys else { return None };
    let part = connection.parts.into_iter().find(|(name, _)| name.name() == key)?.1;
    match part {
        Part::Nodes(shape) => Some((list, RowShape::Record(shape))),
        Part::Edges(parts) => Some((list, RowShape::Edge(parts))),
        _ => None,
    }
}

/// The list of a record below another.
struct Below {
    /// What to read to find the record.
    way: Plan,
    /// Number of references on the way.
    steps: usize,
    relation: &'static Relation,
    list: ListPlan,
    shape: RowShape,
}

/// The list that keys lead to from a record: by references to one record each, then by a relation.
fn below(selection: &Selection<'_>, record: &'static Record, keys: &[String]) -> Result<Option<Below>> {
    let mut way = Vec::new();
    let (mut selection, mut record) = (selection.clone(), record);
    let mut keys = keys.iter();
    while let Some(key) = keys.next() {
        let next = selection.all_below().into_iter().find(|below| below.name_in_answer() == key);
        let Some(next) = next else { return Ok(None) };
        if let Some(index) = record.relation_index(next.name()) {
            let relation = &record.relations[index];
            let (list, shape) = match relation.short {
                true => {
                    let mut row = Plan::new(relation.target);
                    let shape = Projection::new(std::slice::from_ref(&next), catalog().get(relation.target), &mut row)?;
                    (ListPlan::new(row), RowShape::Record(shape))
                }
                false => {
                    let (list, connection) = list_of(&next, record, relation)?;
                    match of_connection(list, connection, keys.as_slice()) {
                        Some(found) => found,
                        None => return Ok(None),
                    }
                }
            };
            let steps = way.len();
            let way = way.into_iter().rev().fold(Plan::new(record.ty), |inner, (ty, field): (RecordType, usize)| {
                let mut outer = Plan::new(ty);
                outer.add_child(ChildPlan::One(field, Box::new(inner)));
                outer
            });
            return Ok(Some(Below { way, steps, relation, list, shape }));
        }
        match record.field_index(next.name()).map(|index| (index, record.fields[index].kind)) {
            Some((index, FieldKind::One(target))) => {
                way.push((record.ty, index));
                (selection, record) = (next, catalog().get(target));
            }
            _ => return Ok(None),
        }
    }
    Ok(None)
}

/// The items of an answer that keys lead to: those of a list, or the one object.
pub(super) fn items(mut answer: Json, root: &str, keys: &[String]) -> Vec<Json> {
    let mut at = answer.get_mut(root);
    for key in keys {
        at = at.and_then(|value| value.get_mut(key));
    }
    match at.map(Json::take) {
        Some(Json::Array(items)) => items,
        Some(Json::Null) | None => Vec::new(),
        Some(other) => vec![other],
    }
}

/// The citations of each row.
pub(super) struct Cited {
    /// Place of the citations among what is read below a row.
    citations: usize,
    /// Place of the source among what is read below a citation.
    source: usize,
    title: usize,
    publisher: usize,
    url: usize,
}

impl Cited {
    /// Reads the citations of each row too.
    fn new(plan: &mut Plan) -> Result<Self> {
        let record = catalog().get(plan.ty);
        let (citation, source) = (catalog().get(RecordType::Citation), catalog().get(RecordType::Source));
        let missing =
            || bad_input("sources", format_args!("a {} has no sources of its own; make a list of whole records the rows", record.name()));
        let relation = record.relation_index("citations").ok_or_else(missing)?;
        let field = |record: &Record, name| record.field_index(name).ok_or_else(missing);
        let (title, publisher, url) = (field(source, "title")?, field(source, "publisher")?, field(source, "url")?);
        let mut of_source = Plan::new(source.ty);
        [title, publisher, url].into_iter().for_each(|field| of_source.select_field(field));
        let mut of_citation = Plan::new(citation.ty);
        let to = of_citation.add_child(ChildPlan::One(field(citation, "source")?, Box::new(of_source)));
        let list = ListPlan { page: Page::first(MOST), ..ListPlan::new(of_citation) };
        Ok(Self { citations: plan.add_child(ChildPlan::Many(relation, list)), source: to, title, publisher, url })
    }

    /// The sources of a row, each once: title, publisher and address.
    pub(super) fn of(&self, node: RowRef<'_>, context: Context<'_>) -> Option<String> {
        let mut sources: Vec<String> = Vec::new();
        for source in node.many(self.citations)?.nodes().filter_map(|citation| citation.one(self.source)) {
            let title = match source.cell(self.title) {
                Cell::Json(titles) => scalar::best(titles, None, context.languages),
                _ => None,
            };
            let parts = [title, source.cell(self.publisher).as_text(), source.cell(self.url).as_text()];
            let text = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
            if !text.is_empty() && !sources.contains(&text) {
                sources.push(text);
            }
        }
        (!sources.is_empty()).then(|| sources.join("; "))
    }
}
