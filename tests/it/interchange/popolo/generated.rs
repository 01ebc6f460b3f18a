//! Documents that are made of the specification's schemas: each value is found again in the database or in the report.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use kurultai::entity::RecordType;
use kurultai::interchange::json;
use kurultai::interchange::popolo::{KnownRecords, PopoloData, PopoloOptions};
use kurultai::store::draft::{Draft, mark_as_import};
use kurultai::store::write::{Author, Drafts};
use rstest::rstest;
use serde_json::{Map, Value, json as value};

use crate::interchange::ImportFixture;
use crate::server::On;

const DOCUMENTS: usize = 1_000;

/// A field of an object: its name, and how its values are made.
type SchemaField = (&'static str, Kind);

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Text that is in no other place.
    Text,
    /// A text of this list.
    OneOf(&'static [&'static str]),
    Date,
    Url,
    /// A whole number.
    Count,
    /// A list of objects with these fields.
    Objects(&'static [SchemaField]),
}

use Kind::{Count, Date, Objects, OneOf, Text, Url};

const SOURCES: Kind = Objects(&[("url", Url), ("note", Text)]);
const LINKS: Kind = Objects(&[("url", Url), ("label", Text), ("note", Text)]);
const IDENTIFIERS: Kind = Objects(&[("scheme", Text), ("identifier", Text)]);
const CONTACTS: Kind = Objects(&[
    ("type", OneOf(&["email", "phone", "fax"])),
    ("value", Text),
    ("label", Text),
    ("note", Text),
    ("start_date", Date),
    ("end_date", Date),
]);
const NAMES: Kind = Objects(&[
    ("name", Text),
    ("family_name", Text),
    ("given_name", Text),
    ("additional_name", Text),
    ("patronymic_name", Text),
    ("honorific_prefix", Text),
    ("honorific_suffix", Text),
    ("sort_name", Text),
    ("note", Text),
    ("start_date", Date),
    ("end_date", Date),
]);

/// The classes with their fields, apart from ids and references. The first field of each is always given.
const CLASSES: [(&str, &[SchemaField]); 9] = [
    (
        "persons",
        &[
            ("name", Text),
            ("other_names", NAMES),
            ("identifiers", IDENTIFIERS),
            ("family_name", Text),
            ("given_name", Text),
            ("additional_name", Text),
            ("patronymic_name", Text),
            ("honorific_prefix", Text),
            ("honorific_suffix", Text),
            ("sort_name", Text),
            ("email", Text),
            ("gender", Text),
            ("birth_date", Date),
            ("death_date", Date),
            ("image", Url),
            ("summary", Text),
            ("biography", Text),
            ("national_identity", Text),
            ("contact_details", CONTACTS),
            ("links", LINKS),
            ("sources", SOURCES),
            ("created_at", Date),
            ("updated_at", Date),
        ],
    ),
    (
        "organizations",
        &[
            ("name", Text),
            ("other_names", NAMES),
            ("identifiers", IDENTIFIERS),
            ("classification", OneOf(&["party", "chamber", "singing society"])),
            ("abstract", Text),
            ("description", Text),
            ("founding_date", Date),
            ("dissolution_date", Date),
            ("image", Url),
            ("contact_details", CONTACTS),
            ("links", LINKS),
            ("sources", SOURCES),
            ("created_at", Date),
            ("updated_at", Date),
        ],
    ),
    (
        "posts",
        &[
            ("label", Text),
            ("other_label", Text),
            ("role", Text),
            ("start_date", Date),
            ("end_date", Date),
            ("contact_details", CONTACTS),
            ("links", LINKS),
            ("sources", SOURCES),
        ],
    ),
    (
        "memberships",
        &[
            ("role", Text),
            ("label", Text),
            ("start_date", Date),
            ("end_date", Date),
            ("contact_details", CONTACTS),
            ("links", LINKS),
            ("sources", SOURCES),
            ("created_at", Date),
        ],
    ),
    (
        "areas",
        &[("name", Text), ("identifier", Text), ("classification", Text), ("geometry", Objects(&[("type", Text)])), ("sources", SOURCES)],
    ),
    (
        "events",
        &[
            ("name", Text),
            ("description", Text),
            ("classification", Text),
            ("start_date", Date),
            ("end_date", Date),
            ("location", Text),
            ("status", Text),
            ("identifiers", IDENTIFIERS),
            ("sources", SOURCES),
        ],
    ),
    (
        "motions",
        &[
            ("text", Text),
            ("identifier", Text),
            ("classification", Text),
            ("date", Date),
            ("requirement", Text),
            ("result", OneOf(&["pass", "fail", "tabled"])),
            ("sources", SOURCES),
        ],
    ),
    (
        "vote_events",
        &[
            ("identifier", Text),
            ("start_date", Date),
            ("end_date", Date),
            ("result", OneOf(&["pass", "fail", "tied"])),
            ("counts", Objects(&[("option", OneOf(&["yes", "no", "paired"])), ("value", Count)])),
            ("group_results", Objects(&[("group_name", Text)])),
            ("sources", SOURCES),
        ],
    ),
    (
        "speeches",
        &[
            ("text", Text),
            ("title", Text),
            ("type", Text),
            ("role", Text),
            ("attribution_text", Text),
            ("position", Count),
            ("audio", Url),
            ("video", Url),
            ("start_date", Date),
            ("end_date", Date),
            ("sources", SOURCES),
        ],
    ),
];

