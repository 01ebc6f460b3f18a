//! The synthetic records. Each is a function of the seed, the sizes, its type and its number alone,
//! whatever the batch it is written in.

use kurultai::catalog::catalog;
use kurultai::entity::RecordType;
use kurultai::store::draft::{Draft, DraftValue, Origin};
use kurultai::store::read::result::Cell;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value};

use crate::name::{Name, one_of};

/// How many records of each type there are.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Jurisdictions: a country and its regions.
    pub jurisdictions: u64,
    /// Organizations, all of them courts.
    pub courts: u64,
    /// Sources.
    pub sources: u64,
    /// People.
    pub people: u64,
    /// Laws.
    pub laws: u64,
    /// Provisions, spread evenly over the laws.
    pub provisions: u64,
    /// Cases.
    pub cases: u64,
}

impl Sizes {
    /// Types in the order in which they are written, each after those it refers to, with the number of records.
    pub fn in_order(&self) -> [(RecordType, u64); 7] {
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

/// Makes records for a seed.
#[derive(Debug)]
pub struct Dataset {
    seed: u64,
    sizes: Sizes,
}

impl Dataset {
    /// The dataset of a seed.
    pub fn new(seed: u64, sizes: Sizes) -> Self {
        Self { seed, sizes }
    }

    /// The record of a type with this number, counted from 0.
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
            _ => panic!("no {} is made", ty.name()),
        }
    }

    fn court(&self, rng: &mut impl Rng, number: u64) -> Draft {
        let place = Name::place(rng);
        Maker::record(RecordType::Organization, number)
            .translated("name", &[("en", format!("{} City Court", place.latin)), ("ru", format!("Городской суд {}", place.cyrillic))])
            .text("classification", "court")
            .record_named("jurisdiction", RecordType::Jurisdiction, rng.random_range(0..self.sizes.jurisdictions))
            .done()
    }

    fn person(&self, rng: &mut impl Rng, number: u64) -> Draft {
        let (given, family) = (Name::given(rng), Name::family(rng));
        let birth = date(rng, 1940, 2000);
        Maker::record(RecordType::Person, number)
            .translated(
                "name",
                &[("en", format!("{} {}", given.latin, family.latin)), ("ru", format!("{} {}", given.cyrillic, family.cyrillic))],
            )
            .text("sortName", format!("{} {}", family.latin, given.latin))
            .date("birthDate", birth)
            .record_named("jurisdiction", RecordType::Jurisdiction, rng.random_range(0..self.sizes.jurisdictions))
            .done()
    }

    fn law(&self, rng: &mut impl Rng, number: u64) -> Draft {
        let subject = one_of(rng, &[("Elections", "выборах"), ("the Press", "печати"), ("Courts", "судах"), ("Assemblies", "собраниях")]);
        let number_text = format!("{}-{}", number + 1, one_of(rng, &["I", "II", "III", "IV", "V", "VI"]));
        let adopted = date(rng, 1991, 2025);
        Maker::record(RecordType::Law, number)
            .translated(
                "title",
                &[
                    ("en", format!("Law on {}, number {number_text}", subject.0)),
                    ("ru", format!("Закон о {}, номер {number_text}", subject.1)),
                ],
            )
            .text("number", number_text)
            .text("kind", one_of(rng, &["code", "law", "law", "law", "decree"]))
            .text("status", one_of(rng, &["in_force", "in_force", "in_force", "repealed"]))
            .date("adopted", adopted)
            .record_named("jurisdiction", RecordType::Jurisdiction, rng.random_range(0..self.sizes.jurisdictions))
            .done()
    }

    fn provision(&self, rng: &mut impl Rng, number: u64) -> Draft {
        let place = number / self.sizes.laws + 1;
        let subject = Name::place(rng);
        Maker::record(RecordType::Provision, number)
            .text("number", place.to_string())
            .text("kind", "article")
            .translated("heading", &[("en", format!("Of {}", subject.latin)), ("ru", format!("О {}", subject.cyrillic))])
            .cell("position", Cell::Integer(i64::try_from(place).unwrap_or(i64::MAX)))
            .record_named("law", RecordType::Law, number % self.sizes.laws)
            .done()
    }

