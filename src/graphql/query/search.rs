//! `search`: one ranked list over records of every type.

use async_graphql::dynamic::{Enum, EnumItem, Field, InputValue, Object, SchemaBuilder, TypeRef};

use super::id;
use crate::catalog::catalog;
use crate::catalog::record::{Record, RecordKind};
use crate::core::error::{Result, bad_input};
use crate::core::filter;
use crate::core::pagination::Page;
use crate::entity::RecordType;
use crate::graphql::projection::ProjectionSet;
use crate::graphql::projection::connection::{InfoPart, PAGE_INFO, PageInfo, info_parts, write_info};
use crate::graphql::projection::json_writer::{Fields, JsonWriter};
use crate::graphql::projection::selection::{Selection, below};
use crate::graphql::schema::filter::enum_name;
use crate::graphql::schema::object;
use crate::graphql::schema::object::RECORD;
use crate::store::Store;
use crate::store::read::result::RowRef;
use crate::store::search::query::{Hit, Search, list_name};

/// Name of the field.
pub(super) const NAME: &str = "search";
const CONNECTION: &str = "SearchConnection";
const EDGE: &str = "SearchEdge";
const HIT: &str = "SearchHit";
const TYPE: &str = "RecordType";

/// What is shown of a page of hits.
enum Part {
    TypeName,
    Edges(Fields<EdgePart>),
    Nodes(Fields<HitPart>),
    PageInfo(Fields<InfoPart>),
    TotalCount,
}

enum EdgePart {
    TypeName,
    Cursor,
    Node(Fields<HitPart>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HitPart {
    TypeName,
    /// The record, as the shapes at this place show it.
    Record(usize),
    Snippet,
}

fn records() -> impl Iterator<Item = &'static Record> {
    catalog().all().filter(|record| record.shape == RecordKind::Record)
}

fn constant(record: &Record) -> String {
    record.ty.prefix().to_uppercase()
}

pub(super) fn field() -> Field {
    object::field(NAME, TypeRef::named(CONNECTION), "Records of every type that have all of these words, nearest first: names before other text, whole words before beginnings. Script, capitals and diacritics do not matter; where nothing fits, one wrong letter in a name is forgiven.")
        .argument(InputValue::new("query", TypeRef::named_nn(TypeRef::STRING)).description("Words to look for. The last letters of each may be missing."))
        .argument(InputValue::new("types", TypeRef::named_nn_list(TYPE)).description("Only records of these types."))
        .argument(InputValue::new("jurisdiction", TypeRef::named(TypeRef::ID)).description("Only records of this jurisdiction, by its id."))
        .argument(InputValue::new("first", TypeRef::named(TypeRef::INT)).description("Number of hits, 0 to 100; 20 where nothing is asked for."))
        .argument(InputValue::new("after", TypeRef::named(TypeRef::STRING)).description("Only hits after this cursor: the endCursor of the page before."))
}

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let field = object::field;
    let types = records().fold(Enum::new(TYPE).description("A type of record."), |types, record| {
        types.item(EnumItem::new(constant(record)).description(record.doc))
    });
    let hit = Object::new(HIT)
        .description("A record that was found.")
        .field(field("record", TypeRef::named_nn(RECORD), "The record."))
        .field(field(
            "snippet",
            TypeRef::named_nn(TypeRef::STRING),
            "Text around what was found, as HTML with the words in mark elements and nothing else but escaped text.",
        ));
    let edge = Object::new(EDGE)
        .description("A hit, with its place in the list.")
        .field(field("cursor", TypeRef::named_nn(TypeRef::STRING), "Place of the hit in the list; give it as after."))
        .field(field("node", TypeRef::named_nn(HIT), "The hit itself."));
    let connection = Object::new(CONNECTION)
        .description("A page of a list of hits.")
        .field(field("edges", TypeRef::named_nn_list_nn(EDGE), "Hits of the page, each with its cursor."))
        .field(field("nodes", TypeRef::named_nn_list_nn(HIT), "Hits of the page."))
        .field(field("pageInfo", TypeRef::named_nn(PAGE_INFO), "Whether there is more, and where to go on."))
        .field(field("totalCount", TypeRef::named_nn(TypeRef::INT), "Number of all hits. It is counted only when asked for."));
    builder.register(types).register(hit).register(edge).register(connection)
}

/// Reads what to search for.
fn read(selection: &Selection<'_>) -> Result<Search> {
    let types = selection.items("types");
    let is_wanted = |record: &Record| {
        let name = constant(record);
        types.iter().any(|given| enum_name(given) == Some(name.as_str()))
    };
    let jurisdiction = match selection.argument("jurisdiction") {
        Some(value) => match id(RecordType::Jurisdiction, &value, "jurisdiction")? {
            filter::FilterValue::Id(id) => Some(id),
            _ => return Err(bad_input("jurisdiction", "this is not an id")),
        },
        None => None,
    };
    Ok(Search {
        query: selection.text("query").unwrap_or_default(),
        types: records().filter(|record| is_wanted(record)).map(|record| record.ty).collect(),
        jurisdiction,
        page: Page::from_arguments(selection.number("first"), selection.text("after").as_deref(), None, None, list_name())?,
        rows: false,
        snippets: false,
        total: false,
    })
}

