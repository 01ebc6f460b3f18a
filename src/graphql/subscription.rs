//! The root of all subscriptions: changes of the dataset, each told as soon as it can be seen.
//!
//! The feed of changes is exact: places in it are given in the order in which changes come to be seen. So to follow
//! it is to read it from a cursor, wait until something is written, and read on. Nothing is kept for one who follows
//! but the page that was read last.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use async_graphql::Value;
use async_graphql::dynamic::{
    FieldValue, InputObject, InputValue, Object, ResolverContext, SchemaBuilder, Subscription, SubscriptionField, SubscriptionFieldFuture,
    TypeRef,
};
use tokio::sync::watch;
use uuid::Uuid;

use super::error::{GraphqlError, codes};
use super::query::read_id;
use crate::catalog::catalog;
use crate::catalog::field::RECORD_TYPE;
use crate::catalog::record::{Record, RecordKind};
use crate::core::auth::Caller;
use crate::core::error::{Error, ErrorCode, Result, bad_input, internal};
use crate::core::filter::{Filter, FilterValue as Known, Predicate};
use crate::core::language::Languages;
use crate::core::pagination::{Cursor, Direction, MAX_PAGE_SIZE, Page};
use crate::entity::RecordType;
use crate::graphql::projection::Projection as Shown;
use crate::graphql::projection::json_writer::{Fields, JsonKey, JsonWriter};
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::filter;
use crate::graphql::schema::filter::{described, filter_name};
use crate::graphql::schema::object::field;
use crate::store::Store;
use crate::store::access::token::TokenRejection;
use crate::store::read::plan::{ListPlan, Plan};
use crate::store::read::result::{Cell, PageRows};

/// Name of the root type.
pub(super) const NAME: &str = "Subscription";
const CHANGED: &str = "changed";
const EVENT: &str = "ChangeEvent";
const FILTER: &str = "ChangeFilter";
/// Ids that a filter takes at most.
const MAX_IDS: usize = 100;
/// How often it is looked whether a token still works while nothing changes.
const TOKEN: Duration = Duration::from_secs(10);
/// Pause before another try where the database is away.
const PAUSE: Duration = Duration::from_secs(1);

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let revision = catalog().get(RecordType::Revision);
    let event = Object::new(EVENT)
        .description("A change that was just made, or was missed.")
        .field(field("cursor", TypeRef::named_nn(TypeRef::STRING), "Place of the change in the feed; give it as since to go on from here."))
        .field(field("change", TypeRef::named_nn(revision.name()), "The change, as changes gives it."));
    let mut input = InputObject::new(FILTER)
        .description("Which changes to follow. All that is given must hold.")
        .field(InputValue::new("records", TypeRef::named_nn_list(TypeRef::ID)).description("Only changes of these records, at most 100."))
        .field(InputValue::new("kinds", TypeRef::named_nn_list("ChangeKind")).description("Only changes of these kinds."));
    for record in followed() {
        let this = described(record);
        let doc = format!(
            "Of changes of a {this}, only those where the {this} satisfies this now; what is gone satisfies nothing. Where such conditions are given and no types, only those types are followed."
        );
        input = input.field(InputValue::new(record.singular(), TypeRef::named(filter_name(record))).description(doc));
    }
    // our own executor reads the feed: the framework only knows that the field is there
    let changed = SubscriptionField::new(CHANGED, TypeRef::named_nn(EVENT), never)
        .description("Every change from now on, in the order in which they come to be seen. With since, first all that was missed: none is skipped and none comes twice.")
        .argument(InputValue::new("types", TypeRef::named_nn_list("RecordType")).description("Only changes of records of these types."))
        .argument(InputValue::new("filter", TypeRef::named(FILTER)).description("Only changes that satisfy this."))
        .argument(
            InputValue::new("since", TypeRef::named(TypeRef::STRING))
                .description("Only changes after this cursor: that of the last one that came, or the endCursor of changes."),
        );
    let root = Subscription::new(NAME).description("Everything that can be followed.").field(changed);
    builder.register(event).register(input).register(root)
}

