//! Reads everything that is named into drafts, and gathers what is wrong with any of it.

use crate::entity::RecordType;
use crate::store::draft::{self, Draft, Problem};
use crate::store::write::Drafts;
use crate::transfer::format::Format;
use crate::transfer::input::Input;
use crate::transfer::popolo::wish::Known;
use crate::transfer::popolo::{self, Popolo, is_popolo};
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
    /// Popolo, of which records are made when all files are read.
    pub popolo: Popolo,
}

impl Reading {
    /// Nothing yet.
    pub fn new(options: popolo::Options) -> Self {
        Self { popolo: Popolo::new(options), ..Self::default() }
    }

    /// Reads one file, or standard input.
    pub fn take(&mut self, input: &Input) {
        let outcome = match input.format {
            Format::Yaml => input.text().and_then(|text| yaml::read(&input.name, &text)).map(Some),
            Format::Json => input.open().and_then(|reader| json::read(&input.name, reader)).map(|tree| {
                if !input.said && is_popolo(&tree) {
                    self.popolo.take(&input.name, tree);
                    return None;
                }
                Some(tree)
            }),
            Format::Popolo => input.open().and_then(|reader| json::read(&input.name, reader)).map(|tree| {
                self.popolo.take(&input.name, tree);
                None
            }),
            Format::Ndjson => input.open().map(|reader| {
                ndjson::read(&input.name, reader, |read| match read {
                    Ok((ty, draft)) => self.push(ty, draft),
                    Err(problems) => self.problems.extend(problems),
                });
                None
            }),
            Format::Csv => Ok(None),
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

    /// Makes records of the Popolo that was read.
    pub fn finish(&mut self, known: Known) {
        let converted = std::mem::take(&mut self.popolo).convert(known);
        converted.drafts.into_iter().for_each(|(ty, draft)| self.push(ty, draft));
        self.problems.extend(converted.problems);
        self.notes.extend(converted.notes);
    }

    /// Adds a record.
    pub fn push(&mut self, ty: RecordType, draft: Draft) {
        match self.drafts.iter_mut().find(|(of, _)| *of == ty) {
            Some((_, drafts)) => drafts.push(draft),
            None => self.drafts.push((ty, vec![draft])),
        }
    }
}
