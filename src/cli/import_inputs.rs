//! The inputs of `kurultai import`, and the reader that they are read with.

use std::path::Path;
use std::sync::Arc;

use anyhow::{anyhow, bail};

use super::args::ImportArgs;
use super::error::ExitError;
use super::report;
use crate::interchange::format::InputFormat;
use crate::interchange::import_reader::{ImportReader, read_mapping};
use crate::interchange::input::encoding::TextEncoding;
use crate::interchange::input::listing::{InputList, list_inputs};
use crate::interchange::input::{InputContent, InputSource};
use crate::interchange::popolo::PopoloOptions;

/// A reader with the mapping and the notes on the inputs, and the inputs, none of which is read.
pub(super) fn open_inputs(args: &ImportArgs) -> anyhow::Result<(ImportReader, Vec<InputSource>)> {
    for path in args.paths.iter().filter(|path| *path != Path::new("-")).chain(&args.mapping) {
        if let Err(error) = std::fs::metadata(path) {
            bail!(ExitError::UnreadableInput(format!("cannot read {}: {error}; nothing was written", path.display())));
        }
    }
    let mut reading = ImportReader::new(PopoloOptions { scheme: args.scheme.clone(), lang: args.lang.clone() });
    if let Some(path) = &args.mapping {
        let name = Arc::from(path.display().to_string());
        let mapping = InputSource::new(name, InputFormat::Yaml, InputContent::Path(path.clone()));
        reading.set_mapping(read_mapping(&mapping).map_err(|problems| anyhow!(report::problems(&problems, 0)))?);
    }
    let InputList { mut inputs, notes } =
        list_inputs(&args.paths, args.format, args.mapping.is_some()).map_err(|problem| anyhow!("{problem}"))?;
    reading.notes.extend(notes);
    for input in &mut inputs {
        input.encoding = args.encoding.unwrap_or(TextEncoding::Unspecified);
    }
    Ok((reading, inputs))
}
