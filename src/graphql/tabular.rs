//! A query as a table: one of its lists becomes the rows, and what is selected below it the columns.
//!
//! A list of records is read whole, whatever page the query asks for, page after page and as it was at one moment. Any
//! other list (figures, hits of a search, small objects) is taken from the answer to the query.

pub(crate) mod feed_entries;
mod layout;
mod rows;
mod source;
mod value;

use async_graphql::parser::types::OperationDefinition;
use serde_json::Value as Json;
use typed_arena::Arena;

use crate::core::auth::Caller;
use crate::core::error::{Result, bad_input};
use crate::core::language::Languages;
use crate::graphql::engine::{Api, PreparedOperation};
use crate::graphql::error::GraphqlError;
use crate::graphql::projection::selection::{Scope, Selection};
use crate::graphql::query;
use crate::graphql::request::document;
use crate::graphql::tabular::layout::Form;
use crate::graphql::tabular::source::{Cited, RowShape, Source};
use crate::graphql::tabular::value::{Context, Item};
use crate::store::read::result::PagedRows;
use crate::tabular::{ColumnType, TableColumn, TableRows, TableValue};

/// Name of the column with the sources of a row.
const SOURCES: &str = "sources";

/// What is wanted of a query as a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The list that becomes the rows, by its path in the answer, such as `provision.charges`; else the first.
    pub rows: Option<String>,
    /// Whether each item of a list within a row is a row of its own; else they stand in one cell.
    pub exploded: bool,
    /// Which list that is, where a row has several.
    pub explode: Option<String>,
    /// Whether there is a column with the sources of each row.
    pub sources: bool,
    /// Rows at most.
    pub limit: Option<u64>,
}

/// A table: its columns, what reads it and what makes its rows.
pub struct TableQuery {
    /// Name of the field of the query that it was made of.
    pub name: String,
    /// The columns, in the order of the query.
    pub columns: Vec<TableColumn>,
    /// Reads it, part by part.
    pub reader: Reader,
    /// Makes rows of the parts.
    pub filler: Filler,
}

/// Reads a table part by part.
pub struct Reader {
    source: Source,
    /// Items that may still come: items that become several rows count once.
    left: u64,
}

/// A part of a table, as it was read.
pub enum Part {
    /// Rows of the store.
    Pages(PagedRows),
    /// Items of an answer.
    Items(Vec<Json>),
}

/// Makes rows.
pub struct Filler {
    form: Form,
    row: RowShape,
    cited: Option<Cited>,
    languages: Languages,
    limit: usize,
}

impl Api {
    /// A query as a table; what is wrong is told before anything is read.
    pub async fn table(
        &self,
        prepared: &PreparedOperation,
        wanted: &Wanted,
        languages: &Languages,
        caller: &Caller,
    ) -> Result<TableQuery, Vec<GraphqlError>> {
        let PreparedOperation { document, asked, variables, .. } = prepared;
        let operation: &OperationDefinition = document::operation(document, asked.operation.as_deref()).map_err(|failure| vec![failure])?;
        let roots = Scope { document, operation, variables, dataset: &self.dataset }.roots(query::NAME);
        let told = |error: crate::core::error::Error| vec![GraphqlError::from(error)];
        let (root, mut form, keys) = self.rows_of(&roots, wanted.rows.as_deref()).map_err(told)?;
        if wanted.exploded {
            form.explode(wanted.explode.as_deref()).map_err(told)?;
        }
        let mut columns = form.columns().map_err(told)?;
        let store = self.store.for_role(caller.role);
        let list = source::list(&store, root, &keys, wanted).await.map_err(told)?;
        let limit = wanted.limit.unwrap_or(u64::MAX);
        let (source, row, cited) = match list {
            Some(list) => list,
            None if wanted.sources => {
                return Err(told(bad_input("sources", "the rows of this list are no records, and have no sources of their own")));
            }
            None => {
                let answer = self.run(prepared, languages, caller).await.map_err(|failure| vec![failure])?;
                if !answer.failures.is_empty() {
                    return Err(answer.failures);
                }
                let answer = serde_json::from_slice(&answer.data).unwrap_or_default();
                (Source::Answer(source::items(answer, root.name_in_answer(), &keys)), RowShape::Json, None)
            }
        };
        if cited.is_some() {
            columns.push(TableColumn { name: SOURCES.to_owned(), ty: ColumnType::Text });
        }
        let filler = Filler { form, row, cited, languages: languages.clone(), limit: usize::try_from(limit).unwrap_or(usize::MAX) };
        Ok(TableQuery { name: root.name_in_answer().to_owned(), columns, reader: Reader { source, left: limit }, filler })
    }

