//! Statistics: `caseStatistics` and its like, rows of figures for each type of record that is counted.

use async_graphql::Value;
use async_graphql::dynamic::{Enum, EnumItem, Field, InputObject, InputValue, Object, SchemaBuilder, TypeRef};

use crate::error::{Result, bad_input};
use crate::graphql::facet::{dimension, dimensions_name};
use crate::graphql::filter::{self, DIRECTION, constant, described, direction, enum_name};
use crate::graphql::object::field;
use crate::graphql::out::{Fields, Out};
use crate::graphql::scalar;
use crate::graphql::selection::Selection;
use crate::graphql::shape::Shape;
use crate::store::count::dimension::{Dimension, Of, dates};
use crate::store::count::measure::{Figure, Statistics as Declared};
use crate::store::count::period::Unit;
use crate::store::count::question::{By, MOST_DIMENSIONS, MOST_GROUPS, Question, Sort};
use crate::store::count::{Counted, Group, Key};
use crate::store::db::Store;
use crate::store::plan::Plan;
use crate::store::record::{Kind, Record, catalog};
use crate::store::row::Cell;

/// Records that have statistics, with what is counted of them.
pub(super) fn counted() -> impl Iterator<Item = (&'static Record, &'static Declared)> {
    catalog().all().filter_map(|record| Some((record, record.statistics.as_ref()?)))
}

fn name(record: &Record) -> String {
    format!("{}Statistics", record.name())
}

fn row_name(record: &Record) -> String {
    format!("{}StatisticsRow", record.name())
}

fn total_name(record: &Record) -> String {
    format!("{}StatisticsTotal", record.name())
}

fn date_name(record: &Record) -> String {
    format!("{}Date", record.name())
}

fn order_name(record: &Record) -> String {
    format!("{}StatisticsOrder", record.name())
}

fn order_field_name(record: &Record) -> String {
    format!("{}StatisticsOrderField", record.name())
}

/// The fields of the root.
pub(super) fn fields() -> impl Iterator<Item = Field> {
    counted().map(|(record, declared)| {
        let argument = |name: &str, ty: TypeRef, doc: String| InputValue::new(name, ty).description(doc);
        let this = described(record);
        let mut field = field(declared.name, TypeRef::named(name(record)), declared.doc)
            .argument(argument("filter", TypeRef::named(filter::filter_name(record)), format!("Only {this} records that satisfy this are counted.")))
            .argument(argument(
                "groupBy",
                TypeRef::named_nn_list(dimensions_name(record)),
                format!("What to divide them by, at most {MOST_DIMENSIONS}: a row for each combination that occurs. One row for all where nothing is asked for. What several charges or other parts give is in the row of each, so rows need not add up to the total."),
            ))
            .argument(argument("by", TypeRef::named(date_name(record)), format!("Date whose years, quarters and months are meant; {} where nothing is asked for.", default_date(record))))
            .argument(argument("emptyPeriods", TypeRef::named(TypeRef::BOOLEAN), "Whether periods in which there is nothing are rows, too: from the first to the last that occurs, or as far as the filter on the date reaches. With other dimensions, for each combination of theirs that occurs. Rows are then in the order of groupBy.".to_owned()))
            .argument(argument("order", TypeRef::named(order_name(record)), "Order of the rows; that of groupBy where nothing is asked for: the earliest first, names from A to Z, what is unknown before all else.".to_owned()))
            .argument(argument("first", TypeRef::named(TypeRef::INT), format!("Number of rows at most, 1 to {MOST_GROUPS}; 1000 where nothing is asked for. truncated tells whether there are more.")));
        for list in declared.narrowed {
            let Some(relation) = record.relation_index(list).map(|index| &record.relations[index]) else { continue };
            let target = catalog().get(relation.target);
            let doc = format!("Only {list} that satisfy this are looked at, and only records with such. By filter alone, a record is counted with all its {list}.");
            field = field.argument(argument(list, TypeRef::named(filter::filter_name(target)), doc));
        }
        field
    })
}

fn default_date(record: &Record) -> String {
    dates(record).first().map(|index| constant(record.fields[*index].name)).unwrap_or_default()
}

