//! Decodes the JSON arrays of the statements of `store::sql::select` into row sets.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::kind::FieldKind;
use crate::core::blocking;
use crate::store::read::plan::{ChildPlan, FacetSpec, ListPlan, Plan};
use crate::store::read::result::{Cell, ChildRows, FacetValueRow, PageBounds, PagedRows, ResultRow, RowSet};
use crate::store::sql::order::sort_key_kind;
use crate::store::sql::select::MAX_ARRAY_ELEMENTS;

/// Bytes of a text that takes milliseconds to decode.
const LONG_TEXT_BYTES: usize = 1 << 20;

/// Decodes the rows of a level and returns their number.
pub(crate) fn rows(text: &str, plan: &Plan, level: &mut RowSet) -> serde_json::Result<usize> {
    decode(text, RowsSeed { plan, key: None, level })
}

/// Decodes a page of a list.
pub(crate) fn page(text: &str, list: &ListPlan, pages: &mut PagedRows) -> serde_json::Result<()> {
    let bounds = decode(text, PageSeed { list, level: &mut pages.level })?;
    pages.bounds.push(bounds);
    Ok(())
}

/// Decodes a whole text with a seed. A long text is decoded outside of the asynchronous tasks.
pub(crate) fn decode<'t, S: DeserializeSeed<'t>>(text: &'t str, seed: S) -> serde_json::Result<S::Value> {
    let decode = || {
        let mut json = serde_json::Deserializer::from_str(text);
        let value = seed.deserialize(&mut json)?;
        json.end()?;
        Ok(value)
    };
    if text.len() < LONG_TEXT_BYTES { decode() } else { blocking::run(decode) }
}

/// Decodes the facets of the root list.
pub(crate) fn facets(text: &str, list: &ListPlan, pages: &mut PagedRows) -> serde_json::Result<()> {
    let facets = decode(text, FacetsSeed(&list.facets, &mut pages.facets))?;
    if let Some(bounds) = pages.bounds.last_mut() {
        bounds.facets = facets;
    }
    Ok(())
}

/// An array of rows, which are appended to a level.
struct RowsSeed<'a> {
    plan: &'a Plan,
    key: Option<FieldKind>,
    level: &'a mut RowSet,
}

impl<'de> DeserializeSeed<'de> for RowsSeed<'_> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<usize, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RowsSeed<'_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of rows")
    }

    // json_agg over no rows is null
    fn visit_unit<E: Error>(self) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<usize, A::Error> {
        let mut count = 0;
        while items.next_element_seed(RowSeed { plan: self.plan, key: self.key, level: self.level })?.is_some() {
            count += 1;
        }
        Ok(count)
    }
}

/// A page of a list: one row more than its size means that more rows follow.
struct PageSeed<'a> {
    list: &'a ListPlan,
    level: &'a mut RowSet,
}

impl<'de> DeserializeSeed<'de> for PageSeed<'_> {
    type Value = PageBounds;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<PageBounds, D::Error> {
        let Self { list, level } = self;
        let page = &list.page;
        let key = list.cursors.then(|| sort_key_kind(catalog().get(list.plan.ty).field(list.order.0)));
        let start = level.rows.len();
        let count = RowsSeed { plan: &list.plan, key, level }.deserialize(json)?;
        let size = page.size as usize;
        let has_more = count > size;
        // the extra row is the last one read; the rows below it stay outside of all pages
        let mut end = start + count.min(size);
        let mut start = start;
        if page.backward {
            let first = usize::from(has_more);
            level.reverse(start..start + count);
            (start, end) = (start + first, start + count);
        }
        let (has_next, has_previous) = if page.backward { (page.before.is_some(), has_more) } else { (has_more, page.after.is_some()) };
        Ok(PageBounds { start, end, has_next, has_previous, ..PageBounds::default() })
    }
}

/// A row, or null for a reference without a visible target.
pub(crate) struct RowSeed<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) key: Option<FieldKind>,
    pub(crate) level: &'a mut RowSet,
}

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Option<usize>, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the array of a row")
    }

    fn visit_unit<E: Error>(self) -> Result<Option<usize>, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Option<usize>, A::Error> {
        let mut partial = PartialRow { plan: self.plan, key: self.key, level: self.level, row: None, position: 0 };
        partial.fill(items)?;
        let row = partial.row.ok_or_else(|| A::Error::missing_field("id"))?;
        self.level.rows.push(row);
        Ok(Some(self.level.rows.len() - 1))
    }
}

