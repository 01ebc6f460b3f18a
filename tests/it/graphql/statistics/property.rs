//! Property test: for any dataset and query, statistics equal a plain evaluation in Rust, on both databases.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use chrono::NaiveDate;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rstest::rstest;
use serde_json::{Value, json};

use crate::server::{On, Server};

const DATES: [&str; 6] = ["2019", "2019-05", "2019-11-05", "2020-02-28", "2020-03-01", "2021-07-31"];
const ROLES: [&str; 3] = ["defendant", "suspect", "judge"];
const OUTCOMES: [&str; 3] = ["convicted", "acquitted", "pending"];
const KINDS: [&str; 2] = ["imprisonment", "fine"];
/// Durations and their length in months.
const LENGTHS: [(&str, f64); 5] = [("P3Y", 36.0), ("P6M", 6.0), ("P1Y6M", 18.0), ("P15D", 15.0 / 30.4375), ("P36M", 36.0)];
const STATUSES: [&str; 2] = ["decided", "pending"];
/// Number of people, provisions and topics each; the last one is a draft.
const RECORDS: usize = 4;

#[derive(Debug, Clone)]
struct Party {
    person: Option<usize>,
    role: &'static str,
}

#[derive(Debug, Clone)]
struct Charge {
    party: Option<usize>,
    provision: Option<usize>,
    outcome: &'static str,
}

