//! The root type of subscriptions: a stream of changes, sent as soon as they are visible to readers.
//!
//! The feed assigns sequence numbers in the order in which changes become visible. A stream therefore reads the feed from
//! a cursor, waits for the next write, and reads on. The server keeps no state per stream but its last page.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_graphql::Value;
use async_graphql::dynamic::{
    FieldValue, InputObject, Object, ResolverContext, SchemaBuilder, Subscription, SubscriptionField, SubscriptionFieldFuture, TypeRef,
};
use tokio::sync::watch;
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::field::RECORD_TYPE;
use crate::catalog::record::{Record, RecordKind};
use crate::core::auth::Caller;
use crate::core::error::{Error, ErrorCode, Result, bad_input, internal};
use crate::core::filter::{Filter, FilterValue, Predicate};
use crate::core::ids::FieldId;
use crate::core::language::Languages;
use crate::core::pagination::{Cursor, Direction, MAX_PAGE_SIZE, Page};
use crate::entity::RecordType;
use crate::graphql::error::{GraphqlError, codes};
use crate::graphql::global_id;
use crate::graphql::limits;
use crate::graphql::limits::{Cost, LARGE_RESPONSE_VALUES, Limits, MIN_WRITING_TIME, ReadMeter};
use crate::graphql::projection::Projection;
use crate::graphql::projection::json_writer::{Fields, JsonKey, JsonWriter, ResponseBudget};
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::builder::{field, input_value};
use crate::graphql::schema::filter;
use crate::graphql::schema::filter::{filter_name, list_items};
use crate::graphql::schema::names;
use crate::store::Store;
use crate::store::access::token::TokenRejection;
use crate::store::read::plan::{ListPlan, Plan};
use crate::store::read::result::{Cell, PageRows, PagedRows, RowRef};

/// Name of the root type.
pub(super) const NAME: &str = "Subscription";
const CHANGED: &str = "changed";
const EVENT: &str = "ChangeEvent";
const FILTER: &str = "ChangeFilter";
/// Maximum number of ids in a filter.
const MAX_IDS: usize = 100;
/// How often the token of an idle stream is checked.
const TOKEN_CHECK_INTERVAL: Duration = Duration::from_secs(10);
/// Delay before a retry while the database is unavailable.
const RETRY_DELAY: Duration = Duration::from_secs(1);

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let revision = catalog().get(RecordType::Revision);
    let event = Object::new(EVENT)
        .description("A change in the stream.")
        .field(field("cursor", TypeRef::named_nn(TypeRef::STRING), "Cursor of the change; pass it as since to resume."))
        .field(field("change", TypeRef::named_nn(revision.name()), "The change, as in changes."));
    let mut input = InputObject::new(FILTER)
        .description("Filter on changes. All conditions must match. A condition on a record type applies to the current state of the record and never matches a deleted record. If there are such conditions and types is not set, the stream contains only the types with conditions.")
        .field(input_value("records", TypeRef::named_nn_list(TypeRef::ID), "Only changes of these records, at most 100."))
        .field(input_value("kinds", TypeRef::named_nn_list("RevisionKind"), "Only changes of these kinds."));
    for record in observable_records() {
        let doc = format!("Only {} that match.", names::plural(record));
        input = input.field(input_value(record.singular(), TypeRef::named(filter_name(record)), doc));
    }
    // the stream is produced by `EventStream`; the framework only validates the field
    let changed = SubscriptionField::new(CHANGED, TypeRef::named_nn(EVENT), empty_stream)
        .description("Every change from now on, in the order in which changes become visible. With since, it starts with the changes after that cursor; none is skipped or repeated.")
        .argument(input_value("types", TypeRef::named_nn_list("RecordType"), "Only changes of records of these types."))
        .argument(input_value("filter", TypeRef::named(FILTER), "Only matching changes."))
        .argument(input_value(
            "since",
            TypeRef::named(TypeRef::STRING),
            "Only changes after this cursor: that of the last event received, or the endCursor of changes.",
        ));
    let root = Subscription::new(NAME).description("All event streams.").field(changed);
    builder.register(event).register(input).register(root)
}