/// A row being decoded: an array at maximum length continues in its last element.
struct PartialRow<'a> {
    plan: &'a Plan,
    key: Option<FieldKind>,
    level: &'a mut RowSet,
    row: Option<ResultRow>,
    /// Index of the next element.
    position: usize,
}

impl PartialRow<'_> {
    fn fill<'de, A: SeqAccess<'de>>(&mut self, mut items: A) -> Result<(), A::Error> {
        let fields = 1 + usize::from(self.key.is_some());
        let children = fields + self.plan.fields.len();
        let total = children + self.plan.children.iter().map(element_count).sum::<usize>();
        let start = self.position;
        while self.position < total {
            if self.position - start == MAX_ARRAY_ELEMENTS - 1 && total - start > MAX_ARRAY_ELEMENTS {
                return next(&mut items, RestSeed(self));
            }
            let Some(row) = &mut self.row else {
                let Cell::Id(id) = next(&mut items, CellSeed(FieldKind::Any))? else { return Err(A::Error::missing_field("id")) };
                self.row = Some(ResultRow { id, key: Cell::Null, cells: Vec::with_capacity(self.plan.fields.len()) });
                self.position += 1;
                continue;
            };
            if self.position < fields {
                row.key = next(&mut items, CellSeed(self.key.unwrap_or(FieldKind::Text)))?;
            } else if self.position < children {
                let field = self.plan.fields[self.position - fields];
                row.cells.push(next(&mut items, CellSeed(catalog().get(self.plan.ty).field(field).kind))?);
            } else {
                self.child(self.position - children, &mut items)?;
            }
            self.position += 1;
        }
        Ok(())
    }

    /// Decodes an element of a child; `index` counts the elements of all children.
    fn child<'de, A: SeqAccess<'de>>(&mut self, mut index: usize, items: &mut A) -> Result<(), A::Error> {
        for (child, rows) in self.plan.children.iter().zip(&mut self.level.children) {
            if index >= element_count(child) {
                index -= element_count(child);
                continue;
            }
            match (child, rows) {
                (ChildPlan::One(_, plan), ChildRows::One(references)) => {
                    let row = next(items, RowSeed { plan, key: None, level: &mut references.levels[0] })?;
                    references.positions.push(row.map(|row| (0, row)));
                }
                (ChildPlan::Many(_, list), ChildRows::Many(pages)) if index == 0 && list.rows => {
                    let bounds = next(items, PageSeed { list, level: &mut pages.level })?;
                    pages.bounds.push(bounds);
                }
                (ChildPlan::Many(_, list), ChildRows::Many(pages)) => {
                    // the first element of the child adds the page of the row
                    if index == 0 {
                        pages.bounds.push(PageBounds::default());
                    }
                    let Some(bounds) = pages.bounds.last_mut() else { return Err(A::Error::custom("list without a page")) };
                    match index.checked_sub(usize::from(list.rows) + usize::from(list.total)) {
                        Some(facet) => bounds.facets.push(next(items, FacetSeed(&list.facets[facet], &mut pages.facets[facet]))?),
                        None => bounds.total = items.next_element()?,
                    }
                }
                _ => return Err(A::Error::custom("rows do not match their plan")),
            }
            return Ok(());
        }
        Err(A::Error::custom("row has more elements than its plan"))
    }
}

/// Number of elements of a child in the array of its row.
fn element_count(child: &ChildPlan) -> usize {
    match child {
        ChildPlan::One(..) => 1,
        ChildPlan::Any(..) | ChildPlan::MergedInto(..) => 0,
        ChildPlan::Many(_, list) => usize::from(list.rows) + usize::from(list.total) + list.facets.len(),
    }
}

/// Decodes the next element of an array; fails at its end.
pub(crate) fn next<'de, A: SeqAccess<'de>, S: DeserializeSeed<'de>>(items: &mut A, seed: S) -> Result<S::Value, A::Error> {
    items.next_element_seed(seed)?.ok_or_else(|| A::Error::custom("row has fewer elements than its plan"))
}

/// The rest of a row, nested in the last element of an array.
struct RestSeed<'a, 'p>(&'a mut PartialRow<'p>);

impl<'de> DeserializeSeed<'de> for RestSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RestSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the rest of a row")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<(), A::Error> {
        self.0.fill(items)
    }
}