#[derive(Debug, Clone)]
struct Sentence {
    party: Option<usize>,
    kind: &'static str,
    length: Option<(&'static str, f64)>,
}

#[derive(Debug, Clone)]
struct Case {
    published: bool,
    status: &'static str,
    opened: Option<&'static str>,
    decided: Option<&'static str>,
    topics: Vec<usize>,
    parties: Vec<Party>,
    charges: Vec<Charge>,
    sentences: Vec<Sentence>,
}

fn case() -> impl Strategy<Value = Case> {
    let date = || prop::option::weighted(0.8, select(&DATES[..]));
    let record = || prop::option::weighted(0.8, 0..RECORDS);
    let party = (record(), select(&ROLES[..])).prop_map(|(person, role)| Party { person, role });
    let parties = prop::collection::vec(party, 0..4);
    let whose = || prop::option::weighted(0.8, any::<prop::sample::Index>());
    let charges = prop::collection::vec((whose(), record(), select(&OUTCOMES[..])), 0..4);
    let length = prop::option::weighted(0.8, select(&LENGTHS[..]));
    let sentences = prop::collection::vec((whose(), select(&KINDS[..]), length), 0..3);
    let own = (prop::bool::weighted(0.85), select(&STATUSES[..]), date(), date(), subsequence((0..RECORDS).collect::<Vec<_>>(), 0..3));
    (own, parties, charges, sentences).prop_map(|((published, status, opened, decided, topics), parties, charges, sentences)| {
        let of = |whose: Option<prop::sample::Index>| whose.filter(|_| !parties.is_empty()).map(|index| index.index(parties.len()));
        let charges = charges.into_iter().map(|(whose, provision, outcome)| Charge { party: of(whose), provision, outcome }).collect();
        let sentences = sentences.into_iter().map(|(whose, kind, length)| Sentence { party: of(whose), kind, length }).collect();
        Case { published, status, opened, decided, topics, parties, charges, sentences }
    })
}

fn yaml(cases: &[Case]) -> String {
    let mut text = String::from("laws: [{slug: law, title: {en: Law}, kind: law, status: in_force}]\n");
    for (list, more) in [
        ("people", "name: {en: X}"),
        ("topics", "label: {en: X}"),
        ("provisions", "heading: {en: X}, kind: article, position: 1, law: law"),
    ] {
        writeln!(text, "{list}:").unwrap();
        for number in 0..RECORDS {
            writeln!(text, "- {{slug: r{number}, {more}, published: {}}}", number + 1 < RECORDS).unwrap();
        }
    }
    text += "cases:\n";
    for (number, case) in cases.iter().enumerate() {
        let date = |name: &str, date: Option<&str>| date.map_or(String::new(), |date| format!(", {name}: \"{date}\""));
        let of = |name: &str, index: Option<usize>, letter: &str| index.map_or(String::new(), |index| format!(", {name}: {letter}{index}"));
        let list = |items: Vec<String>| items.join(", ");
        let topics = list(case.topics.iter().map(|topic| format!("r{topic}")).collect());
        let parties = list(
            case.parties
                .iter()
                .enumerate()
                .map(|(place, party)| format!("{{key: k{place}, role: {}{}}}", party.role, of("person", party.person, "r")))
                .collect(),
        );
        let charge = |(place, charge): (usize, &Charge)| {
            let (party, provision) = (of("party", charge.party, "k"), of("provision", charge.provision, "r"));
            format!("{{key: k{place}, outcome: {}{party}{provision}}}", charge.outcome)
        };
        let charges = list(case.charges.iter().enumerate().map(charge).collect());
        let sentence = |(place, sentence): (usize, &Sentence)| {
            let length = sentence.length.map_or(String::new(), |(length, _)| format!(", length: {length}"));
            format!("{{key: k{place}, kind: {}{}{length}}}", sentence.kind, of("party", sentence.party, "k"))
        };
        let sentences = list(case.sentences.iter().enumerate().map(sentence).collect());
        writeln!(
            text,
            "- {{slug: c{number}, title: {{en: C}}, kind: criminal, status: {}, published: {}{}{}, topics: [{topics}], parties: [{parties}], charges: [{charges}], sentences: [{sentences}]}}",
            case.status,
            case.published,
            date("openedOn", case.opened),
            date("decidedOn", case.decided),
        )
        .unwrap();
    }
    text
}

const DIMENSIONS: [&str; 8] = ["YEAR", "QUARTER", "MONTH", "STATUS", "PROVISION", "OUTCOME", "SENTENCE_KIND", "TOPIC"];

#[derive(Debug, Clone)]
struct Query {
    by: Vec<&'static str>,
    decided: bool,
    status: Option<&'static str>,
    provision: Option<usize>,
    kind: Option<&'static str>,
}

fn any_query() -> impl Strategy<Value = Query> {
    let by = subsequence(DIMENSIONS.to_vec(), 0..4).prop_shuffle();
    let few = |some| prop::option::weighted(0.3, some);
    let kind = prop::option::weighted(0.2, select(&KINDS[..]));
    (by, any::<bool>(), prop::option::weighted(0.3, select(&STATUSES[..])), few(0..RECORDS - 1), kind)
        .prop_map(|(by, decided, status, provision, kind)| Query { by, decided, status, provision, kind })
}

/// A row of the join of cases with their charges, sentences, parties and topics.
#[derive(Debug, Clone, Copy, Default)]
struct Joined {
    case: usize,
    charge: Option<usize>,
    sentence: Option<usize>,
    party: Option<usize>,
    topic: Option<usize>,
}

/// Lists that a measure joins.
#[derive(Debug, Clone, Copy)]
struct Lists {
    charges: bool,
    sentences: bool,
    parties: bool,
}

/// The right side of a left join: every match, or one `None`.
fn left_join(matches: Vec<usize>) -> Vec<Option<usize>> {
    if matches.is_empty() { vec![None] } else { matches.into_iter().map(Some).collect() }
}

fn agree(a: Option<usize>, b: Option<usize>) -> bool {
    a.is_none() || b.is_none() || a == b
}

impl Query {
    fn has(&self, dimension: &str) -> bool {
        self.by.contains(&dimension)
    }

    fn is_charge(&self, charge: &Charge) -> bool {
        self.provision.is_none_or(|provision| charge.provision == Some(provision))
    }

    fn is_sentence(&self, sentence: &Sentence) -> bool {
        self.kind.is_none_or(|kind| sentence.kind == kind)
    }

