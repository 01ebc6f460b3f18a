//! Withholding a person: everything that identifies them is removed from their record, from records that mention them,
//! and from the history. Readers see that the person was withheld, and nothing else.

use std::collections::{BTreeSet, HashMap};

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Alias, Cond, Expr, ExprTrait, OnConflict, Query};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::Record;
use crate::core::error::{Result, internal};
use crate::entity::RecordType;
use crate::store::curation::name_redaction::{NameRedaction, REPLACEMENT_NAMES, ReplacedKeys};
use crate::store::curation::referrers::{Referrer, record_of, referrers};
use crate::store::curation::withheld_digest::{identifier_digest, slug_digest};
use crate::store::draft::{Draft, Origin};
use crate::store::history::revisions::{NewRevision, delete_revision, insert_revisions};
use crate::store::sql::dialect;
use crate::store::sql::dialect::one_of_ids;
use crate::store::write::load::LOOKUP_BATCH_VALUES;
use crate::store::write::model::{StoredRow, field, is_published, revision_number};
use crate::store::write::session::{WriteSession, relocate_state_problems, update_draft};
use crate::store::write::types::{Author, WriteError};
use crate::store::write::writer::delete_rows;
use crate::store::{Store, database};

impl Store {
    /// Removes everything that identifies a person from the dataset and its history. This cannot be reverted.
    pub async fn withhold(&self, id: Uuid, author: &Author) -> Result<(), WriteError> {
        let session = self.begin(author).await?;
        let argument = Origin::input(["person"]);
        let relocate = |problems| relocate_state_problems(problems, &argument, &argument, &argument);
        session.withhold(catalog().get(RecordType::Person), id).await.map_err(|error| error.map_problems(relocate))?;
        session.commit().await?;
        Ok(())
    }
}

/// Replaced part keys by record.
type KeysByRecord = HashMap<Uuid, ReplacedKeys>;

