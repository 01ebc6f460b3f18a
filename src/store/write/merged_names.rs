//! The names of people as a write leaves them: a name can come together from what is stored and what a draft adds.

use std::collections::{BTreeSet, HashMap, HashSet};

use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::error::Result;
use crate::entity::RecordType;
use crate::store::curation::withholding::name_parts::{NameCells, gives_names, is_name_field, load_name_cells, name_cells, row_of_names};
use crate::store::draft::{Draft, DraftSource};
use crate::store::write::cells::{MergeState, MergeTarget, draft_cells};
use crate::store::write::import::edits::{self, Edits};
use crate::store::write::model::StoredRow;
use crate::store::write::resolve::ResolvedNames;
use crate::store::write::types::ResolvedDraft;
use crate::store::write::value::PartKeys;

/// The values in the fields with names of the people whose drafts give some, by id: those of the draft over the stored ones, as
/// the write merges them, with texts in other languages and with what editors wrote.
pub(super) async fn merged_names(
    transaction: &DatabaseTransaction,
    names: &ResolvedNames,
    people: &[ResolvedDraft<'_>],
) -> Result<HashMap<Uuid, NameCells>> {
    let record = catalog().get(RecordType::Person);
    let renamed: Vec<&ResolvedDraft<'_>> = people.iter().filter(|person| gives_names(record, person.draft)).collect();
    let existing: Vec<Uuid> = renamed.iter().filter(|person| !person.is_new).map(|person| person.id).collect();
    let stored = load_name_cells(transaction, record, &existing).await?;
    let is_import = |person: &&&ResolvedDraft<'_>| !person.is_new && person.draft.target.source == DraftSource::Import;
    let imported: Vec<Uuid> = renamed.iter().filter(is_import).map(|person| person.id).collect();
    let edits = edits::load(transaction, &imported).await?;
    let merge = |person: &ResolvedDraft<'_>| merged(record, names, person, stored.get(&person.id), edits.get(&person.id));
    Ok(renamed.into_iter().map(|person| (person.id, merge(person))).collect())
}

/// The names of one person after the write.
fn merged(
    record: &'static Record,
    names: &ResolvedNames,
    person: &ResolvedDraft<'_>,
    stored: Option<&NameCells>,
    edits: Option<&Edits>,
) -> NameCells {
    let given = person.draft;
    let draft = Draft {
        origin: given.origin.clone(),
        target: given.target,
        values: given.values.iter().filter(|(field, ..)| is_name_field(record, *field)).cloned().collect(),
        cleared: given.cleared.iter().copied().filter(|field| is_name_field(record, *field)).collect(),
        merges_stored: given.merges_stored,
        ..Draft::default()
    };
    let existing = stored.map(|stored| StoredRow { id: person.id, cells: row_of_names(record, stored), parts: HashMap::new() });
    let (mut problems, types) = (Vec::new(), HashMap::new());
    let mut merge = MergeState {
        root: person.id,
        names,
        problems: &mut problems,
        changes: Vec::new(),
        siblings: HashMap::new(),
        part_keys: PartKeys::default(),
        types_with_unknown_keys: HashSet::new(),
        types: &types,
        cited: Vec::new(),
        kept: BTreeSet::new(),
        is_changed: false,
        keeps_cited_parts: false,
        leaves_out_repeated: false,
        source: given.target.source,
        edits,
        kept_edits: Vec::new(),
    };
    let target = MergeTarget {
        record,
        id: person.id,
        owner: None,
        draft: &draft,
        existing: existing.as_ref(),
        is_unidentified: person.is_unidentified,
        path: "",
        edit: None,
    };
    name_cells(record, &draft_cells(&mut merge, target))
}
