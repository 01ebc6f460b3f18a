//! Conversion of response values to rows of a table.

use std::fmt::Write;

use crate::core::error::Result;
use crate::graphql::tabular::layout::{Layout, LayoutMember};
use crate::graphql::tabular::value::{ReadContext, ResponseValue};
use crate::tabular::{TableRows, TableValue};

/// Separator of the items of a list in one cell.
const ITEM_SEPARATOR: &str = "; ";

/// Appends the rows of an item: one, unless one of its lists is exploded.
pub(super) fn append<'a>(layout: &Layout, item: ResponseValue<'a>, context: ReadContext<'a>, rows: &mut TableRows<'a>) -> Result<()> {
    if !layout.is_exploded() {
        return flatten(layout, Some(item), context, &mut |value| rows.push(value));
    }
    let mut row = vec![TableValue::Null; layout.width()];
    explode(layout, Some(item), context, &mut row, 0, rows)
}

/// Appends every row of an item. The values of the item start at `column`; the cells of `row` outside the item are already
/// set. An item with an empty list is one row with null cells.
fn explode<'a>(
    layout: &Layout,
    item: Option<ResponseValue<'a>>,
    context: ReadContext<'a>,
    row: &mut [TableValue<'a>],
    column: usize,
    rows: &mut TableRows<'a>,
) -> Result<()> {
    match (layout, item) {
        (Layout::List { item: layout, exploded: true }, Some(list)) => {
            let items = list.items(context)?;
            for item in &items {
                explode(layout, Some(*item), context, row, column, rows)?;
            }
            if items.is_empty() { explode(layout, None, context, row, column, rows) } else { Ok(()) }
        }
        (Layout::Object(members), Some(item)) if layout.is_exploded() => {
            let object = item.object(context);
            let mut start = column;
            let mut exploded = None;
            for (index, member) in members.iter().enumerate() {
                let value = member_value(object, index, member, context);
                if member.layout.is_exploded() {
                    // at most one list of a row is exploded
                    exploded = Some((member, value, start));
                } else {
                    set_cells(&member.layout, value, context, row, start)?;
                }
                start += member.layout.width();
            }
            match exploded {
                Some((member, value, column)) => explode(&member.layout, value, context, row, column, rows),
                None => Ok(()),
            }
        }
        (layout, item) => {
            set_cells(layout, item, context, row, column)?;
            for value in row.iter() {
                rows.push(value.clone());
            }
            Ok(())
        }
    }
}

/// Sets the cells of an item, starting at `column`.
fn set_cells<'a>(
    layout: &Layout,
    item: Option<ResponseValue<'a>>,
    context: ReadContext<'a>,
    row: &mut [TableValue<'a>],
    column: usize,
) -> Result<()> {
    let mut cells = row[column..].iter_mut();
    flatten(layout, item, context, &mut |value| {
        if let Some(cell) = cells.next() {
            *cell = value;
        }
    })
}

/// Pushes the values of one row in column order.
fn flatten<'a>(
    layout: &Layout,
    item: Option<ResponseValue<'a>>,
    context: ReadContext<'a>,
    push: &mut dyn FnMut(TableValue<'a>),
) -> Result<()> {
    match (layout, item) {
        (layout, None) => (0..layout.width()).for_each(|_| push(TableValue::Null)),
        (Layout::Leaf(ty), Some(item)) => push(item.cell(*ty, context)),
        (Layout::Object(members), Some(item)) => {
            let object = item.object(context);
            for (index, member) in members.iter().enumerate() {
                flatten(&member.layout, member_value(object, index, member, context), context, push)?;
            }
        }
        (Layout::List { item: layout, .. }, Some(list)) => join(layout, &list.items(context)?, context, push)?,
    }
    Ok(())
}

fn member_value<'a>(
    object: Option<ResponseValue<'a>>,
    index: usize,
    member: &LayoutMember,
    context: ReadContext<'a>,
) -> Option<ResponseValue<'a>> {
    object?.member(index, &member.key, context)
}

/// Joins the values of a list, one cell for each column. With several columns, null values are kept, so that the second
/// value of one column belongs to the second value of another.
fn join<'a>(layout: &Layout, items: &[ResponseValue<'a>], context: ReadContext<'a>, push: &mut dyn FnMut(TableValue<'a>)) -> Result<()> {
    let width = layout.width();
    let mut values = Vec::with_capacity(width * items.len());
    for item in items {
        flatten(layout, Some(*item), context, &mut |value| values.push(value))?;
    }
    for column in 0..width {
        let of_column = || values.iter().skip(column).step_by(width);
        if of_column().all(|value| *value == TableValue::Null) {
            push(TableValue::Null);
            continue;
        }
        let mut text = String::new();
        for (index, value) in of_column().filter(|value| width > 1 || **value != TableValue::Null).enumerate() {
            let separator = if index > 0 { ITEM_SEPARATOR } else { "" };
            // writing to a string cannot fail
            let _ = write!(text, "{separator}{}", value.to_text());
        }
        push(TableValue::Text(text.into()));
    }
    Ok(())
}
