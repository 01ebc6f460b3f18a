//! `match`: the records that are most like persons or organizations that the caller describes.

use std::collections::HashMap;
use std::sync::LazyLock;

use async_graphql::Value;
use async_graphql::dynamic::{Enum, EnumItem, Field, InputObject, InputValue, SchemaBuilder, TypeRef};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::core::error::{Result, bad_input};
use crate::entity::RecordType;
use crate::graphql::projection::ProjectionSet;
use crate::graphql::projection::json_writer::JsonWriter;
use crate::graphql::projection::output_type::{FieldWriter, ObjectProjection, OutputObject, OutputType};
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::builder;
use crate::graphql::schema::builder::{RECORD, input_value};
use crate::graphql::schema::filter::enum_name;
use crate::graphql::schema::scalar::PARTIAL_DATE;
use crate::store::Store;
use crate::store::likeness::matching::{Match, Matches};
use crate::store::likeness::name::Name;
use crate::store::likeness::score::{Comparison, Feature, FeatureKind, MAX_SCORE, Subject, comparisons};
use crate::store::read::result::ReferencedRows;

/// Name of the root field.
pub(super) const NAME: &str = "match";
/// Maximum number of candidates of one field. Each that no key finds is a search for misspelled names.
pub(crate) const MAX_CANDIDATES: usize = 25;
/// Number of matches of each candidate if `first` is not given, and its maximum.
const DEFAULT_MATCHES: i64 = 5;
const MAX_MATCHES: i64 = 25;
/// Maximum number of names, and of identifiers, of a candidate.
const MAX_VALUES: usize = 10;
/// Maximum length of a name.
const MAX_NAME_BYTES: usize = 1_000;

/// Enum of the types whose records are compared.
pub(super) const MATCHABLE_TYPE: &str = "MatchableType";
const CANDIDATE: &str = "MatchCandidate";
const CANDIDATE_MATCHES: &str = "CandidateMatches";
const MATCH: &str = "Match";
/// Type of a feature of a score.
pub(super) const FEATURE: &str = "MatchFeature";
const FEATURE_NAME: &str = "MatchFeatureName";

pub(super) fn field() -> Field {
    let doc = "The records that are most like each of these descriptions of people or organizations, each with a score and the features that make it. Names match in any script, spelling and order. Nothing is merged.";
    builder::null_only_on_error(builder::field(NAME, TypeRef::named_nn_list(CANDIDATE_MATCHES), doc))
        .argument(input_value("type", TypeRef::named_nn(MATCHABLE_TYPE), "Type of the records."))
        .argument(input_value("candidates", TypeRef::named_nn_list_nn(CANDIDATE), "1 to 25 descriptions. The result has their order."))
        .argument(input_value("first", TypeRef::named(TypeRef::INT), "Matches of each, 1 to 25; default 5."))
}

fn candidate_input() -> InputObject {
    let date = |name: &str, doc: &str| input_value(name, TypeRef::named(PARTIAL_DATE), doc);
    InputObject::new(CANDIDATE)
        .description("What is known of a person or organization. Give a name or an identifier, and whatever else is known.")
        .field(input_value("names", TypeRef::named_nn_list(TypeRef::STRING), "Names, in any script and order of words. At most 10."))
        .field(date("birthDate", "Date of birth of a person."))
        .field(date("deathDate", "Date of death of a person."))
        .field(date("foundedOn", "Date of foundation of an organization."))
        .field(date("dissolvedOn", "Date of dissolution of an organization."))
        .field(input_value("identifiers", TypeRef::named_nn_list("IdentifierBy"), "Identifiers in other registers. At most 10."))
        .field(input_value("jurisdiction", TypeRef::named(TypeRef::STRING), "Slug of the jurisdiction."))
        .field(input_value("classification", TypeRef::named("OrganizationClassification"), "Type of an organization."))
}

/// The name of a feature, and its description.
const fn feature_name(kind: FeatureKind) -> (&'static str, &'static str) {
    match kind {
        FeatureKind::Name => ("NAME", "The two names that are most alike."),
        FeatureKind::BirthDate => ("BIRTH_DATE", "Dates of birth."),
        FeatureKind::DeathDate => ("DEATH_DATE", "Dates of death."),
        FeatureKind::FoundedOn => ("FOUNDED_ON", "Dates of foundation."),
        FeatureKind::DissolvedOn => ("DISSOLVED_ON", "Dates of dissolution."),
        FeatureKind::Identifier => ("IDENTIFIER", "Identifiers of one register."),
        FeatureKind::Jurisdiction => ("JURISDICTION", "Jurisdictions."),
        FeatureKind::Classification => ("CLASSIFICATION", "Types of organization."),
    }
}