    /// The list that becomes the rows: the field of the root that it is in, what its items are, and the keys from the one
    /// to the other. Without any list it is what the first field gives.
    fn rows_of<'s, 'q>(&self, roots: &'s [Selection<'q>], wanted: Option<&str>) -> Result<(&'s Selection<'q>, Form, Vec<String>)> {
        let mut names = Vec::new();
        let mut first = None;
        for root in roots {
            let form = Form::of(root, query::NAME, self.schema.registry());
            let found = form.lists().into_iter().find_map(|(name, keys)| {
                let name = [root.name_in_answer(), name.as_str()].join(".");
                let name = name.trim_end_matches('.').to_owned();
                let is_it = wanted.is_none_or(|wanted| wanted == name);
                names.push(name);
                is_it.then_some(keys)
            });
            if let Some(keys) = found
                && let Some(Form::List { item, .. }) = form.at(&keys)
            {
                return Ok((root, *item, keys));
            }
            first = first.or(Some(root));
        }
        match (wanted, first) {
            (Some(wanted), _) if !names.is_empty() => {
                let names = names.join(", ");
                Err(bad_input("rows", format_args!("the query has no list {wanted} that could be the rows; it has {names}")))
            }
            (_, Some(root)) => Ok((root, Form::of(root, query::NAME, self.schema.registry()), Vec::new())),
            _ => Err(bad_input("query", "nothing is selected")),
        }
    }
}

impl Reader {
    /// The next part; nothing at the end.
    pub async fn next(&mut self) -> Result<Option<Part>> {
        match &mut self.source {
            Source::Walk(walk) => Ok(walk.next().await?.map(Part::Pages)),
            Source::Nothing => Ok(None),
            Source::Answer(items) => {
                let mut items = std::mem::take(items);
                items.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
                Ok((!items.is_empty()).then_some(Part::Items(items)))
            }
        }
    }
}

impl Filler {
    /// Makes the rows of a part; what has to be made first lives in the arena.
    pub fn rows<'a>(&'a mut self, part: &'a Part, arena: &'a Arena<Json>) -> Result<TableRows<'a>> {
        let Self { form, row, cited, languages, limit } = self;
        let context = Context { languages, arena };
        let mut rows = TableRows::new(form.width() + usize::from(cited.is_some()));
        match part {
            Part::Items(items) => items.iter().try_for_each(|item| rows::add(form, Item::Json(item), context, &mut rows))?,
            Part::Pages(pages) => {
                for node in pages.get(0).into_iter().flat_map(|slice| slice.nodes()) {
                    let item = match &*row {
                        RowShape::Record(shape) => Item::Record(shape, node),
                        RowShape::Edge(parts) => Item::Edge(parts, node),
                        RowShape::Json => continue,
                    };
                    match &*cited {
                        None => rows::add(form, item, context, &mut rows)?,
                        Some(cited) => {
                            let mut alone = TableRows::new(form.width());
                            rows::add(form, item, context, &mut alone)?;
                            let sources = cited.of(node, context);
                            for row in alone.iter() {
                                row.iter().for_each(|value| rows.push(value.clone()));
                                rows.push(sources.clone().map_or(TableValue::Null, |text| TableValue::Text(text.into())));
                            }
                        }
                    }
                }
            }
        }
        rows.truncate(*limit);
        *limit -= rows.count();
        Ok(rows)
    }
}
