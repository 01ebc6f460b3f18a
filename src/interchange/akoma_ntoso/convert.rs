//! Converts works to laws and provisions.

use std::collections::HashSet;

use super::act::ActSet;
use super::lookup::{COUNTRY_SCHEME, FRBR_SCHEME, KnownLaws, LawTarget, ProvisionTargets, division};
use super::merge::{Work, WorkProvision};
use super::metadata::Metadata;
use super::slugs::provision_uri;
use super::tree::{Located, MapBuilder};
use super::versions::{expression_date, versions};
use crate::catalog::catalog;
use crate::entity::RecordType;
use crate::interchange::omissions::{Omissions, place};
use crate::store::draft;
use crate::store::draft::value_tree::{Number, Tree, Value};
use crate::store::draft::{Draft, InputProblem, Origin};

/// Distance between the positions of two provisions, which leaves room for smaller ones between them.
const POSITION_STEP: i64 = 100;

/// A field of a law and where its value is in the metadata.
type LawValue = (&'static str, fn(&Metadata) -> Option<&Located>);

/// The fields of a law that are as they are in the metadata of its work.
const LAW_VALUES: [LawValue; 5] = [
    ("number", |metadata| metadata.number.as_ref()),
    ("adoptedOn", |metadata| metadata.adopted_on.as_ref()),
    ("inForceFrom", |metadata| metadata.in_force_from.as_ref()),
    ("repealedOn", |metadata| metadata.repealed_on.as_ref()),
    ("eli", |metadata| metadata.eli.as_ref()),
];

/// The records of the acts of an import.
#[derive(Debug, Default)]
pub struct ConvertedLaws {
    /// Records by type.
    pub drafts: Vec<(RecordType, Draft)>,
    /// Problems that prevent the import.
    pub problems: Vec<InputProblem>,
    /// Notes for the user that do not prevent the import.
    pub notes: Vec<String>,
}

/// A note about several records: their number, and the first.
#[derive(Debug, Default)]
struct CountedNote {
    count: usize,
    example: Option<String>,
}

impl CountedNote {
    fn add(&mut self, example: impl FnOnce() -> String) {
        self.count += 1;
        self.example.get_or_insert_with(example);
    }

    /// The note, with the number and the example in parentheses.
    fn note(self, text: impl FnOnce(String) -> String) -> Option<String> {
        self.example.map(|example| text(format!("({}, such as {example})", self.count)))
    }
}

#[derive(Debug, Default)]
struct Notes {
    assumed_status: CountedNote,
    renamed_provisions: CountedNote,
    outdated: CountedNote,
}

/// What a work is converted with.
struct Conversion<'k> {
    law: &'k LawTarget,
    provisions: &'k ProvisionTargets<'k>,
    jurisdiction: &'k str,
    /// The current day, in ISO 8601: a law that will be repealed is in force.
    today: &'k str,
    /// Whether the database has a later expression, so that it keeps titles, headings and places.
    is_outdated: bool,
}

impl ActSet {
    /// Converts all acts to records. The result does not depend on the order in which the files were read.
    pub fn convert(mut self, known: &KnownLaws) -> ConvertedLaws {
        let mut converted = ConvertedLaws::default();
        let mut notes = Notes::default();
        let works = Work::all(&self.acts);
        for (work, law) in works.iter().zip(known.law_targets(&works)) {
            convert_work(work, &law, known, &mut converted, &mut notes);
            work.count_replaced(&mut self.omissions);
        }
        converted.notes.extend(notes.lines(&self.omissions));
        converted
    }
}

impl Notes {
    fn lines(self, omissions: &Omissions) -> Vec<String> {
        let assumed = self.assumed_status.note(|laws| {
            format!("new laws get the status in_force, because their files do not say whether they are in force {laws}; correct those that are not")
        });
        let renamed = self.renamed_provisions.note(|provisions| {
            format!("provisions get slugs with a suffix, because the database has others with the same slugs {provisions}; if they are the same, add the identifiers {FRBR_SCHEME} to these")
        });
        let outdated = self
            .outdated
            .note(|laws| format!("laws keep their titles, headings and order, because the database has a later text of them {laws}"));
        [assumed, renamed, outdated, omissions.summary()].into_iter().flatten().collect()
    }
}

