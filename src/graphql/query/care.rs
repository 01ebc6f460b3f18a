//! `needsCare`: records that need the care of an editor, with the reason.

use std::sync::LazyLock;

use async_graphql::dynamic::{Enum, EnumItem, Field, InputValue, SchemaBuilder, TypeRef};

use crate::catalog::catalog;
use crate::catalog::record::RecordKind;
use crate::core::auth::{Caller, Role};
use crate::core::error::{Result, internal};
use crate::core::pagination::Page;
use crate::entity::RecordType;
use crate::graphql::projection::ProjectionSet;
use crate::graphql::projection::connection::{PageInfo, project_page_info};
use crate::graphql::projection::json_writer::JsonWriter;
use crate::graphql::projection::output_type::{OutputObject, OutputType};
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::builder;
use crate::graphql::schema::builder::RECORD;
use crate::graphql::schema::connection::PAGE_INFO;
use crate::graphql::schema::filter::enum_name;
use crate::store::Store;
use crate::store::care::list::{CareKind, CarePage, CareQuery, care_list_name};
use crate::store::read::result::ReferencedRows;

/// Name of the root field.
pub(super) const NAME: &str = "needsCare";
const CONNECTION: &str = "CareConnection";
const ITEM: &str = "CareItem";
const COUNT: &str = "CareCount";
const KIND: &str = "CareKind";

pub(super) fn field() -> Field {
    let argument = |name: &str, ty: TypeRef, doc: &str| InputValue::new(name, ty).description(doc);
    let doc = "Records that need the care of an editor, by kind and type. A record is listed once for each kind. Editors only.";
    builder::null_only_on_error(builder::field(NAME, TypeRef::named(CONNECTION), doc))
        .argument(argument("kinds", TypeRef::named_nn_list(KIND), "Only these kinds."))
        .argument(argument("types", TypeRef::named_nn_list("RecordType"), "Only records of these types."))
        .argument(argument("first", TypeRef::named(TypeRef::INT), "Page size, 0 to 100; default 20."))
        .argument(argument("after", TypeRef::named(TypeRef::STRING), "Records after this cursor."))
}

fn kind_doc(kind: CareKind) -> &'static str {
    match kind {
        CareKind::WithoutSource => "Neither the record nor a part of it cites a source. Sources, topics and jurisdictions need none.",
        CareKind::DisputedWithoutNote => "Sources disagree, and no citation has a note that explains it.",
        CareKind::NotChecked => "A source or jurisdiction was not checked for a year; see markChecked.",
        CareKind::DeadUrl => "The URL of a source is dead, and there is no URL of an archived copy.",
    }
}

/// What to read of the list.
#[derive(Default)]
struct CarePlan<'q> {
    rows: bool,
    counts: bool,
    record_selections: Vec<Selection<'q>>,
}

/// A page with its records and counts.
struct CareResult {
    page: CarePage,
    /// Indexes of the items whose records still exist.
    visible: Vec<usize>,
    counts: Vec<(CareKind, u64)>,
    /// Records of the page, once for each selection of them.
    records: Vec<(ReferencedRows, ProjectionSet)>,
}

