//! Reads the sources of an import into drafts and collects every problem found in them.

mod congress;
mod fields;
mod open_states;
pub mod record_lookup;
pub mod refused;
mod tree_text;

use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead, Read};
use std::sync::Arc;

use tokio::sync::mpsc;
use uuid::Uuid;

use crate::catalog::catalog;
use crate::core::path::PathSegment;
use crate::entity::RecordType;
use crate::interchange::akoma_ntoso::{ActSet, KnownLaws, declared_encoding, jurisdictions_of};
use crate::interchange::csv::{BufferedTable, MappedTable, RowError, RowResult, SheetTable, read_workbook};
use crate::interchange::format::InputFormat;
use crate::interchange::input::encoding::TextEncoding;
use crate::interchange::input::{InputContent, InputSource};
use crate::interchange::mapping::{LookupBy, Mapping, References};
use crate::interchange::popolo::{KnownRecords, PopoloData, PopoloOptions, is_popolo};
use crate::interchange::problem::{file_problem, unreadable};
use crate::interchange::slug::slug_of_url;
use crate::interchange::{json, ndjson, package, yaml};
use crate::store::draft;
use crate::store::draft::record_names::name_records;
use crate::store::draft::value_tree::{Tree, Value};
use crate::store::draft::{Draft, DraftValue, InputProblem, Origin, ProblemCode};
use crate::store::read::dump::FormerName;
use crate::store::write::Drafts;
use congress::{is_congress, to_popolo};
use record_lookup::RecordLookup;

/// Former slugs and ids of records.
#[derive(Debug, Default)]
pub struct FormerNames {
    /// Slugs that records had before.
    pub slugs: Vec<FormerName<String>>,
    /// Ids of records that were merged into others.
    pub ids: Vec<FormerName<Uuid>>,
}

/// Reads a mapping file.
pub fn read_mapping(input: &InputSource) -> Result<Mapping, Vec<InputProblem>> {
    let text = input.read_to_string().map_err(|problem| vec![problem])?;
    Mapping::parse(&input.name, &text)
}

/// Accumulates records, problems and notes over all sources of an import.
#[derive(Default)]
pub struct ImportReader {
    /// Records read so far.
    pub drafts: Drafts,
    /// Files that could not be read; an import with such problems must not be written. Problems of values are in the drafts.
    pub problems: Vec<InputProblem>,
    /// Rows, lines and items that could not be read. Without their records, references cannot be validated.
    pub row_problems: Vec<InputProblem>,
    /// Notes for the user that do not prevent the import.
    pub notes: Vec<String>,
    /// Popolo items, which [`ImportReader::finish`] converts once all files are read.
    pub popolo: PopoloData,
    /// Acts of Akoma Ntoso, which [`ImportReader::finish`] converts once all files are read.
    pub acts: ActSet,
    /// Former slugs and ids from packages.
    pub former: FormerNames,
    /// Whether a source was a package, whose records have ids already.
    pub has_package: bool,
    /// Tables whose rows refer to records by identifier.
    buffered_tables: Vec<BufferedTable>,
    mapping: Option<Arc<Mapping>>,
    /// Number of records so far.
    pushed: usize,
    /// Receives the records while they are read.
    sink: Option<BatchSink>,
}

/// Sends records in batches of a limited size while files are read.
pub struct BatchSink {
    batch_records: usize,
    /// Records since the last batch.
    count: usize,
    sender: mpsc::Sender<Drafts>,
}

impl BatchSink {
    /// A sink for batches of this many records.
    pub fn new(batch_records: usize, sender: mpsc::Sender<Drafts>) -> Self {
        Self { batch_records, count: 0, sender }
    }
}

impl ImportReader {
    /// Sends the records that are read from now on to a sink, and keeps none of them. Must be used outside of the runtime,
    /// because sending waits for the receiver.
    pub fn set_sink(&mut self, sink: BatchSink) {
        self.sink = Some(sink);
    }

    /// Sends the records of the last batch and closes the sink. Records that could not be sent are dropped: their receiver is
    /// gone, because the import failed.
    pub fn flush(&mut self) {
        if let Some(sink) = self.sink.take() {
            _ = sink.sender.blocking_send(std::mem::take(&mut self.drafts));
        }
    }

