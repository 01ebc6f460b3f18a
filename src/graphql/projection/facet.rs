//! Facets: how many rows of a list have each value of a dimension, such as how many cases there are of each status.

use async_graphql::Value;
use async_graphql::dynamic::{Enum, EnumItem, Field, InputValue, Object, SchemaBuilder, TypeRef};

use crate::catalog::catalog;
use crate::catalog::dimension::{Dimension, DimensionSource};
use crate::catalog::kind::FieldKind;
use crate::catalog::record::Record;
use crate::core::error::{Result, bad_input};
use crate::graphql::projection::Projection;
use crate::graphql::projection::json_writer::{Fields, JsonWriter};
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::filter::{constant, described, enum_name};
use crate::graphql::schema::object::{RECORD, field, lang_argument};
use crate::graphql::schema::scalar;
use crate::store::read::plan::{FacetSpec, ListPlan, Plan};
use crate::store::read::result::{FacetValue as Counted, PageRows};

/// Name of the field.
pub(crate) const NAME: &str = "facets";
const FACET: &str = "Facet";
const VALUE: &str = "FacetValue";
/// Facets of a list at most.
const MOST: usize = 10;
/// Values of a facet at most, and where nothing is asked for.
const MOST_VALUES: u32 = 100;
const USUAL_VALUES: u32 = 10;

/// Name of the dimensions of a type.
pub(crate) fn dimensions_name(record: &Record) -> String {
    format!("{}Dimension", record.name())
}

/// The place of the dimension that a value of the enum names.
pub(crate) fn dimension(record: &Record, value: &Value) -> Option<usize> {
    let name = enum_name(value)?;
    record.dimensions.iter().position(|dimension| constant(dimension.name) == name)
}

pub(crate) fn register(mut builder: SchemaBuilder) -> SchemaBuilder {
    for record in catalog().all().filter(|record| !record.dimensions.is_empty()) {
        let dimensions = Enum::new(dimensions_name(record))
            .description(format!("What {} records can be divided by when they are counted.", described(record)));
        let item = |dimension: &Dimension| EnumItem::new(constant(dimension.name)).description(dimension.doc);
        builder = builder.register(record.dimensions.iter().map(item).fold(dimensions, Enum::item));
    }
    let facet = Object::new(FACET)
        .description("How many rows of a list have each value of one dimension.")
        .field(field("dimension", TypeRef::named_nn(TypeRef::STRING), "What the rows are divided by, as it was asked for: STATUS."))
        .field(field(
            "values",
            TypeRef::named_nn_list_nn(VALUE),
            "The values that occur, the most frequent first, then by name. A row with several values, such as topics, counts for each; one without any for none.",
        ));
    let value = Object::new(VALUE)
        .description("A value, and how many rows of a list have it.")
        .field(field("key", TypeRef::named_nn(TypeRef::STRING), "The value as filters take it: ON_APPEAL, 2024-07, or the id of a record."))
        .field(
            field("label", TypeRef::named_nn(TypeRef::STRING), "The value in words; a record in the language of the reader.")
                .argument(lang_argument()),
        )
        .field(field("count", TypeRef::named_nn(TypeRef::INT), "Number of rows in the whole list that have it."))
        .field(field("record", TypeRef::named(RECORD), "The record, where the value is one."));
    builder.register(facet).register(value)
}

/// The field of a connection of these records; nothing where they cannot be divided.
pub(crate) fn of_connection(record: &Record) -> Option<Field> {
    (!record.dimensions.is_empty()).then(|| {
        field(
            NAME,
            TypeRef::named_nn_list_nn(FACET),
            "How many rows of the whole list, under the same filter and whatever the page, have each value. They are counted only when asked for. Periods are those of the date that the list runs by.",
        )
        .argument(
            InputValue::new("by", TypeRef::named_nn_list_nn(dimensions_name(record)))
                .description("What to divide the rows by, at most 10: a facet for each."),
        )
        .argument(InputValue::new("first", TypeRef::named(TypeRef::INT)).description("Values of each facet at most, 1 to 100; 10 where nothing is asked for."))
    })
}

/// Facets of a list, as an answer shows them.
pub(crate) struct Facets {
    /// Place of the first among the facets of the list.
    start: usize,
    facets: Vec<Shown>,
    parts: Fields<Part>,
}

/// A facet, and what is shown of the records that are its values: one shape for each time that they are selected.
struct Shown {
    dimension: &'static Dimension,
    label: usize,
    records: Vec<Projection>,
}

enum Part {
    TypeName,
    Dimension,
    Values(Fields<ValuePart>),
}

enum ValuePart {
    TypeName,
    Key,
    Label(Option<String>),
    Count,
    Record(usize),
}

