//! `search`: one ranked list of records of every type.

use std::sync::LazyLock;

use async_graphql::Value;
use async_graphql::dynamic::{Enum, EnumItem, Field, InputValue, SchemaBuilder, TypeRef};

use crate::catalog::catalog;
use crate::catalog::record::{Record, RecordKind};
use crate::core::error::Result;
use crate::core::pagination::Page;
use crate::entity::RecordType;
use crate::graphql::global_id;
use crate::graphql::projection::ProjectionSet;
use crate::graphql::projection::connection::{PageInfo, project_page_info};
use crate::graphql::projection::json_writer::JsonWriter;
use crate::graphql::projection::output_type::{ObjectProjection, OutputObject, OutputType};
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::builder;
use crate::graphql::schema::builder::RECORD;
use crate::graphql::schema::connection::PAGE_INFO;
use crate::graphql::schema::filter::enum_name;
use crate::store::Store;
use crate::store::read::result::ReferencedRows;
use crate::store::search::query::{Hit, Hits, Search, list_name};

/// Name of the root field.
pub(super) const NAME: &str = "search";
const CONNECTION: &str = "SearchConnection";
const EDGE: &str = "SearchEdge";
const HIT: &str = "SearchHit";
const RECORD_TYPE: &str = "RecordType";

fn searchable_records() -> impl Iterator<Item = &'static Record> {
    catalog().all().filter(|record| record.kind == RecordKind::Record)
}

fn enum_value(record: &Record) -> String {
    record.ty.prefix().to_uppercase()
}

pub(super) fn field() -> Field {
    let argument = |name: &str, ty: TypeRef, doc: &str| InputValue::new(name, ty).description(doc);
    let doc = "Records of every type that contain all of the words, ranked: matches in names before other text, whole words before prefixes. Script, case and diacritics are ignored. If nothing matches, one wrong letter in a name is tolerated.";
    builder::null_only_on_error(builder::field(NAME, TypeRef::named(CONNECTION), doc))
        .argument(argument("query", TypeRef::named_nn(TypeRef::STRING), "Words to search for. Each may be a prefix of a word."))
        .argument(argument("types", TypeRef::named_nn_list(RECORD_TYPE), "Only records of these types."))
        .argument(argument("jurisdiction", TypeRef::named(TypeRef::ID), "Only records of this jurisdiction, by its id."))
        .argument(argument("namesOnly", TypeRef::named(TypeRef::BOOLEAN), "Only matches in names."))
        .argument(argument("first", TypeRef::named(TypeRef::INT), "Page size, 0 to 100; default 20."))
        .argument(argument("after", TypeRef::named(TypeRef::STRING), "Hits after this cursor."))
}

/// The search, and the selections of the records that are hits. Their types are known only when the search is done.
struct SearchPlan<'q> {
    search: Search,
    record_selections: Vec<Selection<'q>>,
}

/// A page of hits with their records.
struct SearchResult {
    hits: Hits,
    /// Indexes of the hits whose records are visible.
    visible: Vec<usize>,
    /// Records of the hits, once for each selection of them.
    records: Vec<(ReferencedRows, ProjectionSet)>,
}

