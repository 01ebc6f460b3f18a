//! The parameters of a record page that do not depend on the record: format and languages.

use axum::http::HeaderMap;

use crate::core::dataset::Dataset;
use crate::core::language;
use crate::core::language::Languages;
use crate::http::client::accepted_languages;
use crate::http::response::Acceptance;

pub(super) const JSON_LD_MEDIA_TYPE: &str = "application/ld+json";
/// URL parameter that overrides the `Accept` header.
const FORMAT_PARAMETER: &str = "format";

/// The parsed parameters.
pub(super) struct PageRequest {
    /// The dataset, with the public URL as the client knows it.
    pub(super) dataset: Dataset,
    pub(super) languages: Languages,
    /// Language requested in the URL.
    pub(super) lang: Option<String>,
    /// Whether the response is JSON-LD rather than HTML.
    pub(super) is_json_ld: bool,
}

impl PageRequest {
    pub(super) fn new(headers: &HeaderMap, dataset: Dataset, query: &str) -> Self {
        let parameters: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
        let value = |name: &str| parameters.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_ref());
        let lang = value("lang").and_then(|text| language::tag(text).ok());
        let languages = lang.iter().fold(accepted_languages(headers), |languages, tag| languages.preferring(tag.clone()));
        let is_json_ld = match value(FORMAT_PARAMETER) {
            Some(format) => format == "jsonld",
            None => prefers_json_ld(headers),
        };
        Self { dataset, languages, lang, is_json_ld }
    }
}

/// Whether the client prefers JSON-LD to HTML; HTML wins a tie.
fn prefers_json_ld(headers: &HeaderMap) -> bool {
    let acceptance = |media_type| Acceptance::of(headers, media_type);
    let weight = |acceptance: Option<Acceptance>| acceptance.map_or(0.0, |acceptance| acceptance.weight);
    let xhtml = acceptance("application/xhtml+xml").filter(|xhtml| xhtml.is_named);
    let json_ld = acceptance(JSON_LD_MEDIA_TYPE);
    // JSON-LD is JSON, unless the client refuses it by name
    let json = acceptance("application/json").filter(|json| json.is_named && json_ld.is_none_or(|json_ld| json_ld.weight > 0.0));
    weight(json_ld).max(weight(json)) > weight(acceptance("text/html")).max(weight(xhtml))
}
