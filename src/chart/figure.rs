//! What a chart shows, before it has a size: places along the axis, and the values of each series there.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, Utc};

use super::{Kind, MOST_BARS, MOST_POINTS, MOST_ROWS, MOST_SERIES, Spec, Words, scale, text};
use crate::core::error::{Result, bad_input};
use crate::table::{Column, Rows, Type, Value};

/// Where a place is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum At {
    /// Beside the one before it.
    Next,
    /// At a number.
    Number(f64),
    /// At a day, counted from 1970.
    Day(f64),
}

/// A place along the axis.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) label: String,
    pub(super) at: At,
}

/// What a series has at a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Mark {
    /// No row.
    None,
    /// A row whose value is unknown.
    Gap,
    /// A value.
    Value(f64),
}

/// A series: its name, if there are several, and a mark for each place.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) name: Option<String>,
    pub(super) marks: Vec<Mark>,
}

/// What is shown.
#[derive(Debug)]
pub(super) struct Figure {
    pub(super) x: String,
    pub(super) y: String,
    pub(super) places: Vec<Place>,
    pub(super) series: Vec<Series>,
    /// Whether places are names, so that labels may be long and none may be left out.
    pub(super) named: bool,
    /// Rows that have no place because it is unknown.
    pub(super) left_out: usize,
}

/// What tells two places apart, in the order in which they come.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    Sorted(u64, String),
    Given(usize),
    Unknown,
}

/// Bits that sort as the number does.
fn sortable(number: f64) -> u64 {
    let bits = (number + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// Days from 1970 to the beginning of a date; a year begins on 1 January.
pub(super) fn days(text: &str) -> Option<f64> {
    let whole = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    let date = NaiveDate::parse_from_str(&whole, "%Y-%m-%d").ok()?;
    Some(date.signed_duration_since(NaiveDate::default()).num_days() as f64)
}

/// An instant as readers expect it: the day, and the minute if it is not the day's first.
fn instant(instant: &DateTime<Utc>) -> String {
    let form = if instant.timestamp() % 86_400 == 0 { "%Y-%m-%d" } else { "%Y-%m-%d %H:%M" };
    instant.format(form).to_string()
}

/// The place of a column among the columns; the error says which there are.
fn find(parameter: &str, name: &str, columns: &[Column]) -> Result<usize> {
    columns.iter().position(|column| column.name == name).ok_or_else(|| {
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        bad_input(parameter, format!("there is no column \"{}\"; the columns are {}", text::brief(name), names.join(", ")))
    })
}

fn is_number(column: &Column) -> bool {
    matches!(column.ty, Type::Integer | Type::Number)
}

impl Figure {
    pub(super) fn new(spec: &Spec, columns: &[Column], rows: &Rows<'_>) -> Result<Self> {
        let x = find("x", &spec.x, columns)?;
        let y = spec.y.as_ref().map(|name| find("y", name, columns)).transpose()?;
        let series = spec.series.as_ref().map(|name| find("series", name, columns)).transpose()?;
        if let Some(y) = y.filter(|y| !is_number(&columns[*y])) {
            let numbers: Vec<&str> = columns.iter().filter(|column| is_number(column)).map(|column| column.name.as_str()).collect();
            let instead = match numbers.len() {
                0 => "leave y out to count rows".to_owned(),
                _ => format!("columns of numbers are {}; without y rows are counted", numbers.join(", ")),
            };
            return Err(bad_input("y", format!("\"{}\" is not a column of numbers; {instead}", columns[y].name)));
        }
        if rows.count() > MOST_ROWS {
            return Err(bad_input("rows", format!("a chart is drawn from {MOST_ROWS} rows at most; filter the query or group it")));
        }
        let mut gathered =
            Gathered { spec, places: BTreeMap::new(), given: HashMap::new(), names: Vec::new(), marks: HashMap::new(), left_out: 0 };
        for row in rows.iter() {
            let value = |column: usize| &row[column];
            gathered.add((columns[x].ty, value(x)), y.map(value), series.map(|series| (columns[series].ty, value(series))))?;
        }
        let named = matches!(columns[x].ty, Type::Text | Type::Boolean);
        let (places, series, left_out) = gathered.finish();
        let y = spec.y.as_deref().map_or_else(|| spec.words.rows().to_owned(), text::clean);
        Ok(Self { x: text::clean(&spec.x), y, places, series, named, left_out })
    }

    /// All values.
    pub(super) fn values(&self) -> impl Iterator<Item = f64> + '_ {
        self.series.iter().flat_map(|series| &series.marks).filter_map(|mark| match mark {
            Mark::Value(value) => Some(*value),
            Mark::None | Mark::Gap => None,
        })
    }

    /// Where the places are, if all of them are at numbers or at days.
    pub(super) fn positions(&self) -> Option<Vec<f64>> {
        let position = |place: &Place| match place.at {
            At::Next => None,
            At::Number(at) | At::Day(at) => Some(at),
        };
        self.places.iter().map(position).collect()
    }
}

/// What has been read of the rows.
struct Gathered<'s> {
    spec: &'s Spec,
    places: BTreeMap<Key, Place>,
    given: HashMap<(bool, String), usize>,
    names: Vec<(Key, Option<String>)>,
    marks: HashMap<(usize, Key), Mark>,
    left_out: usize,
}

