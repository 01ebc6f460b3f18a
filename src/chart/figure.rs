//! Data of a chart before layout: the categories along the x axis and the points of each series.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};

use super::labels::ChartLanguage;
use super::limits::{MAX_BARS, MAX_CHART_ROWS, MAX_LINE_POINTS, MAX_SERIES};
use super::sanitize::{excerpt, sanitize};
use super::scale::{days_since_epoch, format_number};
use super::spec::{ChartKind, ChartSpec};
use crate::core::error::{Result, bad_input};
use crate::tabular::{ColumnType, TableColumn, TableRows, TableValue};

/// Position of a category on the x axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum AxisPosition {
    /// Next to the previous category.
    Next,
    /// At a number.
    Number(f64),
    /// At a date or instant, in days since 1970-01-01.
    Day(f64),
}

/// A distinct value of the x column.
#[derive(Debug)]
pub(super) struct Category {
    pub(super) label: String,
    pub(super) position: AxisPosition,
}

/// Value of a series in one category.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum DataPoint {
    /// The series has no row in this category.
    Missing,
    /// The row has no finite number.
    Null,
    /// A number.
    Value(f64),
}

/// A series with a point for each category; its name is set if the chart divides rows into series.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) name: Option<String>,
    pub(super) points: Vec<DataPoint>,
}

/// Data of a chart.
#[derive(Debug)]
pub(super) struct Figure {
    /// Name of the x axis.
    pub(super) x: String,
    /// Name of the y axis.
    pub(super) y: String,
    pub(super) categories: Vec<Category>,
    pub(super) series: Vec<Series>,
    /// Whether categories are names, so that labels may be long and none may be left out.
    pub(super) is_categorical: bool,
    /// Number of rows left out because their x value is null.
    pub(super) omitted_rows: usize,
}

/// Index of a column.
///
/// # Errors
/// Bad input for `parameter`, with the available columns, if there is none of this name.
fn column_index(parameter: &str, name: &str, columns: &[TableColumn]) -> Result<usize> {
    columns.iter().position(|column| column.name == name).ok_or_else(|| {
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        bad_input(parameter, format!("unknown column \"{}\"; available columns: {}", excerpt(name), names.join(", ")))
    })
}

fn is_numeric(column: &TableColumn) -> bool {
    matches!(column.ty, ColumnType::Integer | ColumnType::Number)
}

/// Refuses a column of values that is not numeric.
fn check_numeric(y: &TableColumn, columns: &[TableColumn]) -> Result<()> {
    if is_numeric(y) {
        return Ok(());
    }
    let numeric: Vec<&str> = columns.iter().filter(|column| is_numeric(column)).map(|column| column.name.as_str()).collect();
    let remedy = match numeric.as_slice() {
        [] => "omit y to count rows".to_owned(),
        names => format!("choose one of {}, or omit y to count rows", names.join(", ")),
    };
    Err(bad_input("y", format!("column \"{}\" is not numeric; {remedy}", y.name)))
}

impl Figure {
    /// Reads the rows of a table.
    ///
    /// # Errors
    /// Bad input if a column is missing or unsuitable, if several rows have the same category and series, or if there are
    /// too many rows, series or points.
    pub(super) fn new(spec: &ChartSpec, columns: &[TableColumn], rows: &TableRows<'_>) -> Result<Self> {
        let x = column_index("x", &spec.x, columns)?;
        let y = spec.y.as_ref().map(|name| column_index("y", name, columns)).transpose()?;
        let series = spec.series.as_ref().map(|name| column_index("series", name, columns)).transpose()?;
        if let Some(y) = y {
            check_numeric(&columns[y], columns)?;
        }
        if rows.count() > MAX_CHART_ROWS {
            return Err(bad_input("rows", format!("a chart accepts at most {MAX_CHART_ROWS} rows; filter or group the query")));
        }
        let mut builder = FigureBuilder::new(spec);
        for row in rows.iter() {
            let typed = |column: usize| TypedValue { ty: columns[column].ty, value: &row[column] };
            builder.add_row(typed(x), y.map(|column| &row[column]), series.map(typed))?;
        }
        let is_categorical = matches!(columns[x].ty, ColumnType::Text | ColumnType::Boolean);
        let (categories, series, omitted_rows) = builder.finish();
        let y = spec.y.as_deref().map_or_else(|| spec.language.row_count().to_owned(), sanitize);
        Ok(Self { x: sanitize(&spec.x), y, categories, series, is_categorical, omitted_rows })
    }