    fn cases<'a>(&'a self, cases: &'a [Case]) -> impl Iterator<Item = usize> {
        let is_counted = |case: &Case| {
            case.published
                && self.status.is_none_or(|status| case.status == status)
                && (self.provision.is_none() || case.charges.iter().any(|charge| self.is_charge(charge)))
                && (self.kind.is_none() || case.sentences.iter().any(|sentence| self.is_sentence(sentence)))
        };
        cases.iter().enumerate().filter(move |(_, case)| is_counted(case)).map(|(index, _)| index)
    }

    /// The join of the lists that the query groups or filters by and of `lists`.
    fn joined(&self, cases: &[Case], lists: Lists) -> Vec<Joined> {
        let mut rows: Vec<Joined> = self.cases(cases).map(|case| Joined { case, ..Joined::default() }).collect();
        if lists.charges || self.has("PROVISION") || self.has("OUTCOME") || self.provision.is_some() {
            rows = join(
                rows,
                |row| {
                    let charges = cases[row.case].charges.iter().enumerate();
                    left_join(charges.filter(|(_, charge)| self.is_charge(charge)).map(|(index, _)| index).collect())
                },
                |row, charge| row.charge = charge,
            );
        }
        if lists.sentences || self.has("SENTENCE_KIND") || self.kind.is_some() {
            rows = join(
                rows,
                |row| {
                    let case = &cases[row.case];
                    let charged = row.charge.and_then(|charge| case.charges[charge].party);
                    let sentences = case.sentences.iter().enumerate();
                    let found: Vec<usize> = sentences
                        .filter(|(_, sentence)| self.is_sentence(sentence) && agree(sentence.party, charged))
                        .map(|(index, _)| index)
                        .collect();
                    // a filter on sentences is an inner join
                    if self.kind.is_some() { found.into_iter().map(Some).collect() } else { left_join(found) }
                },
                |row, sentence| row.sentence = sentence,
            );
        }
        if lists.parties {
            rows = join(
                rows,
                |row| {
                    let case = &cases[row.case];
                    let charged = row.charge.and_then(|charge| case.charges[charge].party);
                    let sentenced = row.sentence.and_then(|sentence| case.sentences[sentence].party);
                    left_join(
                        (0..case.parties.len()).filter(|party| agree(Some(*party), charged) && agree(Some(*party), sentenced)).collect(),
                    )
                },
                |row, party| row.party = party,
            );
        }
        if self.has("TOPIC") {
            let seen = |topic: &&usize| **topic + 1 < RECORDS;
            rows =
                join(rows, |row| left_join(cases[row.case].topics.iter().filter(seen).copied().collect()), |row, topic| row.topic = topic);
        }
        rows
    }

    fn key(&self, cases: &[Case], row: &Joined) -> Vec<Value> {
        let case = &cases[row.case];
        let date = if self.decided { case.decided } else { case.opened };
        let month = date.filter(|date| date.len() >= 7);
        let slug = |index: Option<usize>| index.filter(|index| index + 1 < RECORDS).map(|index| json!(format!("r{index}")));
        let key = |dimension: &&str| match *dimension {
            "YEAR" => date.map(|date| json!(date[..4].parse::<u32>().unwrap())),
            "MONTH" => month.map(|date| json!(&date[..7])),
            "QUARTER" => month.map(|date| json!(format!("{}-Q{}", &date[..4], date[5..7].parse::<u32>().unwrap().div_ceil(3)))),
            "STATUS" => Some(json!(case.status.to_uppercase())),
            "PROVISION" => row.charge.and_then(|charge| slug(case.charges[charge].provision)),
            "OUTCOME" => row.charge.map(|charge| json!(case.charges[charge].outcome.to_uppercase())),
            "SENTENCE_KIND" => row.sentence.map(|sentence| json!(case.sentences[sentence].kind.to_uppercase())),
            _ => slug(row.topic),
        };
        self.by.iter().map(|dimension| key(dimension).unwrap_or(Value::Null)).collect()
    }

