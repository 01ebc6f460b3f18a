//! Files that come with a request, after the GraphQL multipart request specification, and how they are read.
//!
//! What is in a file is for others to know: whoever puts the program together gives the reader.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::core::error::Error;
use crate::store::Store;
use crate::store::draft::InputProblem;
use crate::store::write::Drafts;

/// A file that came with a request; whoever made the request removes it when it is answered.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Name that the client gave it; its ending tells its format.
    pub name: String,
    /// Where it lies meanwhile.
    pub path: PathBuf,
}

/// What was read from a file.
#[derive(Debug, Default)]
pub struct Contents {
    /// Records.
    pub drafts: Drafts,
    /// What is wrong.
    pub problems: Vec<InputProblem>,
    /// What somebody should know although nothing is wrong.
    pub notes: Vec<String>,
}

/// Reads a file into records, with a look at what the database has.
#[derive(Clone)]
pub struct UploadParser(Arc<ParsedUpload>);

/// What a [`UploadParser`] does.
type ParsedUpload = dyn Fn(Upload, Store) -> BoxFuture<'static, Result<Contents, Error>> + Send + Sync;

impl UploadParser {
    /// A reader that does this.
    pub fn new(read: impl Fn(Upload, Store) -> BoxFuture<'static, Result<Contents, Error>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// Reads a file.
    pub(crate) async fn read(&self, upload: Upload, store: Store) -> Result<Contents, Error> {
        (self.0)(upload, store).await
    }
}

impl std::fmt::Debug for UploadParser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader")
    }
}
