//! The root of all queries: one record, lists of records, and search.

mod search;

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::dynamic::{Field, FieldFuture, FieldValue, InputObject, InputValue, Object, ResolverContext, SchemaBuilder, TypeRef};
use async_graphql::{PathSegment, Response, Value};

use super::connection::{connection_name, with_arguments};
use super::error::report;
use super::filter::{described, id};
use super::object::{NODE, typed};
use super::selection::Selection;
use crate::entity::RecordType;
use crate::error::{Result, bad_input, internal};
use crate::filter;
use crate::store::db::Store;
use crate::store::fetch::By;
use crate::store::record::{Record, Shape, catalog};

/// Name of the root type.
pub(super) const NAME: &str = "Query";
const IDENTIFIER_BY: &str = "IdentifierBy";
/// Ids that `nodes` takes at most.
const MAX_IDS: usize = 100;

pub(super) fn register(mut builder: SchemaBuilder) -> SchemaBuilder {
    let mut query = Object::new(NAME)
        .description("Everything that can be asked.")
        .field(
            Field::new("node", TypeRef::named(NODE), |ctx| FieldFuture::new(async move { Ok(settled(&ctx, node(&ctx).await)) }))
                .description("Any record or part, by its id. The old id of a merged record leads to the record it became.")
                .argument(
                    InputValue::new("id", TypeRef::named_nn(TypeRef::ID)).description("Id, such as person_01h455vb4pex5vsknk084sn02q."),
                ),
        )
        .field(
            Field::new("nodes", TypeRef::named_list(NODE), |ctx| FieldFuture::new(async move { Ok(settled(&ctx, nodes(&ctx).await)) }))
                .description(
                    "Any records and parts, by their ids, in the order of the ids; nothing in the place of an id that leads nowhere.",
                )
                .argument(InputValue::new("ids", TypeRef::named_nn_list_nn(TypeRef::ID)).description("Ids, at most 100.")),
        )
        .field(search::field());
    for record in catalog().all().filter(|record| !record.plural.is_empty()) {
        let this = described(record);
        query = query
            .field(
                Field::new(record.singular(), TypeRef::named(record.name()), move |ctx| {
                    FieldFuture::new(async move { Ok(settled(&ctx, one(&ctx, record).await)) })
                })
                .description(format!("One {this}; nothing where there is none."))
                .argument(InputValue::new("by", TypeRef::named_nn(by_name(record))).description("How it is named.")),
            )
            .field(with_arguments(
                Field::new(record.plural, TypeRef::named(connection_name(record)), move |ctx| {
                    FieldFuture::new(async move { Ok(settled(&ctx, page(&ctx, record).await)) })
                })
                .description(format!("All {this} records, page by page.")),
                record,
            ));
        builder = builder.register(by_input(record));
    }
    builder = builder.register(
        InputObject::new(IDENTIFIER_BY)
            .description("An identifier that another register gave a record.")
            .field(InputValue::new("scheme", TypeRef::named_nn(TypeRef::STRING)).description("The register."))
            .field(InputValue::new("value", TypeRef::named_nn(TypeRef::STRING)).description("The identifier.")),
    );
    search::register(builder).register(query)
}

/// Places in lists of nodes where nothing was found. The framework cannot give a null inside a list of
/// an interface, so the nulls are put in when the rest is done.
#[derive(Debug, Clone, Default)]
pub(super) struct Gaps(Arc<Mutex<Vec<Gap>>>);

/// Places in the list that one root field gives.
#[derive(Debug)]
struct Gap {
    key: String,
    places: Vec<usize>,
}

impl Gaps {
    fn note(&self, key: &str, places: Vec<usize>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Gap { key: key.to_owned(), places });
    }

    /// Puts the nulls in, and sets the paths of errors behind them right.
    pub(super) fn fill(&self, response: &mut Response) {
        for Gap { key, places } in self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let Value::Object(data) = &mut response.data else { continue };
            let Some(Value::List(list)) = data.get_mut(key.as_str()) else { continue };
            for place in places {
                list.insert(place.min(list.len()), Value::Null);
                for error in &mut response.errors {
                    if let [PathSegment::Field(field), PathSegment::Index(index), ..] = error.path.as_mut_slice()
                        && *field == key
                        && *index >= place
                    {
                        *index += 1;
                    }
                }
            }
        }
    }
}

fn by_name(record: &Record) -> String {
    format!("{}By", record.name())
}

