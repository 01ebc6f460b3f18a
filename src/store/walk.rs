//! A list from its beginning to its end, page by page, each found by the key of the last row of the one before.

use uuid::Uuid;

use crate::error::{Result, internal};
use crate::page::Page;
use crate::store::condition::Form;
use crate::store::db::Store;
use crate::store::decode;
use crate::store::plan::List;
use crate::store::record::{Relation, catalog};
use crate::store::row::{Node, Pages};
use crate::store::select::Selects;

/// A walk through a list.
#[derive(Debug)]
pub struct Walk {
    store: Store,
    list: List,
    /// Whose list it is, where it is that of one record.
    parent: Option<(&'static Relation, Uuid)>,
    forms: Vec<Form>,
    /// Rows that may still come.
    left: u64,
    ended: bool,
}

impl Store {
    /// Begins a walk through a list, whatever its page: of all records of a type, or of one record by a relation. It gives
    /// this many rows at most.
    pub async fn walk(&self, list: List, parent: Option<(&'static Relation, Uuid)>, most: u64) -> Result<Walk> {
        let forms = self.forms(catalog().get(list.plan.ty), &list.filter).await?;
        let list = List { page: Page::default(), rows: true, cursors: true, beyond: false, total: false, ..list };
        Ok(Walk { store: self.clone(), list, parent, forms, left: most, ended: false })
    }
}

impl Walk {
    /// The next rows, this many at most; nothing at the end.
    pub async fn next(&mut self, rows: u32) -> Result<Option<Pages>> {
        let size = u32::try_from(self.left).unwrap_or(u32::MAX).min(rows);
        if self.ended || size == 0 {
            return Ok(None);
        }
        self.list.page.size = size;
        let mut selects = Selects::new(self.store.backend(), self.store.sees, self.forms.clone());
        let select = match self.parent {
            Some((relation, id)) => selects.page_of(&self.list, relation, id)?,
            None => selects.page(&self.list)?,
        };
        let text = self.store.read_text(&select).await?;
        let mut pages = Pages::new(&self.list);
        decode::page(text.as_deref().unwrap_or("null"), &self.list, &mut pages).map_err(internal)?;
        self.store.complete(&self.list.plan, &mut pages.level).await?;
        let (count, last) = match pages.of(0) {
            Some(slice) => (slice.nodes().len(), slice.nodes().next_back().map(Node::place)),
            None => (0, None),
        };
        self.ended = count < size as usize;
        self.left -= count as u64;
        let Some(last) = last else { return Ok(None) };
        self.list.page.after = Some(last);
        Ok(Some(pages))
    }
}
