//! Warns if an import gives a source the URL of another one: what cites the page would be divided between two records.

use std::collections::{BTreeMap, HashMap};

use sea_orm::sea_query::{Order, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::core::error::{Result, internal};
use crate::core::ids::FieldId;
use crate::entity::RecordType;
use crate::store::database;
use crate::store::draft::{InputProblem, WriteMode};
use crate::store::sql::dialect::one_of;
use crate::store::write::load::LOOKUP_BATCH_VALUES;
use crate::store::write::model::NewRow;
use crate::store::write::types::ResolvedDraft;

/// Slugs and ids of sources by their URLs.
pub(crate) type SourcesByUrl = HashMap<String, (String, Uuid)>;

/// The warnings of a batch of new and changed sources. `imported` has the sources of earlier batches, and receives these. Only
/// imports are warned: an edit of one source names the source that it means.
pub(crate) async fn warnings(
    transaction: &DatabaseTransaction,
    batch: &[ResolvedDraft<'_>],
    rows: &[NewRow],
    imported: &mut SourcesByUrl,
) -> Result<Vec<InputProblem>> {
    let record = catalog().get(RecordType::Source);
    let (url, slug) = (record.known_field("url"), record.known_field("slug"));
    let drafts: HashMap<Uuid, _> = batch.iter().map(|resolved| (resolved.id, resolved.draft)).collect();
    let text = |row: &NewRow, field: FieldId| row.cells[field.index()].as_text().map(str::to_owned);
    let mut given = Vec::new();
    for row in rows {
        let Some(draft) = drafts.get(&row.id).filter(|draft| draft.target.mode == WriteMode::Upsert) else { continue };
        if let (Some(url), Some(slug)) = (text(row, url), text(row, slug)) {
            given.push((url, slug, row.id, *draft));
        }
    }
    let mut stored: BTreeMap<String, Vec<(String, Uuid)>> = BTreeMap::new();
    let mut urls: Vec<&str> = given.iter().map(|(url, ..)| url.as_str()).collect();
    urls.sort_unstable();
    urls.dedup();
    for urls in urls.chunks(LOOKUP_BATCH_VALUES) {
        let select = Query::select()
            .columns(["url", "slug", "id"])
            .from(record.table)
            .and_where(one_of(transaction.get_database_backend(), "url", urls)?)
            .order_by("slug", Order::Asc)
            .to_owned();
        for row in transaction.query_all(&select).await.map_err(database)? {
            let column = |index: usize| row.try_get_by_index::<String>(index).map_err(internal);
            stored.entry(column(0)?).or_default().push((column(1)?, row.try_get_by_index(2).map_err(internal)?));
        }
    }
    let mut warnings = Vec::new();
    for (given_url, given_slug, id, draft) in given {
        let of_url = stored.get(&given_url).into_iter().flatten();
        let other = of_url.chain(imported.get(&given_url)).find(|(_, other)| *other != id);
        if let Some((other, _)) = other {
            let origin = draft.values.iter().find(|(of, ..)| *of == url).map(|(_, _, origin)| origin.clone());
            let message = format!(
                "the source \"{other}\" has this URL, too; refer to it instead, or merge \"{given_slug}\" into it with mergeSources"
            );
            warnings.push(InputProblem::new(origin.unwrap_or_else(|| draft.origin.clone()), message));
        }
        imported.entry(given_url).or_insert((given_slug, id));
    }
    Ok(warnings)
}