fn empty_stream(_: ResolverContext<'_>) -> SubscriptionFieldFuture<'_> {
    SubscriptionFieldFuture::new(async { Ok(futures_util::stream::empty::<async_graphql::Result<FieldValue<'_>>>()) })
}

/// Record types whose changes can be filtered.
fn observable_records() -> impl Iterator<Item = &'static Record> {
    catalog().all().filter(|record| record.kind == RecordKind::Record)
}

/// A selected field of an event.
enum EventField {
    TypeName,
    Cursor,
    Change(Projection),
}

/// An event of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Cursor from which the stream can be resumed.
    pub cursor: String,
    /// Data of the response, as JSON.
    pub data: Vec<u8>,
}

/// What the events of a stream may cost.
#[derive(Debug, Clone)]
pub(super) struct EventCost {
    pub(super) limits: Limits,
    /// Cost of a page of events.
    pub(super) page: Cost,
}

/// A page of the feed whose events are not all returned yet.
struct PendingPage {
    rows: PagedRows,
    /// Indexes of the rows to return.
    indexes: VecDeque<usize>,
}

/// The stream of changes of one subscription.
pub struct EventStream {
    store: Store,
    caller: Caller,
    languages: Languages,
    key: JsonKey,
    fields: Fields<EventField>,
    list: ListPlan,
    /// Conditions on the current state of the changed record, by its type.
    conditions: Vec<(RecordType, Filter)>,
    wakes: watch::Receiver<()>,
    /// The events that are read but not yet returned.
    pending: Option<PendingPage>,
    meter: Arc<dyn ReadMeter>,
    cost: EventCost,
    /// Cost of the events read since points were last paid, in points per page.
    unpaid: u64,
    /// Whether the next page may hold past events.
    is_behind: bool,
}

impl std::fmt::Debug for EventStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventStream").finish_non_exhaustive()
    }
}

impl EventStream {
    /// Starts a stream after a cursor, or from now on. `last` takes precedence over the argument `since`.
    pub(super) async fn new(
        store: &Store,
        caller: &Caller,
        languages: &Languages,
        selection: &Selection<'_>,
        last: Option<&str>,
        (meter, cost): (Arc<dyn ReadMeter>, EventCost),
    ) -> Result<Self> {
        let store = store.for_role(caller.role);
        let wakes = store.subscribe_changes();
        let revision = catalog().get(RecordType::Revision);
        let mut list = ListPlan { cursors: true, page: Page::first(MAX_PAGE_SIZE), ..ListPlan::new(Plan::new(revision.ty)) };
        list.order = (revision_field("sequence"), Direction::Asc);
        let mut fields = Fields::new();
        for below in selection.subfields(&[EVENT]) {
            let field = match below.name() {
                "cursor" => EventField::Cursor,
                "change" => EventField::Change(Projection::new(std::slice::from_ref(&below), revision, &mut list.plan)?),
                _ => EventField::TypeName,
            };
            fields.push((below.json_key(), field));
        }
        let mut types = filter::choices(&selection.non_empty_list_argument("types")?);
        let mut conditions = Vec::new();
        let mut all = Vec::new();
        if let Some(Value::Object(given)) = selection.argument("filter") {
            for (name, value) in given.iter().filter(|(_, value)| **value != Value::Null) {
                match name.as_str() {
                    "records" => all.push(Filter::Field(revision_field("record"), Predicate::In(parse_ids(value)?))),
                    "kinds" => all.push(Filter::Field(revision_field("kind"), Predicate::In(filter::choices(list_items(value))))),
                    name => conditions.push(parse_condition(name, value)?),
                }
            }
        }
        if types.is_empty() {
            types = conditions.iter().map(|(ty, _)| FilterValue::Text(ty.prefix().to_owned())).collect();
        }
        if !types.is_empty() {
            all.push(Filter::Field(revision_field(RECORD_TYPE), Predicate::In(types)));
        }
        if !conditions.is_empty() {
            list.plan.select_field(revision_field("record"));
            list.plan.select_field(revision_field(RECORD_TYPE));
        }
        list.filter = Filter::And(all);
        let name = revision.list_name(list.order);
        let resumed = match Cursor::parse(last, &name, "Last-Event-ID")? {
            Some(cursor) => Some(cursor),
            None => Cursor::parse(selection.string_argument("since").as_deref(), &name, "since")?,
        };
        let is_behind = resumed.is_some();
        list.page.after = match resumed {
            Some(cursor) => Some(cursor),
            None => latest(&store, list.order).await?,
        };
        let (caller, languages, key) = (caller.clone(), languages.clone(), selection.json_key());
        let pending = None;
        Ok(Self { store, caller, languages, key, fields, list, conditions, wakes, pending, meter, cost, unpaid: 0, is_behind })
    }