/// What a selection shows of hits; selections of their records are added to those that there are.
fn hit_parts<'a>(selection: &Selection<'a>, search: &mut Search, wanted: &mut Vec<Selection<'a>>) -> Fields<HitPart> {
    let mut parts = Fields::new();
    for below in selection.below(&[HIT]) {
        let key = below.key();
        let part = match below.name() {
            "record" => {
                wanted.push(below);
                HitPart::Record(wanted.len() - 1)
            }
            "snippet" => {
                search.snippets = true;
                HitPart::Snippet
            }
            _ => HitPart::TypeName,
        };
        parts.push((key, part));
    }
    parts
}

fn edge_parts<'a>(selection: &Selection<'a>, search: &mut Search, wanted: &mut Vec<Selection<'a>>) -> Fields<EdgePart> {
    let part = |below: Selection<'a>| {
        let part = match below.name() {
            "cursor" => EdgePart::Cursor,
            "node" => EdgePart::Node(hit_parts(&below, search, wanted)),
            _ => EdgePart::TypeName,
        };
        (below.key(), part)
    };
    selection.below(&[EDGE]).into_iter().map(part).collect()
}

/// Searches, reads what is selected of the records that were found, and writes the page.
pub(super) async fn write(store: &Store, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let mut search = read(selection)?;
    let (mut parts, mut wanted) = (Fields::new(), Vec::new());
    for below in below(std::slice::from_ref(selection), &[CONNECTION]) {
        let part = match below.name() {
            "edges" => Part::Edges(edge_parts(&below, &mut search, &mut wanted)),
            "nodes" => Part::Nodes(hit_parts(&below, &mut search, &mut wanted)),
            "pageInfo" => Part::PageInfo(info_parts(&below)),
            "totalCount" => Part::TotalCount,
            _ => Part::TypeName,
        };
        match part {
            Part::TypeName => {}
            Part::TotalCount => search.total = true,
            _ => search.rows = true,
        }
        parts.push((below.key(), part));
    }
    let hits = store.search(&search).await?;
    let ids: Vec<_> = hits.hits.iter().map(|hit| Some((hit.ty, hit.id))).collect();
    // the record is looked up once for each place where it is shown, nearly always one
    let mut shown = Vec::with_capacity(wanted.len());
    for selection in &wanted {
        let found = records().filter(|record| hits.hits.iter().any(|hit| hit.ty == record.ty));
        let (plans, shapes) = ProjectionSet::new(std::slice::from_ref(selection), found)?;
        shown.push((store.existing_nodes(&plans, &ids).await?, shapes));
    }
    let info = PageInfo {
        has_next: hits.has_next,
        has_previous: hits.has_previous,
        start: hits.hits.first().map(|hit| hit.cursor.clone()),
        end: hits.hits.last().map(|hit| hit.cursor.clone()),
    };
    // a record that was taken back since it was found is no hit any more
    let there = |place: &usize| shown.iter().all(|(records, _)| records.get(*place).is_some());
    let places: Vec<usize> = (0..hits.hits.len()).filter(there).collect();
    let record = |shown_at: usize, place: usize, out: &mut JsonWriter<'_>| {
        let (records, shapes) = &shown[shown_at];
        out.option(records.get(place), |node: RowRef<'_>, out| shapes.write(node, out));
    };
    let write_hit = |parts: &Fields<HitPart>, hit: &Hit, place: usize, out: &mut JsonWriter<'_>| {
        out.object(parts, |part, out| match part {
            HitPart::TypeName => out.value(HIT),
            HitPart::Record(shown_at) => record(*shown_at, place, out),
            HitPart::Snippet => out.value(&hit.snippet),
        });
    };
    out.object(&parts, |part, out| match part {
        Part::TypeName => out.value(CONNECTION),
        Part::TotalCount => out.value(hits.total.unwrap_or_default()),
        Part::PageInfo(parts) => write_info(parts, &info, out),
        Part::Nodes(parts) => out.list(places.iter(), |place, out| write_hit(parts, &hits.hits[*place], *place, out)),
        Part::Edges(parts) => out.list(places.iter(), |place, out| {
            out.object(parts, |part, out| match part {
                EdgePart::TypeName => out.value(EDGE),
                EdgePart::Cursor => out.value(&hits.hits[*place].cursor),
                EdgePart::Node(parts) => write_hit(parts, &hits.hits[*place], *place, out),
            });
        }),
    });
    Ok(())
}
