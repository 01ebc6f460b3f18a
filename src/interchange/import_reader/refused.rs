//! Records that an import refuses while it writes the others: finds them, and writes them to files that can be corrected and
//! imported.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::tree_text::{to_json, to_yaml};
use crate::core::path::PathSegment;
use crate::entity::RecordType;
use crate::interchange::csv::{copy_rows, copy_sheet_rows};
use crate::interchange::format::InputFormat;
use crate::interchange::input::InputSource;
use crate::interchange::input::encoding::TextEncoding;
use crate::interchange::input::refused_name::create_refused_file;
use crate::interchange::mapping::Mapping;
use crate::interchange::problem::{file_problem, unreadable};
use crate::interchange::{json, yaml};
use crate::store::draft::value_tree::{Tree, Value};
use crate::store::draft::{Draft, InputProblem, Origin};
use crate::store::write::Drafts;

/// Lists of Popolo that are no records: memberships need them.
const SHARED_LISTS: [&str; 4] = ["posts", "events", "areas", "legislative_periods"];

/// Where a record is in its file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Place {
    /// A row or line, counted from 1.
    Line(usize),
    /// An item of a list at the top of the file: the name of the list, if it has one, and the index.
    Item(Option<String>, usize),
}

/// A place in a file.
type FilePlace = (Arc<str>, Place);

/// The index of a group of drafts, and of a draft in it.
type DraftIndex = (usize, usize);

/// The refused records of an import, and their problems.
#[derive(Debug, Default)]
pub struct Refusals {
    /// Why the records are refused.
    pub problems: Vec<InputProblem>,
    /// Number of refused records and unreadable rows.
    pub count: usize,
    places: BTreeMap<Arc<str>, BTreeSet<Place>>,
    formats: HashMap<Arc<str>, InputFormat>,
}

/// A file with refused records.
#[derive(Debug)]
pub struct RefusedFile {
    /// The file that they come from.
    pub source: Arc<str>,
    /// Where they are.
    pub path: PathBuf,
    /// Number of rows, lines or items.
    pub count: usize,
    /// Whether the file is a table, so that they are rows, of which several can be one record.
    pub is_table: bool,
}

impl Refusals {
    /// Refusals among the records of these files.
    pub fn of(inputs: &[InputSource]) -> Self {
        Self { formats: inputs.iter().map(|input| (input.name.clone(), input.format)).collect(), ..Self::default() }
    }

    /// Whether all records are accepted.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Refuses rows, lines and items that could not be read. Fails with the problems whose place is not known.
    pub fn refuse_rows(&mut self, problems: Vec<InputProblem>) -> Result<(), Vec<InputProblem>> {
        let (placed, others): (Vec<_>, Vec<_>) = problems.into_iter().partition(|problem| self.place(&problem.origin).is_some());
        if !others.is_empty() {
            return Err(others);
        }
        for problem in placed {
            if let Some((file, place)) = self.place(&problem.origin) {
                self.count += usize::from(self.places.entry(file).or_default().insert(place));
            }
            self.problems.push(problem);
        }
        Ok(())
    }

    /// Removes the drafts that have problems of their values. Fails with the problems of those whose place is not known.
    pub fn refuse_invalid(&mut self, drafts: &mut Drafts) -> Result<(), Vec<InputProblem>> {
        let mut others = Vec::new();
        for (_, drafts) in drafts.iter_mut() {
            drafts.retain_mut(|draft| {
                if draft.problems.is_empty() {
                    return true;
                }
                let problems = std::mem::take(&mut draft.problems);
                if self.refuse(draft) {
                    self.problems.extend(problems);
                } else {
                    others.extend(problems);
                }
                false
            });
        }
        if others.is_empty() { Ok(()) } else { Err(others) }
    }

