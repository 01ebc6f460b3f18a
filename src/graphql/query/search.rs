//! `search`: one ranked list over records of every type.

use std::collections::HashMap;

use async_graphql::Value;
use async_graphql::dynamic::{Enum, EnumItem, Field, FieldFuture, FieldValue, InputValue, Object, ResolverContext, SchemaBuilder, TypeRef};

use super::{Selection, id, settled, store};
use crate::entity::RecordType;
use crate::error::{Result, bad_input};
use crate::filter;
use crate::graphql::connection::{PAGE_INFO, PageInfo};
use crate::graphql::object::{RECORD, typed};
use crate::page::Page;
use crate::store::record::{Record, Shape, catalog};
use crate::store::row::Node;
use crate::store::search::{Hits, Search, list_name};

const CONNECTION: &str = "SearchConnection";
const EDGE: &str = "SearchEdge";
const HIT: &str = "SearchHit";
const TYPE: &str = "RecordType";

/// A hit with the record that was found.
#[derive(Debug, Clone)]
struct Found {
    node: Node,
    snippet: String,
    cursor: String,
}

/// A page of hits with their records.
#[derive(Debug, Clone)]
struct HitPage {
    hits: Vec<Found>,
    info: PageInfo,
    total: Option<u64>,
}

fn records() -> impl Iterator<Item = &'static Record> {
    catalog().all().filter(|record| record.shape == Shape::Record)
}

fn constant(record: &Record) -> String {
    record.ty.prefix().to_uppercase()
}

pub(super) fn field() -> Field {
    Field::new("search", TypeRef::named(CONNECTION), |ctx| FieldFuture::new(async move { Ok(settled(&ctx, search(&ctx).await.map(|page| Some(FieldValue::owned_any(page))))) }))
        .description("Records of every type that have all of these words, nearest first: names before other text, whole words before beginnings. Script, capitals and diacritics do not matter; where nothing fits, one wrong letter in a name is forgiven.")
        .argument(InputValue::new("query", TypeRef::named_nn(TypeRef::STRING)).description("Words to look for. The last letters of each may be missing."))
        .argument(InputValue::new("types", TypeRef::named_nn_list(TYPE)).description("Only records of these types."))
        .argument(InputValue::new("jurisdiction", TypeRef::named(TypeRef::ID)).description("Only records of this jurisdiction, by its id."))
        .argument(InputValue::new("first", TypeRef::named(TypeRef::INT)).description("Number of hits, 0 to 100; 20 where nothing is asked for."))
        .argument(InputValue::new("after", TypeRef::named(TypeRef::STRING)).description("Only hits after this cursor: the endCursor of the page before."))
}

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let types = records().fold(Enum::new(TYPE).description("A type of record."), |types, record| {
        types.item(EnumItem::new(constant(record)).description(record.doc))
    });
    let hit = Object::new(HIT)
        .description("A record that was found.")
        .field(
            Field::new("record", TypeRef::named_nn(RECORD), |ctx| {
                FieldFuture::Value(ctx.parent_value.downcast_ref::<Found>().map(|found| typed(found.node.clone())))
            })
            .description("The record."),
        )
        .field(
            Field::new("snippet", TypeRef::named_nn(TypeRef::STRING), |ctx| {
                FieldFuture::from_value(ctx.parent_value.downcast_ref::<Found>().map(|found| found.snippet.as_str().into()))
            })
            .description("Text around what was found, as HTML with the words in mark elements and nothing else but escaped text."),
        );
    let edge = Object::new(EDGE)
        .description("A hit, with its place in the list.")
        .field(
            Field::new("cursor", TypeRef::named_nn(TypeRef::STRING), |ctx| {
                FieldFuture::from_value(ctx.parent_value.downcast_ref::<Found>().map(|found| found.cursor.as_str().into()))
            })
            .description("Place of the hit in the list; give it as after."),
        )
        .field(
            Field::new("node", TypeRef::named_nn(HIT), |ctx| {
                FieldFuture::Value(ctx.parent_value.downcast_ref::<Found>().cloned().map(FieldValue::owned_any))
            })
            .description("The hit itself."),
        );
    let rows = |value: &FieldValue<'_>| {
        value.downcast_ref::<HitPage>().map(|page| FieldValue::list(page.hits.iter().cloned().map(FieldValue::owned_any)))
    };
    let connection = Object::new(CONNECTION)
        .description("A page of a list of hits.")
        .field(
            Field::new("edges", TypeRef::named_nn_list_nn(EDGE), move |ctx| FieldFuture::Value(rows(ctx.parent_value)))
                .description("Hits of the page, each with its cursor."),
        )
        .field(
            Field::new("nodes", TypeRef::named_nn_list_nn(HIT), move |ctx| FieldFuture::Value(rows(ctx.parent_value)))
                .description("Hits of the page."),
        )
        .field(
            Field::new("pageInfo", TypeRef::named_nn(PAGE_INFO), |ctx| {
                FieldFuture::Value(ctx.parent_value.downcast_ref::<HitPage>().map(|page| FieldValue::owned_any(page.info.clone())))
            })
            .description("Whether there is more, and where to go on."),
        )
        .field(
            Field::new("totalCount", TypeRef::named_nn(TypeRef::INT), |ctx| {
                FieldFuture::from_value(ctx.parent_value.downcast_ref::<HitPage>().and_then(|page| page.total).map(Into::into))
            })
            .description("Number of all hits. It is counted only when asked for."),
        );
    builder.register(types).register(hit).register(edge).register(connection)
}

