//! Scans: reading a whole list from its beginning to its end, in chunks.

use std::vec;

use sea_orm::QueryResult;
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::relation::Relation;
use crate::core::error::{Result, internal};
use crate::core::pagination::Page;
use crate::store::db::snapshot::RowBatches;
use crate::store::handle::Store;
use crate::store::read::decode;
use crate::store::read::plan::ListPlan;
use crate::store::read::result::{PageBounds, PagedRows, RowRef};
use crate::store::read::semi_joins::ReadReach;
use crate::store::sql::dialect;
use crate::store::sql::filter::SemiJoin;
use crate::store::sql::join::{FlatColumns, is_joinable};
use crate::store::sql::select::SelectBuilder;

/// Rows per chunk.
const SCAN_CHUNK_ROWS: u32 = 2_000;
/// Rows per chunk if each row has lists of its own.
const SCAN_CHUNK_ROWS_WITH_LISTS: u32 = 200;
/// Bytes of a chunk, as the database returns it, above which the next one has fewer rows, so that memory is bounded
/// whatever the rows hold.
const MAX_CHUNK_BYTES: usize = 4 << 20;

/// A scan of a list.
#[derive(Debug)]
pub struct Scan {
    store: Store,
    list: ListPlan,
    strategy: ScanStrategy,
}

/// How a list is scanned.
#[derive(Debug)]
enum ScanStrategy {
    Paged(PagedScan),
    Flat(Box<FlatScan>),
}

/// Reads page by page, each starting at the cursor of the last row of the previous page.
#[derive(Debug)]
struct PagedScan {
    /// The parent, if the list is that of one record.
    parent: Option<(&'static Relation, Uuid)>,
    semi_joins: Vec<SemiJoin>,
    /// Rows of the next chunk.
    page_size: u32,
    max_page_size: u32,
    remaining_rows: u64,
    has_ended: bool,
}

/// Streams the rows of one joining statement, in a snapshot.
#[derive(Debug)]
struct FlatScan {
    columns: FlatColumns,
    batches: RowBatches,
    /// The rest of the current batch.
    rows: vec::IntoIter<QueryResult>,
    /// The records since the last chunk; the list of the last one may be incomplete.
    page: PagedRows,
}

impl Store {
    /// Begins to scan the list of all records of a type, or of one record by a relation, regardless of the page in the
    /// plan. The scan yields at most `limit` records.
    pub async fn scan(&self, list: ListPlan, parent: Option<(&'static Relation, Uuid)>, limit: u64) -> Result<Scan> {
        let list = ListPlan { page: Page::default(), rows: true, probe_next: false, total: false, ..list };
        let strategy = if self.snapshot.is_some() && dialect::streams_rows(self.backend()) && is_joinable(&list.plan) {
            ScanStrategy::Flat(Box::new(self.flat_scan(&list, parent, limit).await?))
        } else {
            let semi_joins = self.choose_semi_joins(catalog().get(list.plan.ty), &list.filter, ReadReach::Page).await?;
            let has_lists = list.plan.has_lists();
            let max_page_size = if has_lists { SCAN_CHUNK_ROWS_WITH_LISTS } else { SCAN_CHUNK_ROWS };
            ScanStrategy::Paged(PagedScan {
                parent,
                semi_joins,
                page_size: max_page_size,
                max_page_size,
                remaining_rows: limit,
                has_ended: false,
            })
        };
        // a page starts at the cursor of a row
        let cursors = list.cursors || matches!(strategy, ScanStrategy::Paged(_));
        Ok(Scan { store: self.clone(), list: ListPlan { cursors, ..list }, strategy })
    }

    async fn flat_scan(&self, list: &ListPlan, parent: Option<(&Relation, Uuid)>, limit: u64) -> Result<FlatScan> {
        let (select, columns) = SelectBuilder::new(self.backend(), self.visibility, Vec::new()).flat(list, parent, limit)?;
        let batches = self.stream(&select, SCAN_CHUNK_ROWS as usize).await?;
        Ok(FlatScan { columns, batches, rows: Vec::new().into_iter(), page: PagedRows::new(list) })
    }
}

impl Scan {
    /// Begins with a chunk of at most this many rows; the size of the next ones depends on the bytes of those before.
    #[must_use]
    pub fn with_first_chunk(mut self, rows: u32) -> Self {
        if let ScanStrategy::Paged(scan) = &mut self.strategy {
            scan.page_size = scan.page_size.min(rows.max(1));
        }
        self
    }