pub(super) fn register(mut builder: SchemaBuilder) -> SchemaBuilder {
    for (record, declared) in counted() {
        let this = described(record);
        let measures = |object: Object| {
            declared.measures.iter().fold(object, |object, measure| {
                let ty = match measure.figure {
                    Figure::Number(_) | Figure::Measured(_) => TypeRef::named_nn(TypeRef::INT),
                    Figure::Median(_) | Figure::Mean(_) => TypeRef::named(TypeRef::FLOAT),
                };
                object.field(field(measure.name, ty, measure.doc))
            })
        };
        let row = Object::new(row_name(record)).description(format!("Figures about {this} records that have something in common."));
        let row = record.dimensions.iter().fold(row, |row, dimension| {
            let doc = format!("{} Nothing, too, where rows are not divided by it.", dimension.doc);
            row.field(field(dimension.name, dimension_type(dimension), doc))
        });
        let total = Object::new(total_name(record)).description(format!(
            "Figures about all {this} records that are counted, not divided. Rows need not add up to them: one person can be in several rows."
        ));
        let statistics = Object::new(name(record))
            .description(declared.doc)
            .field(field("rows", TypeRef::named_nn_list_nn(row_name(record)), "A row for each group."))
            .field(field("total", TypeRef::named_nn(total_name(record)), "The same figures about all of them together."))
            .field(field("truncated", TypeRef::named_nn(TypeRef::BOOLEAN), "Whether there are more rows than were asked for."));
        let date = Enum::new(date_name(record)).description(format!("A date of a {this}."));
        let date = dates(record)
            .into_iter()
            .map(|index| &record.fields[index])
            .fold(date, |date, field| date.item(EnumItem::new(constant(field.name)).description(field.doc)));
        let order = InputObject::new(order_name(record))
            .description(format!("The order of rows of {this} statistics."))
            .field(
                InputValue::new("field", TypeRef::named_nn(order_field_name(record)))
                    .description("What to order by: a dimension that rows are divided by, or a figure."),
            )
            .field(
                InputValue::new("direction", TypeRef::named(DIRECTION))
                    .default_value(Value::Enum(async_graphql::Name::new("ASC")))
                    .description("Up or down."),
            );
        let items = record.dimensions.iter().map(|dimension| (dimension.name, dimension.doc));
        let items = items.chain(declared.measures.iter().map(|measure| (measure.name, measure.doc)));
        let fields = Enum::new(order_field_name(record)).description(format!("What rows of {this} statistics can be ordered by."));
        let fields = items.fold(fields, |fields, (name, doc)| fields.item(EnumItem::new(constant(name)).description(doc)));
        builder =
            builder.register(measures(row)).register(measures(total)).register(statistics).register(date).register(order).register(fields);
    }
    builder
}

fn dimension_type(dimension: &Dimension) -> TypeRef {
    match &dimension.of {
        Of::Period(Unit::Year) => TypeRef::named(TypeRef::INT),
        Of::Period(_) => TypeRef::named(TypeRef::STRING),
        Of::Path(path) => scalar::named(path.kind, false),
    }
}

/// Statistics as an answer shows them.
pub(in crate::graphql) struct Statistics {
    record: &'static Record,
    parts: Fields<Part>,
}

enum Part {
    TypeName,
    Rows(Fields<Column>),
    Total(Fields<Column>),
    Truncated,
}

/// What is shown of a row.
pub(in crate::graphql) enum Column {
    TypeName(String),
    /// A dimension that rows are not divided by.
    Nothing,
    /// A period or a value of a vocabulary, at this place of what rows are divided by.
    Text(usize, &'static Dimension),
    /// A record, at this place of what rows are divided by.
    Record(usize, Shape),
    /// A figure, by its place among those that were asked for.
    Figure(usize),
}

impl Statistics {
    /// What a selection shows of statistics, and what to ask for it.
    pub(in crate::graphql) fn new(selection: &Selection<'_>, record: &'static Record) -> Result<(Question, Self)> {
        let mut question = question(selection, record)?;
        question.rows = false;
        let mut parts = Fields::new();
        for below in selection.below(&[&name(record)]) {
            let part = match below.name() {
                "rows" => {
                    question.rows = true;
                    Part::Rows(columns(&below, record, &mut question)?)
                }
                "total" => Part::Total(totals(&below, record, &mut question)),
                "truncated" => {
                    question.rows = true;
                    Part::Truncated
                }
                _ => Part::TypeName,
            };
            parts.push((below.key(), part));
        }
        Ok((question, Self { record, parts }))
    }