/// What the report says of an item as a whole.
const WHOLE_ITEMS: [(&str, &str); 4] = [
    ("posts", "posts without memberships"),
    ("events", "events without memberships and speeches"),
    ("motions", "motions without vote events"),
    ("areas", "areas without Open Civic Data id that nothing refers to"),
];

/// Makes documents, the same in every run.
struct Generator {
    state: u64,
    markers: usize,
    /// Id of the current item.
    item: String,
    /// Values of the current document, each with the id of its item and its path.
    values: Vec<(String, String, String)>,
    /// Ids of items of the current document that others refer to.
    referred: BTreeSet<String>,
}

impl Generator {
    /// A number below `bound` (`SplitMix64`).
    fn below(&mut self, bound: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap() % bound
    }

    fn value(&mut self, path: &str, kind: Kind) -> Value {
        self.markers += 1;
        let text = match kind {
            Text => format!("zq{}q", self.markers),
            Url => format!("https://zq{}q.example/", self.markers),
            OneOf(values) => values[self.below(values.len())].to_owned(),
            Date => format!("{}-{:02}-{:02}", 1900 + self.below(120), 1 + self.below(12), 1 + self.below(28)),
            Count => {
                let count = 100_000 + self.markers;
                self.values.push((self.item.clone(), path.to_owned(), count.to_string()));
                return value!(count);
            }
            Objects(fields) => {
                let count = 1 + self.below(2);
                let mut objects: Vec<Map<String, Value>> = Vec::new();
                for _ in 0..count {
                    let earlier = self.values.len();
                    let object = self.object(path, fields);
                    // an option has one count
                    if objects.iter().any(|other| object.contains_key("option") && other.get("option") == object.get("option")) {
                        self.values.truncate(earlier);
                    } else {
                        objects.push(object);
                    }
                }
                return objects.into_iter().map(Value::Object).collect();
            }
        };
        self.values.push((self.item.clone(), path.to_owned(), text.clone()));
        value!(text)
    }

    /// An object with its first field and some of the others.
    fn object(&mut self, path: &str, fields: &[SchemaField]) -> Map<String, Value> {
        let mut object = Map::new();
        for (index, (name, kind)) in fields.iter().enumerate() {
            if index == 0 || self.below(2) == 0 {
                object.insert((*name).to_owned(), self.value(&format!("{path}.{name}"), *kind));
            }
        }
        object
    }

    /// A document of one or two items of each class, with references between them.
    fn document(&mut self) -> Value {
        self.values.clear();
        self.referred.clear();
        let mut document = Map::new();
        for (plural, fields) in CLASSES {
            let items: Vec<Value> = (0..=self.below(2))
                .map(|index| {
                    self.item = format!("{plural}{index}");
                    let mut item = self.object(plural, fields);
                    item.insert("id".to_owned(), value!(self.item));
                    self.references(plural, &mut item);
                    Value::Object(item)
                })
                .collect();
            document.insert(plural.to_owned(), Value::Array(items));
        }
        Value::Object(document)
    }

