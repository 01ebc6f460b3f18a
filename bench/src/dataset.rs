//! The synthetic records. Each depends only on the seed, the record counts, its type and its number, not on the batch in
//! which it is written.

pub mod name;

use kurultai::catalog::catalog;
use kurultai::entity::RecordType;
use kurultai::store::draft::{Draft, DraftValue, Origin};
use kurultai::store::read::result::Cell;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value};

use crate::dataset::name::{BilingualName, choose};

/// Number of records of each type.
#[derive(Debug, Clone, Copy)]
pub struct RecordCounts {
    /// A country and its regions.
    pub jurisdictions: u64,
    /// Organizations, all of which are courts.
    pub courts: u64,
    pub sources: u64,
    pub people: u64,
    pub laws: u64,
    /// Distributed evenly over the laws.
    pub provisions: u64,
    pub cases: u64,
}

impl RecordCounts {
    /// Types and their counts, each after the types that it refers to.
    pub fn in_write_order(&self) -> [(RecordType, u64); 7] {
        [
            (RecordType::Jurisdiction, self.jurisdictions),
            (RecordType::Organization, self.courts),
            (RecordType::Source, self.sources),
            (RecordType::Person, self.people),
            (RecordType::Law, self.laws),
            (RecordType::Provision, self.provisions),
            (RecordType::Case, self.cases),
        ]
    }
}

/// Generator of records.
#[derive(Debug)]
pub struct Dataset {
    seed: u64,
    counts: RecordCounts,
}

impl Dataset {
    pub fn new(seed: u64, counts: RecordCounts) -> Self {
        Self { seed, counts }
    }

    /// The record of a type with this number, which starts at 0.
    ///
    /// # Panics
    /// If the dataset has no records of the type.
    pub fn record(&self, ty: RecordType, number: u64) -> Draft {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(((ty as u64) << 48) | number);
        match ty {
            RecordType::Jurisdiction => jurisdiction(&mut rng, number),
            RecordType::Organization => self.court(&mut rng, number),
            RecordType::Source => source(&mut rng, number),
            RecordType::Person => self.person(&mut rng, number),
            RecordType::Law => self.law(&mut rng, number),
            RecordType::Provision => self.provision(&mut rng, number),
            RecordType::Case => self.case(&mut rng, number),
            _ => panic!("the dataset has no records of type {}", ty.name()),
        }
    }

    fn court(&self, rng: &mut impl Rng, number: u64) -> Draft {
        let place = BilingualName::place(rng);
        DraftBuilder::record(RecordType::Organization, number)
            .translated("name", &[("en", format!("{} City Court", place.latin)), ("ru", format!("Городской суд {}", place.cyrillic))])
            .text("classification", "court")
            .reference("jurisdiction", RecordType::Jurisdiction, rng.random_range(0..self.counts.jurisdictions))
            .build()
    }

    fn person(&self, rng: &mut impl Rng, number: u64) -> Draft {
        let (given, family) = (BilingualName::given(rng), BilingualName::family(rng));
        let birth = date(rng, 1940, 2000);
        DraftBuilder::record(RecordType::Person, number)
            .translated(
                "name",
                &[("en", format!("{} {}", given.latin, family.latin)), ("ru", format!("{} {}", given.cyrillic, family.cyrillic))],
            )
            .text("sortName", format!("{} {}", family.latin, given.latin))
            .date("birthDate", birth)
            .reference("jurisdiction", RecordType::Jurisdiction, rng.random_range(0..self.counts.jurisdictions))
            .build()
    }

