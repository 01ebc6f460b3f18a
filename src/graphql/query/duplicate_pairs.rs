//! `possibleDuplicatePairs`: all pairs of records that may be the same person or organization.

use std::cmp::Reverse;
use std::sync::LazyLock;

use async_graphql::dynamic::{Field, SchemaBuilder, TypeRef};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::core::error::{Result, invalid_cursor};
use crate::core::pagination::{Cursor, Page};
use crate::graphql::projection::ProjectionSet;
use crate::graphql::projection::connection::{PageInfo, project_page_info};
use crate::graphql::projection::json_writer::JsonWriter;
use crate::graphql::projection::output_type::{ObjectProjection, OutputObject, OutputType};
use crate::graphql::projection::selection::Selection;
use crate::graphql::query::likeness::{FEATURE, comparison_of, project_features, types_argument, write_score};
use crate::graphql::schema::builder;
use crate::graphql::schema::builder::{RECORD, input_value};
use crate::graphql::schema::connection::PAGE_INFO;
use crate::store::Store;
use crate::store::likeness::pair::{DuplicatePair, DuplicatePairs};
use crate::store::likeness::score::{Comparison, comparisons};
use crate::store::read::result::ReferencedRows;

/// Name of the root field.
pub(super) const NAME: &str = "possibleDuplicatePairs";
const CONNECTION: &str = "DuplicatePairConnection";
const EDGE: &str = "DuplicatePairEdge";
const PAIR: &str = "DuplicatePair";
/// Name of the list in cursors.
const LIST_NAME: &str = "pairs of possible duplicates";

pub(super) fn field() -> Field {
    let doc = "All pairs of records that may be the same person or organization, the most alike first: those with a score of 0.6 or more. Nothing is merged; see mergePeople and mergeOrganizations.";
    builder::null_only_on_error(builder::field(NAME, TypeRef::named(CONNECTION), doc))
        .argument(types_argument("Only records of these types."))
        .argument(input_value("first", TypeRef::named(TypeRef::INT), "Page size, 0 to 100; default 20."))
        .argument(input_value("after", TypeRef::named(TypeRef::STRING), "Pairs after this cursor."))
}

/// Which record of a pair.
#[derive(Debug, Clone, Copy)]
enum Side {
    First,
    Second,
}

/// The selections of the records of pairs.
#[derive(Default)]
struct PairPlan<'q> {
    record_selections: Vec<(Side, Selection<'q>)>,
}

/// A page of pairs with their records.
struct PairPage {
    pairs: Vec<DuplicatePair>,
    has_next: bool,
    has_previous: bool,
    total: usize,
    is_complete: bool,
    /// Records of the pairs, once for each selection of them.
    records: Vec<(ReferencedRows, ProjectionSet)>,
}

impl PairPage {
    /// The pairs with their positions. A pair with a record that was unpublished meanwhile is left out.
    fn visible(&self) -> impl Iterator<Item = (usize, &DuplicatePair)> {
        self.pairs.iter().enumerate().filter(|(index, _)| self.records.iter().all(|(rows, _)| rows.get(*index).is_some()))
    }
}