impl Facets {
    /// What a selection shows of facets; what to count is added to the list.
    pub(crate) fn new(selection: &Selection<'_>, record: &'static Record, list: &mut ListPlan) -> Result<Self> {
        let asked = selection.items("by");
        if asked.len() > MOST {
            return Err(bad_input("facets.by", format_args!("{} facets are too many; ask for at most {MOST}", asked.len())));
        }
        let first = match selection.number("first") {
            None => USUAL_VALUES,
            Some(first) => u32::try_from(first)
                .ok()
                .filter(|first| (1..=MOST_VALUES).contains(first))
                .ok_or_else(|| bad_input("facets.first", format_args!("{first} values cannot be shown; ask for 1 to {MOST_VALUES}")))?,
        };
        let mut records = Vec::new();
        let parts = parts(selection, &mut records)?;
        let start = list.facets.len();
        let mut facets = Vec::new();
        for value in &asked {
            let index = dimension(record, value).ok_or_else(|| bad_input("facets.by", "there is no such dimension"))?;
            let dimension = &record.dimensions[index];
            let mut shown = Shown { dimension, label: 0, records: Vec::new() };
            let mut plan = None;
            if let Some(target) = dimension.target() {
                let target = catalog().get(target);
                let mut row = Plan::new(target.ty);
                shown.label = target.fields.iter().position(|field| field.is_label).unwrap_or_default();
                row.select_field(shown.label);
                for selection in &records {
                    shown.records.push(Projection::new(std::slice::from_ref(selection), target, &mut row)?);
                }
                plan = Some(row);
            }
            facets.push(shown);
            list.facets.push(FacetSpec { dimension: index, first, plan });
        }
        Ok(Self { start, facets, parts })
    }

    /// Writes the facets of a list.
    pub(crate) fn write(&self, slice: PageRows<'_>, out: &mut JsonWriter<'_>) {
        out.list(self.facets.iter().enumerate(), |(place, shown), out| {
            out.object(&self.parts, |part, out| match part {
                Part::TypeName => out.value(FACET),
                Part::Dimension => out.value(constant(shown.dimension.name)),
                Part::Values(parts) => out.list(slice.facet(self.start + place), |value, out| shown.write(parts, &value, out)),
            });
        });
    }
}

impl Shown {
    fn write(&self, parts: &Fields<ValuePart>, value: &Counted<'_>, out: &mut JsonWriter<'_>) {
        out.object(parts, |part, out| match part {
            ValuePart::TypeName => out.value(VALUE),
            ValuePart::Count => out.value(value.count),
            ValuePart::Key => match (value.record, value.text) {
                (Some(node), _) => out.value(node.id()),
                (None, Some(text)) if self.is_choice() => out.choice(text),
                (None, text) => out.value(text),
            },
            ValuePart::Label(lang) => match (value.record, value.text) {
                (Some(node), _) => {
                    let kind = node.record().fields[self.label].kind;
                    scalar::write(kind, node.cell(self.label), lang.as_deref(), out);
                }
                (None, Some(text)) if self.is_choice() => out.value(words(text)),
                (None, text) => out.value(text),
            },
            ValuePart::Record(place) => out.option(value.record, |node, out| self.records[*place].write(node, out)),
        });
    }

    fn is_choice(&self) -> bool {
        matches!(&self.dimension.source, DimensionSource::Path(path) if matches!(path.kind, FieldKind::Choice(_)))
    }
}

fn parts<'a>(selection: &Selection<'a>, records: &mut Vec<Selection<'a>>) -> Result<Fields<Part>> {
    let mut shown = Fields::new();
    for below in selection.below(&[FACET]) {
        let part = match below.name() {
            "dimension" => Part::Dimension,
            "values" => Part::Values(value_parts(&below, records)?),
            _ => Part::TypeName,
        };
        shown.push((below.key(), part));
    }
    Ok(shown)
}

fn value_parts<'a>(selection: &Selection<'a>, records: &mut Vec<Selection<'a>>) -> Result<Fields<ValuePart>> {
    let mut shown = Fields::new();
    for below in selection.below(&[VALUE]) {
        let part = match below.name() {
            "key" => ValuePart::Key,
            "label" => ValuePart::Label(below.lang()?),
            "count" => ValuePart::Count,
            "record" => {
                records.push(below.clone());
                ValuePart::Record(records.len() - 1)
            }
            _ => ValuePart::TypeName,
        };
        shown.push((below.key(), part));
    }
    Ok(shown)
}

/// A value of a vocabulary in words: `on_appeal` becomes `On appeal`.
fn words(value: &str) -> String {
    let words = value.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