/// Writes a field of a page of hits.
type SearchPageWriter = dyn Fn(&SearchResult, &mut JsonWriter<'_>) + Send + Sync;

/// Writes a field of the hit with this index.
type HitWriter = dyn Fn(&SearchResult, usize, &mut JsonWriter<'_>) + Send + Sync;

enum SearchConnectionOutput {}

impl OutputObject for SearchConnectionOutput {
    type Plan<'q> = SearchPlan<'q>;
    type Field = Box<SearchPageWriter>;
}

static CONNECTION_TYPE: LazyLock<OutputType<SearchConnectionOutput>> = LazyLock::new(|| {
    OutputType::<SearchConnectionOutput>::new(CONNECTION, "A page of hits.")
        .field("edges", TypeRef::named_nn_list_nn(EDGE), "Hits with cursors.", |selection, plan| {
            plan.search.rows = true;
            Ok(write_hits(EDGE_TYPE.project(selection, plan)?))
        })
        .field("nodes", TypeRef::named_nn_list_nn(HIT), "Hits.", |selection, plan| {
            plan.search.rows = true;
            Ok(write_hits(HIT_TYPE.project(selection, plan)?))
        })
        .field("pageInfo", TypeRef::named_nn(PAGE_INFO), "Position of the page.", |selection, plan| {
            plan.search.rows = true;
            let info = project_page_info(selection)?;
            Ok(Box::new(move |result, out| info.write(&page_info(&result.hits), out)))
        })
        .field("totalCount", TypeRef::named_nn(TypeRef::INT), "Number of hits on all pages.", |_, plan| {
            plan.search.total = true;
            Ok(Box::new(|result, out| out.value(result.hits.total.unwrap_or_default())))
        })
});

fn write_hits(hit: ObjectProjection<Box<HitWriter>>) -> Box<SearchPageWriter> {
    Box::new(move |result, out| {
        out.list(result.visible.iter(), |index, out| hit.write_with(out, |write, out| write(result, *index, out)));
    })
}

fn page_info(hits: &Hits) -> PageInfo {
    let cursor = |hit: &Hit| hit.cursor.clone();
    PageInfo {
        has_next: hits.has_next,
        has_previous: hits.has_previous,
        start_cursor: hits.hits.first().map(cursor),
        end_cursor: hits.hits.last().map(cursor),
    }
}

enum SearchHitOutput {}

impl OutputObject for SearchHitOutput {
    type Plan<'q> = SearchPlan<'q>;
    type Field = Box<HitWriter>;
}

static EDGE_TYPE: LazyLock<OutputType<SearchHitOutput>> = LazyLock::new(|| {
    OutputType::<SearchHitOutput>::new(EDGE, "A hit in a list.")
        .field("cursor", TypeRef::named_nn(TypeRef::STRING), "Cursor of the hit.", |_, _| {
            Ok(Box::new(|result, index, out| out.value(&result.hits.hits[index].cursor)))
        })
        .field("node", TypeRef::named_nn(HIT), "The hit.", |selection, plan| {
            let hit = HIT_TYPE.project(selection, plan)?;
            Ok(Box::new(move |result, index, out| hit.write_with(out, |write, out| write(result, index, out))))
        })
});

static HIT_TYPE: LazyLock<OutputType<SearchHitOutput>> = LazyLock::new(|| {
    OutputType::<SearchHitOutput>::new(HIT, "A record that matches a search.")
        .field("record", TypeRef::named_nn(RECORD), "The record.", |selection, plan| {
            let place = plan.record_selections.len();
            plan.record_selections.push(selection.clone());
            Ok(Box::new(move |result, index, out| {
                let (rows, projections) = &result.records[place];
                out.option(rows.get(index), |row, out| projections.write(row, out));
            }))
        })
        .field(
            "snippet",
            TypeRef::named_nn(TypeRef::STRING),
            "Text around the match, as HTML: the text is escaped, and the matching words are in mark elements.",
            |_, plan| {
                plan.search.snippets = true;
                Ok(Box::new(|result, index, out| out.value(&result.hits.hits[index].snippet)))
            },
        )
});

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let types = searchable_records().fold(Enum::new(RECORD_TYPE).description("A type of record."), |types, record| {
        types.item(EnumItem::new(enum_value(record)).description(record.doc))
    });
    builder.register(types).register(HIT_TYPE.object()).register(EDGE_TYPE.object()).register(CONNECTION_TYPE.object())
}

fn parse_arguments(selection: &Selection<'_>) -> Result<Search> {
    let types = selection.non_empty_list_argument("types")?;
    let is_requested = |record: &Record| {
        let value = enum_value(record);
        types.iter().any(|given| enum_name(given) == Some(value.as_str()))
    };
    let jurisdiction = selection.argument("jurisdiction");
    Ok(Search {
        query: selection.string_argument("query").unwrap_or_default(),
        types: searchable_records().filter(|record| is_requested(record)).map(|record| record.ty).collect(),
        names_only: selection.argument("namesOnly") == Some(Value::Boolean(true)),
        jurisdiction: jurisdiction.map(|value| global_id::decode_as(RecordType::Jurisdiction, &value, "jurisdiction")).transpose()?,
        page: Page::from_arguments(
            selection.int_argument("first"),
            selection.string_argument("after").as_deref(),
            None,
            None,
            list_name(),
        )?,
        rows: false,
        snippets: false,
        total: false,
    })
}

/// Searches, fetches the selected fields of the records found, and writes the page.
pub(super) async fn write(store: &Store, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let mut plan = SearchPlan { search: parse_arguments(selection)?, record_selections: Vec::new() };
    let projection = CONNECTION_TYPE.project(selection, &mut plan)?;
    let result = execute(store, &plan).await?;
    projection.write_with(out, |write, out| write(&result, out));
    Ok(())
}

async fn execute(store: &Store, plan: &SearchPlan<'_>) -> Result<SearchResult> {
    let hits = store.search(&plan.search).await?;
    let ids: Vec<_> = hits.hits.iter().map(|hit| Some((hit.ty, hit.id))).collect();
    // one lookup for each selection of the records; there is rarely more than one
    let mut records = Vec::with_capacity(plan.record_selections.len());
    for selection in &plan.record_selections {
        let found = searchable_records().filter(|record| hits.hits.iter().any(|hit| hit.ty == record.ty));
        let (plans, projections) = ProjectionSet::new(std::slice::from_ref(selection), found)?;
        records.push((store.existing_nodes(&plans, &ids).await?, projections));
    }
    // a record that was unpublished after the search is not a hit
    let is_visible = |index: &usize| records.iter().all(|(rows, _): &(ReferencedRows, _)| rows.get(*index).is_some());
    let visible = (0..hits.hits.len()).filter(is_visible).collect();
    Ok(SearchResult { hits, visible, records })
}