    /// Whether there are tables that are converted once all files are read.
    pub fn has_buffered_tables(&self) -> bool {
        !self.buffered_tables.is_empty()
    }

    /// The mapping for tables, if there is one.
    pub fn mapping(&self) -> Option<Arc<Mapping>> {
        self.mapping.clone()
    }

    /// Creates a reader without records.
    pub fn new(options: PopoloOptions) -> Self {
        Self { popolo: PopoloData::new(options), ..Self::default() }
    }

    /// Sets the mapping for tables that are read from now on.
    pub fn set_mapping(&mut self, mapping: Mapping) {
        self.mapping = Some(Arc::new(mapping));
    }

    /// Reads one source; its problems are added to [`ImportReader::problems`].
    pub fn read(&mut self, input: &InputSource) {
        let before = self.read_so_far();
        let outcome = match input.format {
            InputFormat::Yaml => self.read_yaml(input),
            InputFormat::Json | InputFormat::Popolo => self.read_json(input),
            InputFormat::Ndjson => self.read_ndjson(input),
            InputFormat::AkomaNtoso => self.read_akoma_ntoso(input),
            InputFormat::Package => self.read_package(input),
            InputFormat::Csv => self.read_csv(input),
            InputFormat::Xlsx => self.read_workbook(input),
        };
        if let Err(problems) = outcome {
            self.problems.extend(problems);
        }
        if self.read_so_far() == before {
            self.notes.push(format!("{}: the file has no records", input.name));
        }
    }

    /// Number of records, items, acts, tables and problems that were read.
    fn read_so_far(&self) -> usize {
        let converted_later = self.popolo.read_so_far() + self.acts.len() + self.buffered_tables.len();
        self.pushed + converted_later + self.problems.len() + self.row_problems.len()
    }

    fn read_yaml(&mut self, input: &InputSource) -> Result<(), Vec<InputProblem>> {
        let mut text = String::new();
        let read = self.open(input)?.read_to_string(&mut text);
        read.map_err(|error| vec![unreadable(&input.name, &error)])?;
        let tree = yaml::parse(&input.name, &text).map_err(|problem| vec![problem])?;
        self.read_tree(input, tree)
    }

    fn read_json(&mut self, input: &InputSource) -> Result<(), Vec<InputProblem>> {
        let tree = json::parse(&input.name, self.open(input)?).map_err(|problem| vec![problem])?;
        self.read_tree(input, tree)
    }

    /// Reads a parsed file by what it contains.
    fn read_tree(&mut self, input: &InputSource, tree: Tree) -> Result<(), Vec<InputProblem>> {
        let is_popolo_file = input.format == InputFormat::Json && !input.is_format_explicit && is_popolo(&tree);
        if input.format != InputFormat::Popolo && is_congress(&tree) {
            self.popolo.collect(&input.name, to_popolo(tree));
        } else if input.format != InputFormat::Popolo && open_states::is_open_states(&tree) {
            open_states::collect(&mut self.popolo, &input.name, tree);
        } else if input.format == InputFormat::Popolo || is_popolo_file {
            self.popolo.collect(&input.name, tree);
        } else {
            return self.push_tree(input, &tree);
        }
        Ok(())
    }

    fn read_akoma_ntoso(&mut self, input: &InputSource) -> Result<(), Vec<InputProblem>> {
        let (mut reader, detected) = input.open_declared(declared_encoding).map_err(|problem| vec![problem])?;
        self.note_detected(input, detected);
        let mut text = String::new();
        reader.read_to_string(&mut text).map_err(|error| vec![unreadable(&input.name, &error)])?;
        self.acts.collect(&input.name, &text)
    }

    fn read_ndjson(&mut self, input: &InputSource) -> Result<(), Vec<InputProblem>> {
        let reader = self.open(input)?;
        let parsed = ndjson::parse(&input.name, reader, |record| self.push_result(record.map_err(RowError::Row)));
        parsed.map_err(|problem| vec![problem])
    }

