//! A list from its beginning to its end, in pieces.

use std::vec;

use sea_orm::QueryResult;
use uuid::Uuid;

use crate::catalog::record::{Relation, catalog};
use crate::core::error::{Result, internal};
use crate::core::pagination::Page;
use crate::store::Store;
use crate::store::db::snapshot::Pieces;
use crate::store::read::decode;
use crate::store::read::plan::ListPlan;
use crate::store::read::result::{PageBounds, PagedRows, RowRef};
use crate::store::sql::dialect;
use crate::store::sql::filter::SemiJoin;
use crate::store::sql::join::{Columns, is_joinable};
use crate::store::sql::select::SelectBuilder;

/// Rows that are read at a time: fewer where each brings lists of its own.
const ROWS: u32 = 2_000;
const ROWS_WITH_LISTS: u32 = 200;

/// A walk through a list.
#[derive(Debug)]
pub struct Walk {
    store: Store,
    list: ListPlan,
    way: Way,
}

/// How a list is walked through.
#[derive(Debug)]
enum Way {
    Pages(ByPages),
    Rows(Box<ByRows>),
}

/// Page by page, each found by the key of the last row of the one before.
#[derive(Debug)]
struct ByPages {
    /// Whose list it is, where it is that of one record.
    parent: Option<(&'static Relation, Uuid)>,
    forms: Vec<SemiJoin>,
    size: u32,
    /// Rows that may still come.
    left: u64,
    ended: bool,
}

/// By the rows of a joining statement, in a snapshot.
#[derive(Debug)]
struct ByRows {
    columns: Columns,
    pieces: Pieces,
    /// The last of them.
    rows: vec::IntoIter<QueryResult>,
    /// The records that came since the last page, of which the last may not be complete.
    page: PagedRows,
}

impl Store {
    /// Begins a walk through a list, whatever its page: of all records of a type, or of one record by a relation. It gives
    /// this many records at most.
    pub async fn walk(&self, list: ListPlan, parent: Option<(&'static Relation, Uuid)>, most: u64) -> Result<Walk> {
        let list = ListPlan { page: Page::default(), rows: true, beyond: false, total: false, ..list };
        let way = match self.snapshot.is_some() && dialect::gives_all(self.backend()) && is_joinable(&list.plan) {
            true => Way::Rows(Box::new(self.by_rows(&list, parent, most).await?)),
            false => {
                let forms = self.forms(catalog().get(list.plan.ty), &list.filter).await?;
                let size = if list.plan.has_lists() { ROWS_WITH_LISTS } else { ROWS };
                Way::Pages(ByPages { parent, forms, size, left: most, ended: false })
            }
        };
        // the next page is found by the key of a row
        let cursors = list.cursors || matches!(way, Way::Pages(_));
        Ok(Walk { store: self.clone(), list: ListPlan { cursors, ..list }, way })
    }

    async fn by_rows(&self, list: &ListPlan, parent: Option<(&Relation, Uuid)>, most: u64) -> Result<ByRows> {
        let (select, columns) = SelectBuilder::new(self.backend(), self.sees, Vec::new()).whole(list, parent, most)?;
        let pieces = self.pieces(&select, ROWS as usize).await?;
        Ok(ByRows { columns, pieces, rows: Vec::new().into_iter(), page: PagedRows::new(list) })
    }
}

impl Walk {
    /// The next records; nothing at the end.
    pub async fn next(&mut self) -> Result<Option<PagedRows>> {
        let Self { store, list, way } = self;
        match way {
            Way::Pages(pages) => pages.next(store, list).await,
            Way::Rows(rows) => rows.next(list).await,
        }
    }
}

impl ByPages {
    async fn next(&mut self, store: &Store, list: &mut ListPlan) -> Result<Option<PagedRows>> {
        let size = u32::try_from(self.left).unwrap_or(u32::MAX).min(self.size);
        if self.ended || size == 0 {
            return Ok(None);
        }
        list.page.size = size;
        let mut selects = SelectBuilder::new(store.backend(), store.sees, self.forms.clone());
        let select = match self.parent {
            Some((relation, id)) => selects.page_of(list, relation, id)?,
            None => selects.page(list)?,
        };
        let text = store.read_text(&select).await?;
        let mut pages = PagedRows::new(list);
        decode::page(text.as_deref().unwrap_or("null"), list, &mut pages).map_err(internal)?;
        store.complete(&list.plan, &mut pages.level).await?;
        let (count, last) = match pages.of(0) {
            Some(slice) => (slice.nodes().len(), slice.nodes().next_back().map(RowRef::place)),
            None => (0, None),
        };
        self.ended = count < size as usize;
        self.left -= count as u64;
        let Some(last) = last else { return Ok(None) };
        list.page.after = Some(last);
        Ok(Some(pages))
    }
}

impl ByRows {
    async fn next(&mut self, list: &ListPlan) -> Result<Option<PagedRows>> {
        let mut read = 0;
        loop {
            for row in self.rows.by_ref() {
                let is_full = read >= ROWS && !self.columns.goes_on(&row, &self.page).map_err(internal)?;
                let full = is_full.then(|| self.page.take(list));
                self.columns.read(&row, &mut self.page).map_err(internal)?;
                read += 1;
                if let Some(full) = full {
                    return Ok(Some(complete(full)));
                }
            }
            match self.pieces.next().await? {
                Some(rows) => self.rows = rows.into_iter(),
                None => {
                    let rest = self.page.take(list);
                    return Ok((!rest.level.rows.is_empty()).then(|| complete(rest)));
                }
            }
        }
    }
}

/// A page of all records that it has.
fn complete(mut page: PagedRows) -> PagedRows {
    page.spans.push(PageBounds { start: 0, end: page.level.rows.len(), ..PageBounds::default() });
    page
}
