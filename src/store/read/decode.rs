//! Reads the arrays that a statement of `store::select` gives into levels.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use uuid::Uuid;

use crate::catalog::record::{FieldKind, catalog};
use crate::store::aggregate::decode::{FacetOf, Facets};
use crate::store::read::plan::{ChildPlan, ListPlan, Plan};
use crate::store::read::result::{Cell, ChildRows, PageBounds, PagedRows, ResultRow, RowSet};
use crate::store::sql::select::{ELEMENTS, key_kind};

/// Reads the rows of a level; gives the number of them.
pub(crate) fn rows(text: &str, plan: &Plan, level: &mut RowSet) -> serde_json::Result<usize> {
    read(text, Rows { plan, key: None, level })
}

/// Reads one page of a list.
pub(crate) fn page(text: &str, list: &ListPlan, pages: &mut PagedRows) -> serde_json::Result<()> {
    let span = read(text, PageOf { list, level: &mut pages.level })?;
    pages.spans.push(span);
    Ok(())
}

pub(crate) fn read<'t, S: DeserializeSeed<'t>>(text: &'t str, seed: S) -> serde_json::Result<S::Value> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = seed.deserialize(&mut json)?;
    json.end()?;
    Ok(value)
}

/// Reads the facets of a list at the root.
pub(crate) fn facets(text: &str, list: &ListPlan, pages: &mut PagedRows) -> serde_json::Result<()> {
    let found = read(text, Facets(&list.facets, &mut pages.facets))?;
    if let Some(span) = pages.spans.last_mut() {
        span.facets = found;
    }
    Ok(())
}

/// An array of rows, which go to a level.
struct Rows<'a> {
    plan: &'a Plan,
    key: Option<FieldKind>,
    level: &'a mut RowSet,
}

impl<'de> DeserializeSeed<'de> for Rows<'_> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<usize, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of rows")
    }

    // an aggregate of nothing
    fn visit_unit<E: Error>(self) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<usize, A::Error> {
        let mut count = 0;
        while items.next_element_seed(RowOf { plan: self.plan, key: self.key, level: self.level })?.is_some() {
            count += 1;
        }
        Ok(count)
    }
}

/// A page of a list: rows, of which one too many tells that there are more.
struct PageOf<'a> {
    list: &'a ListPlan,
    level: &'a mut RowSet,
}

impl<'de> DeserializeSeed<'de> for PageOf<'_> {
    type Value = PageBounds;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<PageBounds, D::Error> {
        let Self { list, level } = self;
        let page = &list.page;
        let key = list.cursors.then(|| key_kind(&catalog().get(list.plan.ty).fields[list.order.0]));
        let start = level.rows.len();
        let count = Rows { plan: &list.plan, key, level }.deserialize(json)?;
        let size = page.size as usize;
        let more = count > size;
        // the row too many is the last that was read, and what was read below it stays where no page looks
        let mut end = start + count.min(size);
        let mut start = start;
        if page.backward {
            let first = usize::from(more);
            level.reverse(start..start + count);
            (start, end) = (start + first, start + count);
        }
        let (has_next, has_previous) = match page.backward {
            true => (page.before.is_some(), more),
            false => (more, page.after.is_some()),
        };
        Ok(PageBounds { start, end, has_next, has_previous, ..PageBounds::default() })
    }
}

/// One row, or null where a reference leads nowhere.
pub(crate) struct RowOf<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) key: Option<FieldKind>,
    pub(crate) level: &'a mut RowSet,
}

impl<'de> DeserializeSeed<'de> for RowOf<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Option<usize>, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RowOf<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the array of a row")
    }

    fn visit_unit<E: Error>(self) -> Result<Option<usize>, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Option<usize>, A::Error> {
        let mut part = Part { plan: self.plan, key: self.key, level: self.level, row: None, at: 0 };
        part.fill(items)?;
        let row = part.row.ok_or_else(|| A::Error::missing_field("id"))?;
        self.level.rows.push(row);
        Ok(Some(self.level.rows.len() - 1))
    }
}

/// Elements of a row, from this place on: an array that is full has the rest in its last element.
struct Part<'a> {
    plan: &'a Plan,
    key: Option<FieldKind>,
    level: &'a mut RowSet,
    row: Option<ResultRow>,
    at: usize,
}

