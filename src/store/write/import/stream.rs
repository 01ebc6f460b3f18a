//! Writes an import batch by batch in one transaction: memory does not grow with the number of records, and all of them are
//! written or none.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::store::Store;
use crate::store::draft::{Drafts, InputProblem, Origin, ProblemCode, has_problems};
use crate::store::write::import::carried::{CarriedDrafts, RepeatedDrafts};
use crate::store::write::requested_names::place;
use crate::store::write::session::WriteSession;
use crate::store::write::types::{Author, TransactionEnd, WriteError, WriteSummary};

/// An import whose batches are written and not committed yet. Dropping it rolls them back. Other writes wait until its end.
pub struct ImportStream<'s> {
    session: WriteSession<'s>,
    /// The records that were given, each with its file and line. A later batch does not change them.
    given: HashMap<Uuid, (Option<Arc<str>>, Option<usize>)>,
    /// Records of earlier batches that later ones repeat.
    carried: CarriedDrafts,
    summary: WriteSummary,
}

impl Store {
    /// Begins an import that is written batch by batch.
    pub async fn begin_import_stream<'s>(&'s self, author: &'s Author) -> Result<ImportStream<'s>, WriteError> {
        Ok(ImportStream {
            session: self.begin(author).await?,
            given: HashMap::new(),
            carried: CarriedDrafts::default(),
            summary: WriteSummary::default(),
        })
    }
}

impl ImportStream<'_> {
    /// Writes a batch. Its records refer to each other, to those of earlier batches, and to records of the database.
    ///
    /// # Errors
    /// If a record has a problem, or was given in an earlier batch. The stream is then to be dropped.
    pub async fn write(&mut self, batch: Drafts) -> Result<(), WriteError> {
        let needed = self.carried.needed(batch.iter().flat_map(|(_, drafts)| drafts), &RepeatedDrafts::default());
        let (repeated, batch) = (needed.len(), self.carried.with_batch(&needed, batch));
        let summary = if has_problems(&batch) {
            let author = self.session.author;
            self.session.store.check(&batch, author, |_| ()).await?
        } else {
            self.session.write(&batch, &|_| {}).await?
        };
        let drafts = batch.iter().flat_map(|(_, drafts)| drafts);
        let mut given_twice = Vec::new();
        for (draft, written) in drafts.zip(&summary.records).skip(repeated) {
            if let Some((file, line)) = self.given.insert(written.id, (draft.origin.file.clone(), draft.origin.line)) {
                let first = Origin { file, line, path: Vec::new() };
                let message = format!("this is the record that is given at {} already; give each record once", place(&first));
                given_twice.push(InputProblem::new(draft.origin.clone(), message).with_code(ProblemCode::Taken));
            }
        }
        if !given_twice.is_empty() {
            return Err(WriteError::Problems(given_twice));
        }
        let mut summary = self.carried.settle(&batch, repeated, summary);
        // the ids are known, and the numbers suffice
        summary.records = Vec::new();
        self.summary += summary;
        Ok(())
    }

    /// Commits all batches, or rolls them back for a dry run or if warnings are problems and there are any.
    pub async fn end(self, end: TransactionEnd) -> Result<WriteSummary, WriteError> {
        self.session.end(self.summary, end).await
    }
}