/// No events.
fn never(_: ResolverContext<'_>) -> SubscriptionFieldFuture<'_> {
    SubscriptionFieldFuture::new(async { Ok(futures_util::stream::empty::<async_graphql::Result<FieldValue<'_>>>()) })
}

/// Records whose changes are followed.
fn followed() -> impl Iterator<Item = &'static Record> {
    catalog().all().filter(|record| record.shape == RecordKind::Record)
}

/// What an event shows.
enum Part {
    TypeName,
    Cursor,
    Change(Shown),
}

/// A change that was followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Where to go on from.
    pub cursor: String,
    /// The data of the answer, as JSON.
    pub data: Vec<u8>,
}

/// One who follows changes.
pub struct EventStream {
    store: Store,
    caller: Caller,
    languages: Languages,
    key: JsonKey,
    parts: Fields<Part>,
    list: ListPlan,
    /// What records of a type have to satisfy.
    conditions: Vec<(RecordType, Filter)>,
    wakes: watch::Receiver<()>,
    ready: VecDeque<Event>,
}

impl std::fmt::Debug for EventStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Following").finish_non_exhaustive()
    }
}

impl EventStream {
    /// Begins to follow: from a cursor, or from now on.
    pub(super) async fn new(
        store: &Store,
        caller: &Caller,
        languages: &Languages,
        selection: &Selection<'_>,
        last: Option<&str>,
    ) -> Result<Self> {
        let store = store.for_role(caller.role);
        let wakes = store.subscribe_changes();
        let revision = catalog().get(RecordType::Revision);
        let mut list = ListPlan { cursors: true, page: Page::first(MAX_PAGE_SIZE), ..ListPlan::new(Plan::new(revision.ty)) };
        list.order = (index(revision, "sequence"), Direction::Asc);
        let mut parts = Fields::new();
        for below in selection.below(&[EVENT]) {
            let part = match below.name() {
                "cursor" => Part::Cursor,
                "change" => Part::Change(Shown::new(std::slice::from_ref(&below), revision, &mut list.plan)?),
                _ => Part::TypeName,
            };
            parts.push((below.key(), part));
        }
        let mut types = filter::choices(&selection.items("types"));
        let mut conditions = Vec::new();
        let mut all = Vec::new();
        if let Some(Value::Object(given)) = selection.argument("filter") {
            for (name, value) in given.iter().filter(|(_, value)| **value != Value::Null) {
                match name.as_str() {
                    "records" => all.push(Filter::Field(index(revision, "record"), Predicate::In(ids(value)?))),
                    "kinds" => all.push(Filter::Field(index(revision, "kind"), Predicate::In(filter::choices(items(value))))),
                    name => conditions.extend(condition(name, value)?),
                }
            }
        }
        if types.is_empty() {
            types = conditions.iter().map(|(ty, _)| Known::Text(ty.prefix().to_owned())).collect();
        }
        if !types.is_empty() {
            all.push(Filter::Field(index(revision, RECORD_TYPE), Predicate::In(types)));
        }
        if !conditions.is_empty() {
            list.plan.select_field(index(revision, "record"));
            list.plan.select_field(index(revision, RECORD_TYPE));
        }
        list.filter = Filter::And(all);
        let name = revision.list_name(list.order);
        list.page.after = match last.map(ToOwned::to_owned).or_else(|| selection.text("since")) {
            Some(cursor) => Some(Cursor::decode(&cursor, &name, if last.is_some() { "Last-Event-ID" } else { "since" })?),
            None => latest(&store, list.order).await?,
        };
        let (caller, languages, key) = (caller.clone(), languages.clone(), selection.key());
        Ok(Self { store, caller, languages, key, parts, list, conditions, wakes, ready: VecDeque::new() })
    }