impl Part<'_> {
    fn fill<'de, A: SeqAccess<'de>>(&mut self, mut items: A) -> Result<(), A::Error> {
        let fields = 1 + usize::from(self.key.is_some());
        let children = fields + self.plan.fields.len();
        let total = children + self.plan.children.iter().map(elements).sum::<usize>();
        let begin = self.at;
        while self.at < total {
            if self.at - begin == ELEMENTS - 1 && total - begin > ELEMENTS {
                return next(&mut items, Rest(self));
            }
            let Some(row) = &mut self.row else {
                let Cell::Id(id) = next(&mut items, CellOf(FieldKind::Any))? else { return Err(A::Error::missing_field("id")) };
                self.row = Some(ResultRow { id, key: Cell::Null, cells: Vec::with_capacity(self.plan.fields.len()) });
                self.at += 1;
                continue;
            };
            if self.at < fields {
                row.key = next(&mut items, CellOf(self.key.unwrap_or(FieldKind::Text)))?;
            } else if self.at < children {
                let field = self.plan.fields[self.at - fields];
                row.cells.push(next(&mut items, CellOf(catalog().get(self.plan.ty).fields[field].kind))?);
            } else {
                self.child(self.at - children, &mut items)?;
            }
            self.at += 1;
        }
        Ok(())
    }

    /// Reads the element at this place among those of the children.
    fn child<'de, A: SeqAccess<'de>>(&mut self, mut at: usize, items: &mut A) -> Result<(), A::Error> {
        for (child, found) in self.plan.children.iter().zip(&mut self.level.children) {
            if at >= elements(child) {
                at -= elements(child);
                continue;
            }
            match (child, found) {
                (ChildPlan::One(_, plan), ChildRows::One(references)) => {
                    let row = next(items, RowOf { plan, key: None, level: &mut references.levels[0] })?;
                    references.at.push(row.map(|row| (0, row)));
                }
                (ChildPlan::Many(_, list), ChildRows::Many(pages)) if at == 0 && list.rows => {
                    let span = next(items, PageOf { list, level: &mut pages.level })?;
                    pages.spans.push(span);
                }
                (ChildPlan::Many(_, list), ChildRows::Many(pages)) => {
                    // what comes first begins the span of the row
                    if at == 0 {
                        pages.spans.push(PageBounds::default());
                    }
                    let Some(span) = pages.spans.last_mut() else { return Err(A::Error::custom("a list without a span")) };
                    match at.checked_sub(usize::from(list.rows) + usize::from(list.total)) {
                        Some(place) => span.facets.push(next(items, FacetOf(&list.facets[place], &mut pages.facets[place]))?),
                        None => span.total = items.next_element()?,
                    }
                }
                _ => return Err(A::Error::custom("a level of another shape than its plan")),
            }
            return Ok(());
        }
        Err(A::Error::custom("a row of another shape than its plan"))
    }
}

/// Elements that a child has in the array of its row.
fn elements(child: &ChildPlan) -> usize {
    match child {
        ChildPlan::One(..) => 1,
        ChildPlan::Any(..) => 0,
        ChildPlan::Many(_, list) => usize::from(list.rows) + usize::from(list.total) + list.facets.len(),
    }
}

pub(crate) fn next<'de, A: SeqAccess<'de>, S: DeserializeSeed<'de>>(items: &mut A, seed: S) -> Result<S::Value, A::Error> {
    items.next_element_seed(seed)?.ok_or_else(|| A::Error::custom("a row is too short"))
}

struct Rest<'a, 'p>(&'a mut Part<'p>);

impl<'de> DeserializeSeed<'de> for Rest<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rest<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the rest of a row")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<(), A::Error> {
        self.0.fill(items)
    }
}

/// A cell of a kind.
struct CellOf(FieldKind);

impl<'de> DeserializeSeed<'de> for CellOf {
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

impl Visitor<'_> for CellOf {
    type Value = Cell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value of the kind {:?}", self.0)
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
            FieldKind::Instant => Cell::Instant(instant(text).map_err(E::custom)?),
            FieldKind::Number => Cell::Number(text.parse().map_err(E::custom)?),
            _ => Cell::Text(text.to_owned()),
        })
    }
}

fn instant(text: &str) -> chrono::ParseResult<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).map(|instant| instant.to_utc())
}
