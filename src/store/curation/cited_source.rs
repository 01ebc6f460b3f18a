//! The source of a citation that is given by its URL.

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Expr, ExprTrait, Order, Query};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::core::error::{Result, internal};
use crate::core::id;
use crate::core::web_address::normalize_web_address;
use crate::entity::RecordType;
use crate::store::curation::patch::ListPatch;
use crate::store::database;
use crate::store::draft::{Draft, InputProblem, Origin, ProblemCode, WriteMode, WriteTarget, parse, value_tree};
use crate::store::write::session::WriteSession;
use crate::store::write::types::WriteError;

/// Name of the member of a citation.
const SOURCE: &str = "source";
/// Language of the title of a source of which only the URL is known: undetermined.
const UNKNOWN_LANGUAGE: &str = "und";

impl ListPatch {
    /// Takes the source out of a patch of a citation if it is given by its URL: neither ids nor slugs contain `://`.
    pub(super) fn take_source_url(&mut self) -> Option<String> {
        let members: &mut Map<String, Json> = match self {
            Self::Add(json) => json.as_object_mut()?,
            Self::Update(_, members) => members,
            Self::Remove(_) => return None,
        };
        members.get(SOURCE).and_then(Json::as_str).filter(|text| text.contains("://"))?;
        members.remove(SOURCE)?.as_str().map(str::to_owned)
    }

    /// Gives the citation its source.
    pub(super) fn set_source(&mut self, source: Uuid) {
        let source = json!(id::encode(RecordType::Source.prefix(), source));
        match self {
            Self::Add(Json::Object(members)) | Self::Update(_, members) => _ = members.insert(SOURCE.to_owned(), source),
            Self::Add(_) | Self::Remove(_) => {}
        }
    }
}

impl WriteSession<'_> {
    /// The source with a URL, which is made if there is none: its title is the URL without the scheme, and its kind `other`.
    /// A problem if several sources have the URL, or if it is not valid. `origin` is the place of the URL.
    pub(super) async fn source_of_url(&self, url: &str, origin: &Origin) -> Result<std::result::Result<Uuid, InputProblem>, WriteError> {
        let url = match normalize_web_address(url.trim()) {
            Ok(url) => url,
            Err(message) => return Ok(Err(InputProblem::new(origin.clone(), message))),
        };
        match self.sources_with_url(&url).await?.as_slice() {
            [(only, _)] => return Ok(Ok(*only)),
            [] => {}
            [(_, first), (_, second), ..] => {
                let message =
                    format!("two sources have the URL {url}: {first} and {second}; give one of these slugs, or merge the sources first");
                return Ok(Err(InputProblem::new(origin.clone(), message).with_code(ProblemCode::Taken)));
            }
        }
        let title = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest).trim_end_matches('/');
        let source = json!({"title": {UNKNOWN_LANGUAGE: title}, "url": url, "kind": "other"});
        let draft = parse::record(catalog().get(RecordType::Source), &value_tree::from_json(&source), origin);
        let draft = Draft { target: WriteTarget { mode: WriteMode::Create, ..WriteTarget::default() }, ..draft };
        let written = self.write(&vec![(RecordType::Source, vec![draft])], &|_| {}).await;
        // what is wrong with the new source is wrong with its URL
        written.map_err(|error| {
            error.map_problems(|problems| problems.into_iter().map(|problem| InputProblem { origin: origin.clone(), ..problem }).collect())
        })?;
        let made = self.sources_with_url(&url).await?;
        Ok(Ok(made.first().ok_or_else(|| internal("a source that was made is missing"))?.0))
    }

    /// The sources with a URL, with their slugs, in the order of the slugs.
    async fn sources_with_url(&self, url: &str) -> Result<Vec<(Uuid, String)>> {
        let select = Query::select()
            .columns(["id", "slug"])
            .from(catalog().get(RecordType::Source).table)
            .and_where(Expr::col("url").eq(url))
            .order_by("slug", Order::Asc)
            .to_owned();
        let rows = self.transaction.query_all(&select).await.map_err(database)?;
        let sources = rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)));
        sources.collect::<std::result::Result<_, sea_orm::DbErr>>().map_err(internal)
    }
}