    /// Writes statistics.
    pub(in crate::graphql) fn write(&self, counted: &Counted, out: &mut Out<'_>) {
        out.object(&self.parts, |part, out| match part {
            Part::TypeName => out.value(name(self.record)),
            Part::Truncated => out.value(counted.truncated),
            Part::Rows(columns) => out.list(counted.groups.iter(), |group, out| {
                out.object(columns, |column, out| column.write(counted, &group.keys, &group.figures, out));
            }),
            Part::Total(columns) => out.object(columns, |column, out| column.write(counted, &[], &counted.total, out)),
        });
    }

    /// The rows, as a table walks them: what is shown of each, with its name, and the rows themselves.
    #[allow(dead_code)] // the list that a table is made from
    pub(in crate::graphql) fn rows<'a>(&'a self, counted: &'a Counted) -> Option<(&'a Fields<Column>, &'a [Group])> {
        self.parts.iter().find_map(|(_, part)| match part {
            Part::Rows(columns) => Some((columns, counted.groups.as_slice())),
            _ => None,
        })
    }
}

impl Column {
    /// Writes what a row has in this column.
    pub(in crate::graphql) fn write(&self, counted: &Counted, keys: &[Key], figures: &[Option<f64>], out: &mut Out<'_>) {
        match self {
            Self::TypeName(name) => out.value(name),
            Self::Nothing => out.null(),
            Self::Text(place, dimension) => match (&keys[*place], &dimension.of) {
                (Key::Text(text), Of::Period(Unit::Year)) => out.value(text.parse::<i32>().ok()),
                (Key::Text(text), Of::Path(_)) => out.choice(text),
                (Key::Text(text), Of::Period(_)) => out.value(text),
                (Key::Unknown | Key::Record { .. }, _) => out.null(),
            },
            Self::Record(place, shape) => out.option(counted.record(*place, &keys[*place]), |node, out| shape.write(node, out)),
            Self::Figure(place) => {
                let cell = figures.get(*place).copied().flatten().map_or(Cell::Null, Cell::Number);
                scalar::write(Kind::Number, &cell, None, out);
            }
        }
    }
}

fn columns(selection: &Selection<'_>, record: &'static Record, question: &mut Question) -> Result<Fields<Column>> {
    let mut columns = Fields::new();
    for below in selection.below(&[&row_name(record)]) {
        let name = below.name();
        let column = if let Some(index) = record.dimensions.iter().position(|dimension| dimension.name == name) {
            let dimension = &record.dimensions[index];
            match (question.by.iter().position(|by| by.dimension == index), dimension.target()) {
                (None, _) => Column::Nothing,
                (Some(place), None) => Column::Text(place, dimension),
                (Some(place), Some(target)) => {
                    let plan = question.by[place].plan.get_or_insert_with(|| Plan::new(target));
                    Column::Record(place, Shape::new(std::slice::from_ref(&below), catalog().get(target), plan)?)
                }
            }
        } else {
            figure(name, record, &mut question.measures).unwrap_or_else(|| Column::TypeName(row_name(record)))
        };
        columns.push((below.key(), column));
    }
    Ok(columns)
}

fn totals(selection: &Selection<'_>, record: &'static Record, question: &mut Question) -> Fields<Column> {
    let measures = question.total.get_or_insert_default();
    let column =
        |name: &str, measures: &mut Vec<usize>| figure(name, record, measures).unwrap_or_else(|| Column::TypeName(total_name(record)));
    selection.below(&[&total_name(record)]).iter().map(|below| (below.key(), column(below.name(), measures))).collect()
}