    /// Distinct values of the rows of each group.
    fn distinct<T: Ord>(&self, cases: &[Case], lists: Lists, of: impl Fn(&Case, &Joined) -> Option<T>) -> BTreeMap<String, BTreeSet<T>> {
        let mut groups: BTreeMap<String, BTreeSet<T>> = BTreeMap::new();
        for row in self.joined(cases, lists) {
            let key = json!(self.key(cases, &row)).to_string();
            groups.entry(key).or_default().extend(of(&cases[row.case], &row));
        }
        groups
    }

    fn groups(&self, cases: &[Case]) -> BTreeMap<String, Value> {
        let lists = |charges, sentences, parties| Lists { charges, sentences, parties };
        let none = lists(false, false, false);
        let accused = |case: &Case, row: &Joined| {
            let party = &case.parties[row.party?];
            party.person.filter(|person| person + 1 < RECORDS && party.role != "judge")
        };
        let convicted = |case: &Case, row: &Joined| row.charge.is_some_and(|charge| case.charges[charge].outcome == "convicted");
        let records = self.distinct(cases, none, |_, row| Some(row.case));
        let people = self.distinct(cases, lists(false, false, true), accused);
        let people_convicted =
            self.distinct(cases, lists(true, false, true), |case, row| convicted(case, row).then(|| accused(case, row)).flatten());
        let charges = self.distinct(cases, lists(true, false, false), |_, row| Some((row.case, row.charge?)));
        let convictions =
            self.distinct(cases, lists(true, false, false), |case, row| convicted(case, row).then_some((row.case, row.charge)));
        let with_conviction = self.distinct(cases, lists(true, false, false), |case, row| convicted(case, row).then_some(row.case));
        let sentences = self.distinct(cases, lists(false, true, false), |_, row| Some((row.case, row.sentence?)));
        let prison = self.distinct(cases, lists(false, true, false), |case, row| {
            let sentence = &case.sentences[row.sentence?];
            let place = LENGTHS.iter().position(|(text, _)| sentence.length.is_some_and(|(length, _)| length == *text));
            (sentence.kind == "imprisonment").then_some((row.case, row.sentence, place?))
        });
        let timed = self.distinct(cases, none, |case, row| Some((row.case, days(case)?)));
        let mut groups = BTreeMap::new();
        for key in records.keys() {
            let lengths: Vec<f64> = prison.get(key).into_iter().flatten().map(|(.., place)| LENGTHS[*place].1).collect();
            let days: Vec<f64> = timed[key].iter().map(|(_, days)| *days as f64).collect();
            let number = |groups: Option<usize>| groups.unwrap_or_default();
            let figures = json!({
                "count": records[key].len(),
                "people": number(people.get(key).map(BTreeSet::len)),
                "peopleConvicted": number(people_convicted.get(key).map(BTreeSet::len)),
                "charges": number(charges.get(key).map(BTreeSet::len)),
                "convictions": number(convictions.get(key).map(BTreeSet::len)),
                "casesWithConviction": number(with_conviction.get(key).map(BTreeSet::len)),
                "sentences": number(sentences.get(key).map(BTreeSet::len)),
                "prisonSentences": lengths.len(),
                "medianSentence": rounded(median(&lengths), 100.0),
                "meanSentence": rounded(mean(&lengths), 100.0),
                "casesTimed": days.len(),
                "medianDaysToDecision": rounded(median(&days), 10.0),
                "meanDaysToDecision": rounded(mean(&days), 10.0),
            });
            groups.insert(key.clone(), figures);
        }
        groups
    }

