//! Parsing of files that are uploaded to the server, in the same formats as an import.

use std::path::Path;

use futures_util::FutureExt;

use crate::core::error::internal;
use crate::graphql::request::upload::{Contents, UploadParser};
use crate::interchange::format::InputFormat;
use crate::interchange::import_reader::ImportReader;
use crate::interchange::input::InputSource;
use crate::interchange::popolo::PopoloOptions;
use crate::store::write::Drafts;

/// The reader of uploaded files.
pub fn upload_reader() -> UploadParser {
    UploadParser::new(|upload, store| {
        async move {
            let reading = tokio::task::spawn_blocking(move || {
                // an unknown file extension is read as JSON; a package would read other files of the server
                let format = InputFormat::from_path(Path::new(&upload.name))
                    .filter(|format| *format != InputFormat::Package)
                    .unwrap_or(InputFormat::Json);
                let mut reading = ImportReader::new(PopoloOptions::default());
                reading.read(&InputSource {
                    name: upload.name.into(),
                    format,
                    is_format_explicit: false,
                    path: None,
                    file: Some(upload.file),
                });
                reading
            });
            let mut reading = reading.await.map_err(internal)?;
            reading.finish(Some(&store)).await?;
            let notes = std::mem::take(&mut reading.notes);
            Ok(match reading.complete() {
                Ok(reading) => Contents { drafts: reading.drafts, problems: Vec::new(), notes },
                Err(problems) => Contents { drafts: Drafts::new(), problems, notes },
            })
        }
        .boxed()
    })
}