    /// Waits for the next event. An error ends the stream, such as a revoked token. Cancel safe: no event is lost if the
    /// future is dropped.
    pub async fn next(&mut self) -> Result<Event, GraphqlError> {
        loop {
            let points = self.unpaid / u64::from(MAX_PAGE_SIZE);
            if points > 0 {
                self.meter.pay(points).await;
                self.unpaid %= u64::from(MAX_PAGE_SIZE);
            }
            if let Some(event) = self.next_pending()? {
                return Ok(event);
            }
            // a write after this line is either read now or wakes the stream
            self.wakes.mark_unchanged();
            match self.fetch_page().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) if error.code() == ErrorCode::Unavailable => {
                    error.log();
                    tokio::time::sleep(RETRY_DELAY).await;
                    continue;
                }
                Err(error) => return Err(GraphqlError::from(error)),
            }
            let woken = self.wakes.changed();
            match self.caller.token {
                None => drop(woken.await),
                Some(_) => drop(tokio::time::timeout(TOKEN_CHECK_INTERVAL, woken).await),
            }
        }
    }

    /// Writes the next event of the page that was read.
    fn next_pending(&mut self) -> Result<Option<Event>, GraphqlError> {
        let Some(page) = &mut self.pending else { return Ok(None) };
        let next = page.indexes.pop_front().and_then(|index| page.rows.get(0)?.nodes().nth(index));
        let Some(node) = next else {
            self.pending = None;
            return Ok(None);
        };
        let EventCost { limits, page: cost } = &self.cost;
        let deadline = self.store.statement_timeout().map(|timeout| Instant::now() + timeout.max(MIN_WRITING_TIME));
        let is_large = cost.values / u64::from(MAX_PAGE_SIZE) >= LARGE_RESPONSE_VALUES;
        let budget = ResponseBudget::new(limits.response_bytes).until(deadline).large(is_large);
        let mut out = JsonWriter::with_budget(&self.languages, &budget);
        out.object(&[(self.key.clone(), ())], |(), out| {
            out.object(&self.fields, |field, out| match field {
                EventField::TypeName => out.value(EVENT),
                EventField::Cursor => out.value(node.cursor()),
                EventField::Change(projection) => projection.write(node, out),
            });
        });
        let data = out.into_json();
        budget.check_deadline()?;
        limits::check_response(limits, data.len(), budget.is_exhausted())?;
        Ok(Some(Event { cursor: node.cursor(), data }))
    }

    /// Fetches a page of the feed. Returns whether to continue without waiting: events are ready, or more pages may follow.
    async fn fetch_page(&mut self) -> Result<bool> {
        self.store.refresh_caller(&self.caller).await.map_err(TokenRejection::into_error)?;
        let _permit = if self.is_behind { Some(self.meter.admit().await?) } else { None };
        let rows = self.store.page(&self.list).await?;
        self.is_behind = false;
        let Some(slice) = rows.get(0) else { return Ok(false) };
        let Some(last) = slice.nodes().next_back() else { return Ok(false) };
        let after = Cursor::decode(&last.cursor(), &catalog().get(RecordType::Revision).list_name(self.list.order), "since")?;
        let matching = self.matching(slice).await?;
        let count = slice.nodes().len();
        let is_matching = |index: &usize| matching.as_ref().is_none_or(|matching| matching.contains(index));
        let indexes: VecDeque<usize> = (0..count).filter(is_matching).collect();
        // events that do not match were read as well
        self.unpaid = self.unpaid.saturating_add(self.cost.page.points().saturating_mul(count as u64));
        self.is_behind = count == MAX_PAGE_SIZE as usize;
        self.list.page.after = Some(after);
        let has_events = !indexes.is_empty();
        self.pending = Some(PendingPage { rows, indexes });
        Ok(self.is_behind || has_events)
    }

    /// Indexes of the changes whose record matches the conditions on its type. `None` if there are no conditions.
    async fn matching(&self, slice: PageRows<'_>) -> Result<Option<HashSet<usize>>> {
        if self.conditions.is_empty() {
            return Ok(None);
        }
        let (record, ty) = (revision_field("record"), revision_field(RECORD_TYPE));
        let mut of_type: HashMap<RecordType, Vec<(usize, Uuid)>> = HashMap::new();
        for (index, node) in slice.nodes().enumerate() {
            let ty = node.cell(ty).as_text().and_then(RecordType::from_prefix);
            if let (Some(ty), Cell::Id(id)) = (ty, node.cell(record)) {
                of_type.entry(ty).or_default().push((index, *id));
            }
        }
        let mut matching = HashSet::new();
        for (ty, changed) in of_type {
            let Some((_, condition)) = self.conditions.iter().find(|(of, _)| *of == ty) else {
                matching.extend(changed.iter().map(|(index, _)| *index));
                continue;
            };
            let ids = changed.iter().map(|(_, id)| FilterValue::Id(*id)).collect();
            let filter = Filter::Id(Predicate::In(ids)).and(condition.clone());
            let list = ListPlan { filter, page: Page::first(MAX_PAGE_SIZE), ..ListPlan::new(Plan::new(ty)) };
            let pages = self.store.page(&list).await?;
            let found: HashSet<Uuid> = pages.get(0).into_iter().flat_map(|slice| slice.nodes().map(RowRef::uuid)).collect();
            matching.extend(changed.iter().filter(|(_, id)| found.contains(id)).map(|(index, _)| *index));
        }
        Ok(Some(matching))
    }
}

