//! From what stands in an answer to rows of a table.

use std::fmt::Write;

use crate::core::error::Result;
use crate::graphql::tabular::layout::{Branch, Form};
use crate::graphql::tabular::value::{Context, Item};
use crate::tabular::{TableRows, TableValue};

/// What stands between the items of a list in one cell.
const BETWEEN: &str = "; ";

/// Adds the rows that an item becomes: one, unless a list in it is exploded.
pub(super) fn add<'a>(form: &Form, item: Item<'a>, context: Context<'a>, rows: &mut TableRows<'a>) -> Result<()> {
    if !form.is_exploded() {
        return fill(form, Some(item), context, &mut |value| rows.push(value));
    }
    let mut row = vec![TableValue::Null; form.width()];
    spread(form, Some(item), context, &mut row, 0, rows)
}

/// Adds every row that an item becomes. Its values stand in the row from this place on; all that is beside it stands there
/// already. An item whose list is empty is one row still, with nothing in its columns.
fn spread<'a>(
    form: &Form,
    item: Option<Item<'a>>,
    context: Context<'a>,
    row: &mut [TableValue<'a>],
    at: usize,
    rows: &mut TableRows<'a>,
) -> Result<()> {
    match (form, item) {
        (Form::List { item: form, exploded: true }, Some(list)) => {
            let items = list.items(context)?;
            for item in &items {
                spread(form, Some(*item), context, row, at, rows)?;
            }
            if items.is_empty() { spread(form, None, context, row, at, rows) } else { Ok(()) }
        }
        (Form::Object(branches), Some(item)) if form.is_exploded() => {
            let object = item.object(context);
            let mut begin = at;
            let mut last = None;
            for (place, branch) in branches.iter().enumerate() {
                let below = member(object, place, branch, context);
                match branch.form.is_exploded() {
                    // only one list of a row is
                    true => last = Some((branch, below, begin)),
                    false => put(&branch.form, below, context, row, begin)?,
                }
                begin += branch.form.width();
            }
            match last {
                Some((branch, below, at)) => spread(&branch.form, below, context, row, at, rows),
                None => Ok(()),
            }
        }
        (form, item) => {
            put(form, item, context, row, at)?;
            row.iter().for_each(|value| rows.push(value.clone()));
            Ok(())
        }
    }
}

/// Puts the values of an item into a row, from this place on.
fn put<'a>(form: &Form, item: Option<Item<'a>>, context: Context<'a>, row: &mut [TableValue<'a>], at: usize) -> Result<()> {
    let mut places = row[at..].iter_mut();
    fill(form, item, context, &mut |value| {
        if let Some(place) = places.next() {
            *place = value;
        }
    })
}

/// Gives the values of one row, in the order of the columns.
fn fill<'a>(form: &Form, item: Option<Item<'a>>, context: Context<'a>, push: &mut dyn FnMut(TableValue<'a>)) -> Result<()> {
    match (form, item) {
        (form, None) => (0..form.width()).for_each(|_| push(TableValue::Null)),
        (Form::Leaf(ty), Some(item)) => push(item.value(*ty, context)),
        (Form::Object(branches), Some(item)) => {
            let object = item.object(context);
            for (place, branch) in branches.iter().enumerate() {
                fill(&branch.form, member(object, place, branch, context), context, push)?;
            }
        }
        (Form::List { item: form, .. }, Some(list)) => join(form, &list.items(context)?, context, push)?,
    }
    Ok(())
}

fn member<'a>(object: Option<Item<'a>>, place: usize, branch: &Branch, context: Context<'a>) -> Option<Item<'a>> {
    object?.member(place, &branch.key, context)
}

/// The values of a list, column by column, each column in one cell. Where a list has several columns, each has a place
/// for every item, so that the second of one belongs to the second of the other.
fn join<'a>(form: &Form, items: &[Item<'a>], context: Context<'a>, push: &mut dyn FnMut(TableValue<'a>)) -> Result<()> {
    let width = form.width();
    let mut values = Vec::with_capacity(width * items.len());
    for item in items {
        fill(form, Some(*item), context, &mut |value| values.push(value))?;
    }
    for column in 0..width {
        let of_column = || values.iter().skip(column).step_by(width);
        if of_column().all(|value| *value == TableValue::Null) {
            push(TableValue::Null);
            continue;
        }
        let mut text = String::new();
        for (place, value) in of_column().filter(|value| width > 1 || **value != TableValue::Null).enumerate() {
            let between = if place > 0 { BETWEEN } else { "" };
            // writing to a text cannot fail
            let _ = write!(text, "{between}{}", value.to_text());
        }
        push(TableValue::Text(text.into()));
    }
    Ok(())
}
