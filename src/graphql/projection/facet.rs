//! Facets: the number of rows of a list for each value of a dimension, such as the number of cases for each status.

use std::sync::LazyLock;

use async_graphql::Value;
use async_graphql::dynamic::{InputValue, SchemaBuilder, TypeRef};

use crate::catalog::catalog;
use crate::catalog::dimension::{Dimension, DimensionSource};
use crate::catalog::kind::FieldKind;
use crate::catalog::record::Record;
use crate::core::error::{Result, bad_input};
use crate::core::ids::FieldId;
use crate::graphql::projection::Projection;
use crate::graphql::projection::json_writer::JsonWriter;
use crate::graphql::projection::output_type::{ObjectProjection, OutputObject, OutputType};
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::builder::{RECORD, lang_argument};
use crate::graphql::schema::connection::{FACET, FACET_VALUE, FACETS, dimensions_name};
use crate::graphql::schema::filter::enum_name;
use crate::graphql::schema::names::enum_value;
use crate::graphql::schema::scalar;
use crate::store::read::plan::FacetSpec;
use crate::store::read::plan::{ListPlan, Plan};
use crate::store::read::result::{FacetValue, PageRows};

/// Name of the field.
const MAX_FACETS: usize = 10;
const MAX_FACET_VALUES: u32 = 100;
const DEFAULT_FACET_VALUES: u32 = 10;

/// Index of the dimension that an enum value names.
pub(crate) fn dimension_index(record: &Record, value: &Value) -> Option<usize> {
    let name = enum_name(value)?;
    record.dimensions.iter().position(|dimension| enum_value(dimension.name) == name)
}

pub(crate) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    builder.register(FACET_TYPE.object()).register(FACET_VALUE_TYPE.object())
}

/// Declares the field `facets` on a connection, if the record type has dimensions.
pub(super) fn declare_on<T: OutputObject>(
    connection: OutputType<T>,
    record: &'static Record,
    project: impl for<'q> Fn(&Selection<'q>, &mut T::Plan<'q>) -> Result<T::Field> + Send + Sync + 'static,
) -> OutputType<T> {
    if record.dimensions.is_empty() {
        return connection;
    }
    connection
        .field(FACETS, TypeRef::named_nn_list_nn(FACET), "Row counts by value, on all pages.", project)
        .argument(move || {
            InputValue::new("by", TypeRef::named_nn_list_nn(dimensions_name(record))).description("Dimensions to count by, at most 10.")
        })
        .argument(|| InputValue::new("first", TypeRef::named(TypeRef::INT)).description("Values per facet, 1 to 100; default 10."))
}

/// Selected facets of a list.
pub(crate) struct FacetsProjection {
    facets: Vec<FacetProjection>,
    object: ObjectProjection<Box<FacetWriter>>,
}

/// One facet of a list.
struct FacetProjection {
    /// Index among the facets of the list.
    index: usize,
    dimension: &'static Dimension,
    /// The label field of the records that are its values; `None` if they are not records.
    label: Option<FieldId>,
    /// Projections of the records that are its values, one for each selection of `record`.
    records: Vec<Projection>,
}