    fn law(&self, rng: &mut impl Rng, number: u64) -> Draft {
        let subject = choose(rng, &[("Elections", "выборах"), ("the Press", "печати"), ("Courts", "судах"), ("Assemblies", "собраниях")]);
        let number_text = format!("{}-{}", number + 1, choose(rng, &["I", "II", "III", "IV", "V", "VI"]));
        let adopted = date(rng, 1991, 2025);
        DraftBuilder::record(RecordType::Law, number)
            .translated(
                "title",
                &[
                    ("en", format!("Law on {}, number {number_text}", subject.0)),
                    ("ru", format!("Закон о {}, номер {number_text}", subject.1)),
                ],
            )
            .text("number", number_text)
            .text("kind", choose(rng, &["code", "law", "law", "law", "decree"]))
            .text("status", choose(rng, &["in_force", "in_force", "in_force", "repealed"]))
            .date("adoptedOn", adopted)
            .reference("jurisdiction", RecordType::Jurisdiction, rng.random_range(0..self.counts.jurisdictions))
            .build()
    }

    fn provision(&self, rng: &mut impl Rng, number: u64) -> Draft {
        let position = number / self.counts.laws + 1;
        let subject = BilingualName::place(rng);
        DraftBuilder::record(RecordType::Provision, number)
            .text("number", position.to_string())
            .text("kind", "article")
            .translated("heading", &[("en", format!("Of {}", subject.latin)), ("ru", format!("О {}", subject.cyrillic))])
            .cell("position", Cell::Integer(i64::try_from(position).unwrap_or(i64::MAX)))
            .reference("law", RecordType::Law, number % self.counts.laws)
            .build()
    }

    fn case(&self, rng: &mut impl Rng, number: u64) -> Draft {
        let family = BilingualName::family(rng);
        let opened = date(rng, 2000, 2025);
        let decided = match opened.as_deref() {
            Some(opened) if rng.random_bool(0.7) => opened[..4].parse::<u32>().ok().and_then(|year| date(rng, year + 1, year + 3)),
            _ => None,
        };
        let status = match (&decided, rng.random_range(0..4)) {
            (None, 0) => "investigation",
            (None, _) => "pending",
            (Some(_), 0) => "on_appeal",
            (Some(_), 1) => "decided",
            (Some(_), _) => "final",
        };
        let parties = rng.random_range(1..=3);
        let charges = if rng.random_bool(0.4) { 2 } else { 1 };
        let mut case = DraftBuilder::record(RecordType::Case, number)
            .translated(
                "title",
                &[
                    ("en", format!("The State v. {}, case {}", family.latin, number + 1)),
                    ("ru", format!("Государство против {}, дело {}", family.cyrillic, number + 1)),
                ],
            )
            .text("docketNumber", format!("{}/{}", rng.random_range(1..=99), number + 1))
            .text("kind", choose(rng, &["criminal", "criminal", "criminal", "civil", "administrative"]))
            .text("status", status)
            .date("decidedOn", decided)
            .translated("summary", &[("en", format!("{} answers for acts of which the court record speaks at length.", family.latin))])
            .reference("court", RecordType::Organization, rng.random_range(0..self.counts.courts))
            .reference("jurisdiction", RecordType::Jurisdiction, rng.random_range(0..self.counts.jurisdictions))
            .parts(RecordType::CaseParty, (0..parties).map(|index| self.party(rng, index)).collect())
            .parts(RecordType::Charge, (0..charges).map(|index| self.charge(rng, index, opened.clone())).collect());
        if number.is_multiple_of(5) {
            let mut citation = DraftBuilder::part(RecordType::Citation, None)
                .reference("source", RecordType::Source, rng.random_range(0..self.counts.sources))
                .text("quote", "The case was opened, the court said");
            if let Some(opened) = &opened {
                citation = citation.text("field", "openedOn").text("value", opened.as_str());
            }
            case = case.parts(RecordType::Citation, vec![citation.build()]);
        }
        case.date("openedOn", opened).build()
    }

    fn party(&self, rng: &mut impl Rng, index: u64) -> Draft {
        let role = if index == 0 { "defendant" } else { choose(rng, &["defendant", "victim", "lawyer", "judge", "witness"]) };
        DraftBuilder::part(RecordType::CaseParty, Some(format!("party-{}", index + 1)))
            .reference("person", RecordType::Person, rng.random_range(0..self.counts.people))
            .text("role", role)
            .build()
    }