const FEATURES: [FeatureKind; 8] = [
    FeatureKind::Name,
    FeatureKind::BirthDate,
    FeatureKind::DeathDate,
    FeatureKind::FoundedOn,
    FeatureKind::DissolvedOn,
    FeatureKind::Identifier,
    FeatureKind::Jurisdiction,
    FeatureKind::Classification,
];

impl OutputObject for Feature {
    type Plan<'q> = ();
    type Field = FieldWriter<Self>;
}

static FEATURE_TYPE: LazyLock<OutputType<Feature>> = LazyLock::new(|| {
    let text = || TypeRef::named_nn(TypeRef::STRING);
    OutputType::<Feature>::new(FEATURE, "A feature by which a record was compared, and what it does to the score.")
        .value("name", TypeRef::named_nn(FEATURE_NAME), "The feature.", |feature, out| out.value(feature_name(feature.kind).0))
        .value("given", text(), "Value of the description, or of the first record.", |feature, out| out.value(&feature.given))
        .value("stored", text(), "Value of the record, or of the second record.", |feature, out| out.value(&feature.stored))
        .value(
            "share",
            TypeRef::named_nn(TypeRef::FLOAT),
            "What the feature adds to the score. Negative if it speaks against the likeness.",
            |feature, out| out.value(fraction(feature.share)),
        )
});

/// Thousandths as a fraction.
fn fraction(thousandths: i32) -> f64 {
    f64::from(thousandths) / f64::from(MAX_SCORE)
}

/// Writes a score.
pub(super) fn write_score(score: u32, out: &mut JsonWriter<'_>) {
    out.value(fraction(score.cast_signed()));
}

/// Projects the features of a score.
pub(super) fn project_features(selection: &Selection<'_>) -> Result<ObjectProjection<FieldWriter<Feature>>> {
    FEATURE_TYPE.project(selection, &mut ())
}

/// The selections of the records of matches. Their types are known from the request.
#[derive(Default)]
struct MatchPlan<'q> {
    record_selections: Vec<Selection<'q>>,
}

/// Matches with their records.
struct MatchResult {
    matches: Vec<Matches>,
    /// Position of the first match of each candidate among all matches.
    offsets: Vec<usize>,
    /// Records of all matches, once for each selection of them.
    records: Vec<(ReferencedRows, ProjectionSet)>,
}

impl MatchResult {
    /// The matches of a candidate, with their positions among all matches. A record that was unpublished meanwhile is no match.
    fn of(&self, candidate: usize) -> impl Iterator<Item = (usize, &Match)> {
        let numbered = (self.offsets[candidate]..).zip(&self.matches[candidate].matches);
        numbered.filter(|(position, _)| self.records.iter().all(|(rows, _)| rows.get(*position).is_some()))
    }
}