    fn document(&self) -> String {
        let figures = "count people peopleConvicted charges convictions casesWithConviction sentences prisonSentences medianSentence meanSentence casesTimed medianDaysToDecision meanDaysToDecision";
        let mut arguments = format!("groupBy: [{}], by: {}", self.by.join(" "), if self.decided { "DECIDED_ON" } else { "OPENED_ON" });
        if let Some(status) = self.status {
            write!(arguments, ", filter: {{status: {{eq: {}}}}}", status.to_uppercase()).unwrap();
        }
        if let Some(provision) = self.provision {
            write!(arguments, ", charges: {{provision: {{slug: {{eq: \"r{provision}\"}}}}}}").unwrap();
        }
        if let Some(kind) = self.kind {
            write!(arguments, ", sentences: {{kind: {{eq: {}}}}}", kind.to_uppercase()).unwrap();
        }
        let keys = "year quarter month status provision { slug } outcome sentenceKind topic { slug }";
        format!("{{ caseStatistics({arguments}) {{ rows {{ {keys} {figures} }} total {{ {figures} }} }} }}")
    }
}

/// Joins each row with every match.
fn join(rows: Vec<Joined>, matches: impl Fn(&Joined) -> Vec<Option<usize>>, set: impl Fn(&mut Joined, Option<usize>)) -> Vec<Joined> {
    let mut all = Vec::new();
    for row in rows {
        for one in matches(&row) {
            let mut joined = row;
            set(&mut joined, one);
            all.push(joined);
        }
    }
    all
}

fn days(case: &Case) -> Option<i64> {
    let day = |date: Option<&str>| date.filter(|date| date.len() == 10).map(|date| date.parse::<NaiveDate>().unwrap());
    Some((day(case.decided)? - day(case.opened)?).num_days())
}

fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.get(values.len().checked_sub(1)? / 2)?, values.get(values.len() / 2)?);
    Some(f64::midpoint(*low, *high))
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn rounded(value: Option<f64>, digits: f64) -> Value {
    value.map_or(Value::Null, |value| json!((value * digits).round()))
}

/// Measures of a row as the evaluation states them, rounded to integers of the smallest unit.
fn measures(row: &Value) -> Value {
    let mut figures = row.as_object().unwrap().clone();
    figures.retain(|name, _| {
        !["year", "quarter", "month", "status", "provision", "outcome", "sentenceKind", "topic"].contains(&name.as_str())
    });
    for (name, digits) in [("medianSentence", 100.0), ("meanSentence", 100.0), ("medianDaysToDecision", 10.0), ("meanDaysToDecision", 10.0)]
    {
        figures[name] = rounded(figures[name].as_f64(), digits);
    }
    Value::Object(figures)
}

#[rstest]
#[tokio::test]
async fn statistics_equal_a_plain_evaluation(#[values(On::Sqlite, On::Postgres)] on: On) {
    let mut runner = TestRunner::deterministic();
    for _ in 0..3 {
        let cases = prop::collection::vec(case(), 1..16).new_tree(&mut runner).unwrap().current();
        let server = Server::with(on, &yaml(&cases)).await;
        for _ in 0..15 {
            let query = any_query().new_tree(&mut runner).unwrap().current();
            let data = server.data(&query.document()).await["caseStatistics"].take();
            let rows = data["rows"].as_array().unwrap();
            let mut found = BTreeMap::new();
            for row in rows {
                let key = |dimension: &&str| match *dimension {
                    "SENTENCE_KIND" => row["sentenceKind"].clone(),
                    "PROVISION" => row["provision"]["slug"].clone(),
                    "TOPIC" => row["topic"]["slug"].clone(),
                    other => row[other.to_lowercase()].clone(),
                };
                let keys: Vec<Value> = query.by.iter().map(key).collect();
                assert!(found.insert(json!(keys).to_string(), measures(row)).is_none(), "duplicate group: {keys:?}");
            }
            let mut expected = query.groups(&cases);
            let whole = Query { by: Vec::new(), ..query.clone() };
            if let Some(total) = whole.groups(&cases).remove("[]") {
                assert_eq!(measures(&data["total"]), total, "{query:?}\n{cases:#?}");
            } else {
                assert_eq!(data["total"]["count"], 0);
                // without dimensions there is one row, even if nothing is counted
                if query.by.is_empty() {
                    expected.insert("[]".to_owned(), measures(&data["total"]));
                }
            }
            assert_eq!(found, expected, "{query:?}\n{cases:#?}");
        }
    }
}