/// The column of a figure, which is asked for.
fn figure(name: &str, record: &Record, measures: &mut Vec<usize>) -> Option<Column> {
    let measure = measure(record, |known| known == name)?;
    let place = measures.iter().position(|known| *known == measure).unwrap_or_else(|| {
        measures.push(measure);
        measures.len() - 1
    });
    Some(Column::Figure(place))
}

fn measure(record: &Record, is: impl Fn(&str) -> bool) -> Option<usize> {
    record.statistics.as_ref()?.measures.iter().position(|measure| is(measure.name))
}

/// Reads the arguments.
fn question(selection: &Selection<'_>, record: &'static Record) -> Result<Question> {
    let mut question = Question::new(record);
    if let Some(value) = selection.argument("filter") {
        question.filter = filter::read(record, &value, "filter")?;
    }
    for list in record.statistics.iter().flat_map(|declared| declared.narrowed) {
        let (Some(index), Some(value)) = (record.relation_index(list), selection.argument(list)) else { continue };
        let inner = filter::read(catalog().get(record.relations[index].target), &value, list)?;
        question.narrow(index, inner);
    }
    let asked = match selection.argument("groupBy") {
        Some(Value::List(asked)) => asked,
        Some(one) => vec![one],
        None => Vec::new(),
    };
    if asked.len() > MOST_DIMENSIONS {
        return Err(bad_input("groupBy", format_args!("{} dimensions are too many; give at most {MOST_DIMENSIONS}", asked.len())));
    }
    for value in &asked {
        let index = dimension(record, value).ok_or_else(|| bad_input("groupBy", "there is no such dimension"))?;
        if question.by.iter().any(|by| by.dimension == index) {
            return Err(bad_input("groupBy", format_args!("{} stands there twice", constant(record.dimensions[index].name))));
        }
        question.by.push(By { dimension: index, plan: record.dimensions[index].target().map(Plan::new) });
    }
    if let Some(value) = selection.argument("by") {
        let name = enum_name(&value).unwrap_or_default();
        let date = dates(record).into_iter().find(|index| constant(record.fields[*index].name) == name);
        question.date = date.ok_or_else(|| bad_input("by", "there is no such date"))?;
    }
    if let Some(first) = selection.number("first") {
        let limit = u32::try_from(first).ok().filter(|first| (1..=MOST_GROUPS).contains(first));
        question.limit =
            limit.ok_or_else(|| bad_input("first", format_args!("{first} rows cannot be given; ask for 1 to {MOST_GROUPS}")))?;
    }
    question.order = selection.argument("order").map(|value| order(record, &question, &value)).transpose()?;
    question.empty_periods = selection.argument("emptyPeriods") == Some(Value::Boolean(true));
    if question.empty_periods {
        let is_period = |by: &&By| matches!(record.dimensions[by.dimension].of, Of::Period(_));
        if question.by.iter().filter(is_period).count() != 1 {
            return Err(bad_input(
                "emptyPeriods",
                "give one of YEAR, QUARTER and MONTH in groupBy, so that it is known which periods are meant",
            ));
        }
        if question.order.is_some() {
            return Err(bad_input("emptyPeriods", "rows are then in the order of groupBy; leave order out"));
        }
    }
    Ok(question)
}

fn order(record: &Record, question: &Question, value: &Value) -> Result<(Sort, crate::page::Direction)> {
    let Value::Object(given) = value else { return Err(bad_input("order", "give a field")) };
    let name = given.get("field").and_then(enum_name).unwrap_or_default();
    let sort = match measure(record, |known| constant(known) == name) {
        Some(measure) => Sort::Measure(measure),
        None => {
            let place = question.by.iter().position(|by| constant(record.dimensions[by.dimension].name) == name);
            Sort::Group(place.ok_or_else(|| {
                bad_input("order.field", format_args!("rows are not divided by {name}; add it to groupBy, or order by a figure"))
            })?)
        }
    };
    Ok((sort, direction(given.get("direction"))))
}

/// Answers a field of the root.
pub(super) async fn write(store: &Store, selection: &Selection<'_>, record: &'static Record, out: &mut Out<'_>) -> Result<()> {
    let (question, statistics) = Statistics::new(selection, record)?;
    let counted = store.statistics(&question).await?;
    statistics.write(&counted, out);
    Ok(())
}
