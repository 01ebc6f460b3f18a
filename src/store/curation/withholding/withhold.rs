//! Withholding a person: everything that identifies them is removed from their record, from every other text of the
//! database, and from the histories. Readers see that the person was withheld, and nothing else.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::Record;
use crate::core::error::{Result, internal};
use crate::core::id;
use crate::core::normalize::{fold_for_search, words};
use crate::entity::RecordType;
use crate::store::curation::merge::log::forget_merges;
use crate::store::curation::referrers::{Referrer, referrers};
use crate::store::curation::withholding::digest_key::DigestKey;
use crate::store::curation::withholding::name_parts::{NAME_FIELDS, name_cells, names_of_parts};
use crate::store::curation::withholding::name_recognition::NameRecognizer;
use crate::store::curation::withholding::name_recognition::forms::{REPLACEMENT_NAMES, forms_of_person};
use crate::store::curation::withholding::name_redaction::{NameRedaction, ReplacedKeys, texts};
use crate::store::curation::withholding::text_columns::CONTACT_FIELDS;
use crate::store::curation::withholding::text_scan::{TextPattern, TextPlaces};
use crate::store::curation::withholding::withheld_digest::{
    RecognizedForm, WITHHELD_MESSAGE, delete_digests, insert_digests, insert_slug_digest, withheld_persons, withheld_slug,
};
use crate::store::draft::{Draft, InputProblem, Origin, ProblemCode};
use crate::store::history::revisions::{NewRevision, delete_revision, insert_revisions};
use crate::store::search::index::forget_unused_words;
use crate::store::write::model::{StoredRow, field, is_published, revision_number};
use crate::store::write::session::{WriteSession, relocate_state_problems, update_draft};
use crate::store::write::types::{Author, WriteError};
use crate::store::write::writer::delete_rows;
use crate::store::{Store, database};

/// Minimum length of a name or a single-word name.
const MIN_NAME_CHARS: usize = 3;

/// A person to withhold.
#[derive(Debug, Clone)]
pub struct Withholding {
    /// The person.
    pub person: Uuid,
    /// Other people with the same name, who keep it. Their name is then not recognized in texts about others.
    pub namesakes: Vec<Uuid>,
}

impl Store {
    /// Removes everything that identifies a person from the dataset and its history. What was removed cannot be restored.
    /// Returns the places that an admin should look at: those with a name that was redacted, and those with a word of the
    /// name, which may belong to others and stays.
    pub async fn withhold(&self, withholding: &Withholding, author: &Author) -> Result<TextPlaces, WriteError> {
        let session = self.begin(author).await?;
        let argument = Origin::input(["person"]);
        let relocate = |problems| relocate_state_problems(problems, &argument, &argument, &argument);
        let places = session.withhold(withholding).await.map_err(|error| error.map_problems(relocate))?;
        session.commit().await?;
        Ok(places)
    }

    /// Ends the withholding of a person: the record can be edited, and the person named, again. Restores nothing. Returns the
    /// places with the neutral label, where names may be missing.
    pub async fn end_withholding(&self, person: Uuid, author: &Author) -> Result<TextPlaces, WriteError> {
        let session = self.begin(author).await?;
        let record = catalog().get(RecordType::Person);
        let row = session.existing(record, person, "person").await?;
        if !withheld_persons(&session.transaction).await?.contains(&person) {
            let problem = InputProblem::new(Origin::input(["person"]), "this person is not withheld").with_code(ProblemCode::NotFound);
            return Err(WriteError::problem(problem));
        }
        let mut places = session.scan(TextPattern::Label, &HashSet::new()).await?;
        places.owners.clear();
        delete_digests(&session.transaction, person).await?;
        session.add_empty_revision(record, &row, "updated").await?;
        session.commit().await?;
        Ok(places)
    }
}

/// What identifies a person: the names, the slugs and the identifiers, of the record and of those merged into it.
#[derive(Debug, Default)]
struct Identity {
    ids: Vec<Uuid>,
    names: Vec<String>,
    slugs: BTreeSet<String>,
    identifiers: BTreeSet<(String, String)>,
}

/// Replaced part keys by record.
type KeysByRecord = HashMap<Uuid, ReplacedKeys>;