    /// The values of all series.
    pub(super) fn values(&self) -> impl Iterator<Item = f64> + '_ {
        self.series.iter().flat_map(|series| &series.points).filter_map(|point| match point {
            DataPoint::Value(value) => Some(*value),
            DataPoint::Missing | DataPoint::Null => None,
        })
    }

    /// Positions of the categories, if every category has a number or date.
    pub(super) fn positions(&self) -> Option<Vec<f64>> {
        let position = |category: &Category| match category.position {
            AxisPosition::Next => None,
            AxisPosition::Number(position) | AxisPosition::Day(position) => Some(position),
        };
        self.categories.iter().map(position).collect()
    }

    /// Text that is shown when a pointer hovers over a mark.
    pub(super) fn tooltip(&self, series: usize, category: usize, value: f64, language: ChartLanguage) -> String {
        let value = format_number(value, language);
        let category = &self.categories[category].label;
        match &self.series[series].name {
            Some(name) => format!("{name}, {category}: {value}"),
            None => format!("{category}: {value}"),
        }
    }
}

/// A value with the type of its column.
#[derive(Clone, Copy)]
struct TypedValue<'r> {
    ty: ColumnType,
    value: &'r TableValue<'r>,
}

impl TypedValue<'_> {
    /// Position on an axis; values that are neither numbers nor dates have none of their own.
    fn position(self) -> AxisPosition {
        match (self.ty, self.value) {
            (_, TableValue::Integer(number)) => AxisPosition::Number(*number as f64),
            (_, TableValue::Number(number)) if number.is_finite() => AxisPosition::Number(*number),
            (_, TableValue::Instant(instant)) => AxisPosition::Day(instant.timestamp_micros() as f64 / 86_400e6),
            (ColumnType::Date, TableValue::Text(date)) => days_since_epoch(date).map_or(AxisPosition::Next, AxisPosition::Day),
            (_, _) => AxisPosition::Next,
        }
    }
}

/// Identity and sort order of a value: numbers and dates first, then names in the order of the rows, then null.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum ValueKey {
    Sorted(u64, String),
    RowOrder(usize),
    Null,
}