/// Writes a field of the candidate with this index.
type CandidateWriter = dyn Fn(&MatchResult, usize, &mut JsonWriter<'_>) + Send + Sync;
/// Writes a field of the match at this position.
type MatchWriter = dyn Fn(&MatchResult, (usize, &Match), &mut JsonWriter<'_>) + Send + Sync;

enum CandidateOutput {}

impl OutputObject for CandidateOutput {
    type Plan<'q> = MatchPlan<'q>;
    type Field = Box<CandidateWriter>;
}

static CANDIDATE_TYPE: LazyLock<OutputType<CandidateOutput>> = LazyLock::new(|| {
    OutputType::<CandidateOutput>::new(CANDIDATE_MATCHES, "The records that are most like one description.")
        .field("matches", TypeRef::named_nn_list_nn(MATCH), "The records, the most alike first; none below a score of 0.3.", |selection, plan| {
            let projection = MATCH_TYPE.project(selection, plan)?;
            Ok(Box::new(move |result, candidate, out| {
                out.list(result.of(candidate), |found, out| projection.write_with(out, |write, out| write(result, found, out)));
            }))
        })
        .field(
            "isExhaustive",
            TypeRef::named_nn(TypeRef::BOOLEAN),
            "Whether all records with like names were compared. If not, the name is too common: give more of the name, the birth date or an identifier.",
            |_, _| Ok(Box::new(|result, candidate, out| out.value(result.matches[candidate].is_exhaustive))),
        )
});

enum MatchOutput {}

impl OutputObject for MatchOutput {
    type Plan<'q> = MatchPlan<'q>;
    type Field = Box<MatchWriter>;
}

static MATCH_TYPE: LazyLock<OutputType<MatchOutput>> = LazyLock::new(|| {
    OutputType::<MatchOutput>::new(MATCH, "A record that is like a description.")
        .field("record", TypeRef::named_nn(RECORD), "The record.", |selection, plan| {
            let place = plan.record_selections.len();
            plan.record_selections.push(selection.clone());
            Ok(Box::new(move |result, (position, _), out| {
                let (rows, projections) = &result.records[place];
                out.option(rows.get(position), |row, out| projections.write(row, out));
            }))
        })
        .field("score", TypeRef::named_nn(TypeRef::FLOAT), "How alike they are, from 0 to 1: the sum of the shares of the features.", |_, _| {
            Ok(Box::new(|_, (_, found), out| write_score(found.likeness.score, out)))
        })
        .field(
            "isCertain",
            TypeRef::named_nn(TypeRef::BOOLEAN),
            "Whether the score is 0.9 or more, nothing speaks against it, and no other record could be meant. A name alone is never certain.",
            |_, _| Ok(Box::new(|_, (_, found), out| out.value(found.is_certain))),
        )
        .field("features", TypeRef::named_nn_list_nn(FEATURE), "The features that make the score.", |selection, _| {
            let features = project_features(selection)?;
            Ok(Box::new(move |_, (_, found), out| {
                out.list(found.likeness.features.iter(), |feature, out| features.write(feature, out));
            }))
        })
});

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let types = comparisons().fold(Enum::new(MATCHABLE_TYPE).description("A type whose records are compared."), |types, comparison| {
        types.item(EnumItem::new(enum_value(comparison.ty)).description(catalog().get(comparison.ty).doc))
    });
    let names = FEATURES.into_iter().map(feature_name);
    let names = names.fold(Enum::new(FEATURE_NAME).description("A feature by which records are compared."), |names, (name, doc)| {
        names.item(EnumItem::new(name).description(doc))
    });
    builder
        .register(types)
        .register(names)
        .register(candidate_input())
        .register(FEATURE_TYPE.object())
        .register(MATCH_TYPE.object())
        .register(CANDIDATE_TYPE.object())
}

fn enum_value(ty: RecordType) -> String {
    ty.prefix().to_uppercase()
}

/// How records of the type in an enum value are compared.
pub(super) fn comparison_of(value: &Value) -> Option<&'static Comparison> {
    let name = enum_name(value)?;
    comparisons().find(|comparison| enum_value(comparison.ty) == name)
}

/// The argument that restricts a list to types.
pub(super) fn types_argument(doc: &str) -> InputValue {
    input_value("types", TypeRef::named_nn_list(MATCHABLE_TYPE), doc)
}

fn texts(value: Option<&Value>, path: &str) -> Result<Vec<String>> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![text.clone()]),
        Some(Value::List(items)) => items
            .iter()
            .map(|item| match item {
                Value::String(text) => Ok(text.clone()),
                _ => Err(bad_input(path, "this must be a list of texts")),
            })
            .collect(),
        Some(_) => Err(bad_input(path, "this must be a list of texts")),
    }
}

fn names(members: &async_graphql::indexmap::IndexMap<async_graphql::Name, Value>, path: &str) -> Result<Vec<Name>> {
    let path = format!("{path}.names");
    let texts = texts(members.get("names"), &path)?;
    if texts.len() > MAX_VALUES {
        return Err(bad_input(&path, format_args!("{} names are too many; give at most {MAX_VALUES}", texts.len())));
    }
    let parse = |(index, text): (usize, &String)| {
        let path = format!("{path}[{index}]");
        if text.len() > MAX_NAME_BYTES {
            return Err(bad_input(path, format_args!("the name is longer than {MAX_NAME_BYTES} bytes; give the name alone")));
        }
        let name = Name::parse(text.trim());
        if name.words.is_empty() {
            Err(bad_input(path, "the name has no letter and no digit; give a name, or leave it out"))
        } else {
            Ok(name)
        }
    };
    texts.iter().enumerate().map(parse).collect()
}

fn identifiers(value: Option<&Value>, path: &str) -> Result<Vec<(String, String)>> {
    let items = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::List(items)) => items.as_slice(),
        Some(item) => std::slice::from_ref(item),
    };
    let path = format!("{path}.identifiers");
    if items.len() > MAX_VALUES {
        return Err(bad_input(path, format_args!("{} identifiers are too many; give at most {MAX_VALUES}", items.len())));
    }
    let pair = |item: &Value| match item {
        Value::Object(members) => match (members.get("scheme"), members.get("value")) {
            (Some(Value::String(scheme)), Some(Value::String(value))) => Ok((scheme.clone(), value.clone())),
            _ => Err(bad_input(&path, "an identifier has a scheme and a value")),
        },
        _ => Err(bad_input(&path, "an identifier has a scheme and a value")),
    };
    items.iter().map(pair).collect()
}