/// The only root field of a subscription.
pub(super) fn root<'s, 'a>(roots: &'s [Selection<'a>]) -> Result<&'s Selection<'a>, GraphqlError> {
    match roots {
        [one] if one.name() == CHANGED => Ok(one),
        _ => Err(GraphqlError::new(codes::VALIDATION_FAILED, "a subscription must have exactly one root field: changed")),
    }
}

/// Cursor of the latest change in the feed.
async fn latest(store: &Store, order: (FieldId, Direction)) -> Result<Option<Cursor>> {
    let revision = catalog().get(RecordType::Revision);
    let page = Page { backward: true, ..Page::first(1) };
    let pages = store.page(&ListPlan { cursors: true, order, page, ..ListPlan::new(Plan::new(revision.ty)) }).await?;
    let last = pages.get(0).and_then(|slice| slice.nodes().next_back()).map(RowRef::cursor);
    last.map(|cursor| Cursor::decode(&cursor, &revision.list_name(order), "since")).transpose().map_err(|error: Error| internal(error))
}

fn revision_field(name: &'static str) -> FieldId {
    catalog().get(RecordType::Revision).known_field(name)
}

fn parse_ids(value: &Value) -> Result<Vec<FilterValue>> {
    let items = list_items(value);
    if items.len() > MAX_IDS {
        return Err(bad_input("filter.records", format_args!("{} ids are too many; give at most {MAX_IDS}", items.len())));
    }
    let decode = |(index, id)| Ok(FilterValue::Id(global_id::decode(id, &format!("filter.records[{index}]"))?.1));
    items.iter().enumerate().map(decode).collect()
}

/// Parses the condition on the record type with this name.
fn parse_condition(name: &str, value: &Value) -> Result<(RecordType, Filter)> {
    let path = format!("filter.{name}");
    let record = observable_records().find(|record| record.singular() == name);
    let record = record.ok_or_else(|| bad_input(&path, "there is no such condition"))?;
    Ok((record.ty, filter::parse(record, value, &path)?))
}
