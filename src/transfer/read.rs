//! Reads everything that is named into drafts, and gathers what is wrong with any of it.

use crate::entity::RecordType;
use crate::store::draft::{self, Draft, Problem};
use crate::store::write::Drafts;
use crate::transfer::format::Format;
use crate::transfer::input::Input;
use crate::transfer::{json, ndjson, yaml};

/// What was read so far.
#[derive(Debug, Default)]
pub struct Reading {
    /// The records.
    pub drafts: Drafts,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// What somebody should know although nothing is wrong.
    pub notes: Vec<String>,
}

impl Reading {
    /// Reads one file, or standard input.
    pub fn take(&mut self, input: &Input) {
        let outcome = match input.format {
            Format::Yaml => input.text().and_then(|text| yaml::read(&input.name, &text)).map(Some),
            Format::Json => input.open().and_then(|reader| json::read(&input.name, reader)).map(Some),
            Format::Ndjson => input.open().map(|reader| {
                ndjson::read(&input.name, reader, |read| match read {
                    Ok((ty, draft)) => self.push(ty, draft),
                    Err(problems) => self.problems.extend(problems),
                });
                None
            }),
            Format::Popolo | Format::Csv => Ok(None),
        };
        match outcome {
            Ok(Some(tree)) => match draft::read::file(&input.name, &tree) {
                Ok(read) => read.into_iter().for_each(|(ty, drafts)| drafts.into_iter().for_each(|draft| self.push(ty, draft))),
                Err(problems) => self.problems.extend(problems),
            },
            Ok(None) => {}
            Err(problem) => self.problems.push(problem),
        }
    }

    /// Adds a record.
    pub fn push(&mut self, ty: RecordType, draft: Draft) {
        match self.drafts.iter_mut().find(|(of, _)| *of == ty) {
            Some((_, drafts)) => drafts.push(draft),
            None => self.drafts.push((ty, vec![draft])),
        }
    }
}