impl WriteSession<'_> {
    async fn withhold(&self, withholding: &Withholding) -> Result<TextPlaces, WriteError> {
        let (id, record) = (withholding.person, catalog().get(RecordType::Person));
        let transaction = &self.transaction;
        let row = self.existing(record, id, "person").await?;
        if withheld_persons(transaction).await?.contains(&id) {
            let problem = InputProblem::new(Origin::input(["person"]), WITHHELD_MESSAGE).with_code(ProblemCode::Withheld);
            return Err(WriteError::problem(problem));
        }
        let identity = self.identity(record, id, &row).await?;
        let key = DigestKey::prepare(transaction, self.store.withholding_secret.as_deref()).await?;
        let forms = identity.forms(&identity.names);
        let digests = forms.iter().map(|(form, word)| (key.digest(form), (id, *word))).collect();
        let recognizer = NameRecognizer::new(key.clone(), digests);
        let mut skipped: HashSet<Uuid> = identity.ids.iter().copied().collect();
        let mut places = self.scan(TextPattern::Name(&recognizer), &skipped).await?;
        self.require_known_namesakes(record, &places, withholding, &recognizer).await?;
        let is_shared = !withholding.namesakes.is_empty();
        let new_slug = self.free_withheld_slug(record, id).await?;

        let ids = identity.ids.iter().map(|id| id::encode(record.ty.prefix(), *id)).collect();
        let redaction = NameRedaction { recognizer: &recognizer, ids, new_slug };
        let mut related: HashSet<Uuid> = HashSet::new();
        let mut affected: BTreeSet<Referrer> = BTreeSet::new();
        for referrer in referrers(transaction, record, id, u64::from(u32::MAX)).await? {
            related.insert(referrer.id);
            affected.insert(referrer);
        }
        let memberships: HashSet<Uuid> =
            affected.iter().filter(|referrer| referrer.ty == RecordType::Membership).map(|referrer| referrer.id).collect();
        if is_shared {
            // others keep the name, except beside the person
            let others = places.owners.iter().map(|owner| owner.id).filter(|id| !related.contains(id));
            let unrelated: HashSet<Uuid> = skipped.iter().copied().chain(others).collect();
            places = self.scan(TextPattern::Name(&recognizer), &unrelated).await?;
        }
        related.extend(places.owners.iter().filter(|owner| owner.ty != record.ty).map(|owner| owner.id));
        affected.extend(std::mem::take(&mut places.owners));
        affected.retain(|referrer| !identity.ids.contains(&referrer.id));
        skipped.extend(affected.iter().map(|referrer| referrer.id));
        places.add_possible(self.scan(TextPattern::Word(&recognizer), &skipped).await?);

        let mut keys = KeysByRecord::new();
        let mut drafts: BTreeMap<RecordType, Vec<Draft>> = BTreeMap::new();
        drafts.entry(record.ty).or_default().push(update_draft(record.ty, id, &withheld_state(record, &redaction.new_slug), "person"));
        for referrer in &affected {
            let lone = related.contains(&referrer.id);
            let record = catalog().get(referrer.ty);
            let state = self.state(record, referrer.id).await?;
            let keys = keys.entry(referrer.id).or_default();
            redaction.collect_keys(&state, lone, keys);
            let mut redacted = redaction.redact_state(record, state.clone(), keys, lone);
            for field in CONTACT_FIELDS.iter().filter(|field| memberships.contains(&referrer.id) && state.get(**field).is_some()) {
                redacted[*field] = json!([]);
            }
            if redacted == state {
                continue;
            }
            if redacted.get("slug") != state.get("slug") {
                let encoded = id::encode(referrer.ty.prefix(), referrer.id);
                redacted["slug"] = json!(format!("{}-{}", redaction.new_slug, &encoded[encoded.len() - 8..]));
                insert_slug_digest(transaction, &key, (referrer.ty, referrer.id), &referrer.slug).await?;
            }
            drafts.entry(referrer.ty).or_default().push(update_draft(referrer.ty, referrer.id, &redacted, "person"));
        }
        self.write(&drafts.into_iter().collect(), &|_| {}).await?;
        places.add_possible(self.remaining_words(redaction.recognizer, affected.iter(), &related).await?);
        places.add_possible(self.same_identifiers(identity.identifiers.iter().map(|(_, value)| value.as_str()), &identity.ids).await?);
        // from here on the person cannot be written
        let digests = identity.slugs.iter().map(|slug| key.slug(slug));
        let digests = digests.chain(identity.identifiers.iter().map(|(scheme, value)| key.identifier(scheme, value)));
        // names that other people have are recognized beside the person only, but the identifiers everywhere
        let own = identity.forms(&[]).into_iter().map(|(form, word)| RecognizedForm { form, word, is_shared: false });
        let named = forms.into_iter().map(|(form, word)| RecognizedForm { form, word, is_shared });
        let forms: Vec<RecognizedForm> = own.chain(named).collect();
        insert_digests(transaction, &key, id, digests, forms).await?;
        delete_rows(transaction, "former_slugs", "record_id", &identity.ids).await?;
        forget_merges(transaction, &identity.ids).await?;
        let in_histories = self.redact_histories(&identity.ids, (&related, &memberships), &redaction, &mut keys, is_shared).await?;
        places.add_possible(in_histories);
        self.redact_former_slugs(&related, &redaction, &key, is_shared, &mut places).await?;
        self.redact_own_tables(&redaction, is_shared, &mut places).await?;
        let names = identity.names.iter().map(|name| fold_for_search(name)).collect::<Vec<_>>().join(" ");
        forget_unused_words(transaction, words(&names).map(str::to_owned).collect()).await?;
        self.purge_search_index().await?;

        let withheld = self.existing(record, id, "person").await?;
        let (published, number) = (is_published(record, &withheld), revision_number(record, &withheld));
        // the revision of the write above becomes the one that records the withholding
        delete_revision(transaction, id, number).await?;
        let revision = NewRevision { record: id, ty: record.ty, number, kind: "withheld", changes: Vec::new(), published };
        let mut stamp = self.stamp();
        stamp.message = stamp.message.map(|message| redaction.redact_text(message, true));
        insert_revisions(self.store, transaction, &stamp, vec![revision]).await?;
        Ok(places)
    }

    /// The names, slugs and identifiers of a person, with those of earlier revisions and of records merged into it.
    async fn identity(&self, record: &Record, id: Uuid, row: &StoredRow) -> Result<Identity> {
        let transaction = &self.transaction;
        let mut identity = Identity { ids: vec![id], ..Identity::default() };
        let merged = Query::select().column("id").from("nodes").and_where(Expr::col("merged_into").eq(id)).to_owned();
        for row in transaction.query_all(&merged).await.map_err(database)? {
            identity.ids.push(row.try_get_by_index(0).map_err(internal)?);
        }
        let names = NAME_FIELDS.iter().flat_map(|name| field(record, row, name).texts());
        identity.names.extend(names.map(|name| name.trim().to_owned()).filter(|name| name.chars().count() >= MIN_NAME_CHARS));
        identity.names.extend(names_of_parts(&name_cells(record, &row.cells)));
        identity.slugs.extend(field(record, row, "slug").as_text().map(str::to_owned));
        let identifier = catalog().get(RecordType::Identifier);
        let text = |row: &StoredRow, name| field(identifier, row, name).as_text().unwrap_or_default().to_owned();
        for row in row.parts.get(&RecordType::Identifier).into_iter().flatten() {
            identity.identifiers.insert((text(row, "scheme"), text(row, "value")));
        }
        let former = Query::select()
            .column("slug")
            .from("former_slugs")
            .and_where(Expr::col("record_type").eq(record.ty.prefix()))
            .and_where(Expr::col("record_id").is_in(identity.ids.iter().copied()))
            .to_owned();
        for row in transaction.query_all(&former).await.map_err(database)? {
            identity.slugs.insert(row.try_get_by_index(0).map_err(internal)?);
        }
        let history = Query::select()
            .column("changes")
            .from("revisions")
            .and_where(Expr::col("record_id").is_in(identity.ids.iter().copied()))
            .to_owned();
        // an earlier name counts if it shares a word with the name today: a person may have been called "a blogger" before
        let today = NameRecognizer::new(
            DigestKey::new(&[], None),
            identity.forms(&identity.names).into_iter().map(|(form, word)| (DigestKey::new(&[], None).digest(&form), (id, word))).collect(),
        );
        for row in transaction.query_all(&history).await.map_err(database)? {
            let changes: Json = row.try_get_by_index(0).map_err(internal)?;
            for change in changes.as_array().into_iter().flatten() {
                identity.add_change(change, &today);
            }
        }
        identity.names.sort();
        identity.names.dedup();
        Ok(identity)
    }

    /// Fails if other people have the same name and are not given as namesakes.
    async fn require_known_namesakes(
        &self,
        record: &'static Record,
        named: &TextPlaces,
        withholding: &Withholding,
        recognizer: &NameRecognizer,
    ) -> Result<(), WriteError> {
        let mut namesakes = BTreeSet::new();
        // nothing but words of a name are left: Anna Petrova-Smith is a name of somebody else, a friend of Anna Petrova is not
        let is_name = |text: &str| recognizer.replace(text, false, |_| "\n".to_owned()).is_some_and(|rest| !words_begin_lower(&rest));
        for referrer in named.owners.iter().filter(|referrer| referrer.ty == record.ty) {
            let row = self.existing(record, referrer.id, "person").await?;
            let mut names = NAME_FIELDS.iter().flat_map(|name| field(record, &row, name).texts());
            if names.any(is_name) {
                namesakes.insert(referrer.id);
            }
        }
        let unknown: Vec<String> =
            namesakes.iter().filter(|id| !withholding.namesakes.contains(id)).map(|id| id::encode(record.ty.prefix(), *id)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let message = format!(
            "other people have the name: {}; merge those who are the same person first, and give the others as namesakes, who keep it",
            unknown.join(", ")
        );
        Err(WriteError::problem(InputProblem::new(Origin::input(["namesakes"]), message)))
    }

    /// A slug for the record that reveals nothing and that no record has.
    async fn free_withheld_slug(&self, record: &Record, id: Uuid) -> Result<String> {
        let base = withheld_slug(record.ty, id);
        let taken = Query::select()
            .column("slug")
            .from(Alias::new(record.table))
            .and_where(Expr::col("slug").like(format!("{base}%")))
            .and_where(Expr::col("id").ne(id))
            .to_owned();
        let rows = self.transaction.query_all(&taken).await.map_err(database)?;
        let taken: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>().map_err(internal)?;
        // one of these is free, because fewer are taken
        let numbered = (2..=taken.len() + 1).map(|count| format!("{base}-{count}"));
        let free = std::iter::once(base.clone()).chain(numbered).find(|slug| !taken.contains(slug));
        free.ok_or_else(|| internal("no slug is free"))
    }
}