    fn read_package(&mut self, input: &InputSource) -> Result<(), Vec<InputProblem>> {
        let InputContent::Path(path) = &input.content else {
            return Err(vec![file_problem(None, "a data package is a directory of files; specify the directory or its datapackage.json")]);
        };
        self.has_package = true;
        let package = package::read(path)?;
        package.records.into_iter().for_each(|(ty, draft)| self.push(ty, draft));
        self.former.slugs.extend(package.former_slugs);
        self.former.ids.extend(package.merged_ids);
        Ok(())
    }

    fn read_csv(&mut self, input: &InputSource) -> Result<(), Vec<InputProblem>> {
        let mapping = self.mapping_of(input)?;
        // what the command says of its files replaces what the mapping says of its tables
        let encoding = if input.encoding == TextEncoding::Unspecified { mapping.encoding } else { input.encoding };
        let reader = self.open(&InputSource { encoding, ..input.clone() })?;
        let (table, unused) = MappedTable::open(&input.name, reader, &mapping)?;
        self.note_unused_columns(input, &unused);
        if table.has_lookups() {
            let (table, problems) = table.buffer()?;
            self.row_problems.extend(problems);
            self.buffered_tables.push(table);
        } else {
            let (skipped, note) = table.read_rows(&References::default(), |row| self.push_result(row));
            self.notes.extend(note);
            self.note_skipped_rows(&input.name, skipped);
        }
        Ok(())
    }

    fn read_workbook(&mut self, input: &InputSource) -> Result<(), Vec<InputProblem>> {
        let mapping = self.mapping_of(input)?;
        let bytes = input.read_bytes().map_err(|problem| vec![problem])?;
        let SheetTable { table, unused, problems } = read_workbook(&input.name, &bytes, input.max_bytes, &mapping)?;
        self.note_unused_columns(input, &unused);
        self.row_problems.extend(problems);
        if table.has_lookups() {
            self.buffered_tables.push(table);
        } else {
            self.convert_table(&table, &References::default());
        }
        Ok(())
    }

    fn mapping_of(&self, input: &InputSource) -> Result<Arc<Mapping>, Vec<InputProblem>> {
        self.mapping.clone().ok_or_else(|| {
            let message = "a table requires a mapping from columns to fields; specify it with --mapping FILE";
            vec![file_problem(Some(&input.name), message)]
        })
    }

    /// Opens a source as text. A note names its encoding if it was detected.
    fn open(&mut self, input: &InputSource) -> Result<Box<dyn BufRead + Send>, Vec<InputProblem>> {
        let (reader, detected) = input.open().map_err(|problem| vec![problem])?;
        self.note_detected(input, detected);
        Ok(reader)
    }

    fn note_detected(&mut self, input: &InputSource, encoding: Option<&str>) {
        self.notes.extend(encoding.map(|encoding| format!("{}: read as {}, which was detected", input.name, encoding.to_lowercase())));
    }

    fn note_unused_columns(&mut self, input: &InputSource, unused: &[String]) {
        if !unused.is_empty() {
            self.notes.push(format!("{}: columns not used by the mapping: {}", input.name, unused.join(", ")));
        }
    }

    fn convert_table(&mut self, table: &BufferedTable, references: &References) {
        let skipped = table.convert_rows(references, |row| self.push_result(row));
        self.note_skipped_rows(table.file(), skipped);
        self.notes.extend(table.note().cloned());
    }

    /// Converts Popolo items, acts and buffered tables, which need all files and the records of the target to resolve references.
    pub async fn finish<L: RecordLookup + Sync>(&mut self, target: &L) -> Result<(), L::Error> {
        if !self.popolo.is_empty() {
            let scheme = match self.popolo.scheme() {
                Ok(scheme) => scheme,
                Err(problem) => {
                    self.problems.push(problem);
                    self.problems.append(&mut self.popolo.problems);
                    return Ok(());
                }
            };
            self.popolo.resolve_members();
            self.popolo.name_bodies();
            let known = KnownRecords::fetch(&self.popolo, &scheme, target).await?;
            let converted = std::mem::take(&mut self.popolo).convert(scheme, known);
            converted.drafts.into_iter().for_each(|(ty, draft)| self.push(ty, draft));
            let (items, files): (Vec<_>, Vec<_>) = converted.problems.into_iter().partition(|problem| is_of_item(&problem.origin));
            self.row_problems.extend(items);
            self.problems.extend(files);
            self.notes.extend(converted.notes);
        }
        if !self.acts.is_empty() {
            let jurisdictions = jurisdictions_of(&self.drafts);
            let acts = std::mem::take(&mut self.acts);
            let known = KnownLaws::fetch(&acts, jurisdictions, target).await?;
            let converted = acts.convert(&known);
            converted.drafts.into_iter().for_each(|(ty, draft)| self.push(ty, draft));
            self.problems.extend(converted.problems);
            self.notes.extend(converted.notes);
        }
        let tables = std::mem::take(&mut self.buffered_tables);
        let references = self.resolve_references(&tables, target).await?;
        for table in &tables {
            self.convert_table(table, &references);
        }
        self.check_constant_references(target).await
    }