    fn case(&self, rng: &mut impl Rng, number: u64) -> Draft {
        let family = Name::family(rng);
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
        let mut case = Maker::record(RecordType::Case, number)
            .translated(
                "title",
                &[
                    ("en", format!("The State v. {}, case {}", family.latin, number + 1)),
                    ("ru", format!("Государство против {}, дело {}", family.cyrillic, number + 1)),
                ],
            )
            .text("docketNumber", format!("{}/{}", rng.random_range(1..=99), number + 1))
            .text("kind", one_of(rng, &["criminal", "criminal", "criminal", "civil", "administrative"]))
            .text("status", status)
            .date("decided", decided)
            .translated("summary", &[("en", format!("{} answers for acts of which the court record speaks at length.", family.latin))])
            .record_named("court", RecordType::Organization, rng.random_range(0..self.sizes.courts))
            .record_named("jurisdiction", RecordType::Jurisdiction, rng.random_range(0..self.sizes.jurisdictions))
            .parts(RecordType::CaseParty, (0..parties).map(|place| self.party(rng, place)).collect())
            .parts(RecordType::Charge, (0..charges).map(|place| self.charge(rng, place, opened.clone())).collect());
        if number.is_multiple_of(5) {
            let mut citation = Maker::part(RecordType::Citation, None)
                .record_named("source", RecordType::Source, rng.random_range(0..self.sizes.sources))
                .text("quote", "The case was opened, the court said");
            if let Some(opened) = &opened {
                citation = citation.text("field", "opened").text("value", opened.as_str());
            }
            case = case.parts(RecordType::Citation, vec![citation.done()]);
        }
        case.date("opened", opened).done()
    }

    fn party(&self, rng: &mut impl Rng, place: u64) -> Draft {
        let role = if place == 0 { "defendant" } else { one_of(rng, &["defendant", "victim", "lawyer", "judge", "witness"]) };
        Maker::part(RecordType::CaseParty, Some(format!("party-{}", place + 1)))
            .record_named("person", RecordType::Person, rng.random_range(0..self.sizes.people))
            .text("role", role)
            .done()
    }

    fn charge(&self, rng: &mut impl Rng, place: u64, brought: Option<String>) -> Draft {
        Maker::part(RecordType::Charge, Some(format!("charge-{}", place + 1)))
            .part_named("party", RecordType::CaseParty, "party-1")
            .record_named("provision", RecordType::Provision, rng.random_range(0..self.sizes.provisions))
            .text("outcome", one_of(rng, &["pending", "convicted", "convicted", "acquitted", "dismissed"]))
            .date("date", brought)
            .done()
    }
}

fn jurisdiction(rng: &mut impl Rng, number: u64) -> Draft {
    let place = Name::place(rng);
    let kind = if number == 0 { "country" } else { "region" };
    let maker = Maker::record(RecordType::Jurisdiction, number)
        .translated("name", &[("en", place.latin), ("ru", place.cyrillic)])
        .text("classification", kind);
    if number == 0 { maker.done() } else { maker.record_named("parent", RecordType::Jurisdiction, 0).done() }
}

fn source(rng: &mut impl Rng, number: u64) -> Draft {
    let place = Name::place(rng);
    let published = date(rng, 2000, 2025);
    Maker::record(RecordType::Source, number)
        .translated("title", &[("en", format!("What the court of {} decided", place.latin))])
        .text("publisher", format!("The {} Courier", Name::place(rng).latin))
        .date("publishedOn", published)
        .text("url", format!("https://courier.example/{}", number + 1))
        .text("language", "en")
        .text("kind", "article")
        .done()
}

/// A date as sources give dates: 5 of 100 unknown, 10 only a year, 10 only a month, the others a day.
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

/// Fills a draft, finding fields by their names.
struct Maker {
    ty: RecordType,
    draft: Draft,
}

impl Maker {
    fn record(ty: RecordType, number: u64) -> Self {
        Self::part(ty, Some(slug(ty, number)))
    }

    fn part(ty: RecordType, name: Option<String>) -> Self {
        Self { ty, draft: Draft { name, ..Draft::default() } }
    }

    fn give(mut self, field: &str, given: DraftValue) -> Self {
        let index = catalog().get(self.ty).field_index(field).unwrap_or_else(|| panic!("{} has no field {field}", self.ty.name()));
        self.draft.values.push((index, given, Origin::default()));
        self
    }

    fn cell(self, field: &str, cell: Cell) -> Self {
        self.give(field, DraftValue::Cell(cell))
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

    fn record_named(self, field: &str, ty: RecordType, number: u64) -> Self {
        self.give(field, DraftValue::Slug(ty, slug(ty, number)))
    }

    fn part_named(self, field: &str, ty: RecordType, key: &str) -> Self {
        self.give(field, DraftValue::Key(ty, key.to_owned()))
    }

    fn parts(mut self, ty: RecordType, parts: Vec<Draft>) -> Self {
        self.draft.parts.push((ty, parts));
        self
    }

    fn done(self) -> Draft {
        self.draft
    }
}