impl Gathered<'_> {
    fn add(&mut self, x: (Type, &Value<'_>), y: Option<&Value<'_>>, series: Option<(Type, &Value<'_>)>) -> Result<()> {
        if self.spec.kind == Kind::Line && *x.1 == Value::Null {
            self.left_out += 1;
            return Ok(());
        }
        let series = self.series(series)?;
        let (key, label, at) = self.key(x.0, x.1, false);
        self.places.entry(key.clone()).or_insert_with(|| Place { label: label.clone(), at });
        let known = self.marks.entry((series, key)).or_insert(Mark::None);
        *known = match (y, *known) {
            (None, Mark::Value(count)) => Mark::Value(count + 1.0),
            (None, _) => Mark::Value(1.0),
            (Some(Value::Integer(value)), Mark::None) => Mark::Value(*value as f64),
            (Some(Value::Number(value)), Mark::None) if value.is_finite() => Mark::Value(*value),
            (Some(_), Mark::None) => Mark::Gap,
            (Some(_), _) => {
                let (of, instead) = if self.spec.series.is_some() {
                    (" of one series", "")
                } else {
                    ("", "name a column that tells them apart as series, ")
                };
                let message = format!(
                    "\"{}\" is \"{}\" in several rows{of}; {instead}ask for one row each, or leave y out to count rows",
                    self.spec.x,
                    text::brief(&label)
                );
                return Err(bad_input("x", message));
            }
        };
        match self.spec.kind {
            Kind::Bar if self.marks.len() > MOST_BARS => {
                Err(bad_input("x", format!("there are more than {MOST_BARS} bars; filter the query, group it, or take kind=line")))
            }
            Kind::Line if self.marks.len() > MOST_POINTS => {
                Err(bad_input("x", format!("there are more than {MOST_POINTS} points; filter the query or group it")))
            }
            _ => Ok(()),
        }
    }

    /// The number of the series of a row.
    fn series(&mut self, series: Option<(Type, &Value<'_>)>) -> Result<usize> {
        let (key, name) = match series {
            Some((ty, value)) => {
                let (key, label, _) = self.key(ty, value, true);
                (key, Some(label))
            }
            None => (Key::Unknown, None),
        };
        if let Some(index) = self.names.iter().position(|(known, _)| *known == key) {
            return Ok(index);
        }
        if self.names.len() == MOST_SERIES {
            let column = self.spec.series.as_deref().unwrap_or_default();
            let message = format!(
                "\"{column}\" has more than {MOST_SERIES} values, too many to tell apart; filter the query, or choose a column with fewer"
            );
            return Err(bad_input("series", message));
        }
        self.names.push((key, name));
        Ok(self.names.len() - 1)
    }

    /// What tells a value apart, how it is written, and where it is. Names keep the order of the rows.
    fn key(&mut self, ty: Type, value: &Value<'_>, series: bool) -> (Key, String, At) {
        let label = text::clean(&label(value, self.spec.words));
        let at = match (ty, value) {
            (_, Value::Integer(number)) => At::Number(*number as f64),
            (_, Value::Number(number)) if number.is_finite() => At::Number(*number),
            (_, Value::Instant(instant)) => At::Day(instant.timestamp_micros() as f64 / 86_400e6),
            (Type::Date, Value::Text(date)) => days(date).map_or(At::Next, At::Day),
            _ => At::Next,
        };
        let key = match at {
            At::Number(number) | At::Day(number) => Key::Sorted(sortable(number), value.to_text().into_owned()),
            At::Next if *value == Value::Null => Key::Unknown,
            At::Next => {
                let next = self.given.len();
                Key::Given(*self.given.entry((series, value.to_text().into_owned())).or_insert(next))
            }
        };
        (key, label, at)
    }

    fn finish(self) -> (Vec<Place>, Vec<Series>, usize) {
        let Self { spec, places, names, mut marks, left_out, .. } = self;
        // where rows are counted, no row is a count of none
        let none = if spec.y.is_none() { Mark::Value(0.0) } else { Mark::None };
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_by_key(|index| &names[*index].0);
        let series = order
            .into_iter()
            .map(|index| Series {
                name: names[index].1.clone(),
                marks: places.keys().map(|key| marks.remove(&(index, key.clone())).unwrap_or(none)).collect(),
            })
            .collect();
        (places.into_values().collect(), series, left_out)
    }
}

fn label(value: &Value<'_>, words: Words) -> String {
    match value {
        Value::Null => words.unknown().to_owned(),
        Value::Text(text) | Value::Json(text) => text.clone().into_owned(),
        Value::Integer(number) => scale::number(*number as f64, words),
        Value::Number(number) => scale::number(*number, words),
        Value::Boolean(boolean) => words.boolean(*boolean).to_owned(),
        Value::Instant(at) => instant(at),
    }
}