/// Fields of a candidate that records of one type only have.
const TYPED_FIELDS: [(&str, RecordType); 5] = [
    ("birthDate", RecordType::Person),
    ("deathDate", RecordType::Person),
    ("foundedOn", RecordType::Organization),
    ("dissolvedOn", RecordType::Organization),
    ("classification", RecordType::Organization),
];

fn subject(comparison: &Comparison, value: &Value, path: &str, jurisdictions: &HashMap<String, Uuid>) -> Result<Subject> {
    let Value::Object(members) = value else { return Err(bad_input(path, "a candidate must be an object")) };
    let given = |name: &str| members.get(name).filter(|value| **value != Value::Null);
    if let Some((name, _)) = TYPED_FIELDS.iter().find(|(name, ty)| *ty != comparison.ty && given(name).is_some()) {
        let singular = catalog().get(comparison.ty).singular();
        return Err(bad_input(format_args!("{path}.{name}"), format_args!("a record of the type {singular} has no {name}; leave it out")));
    }
    let mut dates = [None, None];
    for (date, (name, _)) in dates.iter_mut().zip(comparison.dates) {
        if let Some(Value::String(text)) = given(name) {
            *date = Some(text.parse().map_err(|error| bad_input(format_args!("{path}.{name}"), error))?);
        }
    }
    let jurisdiction = match given("jurisdiction") {
        Some(Value::String(slug)) => {
            let missing =
                || bad_input(format_args!("{path}.jurisdiction"), format_args!("there is no jurisdiction with the slug \"{slug}\""));
            Some((*jurisdictions.get(slug).ok_or_else(missing)?, slug.clone()))
        }
        _ => None,
    };
    let subject = Subject {
        names: names(members, path)?,
        dates,
        identifiers: identifiers(given("identifiers"), path)?,
        jurisdiction,
        classification: given("classification").and_then(enum_name).map(str::to_lowercase),
    };
    if subject.names.is_empty() && subject.identifiers.is_empty() {
        return Err(bad_input(path, "give at least one name or identifier"));
    }
    Ok(subject)
}

async fn parse_subjects(store: &Store, comparison: &Comparison, selection: &Selection<'_>) -> Result<Vec<Subject>> {
    let candidates = selection.non_empty_list_argument("candidates")?;
    if candidates.len() > MAX_CANDIDATES {
        let message = format_args!(
            "{} candidates are too many; give at most {MAX_CANDIDATES} and send the others in further requests",
            candidates.len()
        );
        return Err(bad_input("candidates", message));
    }
    let slug = |candidate: &Value| match candidate {
        Value::Object(members) => match members.get("jurisdiction") {
            Some(Value::String(slug)) => Some(slug.clone()),
            _ => None,
        },
        _ => None,
    };
    let slugs: Vec<String> = candidates.iter().filter_map(slug).collect();
    let slugs: Vec<&str> = slugs.iter().map(String::as_str).collect();
    let jurisdictions = if slugs.is_empty() { HashMap::new() } else { store.jurisdictions_by_slug(&slugs).await? };
    let parse = |(index, candidate)| subject(comparison, candidate, &format!("candidates[{index}]"), &jurisdictions);
    candidates.iter().enumerate().map(parse).collect()
}

/// Writes the matches of each candidate.
pub(super) async fn write(store: &Store, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let comparison = selection.argument("type").as_ref().and_then(comparison_of);
    let comparison = comparison.ok_or_else(|| bad_input("type", "records of this type are not compared"))?;
    let first = selection.int_argument("first").unwrap_or(DEFAULT_MATCHES);
    let first = usize::try_from(first).ok().filter(|_| (1..=MAX_MATCHES).contains(&first));
    let first = first.ok_or_else(|| bad_input("first", format_args!("request 1 to {MAX_MATCHES} matches")))?;
    let subjects = parse_subjects(store, comparison, selection).await?;
    let mut plan = MatchPlan::default();
    let projection = CANDIDATE_TYPE.project(selection, &mut plan)?;
    let matches = store.find_like(comparison, &subjects, first).await?;
    let ids: Vec<_> = matches.iter().flat_map(|of| &of.matches).map(|found| Some((comparison.ty, found.id))).collect();
    let sizes = matches.iter().map(|of| of.matches.len());
    let offsets = sizes.scan(0, |sum, size| Some(std::mem::replace(sum, *sum + size))).collect();
    let mut records = Vec::with_capacity(plan.record_selections.len());
    for selection in &plan.record_selections {
        let (plans, projections) = ProjectionSet::new(std::slice::from_ref(selection), std::iter::once(catalog().get(comparison.ty)))?;
        records.push((store.existing_nodes(&plans, &ids).await?, projections));
    }
    let result = MatchResult { matches, offsets, records };
    out.list(0..result.matches.len(), |candidate, out| projection.write_with(out, |write, out| write(&result, candidate, out)));
    Ok(())
}