    /// The next change, as soon as there is one. It ends with an error, as when the token works no more. Whoever stops
    /// waiting misses nothing.
    pub async fn next(&mut self) -> Result<Event, GraphqlError> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(event);
            }
            // what is written from now on is either read now, or wakes
            self.wakes.mark_unchanged();
            match self.read().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) if error.code() == ErrorCode::Unavailable => {
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
                Err(error) => return Err(GraphqlError::from(error)),
            }
            let woken = self.wakes.changed();
            match self.caller.token {
                // whoever has no token waits as long as it takes
                None => drop(woken.await),
                Some(_) => drop(tokio::time::timeout(TOKEN, woken).await),
            }
        }
    }

    /// Reads a page of the feed; tells whether there may be more.
    async fn read(&mut self) -> Result<bool> {
        self.store.refresh_caller(&self.caller).await.map_err(TokenRejection::into_error)?;
        let pages = self.store.page(&self.list).await?;
        let Some(slice) = pages.get(0) else { return Ok(false) };
        let Some(last) = slice.nodes().next_back() else { return Ok(false) };
        let after = Cursor::decode(&last.cursor(), &catalog().get(RecordType::Revision).list_name(self.list.order), "since")?;
        let wanted = self.wanted(slice).await?;
        let mut count = 0;
        let mut events = VecDeque::new();
        for (place, node) in slice.nodes().enumerate() {
            count += 1;
            if wanted.as_ref().is_some_and(|wanted| !wanted.contains(&place)) {
                continue;
            }
            let mut out = JsonWriter::new(&self.languages);
            out.object(&[(self.key.clone(), ())], |(), out| {
                out.object(&self.parts, |part, out| match part {
                    Part::TypeName => out.value(EVENT),
                    Part::Cursor => out.value(node.cursor()),
                    Part::Change(shape) => shape.write(node, out),
                });
            });
            events.push_back(Event { cursor: node.cursor(), data: out.into_json() });
        }
        self.ready = events;
        self.list.page.after = Some(after);
        Ok(count == MAX_PAGE_SIZE || !self.ready.is_empty())
    }

    /// Which of these changes are of records that satisfy what is asked of their type, by their places; nothing where
    /// nothing is asked.
    async fn wanted(&self, slice: PageRows<'_>) -> Result<Option<HashSet<usize>>> {
        if self.conditions.is_empty() {
            return Ok(None);
        }
        let revision = catalog().get(RecordType::Revision);
        let (record, ty) = (index(revision, "record"), index(revision, RECORD_TYPE));
        let mut of_type: HashMap<RecordType, Vec<(usize, Uuid)>> = HashMap::new();
        for (place, node) in slice.nodes().enumerate() {
            let ty = node.cell(ty).as_text().and_then(RecordType::from_prefix);
            if let (Some(ty), Cell::Id(id)) = (ty, node.cell(record)) {
                of_type.entry(ty).or_default().push((place, *id));
            }
        }
        let mut wanted = HashSet::new();
        for (ty, changed) in of_type {
            let Some((_, condition)) = self.conditions.iter().find(|(of, _)| *of == ty) else {
                wanted.extend(changed.iter().map(|(place, _)| *place));
                continue;
            };
            let ids = changed.iter().map(|(_, id)| Known::Id(*id)).collect();
            let filter = Filter::Id(Predicate::In(ids)).and(condition.clone());
            let list = ListPlan { filter, page: Page::first(MAX_PAGE_SIZE), ..ListPlan::new(Plan::new(ty)) };
            let pages = self.store.page(&list).await?;
            let found: HashSet<Uuid> = pages.get(0).into_iter().flat_map(|slice| slice.nodes().map(|node| node.uuid())).collect();
            wanted.extend(changed.iter().filter(|(_, id)| found.contains(id)).map(|(place, _)| *place));
        }
        Ok(Some(wanted))
    }
}

/// The field of the root that a subscription has.
pub(super) fn root<'s, 'a>(roots: &'s [Selection<'a>]) -> Result<&'s Selection<'a>, GraphqlError> {
    match roots {
        [one] if one.name() == CHANGED => Ok(one),
        _ => Err(GraphqlError::new(codes::VALIDATION, "a subscription has exactly one field at its root: changed")),
    }
}

/// Place of the latest change in the feed.
async fn latest(store: &Store, order: (usize, Direction)) -> Result<Option<Cursor>> {
    let revision = catalog().get(RecordType::Revision);
    let page = Page { backward: true, ..Page::first(1) };
    let pages = store.page(&ListPlan { cursors: true, order, page, ..ListPlan::new(Plan::new(revision.ty)) }).await?;
    let last = pages.get(0).and_then(|slice| slice.nodes().next_back()).map(|node| node.cursor());
    last.map(|cursor| Cursor::decode(&cursor, &revision.list_name(order), "since")).transpose().map_err(|error: Error| internal(error))
}

fn index(record: &Record, name: &str) -> usize {
    record.field_index(name).unwrap_or_default()
}

fn items(value: &Value) -> &[Value] {
    match value {
        Value::List(items) => items,
        one => std::slice::from_ref(one),
    }
}

fn ids(value: &Value) -> Result<Vec<Known>> {
    let items = items(value);
    if items.len() > MAX_IDS {
        return Err(bad_input("filter.records", format_args!("{} ids are too many; give at most {MAX_IDS}", items.len())));
    }
    items.iter().enumerate().map(|(place, id)| Ok(Known::Id(read_id(id, &format!("filter.records[{place}]"))?.1))).collect()
}

/// What the records of the type with this name have to satisfy.
fn condition(name: &str, value: &Value) -> Result<Option<(RecordType, Filter)>> {
    let Some(record) = followed().find(|record| record.singular() == name) else { return Ok(None) };
    Ok(Some((record.ty, filter::read(record, value, &format!("filter.{name}"))?)))
}