fn convert_work(work: &Work<'_>, law: &LawTarget, known: &KnownLaws, converted: &mut ConvertedLaws, notes: &mut Notes) {
    let latest = work.latest();
    let mut problems = work.conflicts();
    let mut problem = |origin: Origin, message: String| problems.push(InputProblem::new(origin, message));
    let stored = known.stored_laws(work);
    if stored.len() > 1 {
        let slugs: Vec<&str> = stored.into_iter().collect();
        let message = format!("the identifier {FRBR_SCHEME} {} and the ELI belong to different laws: {}", work.uri, slugs.join(", "));
        problem(latest.origin.clone(), message);
    }
    let country = &latest.metadata.country;
    let jurisdiction = known.jurisdiction(&country.text);
    if jurisdiction.is_none() {
        let (code, ocd_id) = (&country.text, division(&country.text));
        let example = match code.len() {
            2 => format!("{{slug: {code}, name: {{en: ...}}, classification: country, ocdId: \"{ocd_id}\"}}"),
            _ => {
                format!("{{slug: ..., name: {{en: ...}}, classification: ..., identifiers: [{{scheme: {COUNTRY_SCHEME}, value: {code}}}]}}")
            }
        };
        let message = format!(
            "no jurisdiction has the ocdId \"{ocd_id}\" or the identifier {COUNTRY_SCHEME} \"{code}\", neither in the import nor in the database; add one, such as jurisdictions: [{example}]"
        );
        problem(latest.origin.child("FRBRcountry", Some(country.line)), message);
    }
    let provisions = known.provision_targets(&law.slug, work);
    if law.new.as_ref().is_some_and(|new| new.is_taken) {
        problem(
            latest.origin.clone(),
            format!("the law {} in the database lacks the identifier {FRBR_SCHEME} {}; add it there", law.slug, work.uri),
        );
    }
    if let Some(taken) = provisions.new.iter().find(|new| new.is_taken) {
        let message = format!("the provision {} in the database lacks its identifier {FRBR_SCHEME}; add it there", taken.slug);
        problem(latest.origin.clone(), message);
    }
    let Some(jurisdiction) = jurisdiction.filter(|_| problems.is_empty()) else {
        converted.problems.extend(problems);
        return;
    };
    let stored = provisions.stored.values().flat_map(|provision| &provision.versions).filter_map(expression_date);
    let is_outdated = stored.into_iter().any(|date| date > latest.metadata.date.text.as_str());
    let conversion = Conversion { law, provisions: &provisions, jurisdiction, today: &known.today, is_outdated };
    // a problem names the place in its own file, so each expression is checked by itself
    let of_files: Vec<InputProblem> = match work.acts.len() {
        1 => Vec::new(),
        _ => work.acts.iter().flat_map(|act| conversion.records(&work.with_only(act))).flat_map(|(_, draft)| draft.problems).collect(),
    };
    if !of_files.is_empty() {
        converted.problems.extend(of_files);
        return;
    }
    converted.drafts.extend(conversion.records(work));
    conversion.add_notes(work, converted, notes);
}