    /// Requires that the slugs that the mapping gives to rows are those of records of the import or of the target: an unknown one
    /// would be a problem of every row.
    async fn check_constant_references<L: RecordLookup + Sync>(&mut self, target: &L) -> Result<(), L::Error> {
        let Some(mapping) = self.mapping.clone() else { return Ok(()) };
        let mut constants = mapping.constant_references();
        if constants.is_empty() {
            return Ok(());
        }
        let mut used: HashSet<(RecordType, &str)> = HashSet::new();
        self.drafts.iter().flat_map(|(_, drafts)| drafts).for_each(|draft| collect_slugs(draft, &mut used));
        constants.retain(|(_, ty, slug)| used.contains(&(*ty, slug.as_str())));
        let mut slugs: BTreeMap<RecordType, Vec<String>> = BTreeMap::new();
        for (_, ty, slug) in &constants {
            slugs.entry(*ty).or_default().push(slug.clone());
        }
        for (ty, slugs) in slugs {
            let given = self.drafts.iter().filter(|(of, _)| *of == ty).flat_map(|(_, drafts)| drafts);
            let given: HashSet<&str> = given.filter_map(|draft| draft.name.as_deref()).collect();
            let stored = target.taken_slugs(ty, &slugs).await?;
            constants.retain(|(_, of, slug)| *of != ty || !(given.contains(slug.as_str()) || stored.contains_key(slug)));
        }
        for (path, ty, slug) in constants {
            let singular = catalog().get(ty).singular();
            let message = format!(
                "there is no {singular} with the slug \"{slug}\", neither in the import nor in the database; correct the slug or add the {singular}"
            );
            self.problems.push(mapping.problem(&path, message).with_code(ProblemCode::NotFound));
        }
        Ok(())
    }