/// Writes a field of the page.
type PageWriter = dyn Fn(&CareResult, &mut JsonWriter<'_>) + Send + Sync;

/// Writes a field of the item with this index.
type ItemWriter = dyn Fn(&CareResult, usize, &mut JsonWriter<'_>) + Send + Sync;

/// Writes a field of a count.
type CountWriter = dyn Fn(CareKind, u64, &mut JsonWriter<'_>) + Send + Sync;

enum ConnectionOutput {}

impl OutputObject for ConnectionOutput {
    type Plan<'q> = CarePlan<'q>;
    type Field = Box<PageWriter>;
}

enum ItemOutput {}

impl OutputObject for ItemOutput {
    type Plan<'q> = CarePlan<'q>;
    type Field = Box<ItemWriter>;
}

enum CountOutput {}

impl OutputObject for CountOutput {
    type Plan<'q> = ();
    type Field = Box<CountWriter>;
}

static CONNECTION_TYPE: LazyLock<OutputType<ConnectionOutput>> = LazyLock::new(|| {
    OutputType::<ConnectionOutput>::new(CONNECTION, "A page of records that need care.")
        .field("nodes", TypeRef::named_nn_list_nn(ITEM), "The records, each with the reason.", |selection, plan| {
            plan.rows = true;
            let item = ITEM_TYPE.project(selection, plan)?;
            Ok(Box::new(move |result, out| {
                out.list(result.visible.iter(), |index, out| item.write_with(out, |write, out| write(result, *index, out)));
            }))
        })
        .field("pageInfo", TypeRef::named_nn(PAGE_INFO), "Position of the page.", |selection, plan| {
            plan.rows = true;
            let info = project_page_info(selection)?;
            Ok(Box::new(move |result, out| info.write(&page_info(&result.page), out)))
        })
        .field("totalCount", TypeRef::named_nn(TypeRef::INT), "Number of records on all pages.", |_, plan| {
            plan.counts = true;
            Ok(Box::new(|result, out| out.value(result.counts.iter().map(|(_, count)| count).sum::<u64>())))
        })
        .field("counts", TypeRef::named_nn_list_nn(COUNT), "Number of records by kind.", |selection, plan| {
            plan.counts = true;
            let count = COUNT_TYPE.project(selection, &mut ())?;
            Ok(Box::new(move |result, out| {
                out.list(result.counts.iter(), |(kind, number), out| count.write_with(out, |write, out| write(*kind, *number, out)));
            }))
        })
});

static ITEM_TYPE: LazyLock<OutputType<ItemOutput>> = LazyLock::new(|| {
    OutputType::<ItemOutput>::new(ITEM, "A record that needs care, and the reason.")
        .field("kind", TypeRef::named_nn(KIND), "The reason.", |_, _| {
            Ok(Box::new(|result, index, out| out.value(result.page.items[index].kind.name())))
        })
        .field("record", TypeRef::named_nn(RECORD), "The record.", |selection, plan| {
            let place = plan.record_selections.len();
            plan.record_selections.push(selection.clone());
            Ok(Box::new(move |result, index, out| {
                let (rows, projections) = &result.records[place];
                out.option(rows.get(index), |row, out| projections.write(row, out));
            }))
        })
});

static COUNT_TYPE: LazyLock<OutputType<CountOutput>> = LazyLock::new(|| {
    OutputType::<CountOutput>::new(COUNT, "Number of records that need care for one reason.")
        .field("kind", TypeRef::named_nn(KIND), "The reason.", |_, ()| Ok(Box::new(|kind, _, out| out.value(kind.name()))))
        .field("count", TypeRef::named_nn(TypeRef::INT), "Number of records.", |_, ()| Ok(Box::new(|_, count, out| out.value(count))))
});

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let kinds = Enum::new(KIND).description("Why a record needs care.");
    let kinds = CareKind::ALL.into_iter().fold(kinds, |kinds, kind| kinds.item(EnumItem::new(kind.name()).description(kind_doc(kind))));
    builder.register(kinds).register(COUNT_TYPE.object()).register(ITEM_TYPE.object()).register(CONNECTION_TYPE.object())
}

fn page_info(page: &CarePage) -> PageInfo {
    PageInfo {
        has_next: page.has_next,
        // pages are read forwards only
        has_previous: false,
        start_cursor: page.items.first().map(|item| item.cursor.clone()),
        end_cursor: page.items.last().map(|item| item.cursor.clone()),
    }
}

fn parse_query(selection: &Selection<'_>) -> Result<CareQuery> {
    // values that are not in the enums are rejected before execution
    let unknown = || internal("an enum value of needsCare is not known");
    let kinds = selection.non_empty_list_argument("kinds")?;
    let types = selection.non_empty_list_argument("types")?;
    Ok(CareQuery {
        kinds: kinds.iter().map(|kind| enum_name(kind).and_then(CareKind::from_name).ok_or_else(unknown)).collect::<Result<_>>()?,
        types: types
            .iter()
            .map(|ty| enum_name(ty).and_then(|name| RecordType::from_prefix(&name.to_lowercase())).ok_or_else(unknown))
            .collect::<Result<_>>()?,
    })
}

/// Writes a page of records that need care.
pub(super) async fn write(store: &Store, caller: &Caller, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    caller.require(Role::Editor)?;
    let query = parse_query(selection)?;
    let page =
        Page::from_arguments(selection.int_argument("first"), selection.string_argument("after").as_deref(), None, None, care_list_name())?;
    let mut plan = CarePlan::default();
    let projection = CONNECTION_TYPE.project(selection, &mut plan)?;
    let page = if plan.rows { store.care_page(&query, &page).await? } else { CarePage::default() };
    let counts = if plan.counts { store.care_counts(&query).await? } else { Vec::new() };
    let ids: Vec<_> = page.items.iter().map(|item| Some((item.ty, item.id))).collect();
    let mut records = Vec::with_capacity(plan.record_selections.len());
    for selection in &plan.record_selections {
        let found =
            catalog().all().filter(|record| record.kind == RecordKind::Record && page.items.iter().any(|item| item.ty == record.ty));
        let (plans, projections) = ProjectionSet::new(std::slice::from_ref(selection), found)?;
        records.push((store.existing_nodes(&plans, &ids).await?, projections));
    }
    // a record that was deleted after the page was read is not listed
    let is_there = |index: &usize| records.iter().all(|(rows, _): &(ReferencedRows, _)| rows.get(*index).is_some());
    let visible = (0..page.items.len()).filter(is_there).collect();
    let result = CareResult { page, visible, counts, records };
    projection.write_with(out, |write, out| write(&result, out));
    Ok(())
}