/// Facets whose values are being projected.
struct FacetsPlan {
    facets: Vec<(FacetProjection, Option<(&'static Record, Plan)>)>,
    /// Number of selections of `record` so far.
    record_selections: usize,
}

/// Writes a field of a facet.
type FacetWriter = dyn Fn(&FacetProjection, PageRows<'_>, &mut JsonWriter<'_>) + Send + Sync;

enum FacetOutput {}

impl OutputObject for FacetOutput {
    type Plan<'q> = FacetsPlan;
    type Field = Box<FacetWriter>;
}

static FACET_TYPE: LazyLock<OutputType<FacetOutput>> = LazyLock::new(|| {
    OutputType::<FacetOutput>::new(FACET, "Number of rows by value of one dimension, over all pages of the filtered list. Counted only if selected. Years, quarters and months are those of the date that orders the list.")
        .field(
            "dimension",
            TypeRef::named_nn(TypeRef::STRING),
            "The requested dimension, such as STATUS.",
            |_, _| Ok(Box::new(|facet, _, out| out.value(enum_value(facet.dimension.name)))),
        )
        .field(
            "values",
            TypeRef::named_nn_list_nn(FACET_VALUE),
            "The values that occur, the most frequent first, then by name. A row with several values, such as topics, counts for each; a row without a value counts for none.",
            |selection, plan| {
                let value = FACET_VALUE_TYPE.project(selection, plan)?;
                Ok(Box::new(move |facet, page, out| {
                    out.list(page.facet(facet.index), |row, out| value.write_with(out, |write, out| write(facet, &row, out)));
                }))
            },
        )
});

/// Writes a field of a value of a facet.
type FacetValueWriter = dyn Fn(&FacetProjection, &FacetValue<'_>, &mut JsonWriter<'_>) + Send + Sync;

enum FacetValueOutput {}

impl OutputObject for FacetValueOutput {
    type Plan<'q> = FacetsPlan;
    type Field = Box<FacetValueWriter>;
}

static FACET_VALUE_TYPE: LazyLock<OutputType<FacetValueOutput>> = LazyLock::new(|| {
    let text = || TypeRef::named_nn(TypeRef::STRING);
    OutputType::<FacetValueOutput>::new(FACET_VALUE, "A value of a facet and its number of rows.")
        .field("key", text(), "The value in the form that filters accept, such as ON_APPEAL, 2024-07 or the id of a record.", |_, _| {
            Ok(Box::new(|facet, value, out| match (value.record, value.text) {
                (Some(row), _) => out.value(row.id()),
                (None, Some(text)) if facet.is_choice() => out.choice(text),
                (None, text) => out.value(text),
            }))
        })
        .field("label", text(), "The value in words; the label of a record in the preferred language.", |selection, _| {
            let lang = selection.lang_argument()?;
            Ok(Box::new(move |facet, value, out| match (value.record.zip(facet.label), value.text) {
                (Some((row, label)), _) => {
                    let kind = row.record().field(label).kind;
                    scalar::write(kind, row.cell(label), lang.as_deref(), out);
                }
                (None, Some(text)) if facet.is_choice() => out.value(words(text)),
                (None, text) => out.value(text),
            }))
        })
        .argument(lang_argument)
        .field("count", TypeRef::named_nn(TypeRef::INT), "Number of rows with this value.", |_, _| {
            Ok(Box::new(|_, value, out| out.value(value.count)))
        })
        .field("record", TypeRef::named(RECORD), "The record, if the value is one.", |selection, plan| {
            for (facet, rows) in &mut plan.facets {
                if let Some((record, row)) = rows {
                    facet.records.push(Projection::new(std::slice::from_ref(selection), record, row)?);
                }
            }
            let index = plan.record_selections;
            plan.record_selections += 1;
            Ok(Box::new(move |facet, value, out| out.option(value.record, |row, out| facet.records[index].write(row, out))))
        })
});

impl FacetsProjection {
    /// Projects the facets of a list and adds them to its plan.
    pub(crate) fn new(selection: &Selection<'_>, record: &'static Record, list: &mut ListPlan) -> Result<Self> {
        let dimensions = selection.non_empty_list_argument("by")?;
        if dimensions.len() > MAX_FACETS {
            return Err(bad_input("facets.by", format_args!("{} facets are too many; request at most {MAX_FACETS}", dimensions.len())));
        }
        let first = match selection.int_argument("first") {
            None => DEFAULT_FACET_VALUES,
            Some(first) => u32::try_from(first).ok().filter(|first| (1..=MAX_FACET_VALUES).contains(first)).ok_or_else(|| {
                bad_input("facets.first", format_args!("{first} is out of range; request 1 to {MAX_FACET_VALUES} values"))
            })?,
        };
        let mut plan = FacetsPlan { facets: Vec::with_capacity(dimensions.len()), record_selections: 0 };
        for value in &dimensions {
            let dimension = dimension_index(record, value).ok_or_else(|| bad_input("facets.by", "there is no such dimension"))?;
            let index = list.facets.len();
            let (facet, rows) = FacetProjection::new(index, &record.dimensions[dimension]);
            plan.facets.push((facet, rows));
            list.facets.push(FacetSpec { dimension, first, plan: None });
        }
        let object = FACET_TYPE.project(selection, &mut plan)?;
        let facets = plan.facets.into_iter().map(|(facet, rows)| {
            list.facets[facet.index].plan = rows.map(|(_, row)| row);
            facet
        });
        Ok(Self { facets: facets.collect(), object })
    }

    /// Writes the facets of a list.
    pub(crate) fn write(&self, page: PageRows<'_>, out: &mut JsonWriter<'_>) {
        out.list(self.facets.iter(), |facet, out| self.object.write_with(out, |write, out| write(facet, page, out)));
    }
}

impl FacetProjection {
    /// A facet, with the plan of the records that are its values if they are records.
    fn new(index: usize, dimension: &'static Dimension) -> (Self, Option<(&'static Record, Plan)>) {
        let mut facet = Self { index, dimension, label: None, records: Vec::new() };
        let rows = dimension.target().map(|target| {
            let target = catalog().get(target);
            let mut row = Plan::new(target.ty);
            facet.label = target.label_id();
            facet.label.into_iter().for_each(|label| row.select_field(label));
            (target, row)
        });
        (facet, rows)
    }

    /// Whether the values are those of a vocabulary.
    fn is_choice(&self) -> bool {
        matches!(&self.dimension.source, DimensionSource::Path(path) if matches!(path.kind, FieldKind::Choice(_)))
    }
}

/// A vocabulary value in words: `on_appeal` becomes `On appeal`.
fn words(value: &str) -> String {
    let words = value.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