    /// The next chunk of records, or `None` at the end.
    pub async fn next(&mut self) -> Result<Option<PagedRows>> {
        let Self { store, list, strategy } = self;
        match strategy {
            ScanStrategy::Paged(scan) => scan.next(store, list).await,
            ScanStrategy::Flat(scan) => scan.next(list).await,
        }
    }
}

impl PagedScan {
    async fn next(&mut self, store: &Store, list: &mut ListPlan) -> Result<Option<PagedRows>> {
        let size = u32::try_from(self.remaining_rows).unwrap_or(u32::MAX).min(self.page_size);
        if self.has_ended || size == 0 {
            return Ok(None);
        }
        list.page.size = size;
        let mut builder = SelectBuilder::new(store.backend(), store.visibility, self.semi_joins.clone());
        let select = match self.parent {
            Some((relation, id)) => builder.page_of(list, relation, id)?,
            None => builder.page(list)?,
        };
        let text = store.fetch_text(&select).await?;
        self.page_size = next_page_size(size, text.as_ref().map_or(0, String::len)).min(self.max_page_size);
        let mut pages = PagedRows::new(list);
        decode::page(text.as_deref().unwrap_or("null"), list, &mut pages).map_err(internal)?;
        store.complete_rows(&list.plan, &mut pages.level).await?;
        let (count, last) = match pages.get(0) {
            Some(page) => (page.nodes().len(), page.nodes().next_back().map(RowRef::to_cursor)),
            None => (0, None),
        };
        self.has_ended = count < size as usize;
        self.remaining_rows -= count as u64;
        let Some(last) = last else { return Ok(None) };
        list.page.after = Some(last);
        Ok(Some(pages))
    }
}

/// Rows of the chunk after one of this size: twice as many as long as the chunks are small.
fn next_page_size(rows: u32, bytes: usize) -> u32 {
    let fitting = u64::from(rows).saturating_mul(MAX_CHUNK_BYTES as u64) / bytes.max(1) as u64;
    u32::try_from(fitting.min(u64::from(rows) * 2)).unwrap_or(u32::MAX).max(1)
}

impl FlatScan {
    async fn next(&mut self, list: &ListPlan) -> Result<Option<PagedRows>> {
        let mut row_count = 0;
        loop {
            for row in self.rows.by_ref() {
                let is_full = row_count >= SCAN_CHUNK_ROWS && !self.columns.is_same_record(&row, &self.page).map_err(internal)?;
                let full = is_full.then(|| self.page.take(list));
                self.columns.decode(&row, &mut self.page).map_err(internal)?;
                row_count += 1;
                if let Some(full) = full {
                    return Ok(Some(single_page(full)));
                }
            }
            if let Some(rows) = self.batches.next().await? {
                self.rows = rows.into_iter();
            } else {
                let rest = self.page.take(list);
                return Ok((!rest.level.rows.is_empty()).then(|| single_page(rest)));
            }
        }
    }
}

/// Puts all rows on one page.
fn single_page(mut pages: PagedRows) -> PagedRows {
    pages.bounds.push(PageBounds { start: 0, end: pages.level.rows.len(), ..PageBounds::default() });
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_grow_while_they_are_small() {
        assert_eq!(next_page_size(10, 0), 20);
        assert_eq!(next_page_size(10, MAX_CHUNK_BYTES / 4), 20);
        assert_eq!(next_page_size(10, MAX_CHUNK_BYTES), 10);
        assert_eq!(next_page_size(10, 5 * MAX_CHUNK_BYTES), 2);
        assert_eq!(next_page_size(10, 100 * MAX_CHUNK_BYTES), 1);
    }
}