async fn search(ctx: &ResolverContext<'_>) -> Result<HitPage> {
    let (store, selection) = (store(ctx)?, Selection::of(ctx.ctx));
    let types = match selection.argument("types") {
        Some(Value::List(types)) => types,
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let types: Vec<RecordType> = records()
        .filter(|record| {
            types.iter().any(|given| {
                matches!(given, Value::Enum(name) if name.as_str() == constant(record))
                    || matches!(given, Value::String(name) if *name == constant(record))
            })
        })
        .map(|record| record.ty)
        .collect();
    let jurisdiction = match selection.argument("jurisdiction") {
        Some(value) => match id(RecordType::Jurisdiction, &value, "jurisdiction")? {
            filter::Value::Id(id) => Some(id),
            _ => return Err(bad_input("jurisdiction", "this is not an id")),
        },
        None => None,
    };
    let page = Page::from_arguments(selection.number("first"), selection.text("after").as_deref(), None, None, list_name())?;
    let (mut rows, mut total) = (false, false);
    let mut hits: Vec<Selection<'_>> = Vec::new();
    for below in selection.below(&[CONNECTION]) {
        match below.name() {
            "totalCount" => total = true,
            "pageInfo" => rows = true,
            "nodes" => hits.push(below),
            "edges" => {
                rows = true;
                hits.extend(below.below(&[EDGE]).into_iter().filter(|below| below.name() == "node"));
            }
            _ => {}
        }
    }
    rows = rows || !hits.is_empty();
    let wanted: Vec<Selection<'_>> = hits.iter().flat_map(|hit| hit.below(&[HIT])).filter(|below| below.name() == "record").collect();
    let found: Hits =
        store.search(&Search { query: selection.text("query").unwrap_or_default(), types, jurisdiction, page, rows, total }).await?;
    let ids: Vec<_> = found.hits.iter().map(|hit| Some((hit.ty, hit.id))).collect();
    let plans = records()
        .filter(|record| found.hits.iter().any(|hit| hit.ty == record.ty))
        .map(|record| crate::graphql::selection::plan(&wanted, record))
        .collect::<Result<Vec<_>>>()?;
    let nodes = store.nodes(&plans, &ids).await?;
    let info = PageInfo {
        has_next: found.has_next,
        has_previous: found.has_previous,
        start: found.hits.first().map(|hit| hit.cursor.clone()),
        end: found.hits.last().map(|hit| hit.cursor.clone()),
    };
    let mut nodes: HashMap<uuid::Uuid, Node> = nodes.into_iter().flatten().map(|node| (node.uuid(), node)).collect();
    let hits = found
        .hits
        .into_iter()
        .filter_map(|hit| Some(Found { node: nodes.remove(&hit.id)?, snippet: hit.snippet, cursor: hit.cursor }))
        .collect();
    Ok(HitPage { hits, info, total: found.total })
}