    /// Removes the drafts that have these problems. Fails with the problems that belong to none of them.
    pub fn refuse_problems(&mut self, drafts: &mut Drafts, problems: Vec<InputProblem>) -> Result<(), Vec<InputProblem>> {
        let mut candidates: HashMap<FilePlace, Vec<DraftIndex>> = HashMap::new();
        for (group, (_, drafts)) in drafts.iter().enumerate() {
            for (index, draft) in drafts.iter().enumerate() {
                let mut places = HashSet::new();
                self.collect_places(draft, &mut places);
                for place in places {
                    candidates.entry(place).or_default().push((group, index));
                }
            }
        }
        let mut refused = BTreeSet::new();
        let mut others = Vec::new();
        for problem in problems {
            let found = self.place(&problem.origin).and_then(|place| candidates.get(&place));
            let of_problem = |(group, index): &&(usize, usize)| {
                let (_, drafts) = &drafts[*group];
                is_within(&problem.origin, &drafts[*index].origin)
            };
            let mut of_place: Vec<(usize, usize)> = found.into_iter().flatten().filter(of_problem).copied().collect();
            // an item of Popolo also makes the sources of its addresses, which seldom are what is wrong
            if of_place.iter().any(|(group, _)| drafts[*group].0 != RecordType::Source) {
                of_place.retain(|(group, _)| drafts[*group].0 != RecordType::Source);
            }
            if of_place.is_empty() {
                others.push(problem);
            } else {
                refused.extend(of_place);
                self.problems.push(problem);
            }
        }
        if !others.is_empty() {
            return Err(others);
        }
        for (group, (_, drafts)) in drafts.iter_mut().enumerate() {
            let mut index = 0;
            drafts.retain(|draft| {
                let is_refused = refused.contains(&(group, index)) && self.refuse(draft);
                index += 1;
                !is_refused
            });
        }
        Ok(())
    }

    /// Refuses drafts by their index among all of a batch, with their problems. Fails with the problems of those whose place is
    /// not known.
    pub fn refuse_indexed(&mut self, batch: &Drafts, refused: Vec<(usize, Vec<InputProblem>)>) -> Result<(), Vec<InputProblem>> {
        let drafts: Vec<&Draft> = batch.iter().flat_map(|(_, drafts)| drafts).collect();
        let mut others = Vec::new();
        for (index, problems) in refused {
            let is_refused = drafts.get(index).is_some_and(|draft| self.refuse(draft));
            if is_refused { self.problems.extend(problems) } else { others.extend(problems) }
        }
        if others.is_empty() { Ok(()) } else { Err(others) }
    }

    /// Refuses a draft. Returns whether its place is known.
    fn refuse(&mut self, draft: &Draft) -> bool {
        let Some((file, place)) = self.place(&draft.origin) else { return false };
        self.places.entry(file).or_default().insert(place);
        self.count += 1;
        true
    }

    /// The places of a draft and all its values: several rows can be one record.
    fn collect_places(&self, draft: &Draft, places: &mut HashSet<(Arc<str>, Place)>) {
        places.extend(self.place(&draft.origin));
        places.extend(draft.values.iter().filter_map(|(_, _, origin)| self.place(origin)));
        for part in draft.parts.iter().flat_map(|(_, parts)| parts) {
            self.collect_places(part, places);
        }
    }

    fn place(&self, origin: &Origin) -> Option<(Arc<str>, Place)> {
        let file = origin.file.clone()?;
        let place = match (self.formats.get(&file)?, origin.path.as_slice()) {
            (InputFormat::Csv | InputFormat::Xlsx | InputFormat::Ndjson, _) => Place::Line(origin.line?),
            (InputFormat::Yaml | InputFormat::Json | InputFormat::Popolo, [PathSegment::Name(list), PathSegment::Index(index), ..]) => {
                Place::Item(Some(list.to_string()), *index)
            }
            (InputFormat::Yaml | InputFormat::Json | InputFormat::Popolo, [PathSegment::Index(index), ..]) => Place::Item(None, *index),
            // a law of Akoma Ntoso has provisions from several files
            (InputFormat::Yaml | InputFormat::Json | InputFormat::Popolo | InputFormat::Package | InputFormat::AkomaNtoso, _) => {
                return None;
            }
        };
        Some((file, place))
    }

    /// Writes the refused records of each file to a new file in a directory, in the format of the file.
    pub fn write(
        &self,
        inputs: &[InputSource],
        mapping: Option<&Arc<Mapping>>,
        directory: &Path,
    ) -> Result<Vec<RefusedFile>, InputProblem> {
        let mut files = Vec::new();
        for (name, places) in &self.places {
            let Some(input) = inputs.iter().find(|input| input.name == *name) else { continue };
            let (content, count) = content(input, mapping, places)?;
            let created = create_refused_file(directory, name, extension(input.format)).and_then(|(path, mut file)| {
                file.write_all(&content)?;
                Ok(path)
            });
            let path = created.map_err(|error| file_problem(Some(name), format!("the refused rows cannot be written: {error}")))?;
            let is_table = matches!(input.format, InputFormat::Csv | InputFormat::Xlsx);
            files.push(RefusedFile { source: name.clone(), path, count, is_table });
        }
        Ok(files)
    }
}