fn by_input(record: &Record) -> InputObject {
    let input = InputObject::new(by_name(record))
        .oneof()
        .description(format!("One way to name a {}.", described(record)))
        .field(InputValue::new("id", TypeRef::named(TypeRef::ID)).description("By its id."));
    match record.shape {
        Shape::Record => input.field(InputValue::new("slug", TypeRef::named(TypeRef::STRING)).description("By its slug.")).field(
            InputValue::new("identifier", TypeRef::named(IDENTIFIER_BY)).description("By an identifier that another register gave it."),
        ),
        _ => input,
    }
}

fn read_by(record: &Record, value: &Value) -> Result<By> {
    let Value::Object(given) = value else { return Err(bad_input("by", "name the record by one of its ways")) };
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        _ => String::new(),
    };
    match given.iter().find(|(_, value)| **value != Value::Null) {
        Some((name, value)) if name == "id" => match id(record.ty, value, "by.id")? {
            filter::Value::Id(id) => Ok(By::Id(id)),
            _ => Err(bad_input("by.id", "this is not an id")),
        },
        Some((name, value)) if name == "slug" => Ok(By::Slug(text(value))),
        Some((_, Value::Object(identifier))) => {
            let part = |name| identifier.get(name).map(text).unwrap_or_default();
            Ok(By::Identifier { scheme: part("scheme"), value: part("value") })
        }
        _ => Err(bad_input("by", "name the record by one of its ways")),
    }
}

/// What a root field gives: it has read all that is selected below it, and what is below only looks it up.
fn settled<'a>(ctx: &ResolverContext<'_>, result: Result<Option<FieldValue<'a>>>) -> Option<FieldValue<'a>> {
    result.unwrap_or_else(|error| {
        report(ctx, &error);
        None
    })
}

fn store<'c>(ctx: &ResolverContext<'c>) -> Result<&'c Store> {
    ctx.ctx.data().map_err(|error| internal(error.message))
}

async fn one(ctx: &ResolverContext<'_>, record: &'static Record) -> Result<Option<FieldValue<'static>>> {
    let selection = Selection::of(ctx.ctx);
    let by = read_by(record, &selection.argument("by").unwrap_or_default())?;
    Ok(store(ctx)?.get(&by, &selection.plan(record)?).await?.map(FieldValue::owned_any))
}

async fn page(ctx: &ResolverContext<'_>, record: &'static Record) -> Result<Option<FieldValue<'static>>> {
    let list = Selection::of(ctx.ctx).list(record)?;
    Ok(Some(FieldValue::owned_any(store(ctx)?.page(&list).await?)))
}

/// Type and UUID that an id names.
fn read_id(value: &Value, path: &str) -> Result<(RecordType, uuid::Uuid)> {
    let text = match value {
        Value::String(text) => text.as_str(),
        _ => "",
    };
    let (prefix, uuid) = crate::id::decode(text).map_err(|error| bad_input(path, error))?;
    let ty = RecordType::from_prefix(prefix).ok_or_else(|| bad_input(path, format_args!("no record has ids that begin with {prefix}_")))?;
    Ok((ty, uuid))
}

async fn node(ctx: &ResolverContext<'_>) -> Result<Option<FieldValue<'static>>> {
    let selection = Selection::of(ctx.ctx);
    let (ty, uuid) = read_id(&selection.argument("id").unwrap_or_default(), "id")?;
    let plan = selection.plan(catalog().get(ty))?;
    Ok(store(ctx)?.get(&By::Id(uuid), &plan).await?.map(typed))
}

async fn nodes(ctx: &ResolverContext<'_>) -> Result<Option<FieldValue<'static>>> {
    let selection = Selection::of(ctx.ctx);
    let ids = match selection.argument("ids") {
        Some(Value::List(ids)) => ids,
        Some(one) => vec![one],
        None => Vec::new(),
    };
    if ids.len() > MAX_IDS {
        return Err(bad_input("ids", format_args!("{} ids are too many; give at most {MAX_IDS}", ids.len())));
    }
    let ids = ids.iter().enumerate().map(|(index, id)| read_id(id, &format!("ids[{index}]")).map(Some)).collect::<Result<Vec<_>>>()?;
    let plans = selection.plans(catalog().all().filter(|record| ids.iter().flatten().any(|(ty, _)| *ty == record.ty)))?;
    let found = store(ctx)?.nodes(&plans, &ids).await?;
    let gaps = found.iter().enumerate().filter(|(_, node)| node.is_none()).map(|(place, _)| place).collect();
    ctx.ctx.data::<Gaps>().map_err(|error| internal(error.message))?.note(selection.key(), gaps);
    Ok(Some(FieldValue::list(found.into_iter().flatten().map(typed))))
}
