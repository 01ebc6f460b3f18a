//! Parsing of files that are uploaded to the server, in the same formats as an import.

use std::path::Path;

use futures_util::FutureExt;

use crate::core::error::internal;
use crate::graphql::request::upload::{Contents, Upload, UploadOptions, UploadParser};
use crate::interchange::format::InputFormat;
use crate::interchange::import_reader::{ImportReader, read_mapping};
use crate::interchange::input::encoding::TextEncoding;
use crate::interchange::input::{InputContent, InputSource};
use crate::interchange::popolo::PopoloOptions;
use crate::interchange::problem::file_problem;
use crate::store::draft::alike::group_alike_texts;
use crate::store::draft::{InputProblem, note_lines};
use crate::store::write::Drafts;

/// The reader of uploaded files.
///
/// A file with more than `max_bytes` decompressed bytes is an error.
pub fn upload_reader(max_bytes: u64) -> UploadParser {
    UploadParser::new(move |upload, options, store| {
        async move {
            let reading = tokio::task::spawn_blocking(move || read(upload, options, max_bytes));
            let mut reading = match reading.await.map_err(internal)? {
                Ok(reading) => reading,
                Err(problems) => return Ok(Contents { problems, ..Contents::default() }),
            };
            reading.finish(&store).await?;
            let mut notes = group_alike_texts(&reading.notes);
            Ok(match reading.complete() {
                Ok(reading) => {
                    notes.extend(note_lines(&reading.drafts));
                    Contents { drafts: reading.drafts, problems: Vec::new(), notes }
                }
                Err(problems) => Contents { drafts: Drafts::new(), problems, notes },
            })
        }
        .boxed()
    })
}

/// Reads an uploaded file, with its mapping if it has one.
fn read(upload: Upload, options: UploadOptions, max_bytes: u64) -> Result<ImportReader, Vec<InputProblem>> {
    let format = match InputFormat::from_path(Path::new(&upload.name)) {
        Some(InputFormat::Package) => return Err(vec![package_problem(&upload)]),
        Some(
            format @ (InputFormat::Yaml
            | InputFormat::Json
            | InputFormat::Ndjson
            | InputFormat::Popolo
            | InputFormat::AkomaNtoso
            | InputFormat::Csv
            | InputFormat::Xlsx),
        ) => format,
        None => return Err(vec![extension_problem(&upload)]),
    };
    let default = PopoloOptions::default();
    let mut reading = ImportReader::new(PopoloOptions { scheme: options.scheme, lang: options.lang.unwrap_or(default.lang) });
    let source = |upload: Upload, format| InputSource {
        max_bytes: Some(max_bytes),
        ..InputSource::new(upload.name.into(), format, InputContent::File(upload.file))
    };
    let encoding = options.encoding.map_or(Ok(TextEncoding::default()), |encoding| encoding.parse());
    let encoding = encoding.map_err(|message| vec![file_problem(None, format!("encoding: {message}"))])?;
    if let Some(mapping) = options.mapping {
        reading.set_mapping(read_mapping(&source(mapping, InputFormat::Yaml))?);
    }
    reading.read(&InputSource { encoding, ..source(upload, format) });
    Ok(reading)
}

/// A package is a directory: to read it would read other files of the server.
fn package_problem(upload: &Upload) -> InputProblem {
    let message = "a data package is a directory; import it on the command line, into the database";
    file_problem(Some(&upload.name.as_str().into()), message)
}

fn extension_problem(upload: &Upload) -> InputProblem {
    let message = format!("unknown file extension; name the file {}, after its format", InputFormat::extensions());
    file_problem(Some(&upload.name.as_str().into()), message)
}