/// The facets of a list; the second field receives the records that are values.
struct FacetsSeed<'a>(&'a [FacetSpec], &'a mut [Option<RowSet>]);

/// One facet.
struct FacetSeed<'a>(&'a FacetSpec, &'a mut Option<RowSet>);

/// One value of a facet, and its count.
struct FacetValueSeed<'a>(Option<(&'a Plan, &'a mut RowSet)>);

/// Implements seeds that decode a JSON array or null: `Type => Value: "what is expected", function;`.
macro_rules! json_arrays {
    ($($name:ty => $value:ty: $what:literal, $decode:expr;)*) => {
        $(impl<'de> DeserializeSeed<'de> for $name {
            type Value = $value;

            fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
                json.deserialize_any(self)
            }
        }

        impl<'de> Visitor<'de> for $name {
            type Value = $value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($what)
            }

            // json_agg over no rows is null
            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Default::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
                $decode(self, items)
            }
        })*
    };
}

pub(crate) use json_arrays;

json_arrays! {
    FacetsSeed<'_> => Vec<Vec<FacetValueRow>>: "an array of facets", FacetsSeed::decode;
    FacetSeed<'_> => Vec<FacetValueRow>: "an array of values", FacetSeed::decode;
    FacetValueSeed<'_> => Option<FacetValueRow>: "a value and its count", FacetValueSeed::decode;
}

impl FacetsSeed<'_> {
    fn decode<'de, A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<Vec<FacetValueRow>>, A::Error> {
        self.0.iter().zip(self.1).map(|(facet, level)| next(&mut items, FacetSeed(facet, level))).collect()
    }
}

impl FacetSeed<'_> {
    fn decode<'de, A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<FacetValueRow>, A::Error> {
        let mut values = Vec::new();
        loop {
            let records = self.0.plan.as_ref().zip(self.1.as_mut());
            match items.next_element_seed(FacetValueSeed(records))? {
                Some(value) => values.extend(value),
                None => return Ok(values),
            }
        }
    }
}

impl FacetValueSeed<'_> {
    fn decode<'de, A: SeqAccess<'de>>(self, mut items: A) -> Result<Option<FacetValueRow>, A::Error> {
        let (text, row) = match self.0 {
            Some((plan, level)) => (None, next(&mut items, RowSeed { plan, key: None, level })?),
            None => (items.next_element()?, None),
        };
        let count = items.next_element()?.unwrap_or_default();
        // a record may have been deleted since the groups were counted
        Ok((text.is_some() || row.is_some()).then_some(FacetValueRow { text, row, count }))
    }
}

/// A cell of a field of this kind.
struct CellSeed(FieldKind);

impl<'de> DeserializeSeed<'de> for CellSeed {
    type Value = Cell;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Cell, D::Error> {
        match self.0 {
            FieldKind::Translated | FieldKind::List(_) => {
                let json: serde_json::Value = serde::Deserialize::deserialize(json)?;
                Ok(if json.is_null() { Cell::Null } else { Cell::Json(json) })
            }
            _ => json.deserialize_any(self),
        }
    }
}

impl Visitor<'_> for CellSeed {
    type Value = Cell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value of kind {:?}", self.0)
    }

    fn visit_unit<E: Error>(self) -> Result<Cell, E> {
        Ok(Cell::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Cell, E> {
        Ok(Cell::Boolean(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Cell, E> {
        Ok(match self.0 {
            FieldKind::Boolean => Cell::Boolean(value != 0),
            FieldKind::Number => Cell::Number(value as f64),
            _ => Cell::Integer(value),
        })
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Cell, E> {
        i64::try_from(value).map_err(E::custom).and_then(|value| self.visit_i64(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Cell, E> {
        Ok(Cell::Number(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Cell, E> {
        Ok(match self.0 {
            FieldKind::One(_) | FieldKind::Any if text.is_empty() => Cell::Null,
            FieldKind::One(_) | FieldKind::Any => Cell::Id(Uuid::try_parse(text).map_err(E::custom)?),
            FieldKind::Instant => Cell::Instant(parse_instant(text).map_err(E::custom)?),
            FieldKind::Number => Cell::Number(text.parse().map_err(E::custom)?),
            _ => Cell::Text(text.to_owned()),
        })
    }
}

fn parse_instant(text: &str) -> chrono::ParseResult<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).map(|instant| instant.to_utc())
}