impl Conversion<'_> {
    fn add_notes(&self, work: &Work<'_>, converted: &mut ConvertedLaws, notes: &mut Notes) {
        let slug = &self.law.slug;
        let example = || format!("{slug} at {}", place(&work.latest().origin, None));
        if let Some(other) = self.law.new.as_ref().and_then(|new| new.other.as_ref()) {
            converted.notes.push(format!(
                "the work {uri} gets the slug {slug}, because the database has another {other}; if both are the same, add the identifier {FRBR_SCHEME} {uri} to {other}",
                uri = work.uri
            ));
        }
        for new in self.provisions.new.iter().filter(|new| new.other.is_some()) {
            notes.renamed_provisions.add(|| new.slug.clone());
        }
        if self.law.new.is_some() && !self.is_repealed(work) {
            notes.assumed_status.add(example);
        }
        if self.is_outdated {
            notes.outdated.add(example);
        }
    }

    /// The law and the provisions of a work.
    fn records(&self, work: &Work<'_>) -> Vec<(RecordType, Draft)> {
        let mut records = vec![(RecordType::Law, self.law(work))];
        let mut dates: Vec<&str> = work.acts.iter().map(|act| act.metadata.date.text.as_str()).collect();
        dates.dedup();
        let provisions = work.provisions();
        for (provision, position) in provisions.iter().zip(1..) {
            records.push((RecordType::Provision, self.provision(work, provision, position * POSITION_STEP, &dates)));
        }
        let keys: HashSet<&str> = provisions.iter().map(|provision| provision.key).collect();
        let mut gone: Vec<_> = self.provisions.stored.iter().filter(|(key, _)| !keys.contains(key.as_str())).collect();
        gone.sort_by_key(|(key, _)| *key);
        for (_, stored) in gone {
            // the expressions of this import end the texts of a provision that they lack
            let origin = &work.latest().origin;
            let Some(versions) = versions(&dates, &work.languages, None, &stored.versions, origin) else { continue };
            let mut record = MapBuilder::new(None);
            record.set_text("slug", &stored.slug);
            record.set("versions", Some(versions));
            records.push((RecordType::Provision, parse(RecordType::Provision, record, origin)));
        }
        records
    }

    /// Whether the repeal that the files name has come.
    fn is_repealed(&self, work: &Work<'_>) -> bool {
        work.value(|metadata| metadata.repealed_on.as_ref()).is_some_and(|(_, date)| date.text.as_str() <= self.today)
    }

    fn law(&self, work: &Work<'_>) -> Draft {
        let latest = work.latest();
        let origin = &latest.origin;
        let mut record = MapBuilder::new(origin.line);
        record.set_text("slug", &self.law.slug);
        if !self.is_outdated {
            let mut title = MapBuilder::new(Some(latest.metadata.title.line));
            for (language, (act, given)) in work.by_language(|act| Some((act, &act.metadata.title))) {
                title.set(language, Some(Tree::text(line_in(origin, &act.origin, given.line), &given.text)));
            }
            record.set("title", Some(title.build()));
        }
        for (name, value) in LAW_VALUES {
            let value = work.value(value);
            record.set(name, value.map(|(act, given)| Tree::text(line_in(origin, &act.origin, given.line), &given.text)));
        }
        let is_new = self.law.new.is_some();
        let kind = work.value(|metadata| metadata.kind.as_ref()).map(|(_, kind)| kind.text.as_str());
        let status = self.is_repealed(work).then_some("repealed");
        let new_kind = latest.metadata.kind_of_name.unwrap_or("other");
        for (name, given, new) in [("kind", kind, new_kind), ("status", status, "in_force")] {
            if let Some(value) = given.or(is_new.then_some(new)) {
                record.set_text(name, value);
            }
        }
        record.set_text("jurisdiction", self.jurisdiction);
        record.set("identifiers", Some(identifiers(work.uri)));
        parse(RecordType::Law, record, origin)
    }

    fn provision(&self, work: &Work<'_>, provision: &WorkProvision<'_>, position: i64, dates: &[&str]) -> Draft {
        let latest = provision.latest();
        let origin = &latest.origin;
        // an id without a slug is refused as one
        let slug = |key: &str| self.provisions.slugs.get(key).map_or_else(|| key.to_owned(), Clone::clone);
        let stored = self.provisions.stored.get(provision.key);
        let mut record = MapBuilder::new(origin.line);
        record.set_text("slug", &slug(provision.key));
        if stored.is_none() || !self.is_outdated {
            record.set("number", latest.number.as_ref().map(|number| Tree::text(origin.line, number)));
            record.set_text("kind", latest.kind);
            let mut heading = MapBuilder::new(origin.line);
            for (language, given) in provision.headings(work) {
                let line = given.origin.line.and_then(|line| line_in(origin, &given.origin, line));
                heading.set(language, Some(Tree::text(line, &given.heading)));
            }
            record.set("heading", Some(heading.build()));
            record.set("position", Some(Tree { line: origin.line, value: Value::Number(Number::from(position)) }));
            let parent = latest.parent.as_ref().map(|parent| Tree::text(origin.line, slug(parent)));
            record.set("parent", Some(parent.unwrap_or(Tree { line: origin.line, value: Value::Null })));
        }
        record.set_text("law", &self.law.slug);
        let versions =
            versions(dates, &work.languages, Some(provision), stored.map_or(&[][..], |stored| stored.versions.as_slice()), origin);
        record.set("versions", versions);
        record.set("identifiers", Some(identifiers(&provision_uri(work.uri, provision.key))));
        parse(RecordType::Provision, record, origin)
    }
}

/// A line of a file, unless the record comes from another one.
fn line_in(record: &Origin, value: &Origin, line: usize) -> Option<usize> {
    (record.file == value.file).then_some(line)
}

fn identifiers(value: &str) -> Tree {
    let mut identifier = MapBuilder::new(None);
    identifier.set_text("scheme", FRBR_SCHEME);
    identifier.set_text("value", value);
    Tree::list(vec![identifier.build()])
}

/// Parses a record as those of other files are. It adds to the stored record, such as identifiers of other schemes.
fn parse(ty: RecordType, record: MapBuilder, origin: &Origin) -> Draft {
    let draft = draft::parse::record(catalog().get(ty), &record.build(), origin);
    Draft { merges_stored: true, ..draft }
}
