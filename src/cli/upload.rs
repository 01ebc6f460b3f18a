//! Parsing of files that are uploaded to the server, in the same formats as an import.

use std::path::Path;

use futures_util::FutureExt;

use crate::core::error::internal;
use crate::graphql::request::upload::{Contents, UploadParser};
use crate::transfer::format::Format;
use crate::transfer::input::Input;
use crate::transfer::popolo::Options;
use crate::transfer::read::Reading;

/// The reader of uploaded files.
pub fn upload_reader() -> UploadParser {
    UploadParser::new(|upload, store| {
        async move {
            let reading = tokio::task::spawn_blocking(move || {
                // an unknown file extension is read as JSON; a package would read other files of the server
                let format = Format::of(Path::new(&upload.name)).filter(|format| *format != Format::Package).unwrap_or(Format::Json);
                let mut reading = Reading::new(Options::default());
                reading.take(&Input { name: upload.name.into(), format, said: false, path: Some(upload.path) });
                reading
            });
            let mut reading = reading.await.map_err(internal)?;
            reading.finish(Some(&store)).await?;
            Ok(Contents { drafts: reading.drafts, problems: reading.problems, notes: reading.notes })
        }
        .boxed()
    })
}
