//! From what stands in an answer to rows of a table.

use std::fmt::Write;

use super::form::{Branch, Form};
use super::item::{Context, Item};
use crate::error::Result;
use crate::table::{Rows, Value};

/// What stands between the items of a list in one cell.
const BETWEEN: &str = "; ";

/// Adds the rows that an item becomes: one, unless a list in it is exploded.
pub(super) fn add<'a>(form: &Form, item: Item<'a>, context: Context<'a>, rows: &mut Rows<'a>) -> Result<()> {
    if !form.is_exploded() {
        return fill(form, Some(item), context, &mut |value| rows.push(value));
    }
    let variants = expand(form, Some(item), context)?;
    variants.into_iter().flatten().for_each(|value| rows.push(value));
    Ok(())
}

/// Gives the values of one row, in the order of the columns.
fn fill<'a>(form: &Form, item: Option<Item<'a>>, context: Context<'a>, push: &mut dyn FnMut(Value<'a>)) -> Result<()> {
    match (form, item) {
        (form, None) => (0..form.width()).for_each(|_| push(Value::Null)),
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
fn join<'a>(form: &Form, items: &[Item<'a>], context: Context<'a>, push: &mut dyn FnMut(Value<'a>)) -> Result<()> {
    let width = form.width();
    let mut values = Vec::with_capacity(width * items.len());
    for item in items {
        fill(form, Some(*item), context, &mut |value| values.push(value))?;
    }
    for column in 0..width {
        let of_column = || values.iter().skip(column).step_by(width);
        if of_column().all(|value| *value == Value::Null) {
            push(Value::Null);
            continue;
        }
        let mut text = String::new();
        for (place, value) in of_column().filter(|value| width > 1 || **value != Value::Null).enumerate() {
            let between = if place > 0 { BETWEEN } else { "" };
            // writing to a text cannot fail
            let _ = write!(text, "{between}{}", value.to_text());
        }
        push(Value::Text(text.into()));
    }
    Ok(())
}

/// Every row that an item becomes. An item whose list is empty is one row still, with nothing in its columns.
fn expand<'a>(form: &Form, item: Option<Item<'a>>, context: Context<'a>) -> Result<Vec<Vec<Value<'a>>>> {
    let one = |item| {
        let mut row = Vec::with_capacity(form.width());
        fill(form, item, context, &mut |value| row.push(value)).map(|()| vec![row])
    };
    match (form, item) {
        (Form::List { item: form, exploded: true }, Some(list)) => {
            let mut rows = Vec::new();
            for item in list.items(context)? {
                rows.append(&mut expand(form, Some(item), context)?);
            }
            if rows.is_empty() { one(None) } else { Ok(rows) }
        }
        (Form::Object(branches), Some(item)) if form.is_exploded() => {
            let object = item.object(context);
            let mut rows: Vec<Vec<Value<'a>>> = vec![Vec::new()];
            for (place, branch) in branches.iter().enumerate() {
                let of_branch = expand(&branch.form, member(object, place, branch, context), context)?;
                rows = match of_branch.as_slice() {
                    [only] => {
                        rows.iter_mut().for_each(|row| row.extend_from_slice(only));
                        rows
                    }
                    several => rows.iter().flat_map(|row| several.iter().map(move |more| [row.as_slice(), more].concat())).collect(),
                };
            }
            Ok(rows)
        }
        (_, item) => one(item),
    }
}