/// Bits of a float that sort as unsigned integers in the order of the numbers.
fn sortable_bits(number: f64) -> u64 {
    let bits = (number + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// Accumulates rows into categories and series.
struct FigureBuilder<'s> {
    spec: &'s ChartSpec,
    categories: BTreeMap<ValueKey, Category>,
    /// Order of first appearance of names, apart for series (true) and categories (false).
    name_order: HashMap<(bool, String), usize>,
    /// Series in the order of the rows.
    series: Vec<(ValueKey, Option<String>)>,
    /// Points by the index of their series and the key of their category.
    points: HashMap<(usize, ValueKey), DataPoint>,
    omitted_rows: usize,
}

impl<'s> FigureBuilder<'s> {
    fn new(spec: &'s ChartSpec) -> Self {
        Self { spec, categories: BTreeMap::new(), name_order: HashMap::new(), series: Vec::new(), points: HashMap::new(), omitted_rows: 0 }
    }

    fn add_row(&mut self, x: TypedValue<'_>, y: Option<&TableValue<'_>>, series: Option<TypedValue<'_>>) -> Result<()> {
        if self.spec.kind == ChartKind::Line && *x.value == TableValue::Null {
            self.omitted_rows += 1;
            return Ok(());
        }
        let series = self.series_index(series)?;
        let (key, label) = self.key_and_label(x, false);
        self.categories.entry(key.clone()).or_insert_with(|| Category { label: label.clone(), position: x.position() });
        let point = self.points.entry((series, key)).or_insert(DataPoint::Missing);
        *point = match (y, *point) {
            (None, DataPoint::Value(count)) => DataPoint::Value(count + 1.0),
            (None, _) => DataPoint::Value(1.0),
            (Some(TableValue::Integer(value)), DataPoint::Missing) => DataPoint::Value(*value as f64),
            (Some(TableValue::Number(value)), DataPoint::Missing) if value.is_finite() => DataPoint::Value(*value),
            (Some(_), DataPoint::Missing) => DataPoint::Null,
            (Some(_), DataPoint::Null | DataPoint::Value(_)) => return Err(self.duplicate_point(&label)),
        };
        self.check_point_count()
    }

    fn duplicate_point(&self, label: &str) -> crate::core::error::Error {
        let (scope, remedy) = match self.spec.series {
            Some(_) => (" in the same series", ""),
            None => ("", "set series to a column that distinguishes them, "),
        };
        let message = format!(
            "several rows have the value \"{}\" in column \"{}\"{scope}; {remedy}return one row for each value, or omit y to count rows",
            excerpt(label),
            self.spec.x,
        );
        bad_input("x", message)
    }

    fn check_point_count(&self) -> Result<()> {
        match self.spec.kind {
            ChartKind::Bar if self.points.len() > MAX_BARS => {
                Err(bad_input("x", format!("more than {MAX_BARS} bars; filter or group the query, or use kind=line")))
            }
            ChartKind::Line if self.points.len() > MAX_LINE_POINTS => {
                Err(bad_input("x", format!("more than {MAX_LINE_POINTS} points; filter or group the query")))
            }
            ChartKind::Bar | ChartKind::Line => Ok(()),
        }
    }

    /// Index of the series of a row, which is added if it is new.
    fn series_index(&mut self, series: Option<TypedValue<'_>>) -> Result<usize> {
        let (key, name) = match series {
            Some(value) => {
                let (key, label) = self.key_and_label(value, true);
                (key, Some(label))
            }
            None => (ValueKey::Null, None),
        };
        if let Some(index) = self.series.iter().position(|(known, _)| *known == key) {
            return Ok(index);
        }
        if self.series.len() == MAX_SERIES {
            let column = self.spec.series.as_deref().unwrap_or_default();
            let message =
                format!("column \"{column}\" has more than {MAX_SERIES} values; filter the query, or choose a column with fewer values");
            return Err(bad_input("series", message));
        }
        self.series.push((key, name));
        Ok(self.series.len() - 1)
    }

    fn key_and_label(&mut self, typed: TypedValue<'_>, is_series: bool) -> (ValueKey, String) {
        let value = typed.value;
        let key = match typed.position() {
            AxisPosition::Number(number) | AxisPosition::Day(number) => {
                ValueKey::Sorted(sortable_bits(number), value.to_text().into_owned())
            }
            AxisPosition::Next if *value == TableValue::Null => ValueKey::Null,
            AxisPosition::Next => {
                let next = self.name_order.len();
                ValueKey::RowOrder(*self.name_order.entry((is_series, value.to_text().into_owned())).or_insert(next))
            }
        };
        (key, sanitize(&value_label(value, self.spec.language)))
    }

    /// The categories in order, the series in order, and the number of omitted rows.
    fn finish(self) -> (Vec<Category>, Vec<Series>, usize) {
        let Self { spec, categories, series, mut points, omitted_rows, .. } = self;
        // a category without rows has the count zero
        let absent = if spec.y.is_none() { DataPoint::Value(0.0) } else { DataPoint::Missing };
        let mut order: Vec<usize> = (0..series.len()).collect();
        order.sort_by_key(|index| &series[*index].0);
        let series = order
            .into_iter()
            .map(|index| Series {
                name: series[index].1.clone(),
                points: categories.keys().map(|key| points.remove(&(index, key.clone())).unwrap_or(absent)).collect(),
            })
            .collect();
        (categories.into_values().collect(), series, omitted_rows)
    }
}

fn value_label(value: &TableValue<'_>, language: ChartLanguage) -> String {
    match value {
        TableValue::Null => language.unknown().to_owned(),
        TableValue::Text(text) | TableValue::Json(text) => text.clone().into_owned(),
        TableValue::Integer(number) => format_number(*number as f64, language),
        TableValue::Number(number) => format_number(*number, language),
        TableValue::Boolean(boolean) => language.boolean(*boolean).to_owned(),
        TableValue::Instant(instant) => instant_label(instant),
    }
}

/// The date of an instant, with the minute unless it is midnight UTC.
fn instant_label(instant: &DateTime<Utc>) -> String {
    let format = if instant.timestamp() % 86_400 == 0 { "%Y-%m-%d" } else { "%Y-%m-%d %H:%M" };
    instant.format(format).to_string()
}