    fn charge(&self, rng: &mut impl Rng, index: u64, date: Option<String>) -> Draft {
        DraftBuilder::part(RecordType::Charge, Some(format!("charge-{}", index + 1)))
            .part_reference("party", RecordType::CaseParty, "party-1")
            .reference("provision", RecordType::Provision, rng.random_range(0..self.counts.provisions))
            .text("outcome", choose(rng, &["pending", "convicted", "convicted", "acquitted", "dismissed"]))
            .date("date", date)
            .build()
    }
}

fn jurisdiction(rng: &mut impl Rng, number: u64) -> Draft {
    let place = BilingualName::place(rng);
    let kind = if number == 0 { "country" } else { "region" };
    let builder = DraftBuilder::record(RecordType::Jurisdiction, number)
        .translated("name", &[("en", place.latin), ("ru", place.cyrillic)])
        .text("classification", kind);
    if number == 0 { builder.build() } else { builder.reference("parent", RecordType::Jurisdiction, 0).build() }
}

fn source(rng: &mut impl Rng, number: u64) -> Draft {
    let place = BilingualName::place(rng);
    let published = date(rng, 2000, 2025);
    DraftBuilder::record(RecordType::Source, number)
        .translated("title", &[("en", format!("What the court of {} decided", place.latin))])
        .text("publisher", format!("The {} Courier", BilingualName::place(rng).latin))
        .date("publishedOn", published)
        .text("url", format!("https://courier.example/{}", number + 1))
        .text("language", "en")
        .text("kind", "article")
        .build()
}

/// A date with the precision of real sources: of 100, 5 are unknown, 10 are a year, 10 a month, and the others a day.
fn date(rng: &mut impl Rng, from: u32, to: u32) -> Option<String> {
    let (year, month, day) = (rng.random_range(from..=to), rng.random_range(1..=12), rng.random_range(1..=28));
    match rng.random_range(0..100) {
        0..5 => None,
        5..15 => Some(format!("{year}")),
        15..25 => Some(format!("{year}-{month:02}")),
        _ => Some(format!("{year}-{month:02}-{day:02}")),
    }
}

fn slug(ty: RecordType, number: u64) -> String {
    format!("{}-{}", ty.prefix(), number + 1)
}

/// Builder of a draft that takes fields by name.
struct DraftBuilder {
    ty: RecordType,
    draft: Draft,
}

impl DraftBuilder {
    fn record(ty: RecordType, number: u64) -> Self {
        Self::part(ty, Some(slug(ty, number)))
    }

    fn part(ty: RecordType, name: Option<String>) -> Self {
        Self { ty, draft: Draft { name, ..Draft::default() } }
    }

    fn value(mut self, field: &str, value: DraftValue) -> Self {
        let index = catalog().get(self.ty).field_id(field).unwrap_or_else(|| panic!("{} has no field {field}", self.ty.name()));
        self.draft.values.push((index, value, Origin::default()));
        self
    }

    fn cell(self, field: &str, cell: Cell) -> Self {
        self.value(field, DraftValue::Cell(cell))
    }

    fn text(self, field: &str, text: impl Into<String>) -> Self {
        self.cell(field, Cell::Text(text.into()))
    }

    fn date(self, field: &str, date: Option<String>) -> Self {
        match date {
            Some(date) => self.text(field, date),
            None => self,
        }
    }

    fn translated(self, field: &str, texts: &[(&str, String)]) -> Self {
        let texts: Map<String, Value> = texts.iter().map(|(tag, text)| ((*tag).to_owned(), Value::from(text.as_str()))).collect();
        self.cell(field, Cell::Json(Value::Object(texts)))
    }

    fn reference(self, field: &str, ty: RecordType, number: u64) -> Self {
        self.value(field, DraftValue::Slug(ty, slug(ty, number)))
    }

    fn part_reference(self, field: &str, ty: RecordType, key: &str) -> Self {
        self.value(field, DraftValue::Key(ty, key.to_owned()))
    }

    fn parts(mut self, ty: RecordType, parts: Vec<Draft>) -> Self {
        self.draft.parts.push((ty, parts));
        self
    }

    fn build(self) -> Draft {
        self.draft
    }
}