    fn references(&mut self, plural: &str, item: &mut Map<String, Value>) {
        let required: &[(&str, &str)] = match plural {
            "memberships" => &[("person_id", "persons0"), ("organization_id", "organizations0")],
            "vote_events" => &[("motion_id", "motions0")],
            _ => &[],
        };
        let optional: &[(&str, &str)] = match plural {
            "memberships" => &[("post_id", "posts0"), ("area_id", "areas0"), ("legislative_period_id", "events0")],
            "vote_events" => &[("organization_id", "organizations0")],
            "organizations" => &[("area_id", "areas0")],
            "speeches" => &[("creator_id", "persons0"), ("event_id", "events0")],
            "motions" => &[("creator_id", "persons0")],
            _ => &[],
        };
        for (is_required, (name, id)) in required.iter().map(|field| (true, field)).chain(optional.iter().map(|field| (false, field))) {
            if is_required || self.below(2) == 0 {
                item.insert((*name).to_owned(), value!(id));
                self.referred.insert((*id).to_owned());
            }
        }
        if plural == "vote_events" && self.below(2) == 0 {
            let option = if self.below(3) == 0 { "paired" } else { "absent" };
            self.values.push((self.item.clone(), "vote_events.votes.option".to_owned(), option.to_owned()));
            let weight = 100_000 + self.markers;
            self.values.push((self.item.clone(), "vote_events.votes.weight".to_owned(), weight.to_string()));
            item.insert("votes".to_owned(), value!([{"voter_id": "persons0", "option": option, "weight": weight}]));
        }
    }
}

/// The texts that the generator makes, wherever they stand in a text.
fn markers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| word.starts_with("zq") && word.ends_with('q'))
}

/// How a value is written in a record, if it is not written as it is.
fn stored_form(value: &str) -> &str {
    match value {
        "singing society" | "tabled" | "tied" | "paired" => "?",
        other => other,
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn every_value_of_generated_documents_is_kept_or_reported(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    let mut generator = Generator { state: 1, markers: 0, item: String::new(), values: Vec::new(), referred: BTreeSet::new() };
    let mut drafts: BTreeMap<RecordType, Vec<Draft>> = BTreeMap::new();
    let mut expected: BTreeSet<String> = BTreeSet::new();
    let file: Arc<str> = Arc::from("document.popolo.json");
    for index in 0..DOCUMENTS {
        let document = generator.document().to_string();
        let mut popolo = PopoloData::new(PopoloOptions { scheme: Some(format!("s{index}")), lang: "en".to_owned() });
        popolo.collect(&file, json::parse(&file, document.as_bytes()).unwrap());
        let scheme = popolo.scheme().unwrap();
        let converted = popolo.convert(scheme, KnownRecords::default());
        assert!(converted.problems.is_empty(), "{:?}", converted.problems);
        let notes = converted.notes.join("\n");
        let mut text = String::new();
        for (_, draft) in &converted.drafts {
            assert!(draft.problems.is_empty(), "{:?}", draft.problems);
            for part in std::iter::once(draft).chain(draft.parts.iter().flat_map(|(_, parts)| parts)) {
                for (_, value, _) in &part.values {
                    writeln!(text, "{value:?}").unwrap();
                }
            }
        }
        for (item, path, value) in &generator.values {
            let list = path.split('.').next().unwrap();
            let is_whole =
                !generator.referred.contains(item) && WHOLE_ITEMS.iter().any(|(of, phrase)| *of == list && notes.contains(phrase));
            let paths = path.match_indices('.').skip(1).map(|(end, _)| &path[..end]).chain([path.as_str()]);
            let is_reported = is_whole
                || paths.into_iter().any(|path| notes.contains(&format!("{path} (")))
                || notes.contains(&format!("{path} outside of the vocabulary ("));
            let is_kept = text.contains(stored_form(value));
            assert!(is_kept || is_reported, "document {index}: {path} {value}\n{notes}");
        }
        expected.extend(markers(&text).map(str::to_owned));
        for (ty, draft) in converted.drafts {
            drafts.entry(ty).or_default().push(draft);
        }
    }
    assert!(expected.len() > 50 * DOCUMENTS / 2, "only {} values are kept", expected.len());
    let mut drafts: Drafts = drafts.into_iter().collect();
    // the dates of the documents are random, and an import only warns of spans that end before they begin
    mark_as_import(&mut drafts, false);
    let author = Author { by: "test".to_owned(), message: None };
    fixture.server.store.write(&drafts, &author, |_| {}).await.unwrap();
    let folder = fixture.folder.path().join("export");
    let mut command = crate::cli::command::kurultai(&["export", folder.to_str().unwrap(), "--database-url", &fixture.server.database.url]);
    command.current_dir(fixture.folder.path());
    let (ok, stdout, stderr) = crate::cli::command::run(command);
    assert!(ok, "{stdout}{stderr}");
    let mut found = BTreeSet::new();
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).filter(|path| path.is_file());
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        found.extend(markers(&text).map(str::to_owned));
    }
    let lost: Vec<&String> = expected.difference(&found).take(10).collect();
    assert!(lost.is_empty(), "not in the database: {lost:?}");
}