/// Writes a field of the page.
type PageWriter = dyn Fn(&PairPage, &mut JsonWriter<'_>) + Send + Sync;
/// Writes a field of the pair at this position.
type PairWriter = dyn Fn(&PairPage, (usize, &DuplicatePair), &mut JsonWriter<'_>) + Send + Sync;

enum PageOutput {}

impl OutputObject for PageOutput {
    type Plan<'q> = PairPlan<'q>;
    type Field = Box<PageWriter>;
}

static CONNECTION_TYPE: LazyLock<OutputType<PageOutput>> = LazyLock::new(|| {
    OutputType::<PageOutput>::new(CONNECTION, "A page of pairs of possible duplicates.")
        .field("edges", TypeRef::named_nn_list_nn(EDGE), "Pairs with cursors.", |selection, plan| {
            Ok(write_pairs(EDGE_TYPE.project(selection, plan)?))
        })
        .field("nodes", TypeRef::named_nn_list_nn(PAIR), "Pairs.", |selection, plan| Ok(write_pairs(PAIR_TYPE.project(selection, plan)?)))
        .field("pageInfo", TypeRef::named_nn(PAGE_INFO), "Position of the page.", |selection, _| {
            let info = project_page_info(selection)?;
            Ok(Box::new(move |page, out| info.write(&page_info(page), out)))
        })
        .field("totalCount", TypeRef::named_nn(TypeRef::INT), "Number of pairs on all pages.", |_, _| {
            Ok(Box::new(|page, out| out.value(page.total)))
        })
        .field(
            "isComplete",
            TypeRef::named_nn(TypeRef::BOOLEAN),
            "Whether all records with like names were compared. If not, more than 30 records share a name, or there are more than 20,000 pairs to compare; the most alike are among those compared.",
            |_, _| Ok(Box::new(|page, out| out.value(page.is_complete))),
        )
});

fn write_pairs(pair: ObjectProjection<Box<PairWriter>>) -> Box<PageWriter> {
    Box::new(move |page, out| out.list(page.visible(), |found, out| pair.write_with(out, |write, out| write(page, found, out))))
}

enum PairOutput {}

impl OutputObject for PairOutput {
    type Plan<'q> = PairPlan<'q>;
    type Field = Box<PairWriter>;
}

static EDGE_TYPE: LazyLock<OutputType<PairOutput>> = LazyLock::new(|| {
    OutputType::<PairOutput>::new(EDGE, "A pair in a list.")
        .field("cursor", TypeRef::named_nn(TypeRef::STRING), "Cursor of the pair.", |_, _| {
            Ok(Box::new(|_, (_, pair), out| out.value(cursor(pair))))
        })
        .field("node", TypeRef::named_nn(PAIR), "The pair.", |selection, plan| {
            let pair = PAIR_TYPE.project(selection, plan)?;
            Ok(Box::new(move |page, found, out| pair.write_with(out, |write, out| write(page, found, out))))
        })
});

static PAIR_TYPE: LazyLock<OutputType<PairOutput>> = LazyLock::new(|| {
    OutputType::<PairOutput>::new(PAIR, "Two records that may be the same person or organization.")
        .field("first", TypeRef::named_nn(RECORD), "The older record.", |selection, plan| Ok(project_record(Side::First, selection, plan)))
        .field("second", TypeRef::named_nn(RECORD), "The newer record.", |selection, plan| {
            Ok(project_record(Side::Second, selection, plan))
        })
        .field(
            "score",
            TypeRef::named_nn(TypeRef::FLOAT),
            "How alike they are, from 0 to 1: the sum of the shares of the features.",
            |_, _| Ok(Box::new(|_, (_, pair), out| write_score(pair.likeness.score, out))),
        )
        .field("features", TypeRef::named_nn_list_nn(FEATURE), "The features that make the score.", |selection, _| {
            let features = project_features(selection)?;
            Ok(Box::new(move |_, (_, pair), out| {
                out.list(pair.likeness.features.iter(), |feature, out| features.write(feature, out));
            }))
        })
});

fn project_record<'q>(side: Side, selection: &Selection<'q>, plan: &mut PairPlan<'q>) -> Box<PairWriter> {
    let place = plan.record_selections.len();
    plan.record_selections.push((side, selection.clone()));
    Box::new(move |page, (position, _), out| {
        let (rows, projections) = &page.records[place];
        out.option(rows.get(position), |row, out| projections.write(row, out));
    })
}

fn cursor(pair: &DuplicatePair) -> String {
    let key = vec![pair.likeness.score.into(), pair.second.to_string().into()];
    Cursor { key, id: pair.first }.encode(LIST_NAME)
}

/// Score, first and second record of a pair, as lists are ordered.
type Position = (Reverse<u32>, Uuid, Uuid);

fn decode_position(cursor: &Cursor) -> Result<Position> {
    let decode = || {
        let [score, second] = cursor.key.as_slice() else { return None };
        Some((Reverse(u32::try_from(score.as_u64()?).ok()?), cursor.id, Uuid::parse_str(second.as_str()?).ok()?))
    };
    decode().ok_or_else(|| invalid_cursor("after", "the cursor is corrupt; start again at the first page"))
}

fn page_info(page: &PairPage) -> PageInfo {
    PageInfo {
        has_next: page.has_next,
        has_previous: page.has_previous,
        start_cursor: page.pairs.first().map(cursor),
        end_cursor: page.pairs.last().map(cursor),
    }
}

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    builder.register(PAIR_TYPE.object()).register(EDGE_TYPE.object()).register(CONNECTION_TYPE.object())
}

/// Writes a page of pairs.
pub(super) async fn write(store: &Store, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let types = selection.non_empty_list_argument("types")?;
    let requested: Vec<&'static Comparison> = if types.is_empty() {
        comparisons().collect()
    } else {
        comparisons().filter(|comparison| types.iter().filter_map(comparison_of).any(|given| given.ty == comparison.ty)).collect()
    };
    let after = selection.string_argument("after");
    let page = Page::from_arguments(selection.int_argument("first"), after.as_deref(), None, None, LIST_NAME)?;
    let after = page.after.as_ref().map(decode_position).transpose()?;
    let mut plan = PairPlan::default();
    let projection = CONNECTION_TYPE.project(selection, &mut plan)?;
    let found = store.duplicate_pairs(&requested).await?;
    let DuplicatePairs { pairs, is_complete } = &*found;
    let total = pairs.len();
    let is_after = |pair: &DuplicatePair| after.is_none_or(|after| (Reverse(pair.likeness.score), pair.first, pair.second) > after);
    let mut rest = pairs.iter().filter(|pair| is_after(pair));
    let pairs: Vec<DuplicatePair> = rest.by_ref().take(page.size as usize).cloned().collect();
    let has_next = rest.next().is_some();
    let mut records = Vec::with_capacity(plan.record_selections.len());
    for (side, selection) in &plan.record_selections {
        let id = |pair: &DuplicatePair| match side {
            Side::First => Some((pair.ty, pair.first)),
            Side::Second => Some((pair.ty, pair.second)),
        };
        let ids: Vec<_> = pairs.iter().map(id).collect();
        let found = requested.iter().map(|comparison| comparison.ty).filter(|ty| pairs.iter().any(|pair| pair.ty == *ty));
        let (plans, projections) = ProjectionSet::new(std::slice::from_ref(selection), found.map(|ty| catalog().get(ty)))?;
        records.push((store.existing_nodes(&plans, &ids).await?, projections));
    }
    let page = PairPage { pairs, has_next, has_previous: after.is_some(), total, is_complete: *is_complete, records };
    projection.write_with(out, |write, out| write(&page, out));
    Ok(())
}
