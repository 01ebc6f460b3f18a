//! The acts of the files of an import.

use std::sync::Arc;

use super::body::ActProvision;
use super::metadata::Metadata;
use super::xml::{FileReader, Lines, find_act, parse};
use crate::interchange::omissions::Omissions;
use crate::store::draft::{InputProblem, Origin};

/// One expression of a work: its text as of a date, in a language.
#[derive(Debug, Clone)]
pub(super) struct Act {
    pub(super) metadata: Metadata,
    /// In the order of the text.
    pub(super) provisions: Vec<ActProvision>,
    pub(super) origin: Origin,
}

/// The acts of all files of an import.
#[derive(Debug, Default)]
pub struct ActSet {
    pub(super) acts: Vec<Act>,
    pub(super) omissions: Omissions,
}

impl ActSet {
    /// Number of acts.
    pub fn len(&self) -> usize {
        self.acts.len()
    }

    /// Whether no act was read.
    pub fn is_empty(&self) -> bool {
        self.acts.is_empty()
    }

    /// Adds the act of a file. Fails with all problems of the file.
    pub fn collect(&mut self, file: &Arc<str>, text: &str) -> Result<(), Vec<InputProblem>> {
        let document = parse(file, text).map_err(|problem| vec![problem])?;
        let lines = Lines::of(text);
        let act = find_act(&document).map_err(|(node, message)| {
            let line = Some(lines.line(node.range().start));
            vec![InputProblem::new(Origin { file: Some(file.clone()), line, path: Vec::new() }, message)]
        })?;
        let namespace = act.tag_name().namespace();
        let mut reader = FileReader { file, lines, namespace, problems: Vec::new(), omissions: &mut self.omissions };
        for other in act.next_siblings().skip(1).filter(roxmltree::Node::is_element) {
            reader.omit(other.tag_name().name().to_owned(), other);
        }
        let metadata = reader.metadata(act);
        let provisions = reader.provisions(act);
        let (origin, problems) = (reader.origin(act), reader.problems);
        match metadata {
            Some(metadata) if problems.is_empty() => {
                self.acts.push(Act { metadata, provisions, origin });
                Ok(())
            }
            Some(_) | None => Err(problems),
        }
    }
}