impl WriteSession<'_> {
    async fn withhold(&self, record: &'static Record, id: Uuid) -> Result<(), WriteError> {
        let transaction = &self.transaction;
        let row = self.existing(record, id, "person").await?;
        let names = NameRedaction::of(record, &row, id);
        let mut drafts: HashMap<RecordType, Vec<Draft>> = HashMap::new();
        let mut keys = KeysByRecord::new();
        drafts.entry(record.ty).or_default().push(update_draft(record.ty, id, &withheld_state(record, &names), "person"));
        let mentioning = self.find_mentions(record, id, &names).await?;
        for referrer in &mentioning {
            let state = self.state(catalog().get(referrer.ty), referrer.id).await?;
            let keys = keys.entry(referrer.id).or_default();
            names.collect_keys(&state, keys);
            let redacted = names.redact(state.clone(), keys, true);
            if redacted != state {
                drafts.entry(referrer.ty).or_default().push(update_draft(referrer.ty, referrer.id, &redacted, "person"));
            }
        }
        self.write(&drafts.into_iter().collect(), &|_| {}).await?;
        self.insert_digests(id, record, &row, &names).await?;
        delete_rows(transaction, "former_slugs", "record_id", &[id]).await?;
        self.redact_history(id, &mentioning, &names, &mut keys).await?;
        let withheld = self.existing(record, id, "person").await?;
        let published = is_published(record, &withheld);
        let number = revision_number(record, &withheld);
        // the revision of the write above becomes the one that records the withholding
        delete_revision(transaction, id, number).await?;
        let revision = NewRevision { record: id, ty: record.ty, number, kind: "withheld", changes: Vec::new(), published };
        insert_revisions(self.store, transaction, &self.stamp(), vec![revision]).await?;
        Ok(())
    }

    /// Stores digests of the person's slugs and identifiers, by which an import recognizes the person.
    async fn insert_digests(&self, id: Uuid, record: &Record, row: &StoredRow, names: &NameRedaction) -> Result<()> {
        let identifier = catalog().get(RecordType::Identifier);
        let text = |row: &StoredRow, name| field(identifier, row, name).as_text().unwrap_or_default().to_owned();
        let mut digests = BTreeSet::from([slug_digest(&names.slug)]);
        for row in row.parts.get(&RecordType::Identifier).into_iter().flatten() {
            digests.insert(identifier_digest(&text(row, "scheme"), &text(row, "value")));
        }
        let former = Query::select()
            .column("slug")
            .from("former_slugs")
            .and_where(Expr::col("record_type").eq(record.ty.prefix()))
            .and_where(Expr::col("record_id").eq(id))
            .to_owned();
        for row in self.transaction.query_all(&former).await.map_err(database)? {
            let slug: String = row.try_get_by_index(0).map_err(internal)?;
            digests.insert(slug_digest(&slug));
        }
        let mut insert = Query::insert();
        insert.into_table("withheld").columns(["digest", "record_id"].map(Alias::new));
        for digest in digests {
            insert.values([Expr::val(digest), Expr::val(id)]).map_err(internal)?;
        }
        insert.on_conflict(OnConflict::new().do_nothing().to_owned());
        self.transaction.execute(&insert).await.map(drop).map_err(database)
    }

    /// Finds the records that refer to the person, or whose texts contain one of the names.
    async fn find_mentions(&self, record: &Record, id: Uuid, names: &NameRedaction) -> Result<BTreeSet<Referrer>> {
        let transaction = &self.transaction;
        let mut found: BTreeSet<Referrer> = referrers(transaction, record, id, u64::from(u32::MAX)).await?.into_iter().collect();
        let backend = transaction.get_database_backend();
        for (table, column, texts) in
            [("search_documents", "id", &["label", "body"][..]), ("citations", "record_id", &["quote", "note", "value"][..])]
        {
            let any = names.names.iter().fold(Cond::any().add(Expr::val(1).eq(0)), |any, name| {
                texts.iter().fold(any, |any, text| {
                    let text = dialect::text_or_empty(Expr::col(Alias::new(*text)));
                    any.add(dialect::contains(backend, text, name))
                })
            });
            let select = Query::select().column(column).from(table).cond_where(any).distinct().to_owned();
            for row in transaction.query_all(&select).await.map_err(database)? {
                let holder: Uuid = row.try_get_by_index(0).map_err(internal)?;
                found.extend(record_of(transaction, holder).await?);
            }
        }
        // another person with the same name is not this person
        found.retain(|referrer| referrer.ty != record.ty);
        Ok(found)
    }

    /// Redacts the names in the history of the whole dataset, and empties the history of the person.
    async fn redact_history(
        &self,
        id: Uuid,
        mentioning: &BTreeSet<Referrer>,
        names: &NameRedaction,
        keys: &mut KeysByRecord,
    ) -> Result<()> {
        let transaction = &self.transaction;
        let backend = transaction.get_database_backend();
        let no_changes = dialect::json(backend, &Json::Array(Vec::new()));
        let own = Query::update().table("revisions").value("changes", no_changes).and_where(Expr::col("record_id").eq(id)).to_owned();
        transaction.execute(&own).await.map_err(database)?;
        let changes = || Expr::col("changes").cast_as("text");
        let sought = names.names.iter().chain(std::iter::once(&names.slug));
        let any = sought.fold(Cond::any(), |any, name| any.add(dialect::contains(backend, changes(), &json_text(name))));
        let person = RecordType::Person.prefix();
        let any = Cond::all().add(any).add(Expr::col("record_type").ne(person));
        self.redact_revisions(any, names, keys, false).await?;
        let ids: Vec<Uuid> = mentioning.iter().map(|referrer| referrer.id).collect();
        for batch in ids.chunks(LOOKUP_BATCH_VALUES) {
            self.redact_revisions(Cond::all().add(one_of_ids(transaction.get_database_backend(), "record_id", batch)?), names, keys, true)
                .await?;
        }
        Ok(())
    }

    async fn redact_revisions(&self, condition: Cond, names: &NameRedaction, keys: &mut KeysByRecord, redacts_words: bool) -> Result<()> {
        let transaction = &self.transaction;
        let select = Query::select().columns(["id", "record_id", "changes"]).from("revisions").cond_where(condition).to_owned();
        let mut revisions: Vec<(Uuid, Uuid, Json)> = Vec::new();
        for row in transaction.query_all(&select).await.map_err(database)? {
            let read = |index| row.try_get_by_index(index);
            let (revision, record) = (read(0).map_err(internal)?, read(1).map_err(internal)?);
            let changes: Json = row.try_get_by_index(2).map_err(internal)?;
            names.collect_keys(&changes, keys.entry(record).or_default());
            revisions.push((revision, record, changes));
        }
        for (revision, record, changes) in revisions {
            let redacted = names.redact(changes, keys.entry(record).or_default(), redacts_words);
            let update = Query::update()
                .table("revisions")
                .value("changes", dialect::json(transaction.get_database_backend(), &redacted))
                .and_where(Expr::col("id").eq(revision))
                .to_owned();
            transaction.execute(&update).await.map_err(database)?;
        }
        Ok(())
    }
}

/// State of the person's record without what identifies them: only its references and its visibility stay.
fn withheld_state(record: &Record, names: &NameRedaction) -> Json {
    let mut state = Map::new();
    for field in record.fields.iter().filter(|field| !field.system) {
        let is_kept = matches!(field.kind, FieldKind::One(_)) || field.name == "published";
        if !is_kept {
            state.insert(field.name.to_owned(), if matches!(field.kind, FieldKind::List(_)) { json!([]) } else { Json::Null });
        }
    }
    let name = REPLACEMENT_NAMES.iter().map(|(lang, text)| ((*lang).to_owned(), json!(text))).collect();
    state.insert("name".to_owned(), Json::Object(name));
    state.insert("slug".to_owned(), json!(names.new_slug));
    state.insert("identifiers".to_owned(), json!([]));
    state.insert("citations".to_owned(), json!([]));
    Json::Object(state)
}

/// A text as it is spelled inside JSON.
fn json_text(text: &str) -> String {
    let quoted = Json::from(text).to_string();
    quoted.trim_matches('"').to_owned()
}