    /// Finds the records that rows of the tables refer to: among all records of the import, then in the target. A source that
    /// is cited by its URL and is in neither is added to the import.
    async fn resolve_references<L: RecordLookup + Sync>(&mut self, tables: &[BufferedTable], target: &L) -> Result<References, L::Error> {
        let mut references = References::default();
        for (ty, draft) in self.drafts.iter().flat_map(|(ty, drafts)| drafts.iter().map(move |draft| (*ty, draft))) {
            references.insert_draft(ty, draft);
        }
        for table in tables {
            let mut drafts = Vec::new();
            table.convert_rows(&references, |row| drafts.extend(row));
            for (ty, draft) in &drafts {
                references.insert_draft(*ty, draft);
            }
        }
        let missing = references.take_missing();
        let mut lookups: BTreeMap<(&'static str, LookupBy), (RecordType, Vec<String>)> = BTreeMap::new();
        for (ty, by, value) in &missing {
            lookups.entry((catalog().get(*ty).table, by.clone())).or_insert((*ty, Vec::new())).1.push(value.clone());
        }
        for ((_, by), (ty, values)) in lookups {
            let found = match &by {
                LookupBy::Identifier(scheme) => target.slugs_by_identifier(ty, scheme, &values).await?,
                LookupBy::Url => target.slugs_by_field(ty, "url", &values).await?,
            };
            for (value, slug) in found {
                references.insert((ty, by.clone(), value), slug);
            }
        }
        for (_, by, url) in missing {
            let reference = (RecordType::Source, by, url);
            if reference.1 == LookupBy::Url && !references.has(&reference) {
                let draft = source_of_url(&reference.2);
                references.insert_draft(RecordType::Source, &draft);
                self.push(RecordType::Source, draft);
            }
        }
        Ok(references)
    }

    fn note_skipped_rows(&mut self, file: &str, skipped: usize) {
        if skipped > 0 {
            self.notes.push(format!("{file}: {skipped} rows meet no condition (when) of the mapping and are not imported"));
        }
    }

    fn push_tree(&mut self, input: &InputSource, tree: &Tree) -> Result<(), Vec<InputProblem>> {
        let (drafts, problems) = draft::parse::file(&input.name, tree);
        for (ty, drafts) in drafts {
            for draft in drafts {
                self.push(ty, draft);
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Fails with all problems found so far if files or rows could not be read: without their records, references cannot
    /// be validated. Problems of the values that could be read stay in the drafts, and the store adds its own to them.
    pub fn complete(mut self) -> Result<Self, Vec<InputProblem>> {
        self.problems.append(&mut self.row_problems);
        self.complete_files()
    }

    /// As [`Self::complete`], except that rows that could not be read are no failure: their problems stay.
    pub fn complete_files(mut self) -> Result<Self, Vec<InputProblem>> {
        if self.problems.is_empty() {
            return Ok(self);
        }
        let mut problems = std::mem::take(&mut self.problems);
        problems.append(&mut self.row_problems);
        problems.extend(draft::problems_of(&self.drafts));
        problems.sort_by(|a, b| (&a.origin.file, a.origin.line).cmp(&(&b.origin.file, b.origin.line)));
        name_records(&self.drafts, &mut problems);
        Err(problems)
    }

    fn push_result(&mut self, result: RowResult) {
        match result {
            Ok((ty, draft)) => self.push(ty, draft),
            Err(RowError::Row(problems)) => self.row_problems.extend(problems),
            Err(RowError::Table(problem)) => self.problems.push(problem),
        }
    }

    /// Adds one record.
    pub fn push(&mut self, ty: RecordType, draft: Draft) {
        self.pushed += 1;
        match self.drafts.iter_mut().find(|(of, _)| *of == ty) {
            Some((_, drafts)) => drafts.push(draft),
            None => self.drafts.push((ty, vec![draft])),
        }
        if let Some(sink) = &mut self.sink {
            sink.count += 1;
            if sink.count >= sink.batch_records {
                sink.count = 0;
                _ = sink.sender.blocking_send(std::mem::take(&mut self.drafts));
            }
        }
    }
}

/// Adds the slugs that a draft and its parts refer to.
fn collect_slugs<'d>(draft: &'d Draft, slugs: &mut HashSet<(RecordType, &'d str)>) {
    slugs.extend(draft.values.iter().filter_map(|(_, value, _)| match value {
        DraftValue::Slug(ty, slug) => Some((*ty, slug.as_str())),
        DraftValue::Cell(_) | DraftValue::Id(..) | DraftValue::Key(..) | DraftValue::Invalid => None,
    }));
    draft.parts.iter().flat_map(|(_, parts)| parts).for_each(|part| collect_slugs(part, slugs));
}

/// Whether a problem is in an item of a list at the top of a file, so that the other items do not depend on it.
fn is_of_item(origin: &Origin) -> bool {
    matches!(origin.path.as_slice(), [PathSegment::Index(_), ..] | [PathSegment::Name(_), PathSegment::Index(_), ..])
}

/// A source of which only the URL is known, as the import of Popolo creates it as well.
fn source_of_url(url: &str) -> Draft {
    let (slug, title) = slug_of_url(url);
    let tree = |value| Tree { line: None, value };
    let text = |text: &str| tree(Value::Text(text.to_owned()));
    let entries = vec![
        ("slug".to_owned(), text(&slug)),
        ("title".to_owned(), tree(Value::Map(vec![("und".to_owned(), text(title))]))),
        ("url".to_owned(), text(url)),
        ("kind".to_owned(), text("other")),
    ];
    let record = catalog().get(RecordType::Source);
    let origin = Origin { file: None, line: None, path: vec![record.singular().into(), slug.clone().into()] };
    draft::parse::record(record, &tree(Value::Map(entries)), &origin)
}
