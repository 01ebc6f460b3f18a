//! What a chart shows, before it has a size: places along the axis, and the values of each series there.

use std::collections::{BTreeMap, HashMap};

use super::data::{self, Data, Type, Value};
use super::{Kind, MOST_BARS, MOST_POINTS, MOST_SERIES, Spec, scale, text};
use crate::error::{Result, bad_input};

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
    /// Whether places are a text each, so that labels may be long and none may be left out.
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

impl Figure {
    pub(super) fn new(spec: &Spec, data: &Data) -> Result<Self> {
        let x = data.column("x", &spec.x)?;
        let y = spec.y.as_ref().map(|name| data.column("y", name)).transpose()?;
        let series = spec.series.as_ref().map(|name| data.column("series", name)).transpose()?;
        if let Some(y) = y.filter(|y| data.columns[*y].ty != Type::Number) {
            let numbers: Vec<&str> = data.columns.iter().filter(|column| column.ty == Type::Number).map(|column| column.name.as_str()).collect();
            let instead = if numbers.is_empty() { "leave y out to count rows".to_owned() } else { format!("columns of numbers are {}", numbers.join(", ")) };
            return Err(bad_input("y", format!("\"{}\" is not a column of numbers; {instead}", data.columns[y].name)));
        }
        let ty = data.columns[x].ty;
        let mut gathered = Gathered { spec, ty, places: BTreeMap::new(), given: HashMap::new(), names: Vec::new(), marks: HashMap::new(), left_out: 0 };
        for row in &data.rows {
            gathered.add(&row[x], y.map(|y| &row[y]), series.map(|series| &row[series]))?;
        }
        let (places, series, left_out) = gathered.finish()?;
        let label = |given: &Option<String>, name: Option<&String>| text::clean(given.as_ref().or(name).map_or("", String::as_str));
        Ok(Self {
            x: label(&spec.x_label, Some(&spec.x)),
            y: spec.y.as_ref().map_or_else(|| spec.y_label.clone().unwrap_or_else(|| spec.words.rows().to_owned()), |y| label(&spec.y_label, Some(y))),
            places,
            series,
            named: ty == Type::Text,
            left_out,
        })
    }

    /// All values.
    pub(super) fn values(&self) -> impl Iterator<Item = f64> + '_ {
        self.series.iter().flat_map(|series| &series.marks).filter_map(|mark| match mark {
            Mark::Value(value) => Some(*value),
            Mark::None | Mark::Gap => None,
        })
    }

    /// Whether places are apart as their numbers or days are.
    pub(super) fn is_measured(&self) -> bool {
        !self.places.is_empty() && self.places.iter().all(|place| place.at != At::Next)
    }
}

/// What has been read of the rows.
struct Gathered<'s> {
    spec: &'s Spec,
    ty: Type,
    places: BTreeMap<Key, Place>,
    given: HashMap<String, usize>,
    names: Vec<Option<String>>,
    marks: HashMap<(usize, Key), Mark>,
    left_out: usize,
}

impl Gathered<'_> {
    fn add(&mut self, x: &Value, y: Option<&Value>, series: Option<&Value>) -> Result<()> {
        let Some(key) = self.place(x) else {
            self.left_out += 1;
            return Ok(());
        };
        let name = series.map(|series| text::clean(&self.label(series)));
        let index = match self.names.iter().position(|known| *known == name) {
            Some(index) => index,
            None if self.names.len() == MOST_SERIES => {
                let column = self.spec.series.as_deref().unwrap_or_default();
                return Err(bad_input(
                    "series",
                    format!("\"{column}\" has more than {MOST_SERIES} values, which no chart can tell apart; filter the query, or choose a column with fewer"),
                ));
            }
            None => {
                self.names.push(name);
                self.names.len() - 1
            }
        };
        let most = match self.spec.kind {
            Kind::Bar => self.places.len() > MOST_BARS,
            Kind::Line => self.marks.len() > MOST_POINTS,
        };
        if most {
            return Err(match self.spec.kind {
                Kind::Bar => bad_input("x", format!("\"{}\" has more than {MOST_BARS} values, too many for bars; filter the query, group it, or take kind=line", self.spec.x)),
                Kind::Line => bad_input("x", format!("there are more than {MOST_POINTS} points; filter the query or group it")),
            });
        }
        let label = self.places[&key].label.clone();
        let known = self.marks.entry((index, key)).or_insert(Mark::None);
        *known = match (y, *known) {
            (None, Mark::Value(count)) => Mark::Value(count + 1.0),
            (None, _) => Mark::Value(1.0),
            (Some(Value::Number(value)), Mark::None) => Mark::Value(*value),
            (Some(_), Mark::None) => Mark::Gap,
            (Some(_), _) => {
                return Err(bad_input(
                    "x",
                    format!(
                        "\"{}\" is \"{label}\" in several rows{}; name a column that tells them apart as series, ask for one row each, or leave y out to count rows",
                        self.spec.x,
                        if self.spec.series.is_some() { " of one series" } else { "" }
                    ),
                ));
            }
        };
        Ok(())
    }

    /// The place of a row; none where it is unknown and the axis is measured.
    fn place(&mut self, value: &Value) -> Option<Key> {
        let at = match (self.ty, value) {
            (_, Value::Null) if self.spec.kind == Kind::Line => return None,
            (_, Value::Null) => At::Next,
            (Type::Number, Value::Number(number)) => At::Number(*number),
            (Type::Date, Value::Text(date)) => At::Day(data::days(date)?),
            _ => At::Next,
        };
        let label = text::clean(&self.label(value));
        let key = match at {
            At::Number(number) | At::Day(number) => Key::Sorted(sortable(number), label.clone()),
            At::Next if *value == Value::Null => Key::Unknown,
            At::Next => {
                let next = self.given.len();
                Key::Given(*self.given.entry(label.clone()).or_insert(next))
            }
        };
        self.places.entry(key.clone()).or_insert(Place { label, at });
        Some(key)
    }

    fn label(&self, value: &Value) -> String {
        match value {
            Value::Null => self.spec.words.unknown().to_owned(),
            Value::Number(number) => scale::number(*number, self.spec.words),
            Value::Text(text) => text.clone(),
        }
    }

    fn finish(self) -> Result<(Vec<Place>, Vec<Series>, usize)> {
        let Self { spec, places, names, mut marks, left_out, .. } = self;
        let series: Vec<Series> = names
            .into_iter()
            .enumerate()
            .map(|(index, name)| Series {
                name,
                marks: places.keys().map(|key| marks.remove(&(index, key.clone())).unwrap_or(Mark::None)).collect(),
            })
            .collect();
        let negative = series.iter().flat_map(|series| &series.marks).any(|mark| matches!(mark, Mark::Value(value) if *value < 0.0));
        if spec.stack && negative {
            return Err(bad_input("stack", "there are negative values, and bars that stand on each other would hide them"));
        }
        if spec.stack && spec.kind == Kind::Line {
            return Err(bad_input("stack", "only bars can stand on each other; take kind=bar"));
        }
        Ok((places.into_values().collect(), series, left_out))
    }
}