/// Whether a text has a word that begins with a small letter.
fn words_begin_lower(text: &str) -> bool {
    let mut words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.any(|word| word.starts_with(char::is_lowercase))
}

impl Identity {
    /// The forms by which texts with these names or the identifiers are recognized.
    fn forms(&self, names: &[String]) -> Vec<(String, i32)> {
        forms_of_person(names, self.identifiers.iter().map(|(_, value)| value.as_str()))
    }

    /// Adds what a change of the person's history contains.
    fn add_change(&mut self, change: &Json, today: &NameRecognizer) {
        let path = change.get("field").and_then(Json::as_str).unwrap_or_default();
        for value in ["old", "new"].iter().filter_map(|side| change.get(*side)) {
            let members = |name: &'static str| value.as_array().into_iter().flatten().filter_map(move |item| item.get(name)?.as_str());
            match path {
                "name" | "sortName" => {
                    let names = texts(value).into_iter().filter(|name| name.contains(' ') && today.finds_words_of_others(name));
                    self.names.extend(names.map(str::to_owned));
                }
                "otherNames" => {
                    let names = members("name").filter(|name| name.contains(' ') && today.finds_words_of_others(name));
                    self.names.extend(names.map(str::to_owned));
                }
                "slug" => self.slugs.extend(value.as_str().map(str::to_owned)),
                path if path.starts_with("identifiers[") => {
                    let text = |name| value.get(name).and_then(Json::as_str).map(str::to_owned);
                    self.identifiers.extend(text("scheme").zip(text("value")));
                }
                _ => {}
            }
        }
    }
}

/// State of the person's record without what identifies them: only its references and its visibility stay.
fn withheld_state(record: &Record, new_slug: &str) -> Json {
    let mut state = Map::new();
    for field in record.fields.iter().filter(|field| !field.system) {
        let is_kept = matches!(field.kind, FieldKind::One(_)) || field.name == "published";
        if !is_kept {
            state.insert(field.name.to_owned(), if matches!(field.kind, FieldKind::List(_)) { json!([]) } else { Json::Null });
        }
    }
    let name = REPLACEMENT_NAMES.iter().map(|(lang, text)| ((*lang).to_owned(), json!(text))).collect();
    state.insert("name".to_owned(), Json::Object(name));
    state.insert("slug".to_owned(), json!(new_slug));
    state.insert("identifiers".to_owned(), json!([]));
    state.insert("citations".to_owned(), json!([]));
    Json::Object(state)
}