/// Whether a problem is in a draft, by their paths. Columns are no steps of a path.
fn is_within(problem: &Origin, draft: &Origin) -> bool {
    let steps = |origin: &Origin| -> Vec<PathSegment> {
        origin.path.iter().filter(|segment| !matches!(segment, PathSegment::Column(_))).cloned().collect()
    };
    steps(problem).starts_with(&steps(draft))
}

fn extension(format: InputFormat) -> &'static str {
    match format {
        InputFormat::Yaml => "yaml",
        InputFormat::Json => "json",
        InputFormat::Popolo => "popolo.json",
        InputFormat::AkomaNtoso => "xml",
        InputFormat::Ndjson => "ndjson",
        InputFormat::Csv => "csv",
        InputFormat::Xlsx => "xlsx",
        InputFormat::Package => "package",
    }
}

/// The refused records of a file in its format, and their number.
fn content(input: &InputSource, mapping: Option<&Arc<Mapping>>, places: &BTreeSet<Place>) -> Result<(Vec<u8>, usize), InputProblem> {
    let lines: BTreeSet<usize> = places
        .iter()
        .filter_map(|place| match place {
            Place::Line(line) => Some(*line),
            Place::Item(..) => None,
        })
        .collect();
    let mapping = || mapping.ok_or_else(|| file_problem(Some(&input.name), "the table has no mapping"));
    match input.format {
        InputFormat::Csv => {
            let mapping = mapping()?;
            let encoding = if input.encoding == TextEncoding::Unspecified { mapping.encoding } else { input.encoding };
            let (reader, _) = InputSource { encoding, ..input.clone() }.open()?;
            // the mark says that the rows are in UTF-8, whatever the mapping says
            let mut out = if encoding == TextEncoding::Unspecified { Vec::new() } else { "\u{FEFF}".as_bytes().to_vec() };
            let count = copy_rows(&input.name, reader, mapping, &lines, &mut out)?;
            Ok((out, count))
        }
        InputFormat::Xlsx => copy_sheet_rows(&input.name, &input.read_bytes()?, mapping()?, &lines),
        InputFormat::Ndjson => copy_lines(input, &lines),
        InputFormat::Yaml => {
            let tree = yaml::parse(&input.name, &input.read_to_string()?)?;
            let (tree, count) = keep_items(tree, places);
            Ok((to_yaml(&tree).into_bytes(), count))
        }
        InputFormat::Json | InputFormat::Popolo => {
            let tree = json::parse(&input.name, input.open()?.0)?;
            let (tree, count) = keep_items(tree, places);
            Ok((to_json(&tree).into_bytes(), count))
        }
        InputFormat::AkomaNtoso => Err(file_problem(Some(&input.name), "parts of a law in Akoma Ntoso cannot be skipped")),
        // the rows of a package have the ids of others
        InputFormat::Package => Err(file_problem(Some(&input.name), "rows of a data package cannot be skipped")),
    }
}

fn copy_lines(input: &InputSource, lines: &BTreeSet<usize>) -> Result<(Vec<u8>, usize), InputProblem> {
    let (mut reader, _) = input.open()?;
    let mut out = Vec::new();
    let mut text = Vec::new();
    for line in 1.. {
        text.clear();
        let read = reader.read_until(b'\n', &mut text).map_err(|error| unreadable(&input.name, &error))?;
        if read == 0 {
            break;
        }
        if lines.contains(&line) {
            out.extend_from_slice(text.strip_suffix(b"\n").unwrap_or(&text));
            out.push(b'\n');
        }
    }
    Ok((out, lines.len()))
}

/// The items at these places in their lists, and their number.
fn keep_items(tree: Tree, places: &BTreeSet<Place>) -> (Tree, usize) {
    let mut count = 0;
    let mut kept = |list: Option<&str>, items: Vec<Tree>| -> Vec<Tree> {
        let is_kept = |index: usize| places.contains(&Place::Item(list.map(str::to_owned), index));
        let items: Vec<Tree> = items.into_iter().enumerate().filter(|(index, _)| is_kept(*index)).map(|(_, item)| item).collect();
        count += items.len();
        items
    };
    let value = match tree.value {
        Value::List(items) => Value::List(kept(None, items)),
        Value::Map(entries) => {
            let entries = entries.into_iter().filter_map(|(name, entry)| match entry.value {
                Value::List(items) => {
                    let items = if SHARED_LISTS.contains(&name.as_str()) { items } else { kept(Some(&name), items) };
                    (!items.is_empty()).then_some((name, Tree { line: entry.line, value: Value::List(items) }))
                }
                Value::Null | Value::Boolean(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) | Value::Invalid => None,
            });
            Value::Map(entries.collect())
        }
        value => value,
    };
    (Tree { line: tree.line, value }, count)
}
