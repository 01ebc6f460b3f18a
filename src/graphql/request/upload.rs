//! Files uploaded with a request, after the GraphQL multipart request specification, and how they are parsed.
//!
//! This layer does not know file formats: the application supplies the [`UploadParser`].

use std::fs::File;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::core::error::Error;
use crate::store::Store;
use crate::store::draft::InputProblem;
use crate::store::write::Drafts;

/// Name of the scalar of an uploaded file.
pub(crate) const UPLOAD: &str = "Upload";

/// An uploaded file.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The value of a variable that refers to the file: random, so that no text of a client does.
    pub key: String,
    /// File name given by the client; its extension selects the format.
    pub name: String,
    /// The temporary file, which has no name: it vanishes with the process.
    pub file: Arc<File>,
}

/// How an uploaded file is parsed.
#[derive(Debug, Clone, Default)]
pub struct UploadOptions {
    /// Identifier scheme of the ids of Popolo.
    pub scheme: Option<String>,
    /// Language tag of names and other text of Popolo.
    pub lang: Option<String>,
    /// Name of the encoding of a text without a byte order mark.
    pub encoding: Option<String>,
    /// File that maps the columns of a table to fields.
    pub mapping: Option<Upload>,
}

/// Contents of an uploaded file.
#[derive(Debug, Default)]
pub struct Contents {
    /// Drafts of records.
    pub drafts: Drafts,
    /// Errors that hide records, with all others found. Errors of values are in the drafts.
    pub problems: Vec<InputProblem>,
    /// Remarks that do not prevent the import.
    pub notes: Vec<String>,
}

/// Parses an uploaded file into drafts, with access to the database for lookups.
#[derive(Clone)]
pub struct UploadParser(Arc<ParseFn>);

type ParseFn = dyn Fn(Upload, UploadOptions, Store) -> BoxFuture<'static, Result<Contents, Error>> + Send + Sync;

impl UploadParser {
    /// Creates a parser from a function.
    pub fn new(
        parse: impl Fn(Upload, UploadOptions, Store) -> BoxFuture<'static, Result<Contents, Error>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(parse))
    }

    /// Parses a file.
    pub(crate) async fn parse(&self, upload: Upload, options: UploadOptions, store: Store) -> Result<Contents, Error> {
        (self.0)(upload, options, store).await
    }
}

impl std::fmt::Debug for UploadParser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UploadParser")
    }
}
