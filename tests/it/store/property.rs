//! Property test: random filters select the same rows as an evaluation in memory.

use std::fmt::Write;

use kurultai::catalog::catalog;
use kurultai::core::filter::{Filter, FilterValue, Predicate, Quantifier};
use kurultai::core::ids::FieldId;
use kurultai::core::pagination::{Direction, Page};
use kurultai::entity::RecordType;
use kurultai::store::read::plan::{ListPlan, Plan};
use kurultai::store::read::result::PageRows;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rstest::rstest;

use crate::server::{On, Server};

/// A person for the evaluation in memory.
#[derive(Debug, Clone)]
struct Row {
    slug: String,
    birth: Option<&'static str>,
    gender: Option<&'static str>,
    /// Roles in cases.
    roles: Vec<&'static str>,
}

const DATES: [&str; 6] = ["1970", "1970-05", "1970-05-01", "1970-12", "1971", "1971-01-01"];
const ROLES: [&str; 3] = ["defendant", "victim", "witness"];

fn rows() -> Vec<Row> {
    (0..24)
        .map(|number| Row {
            slug: format!("p{number:02}"),
            birth: DATES.get(number % 7).copied(),
            gender: ["female", "male"].get(number % 3).copied(),
            roles: ROLES.iter().enumerate().filter(|(index, _)| (number >> index) % 3 == 0).map(|(_, role)| *role).collect(),
        })
        .collect()
}

fn yaml(rows: &[Row]) -> String {
    let mut text = String::from("people:\n");
    for row in rows {
        let optional = |name: &str, value: Option<&str>| value.map_or(String::new(), |value| format!(", {name}: \"{value}\""));
        writeln!(
            text,
            "- {{slug: {}, name: {{en: {}}}{}{}}}",
            row.slug,
            row.slug,
            optional("birthDate", row.birth),
            optional("gender", row.gender)
        )
        .unwrap();
    }
    text += "cases:\n";
    for row in rows {
        for role in &row.roles {
            writeln!(
                text,
                "- {{slug: {}-{role}, title: {{en: C}}, kind: civil, status: pending, parties: [{{person: {}, role: {role}}}]}}",
                row.slug, row.slug
            )
            .unwrap();
        }
    }
    text
}

fn field(name: &str) -> FieldId {
    catalog().get(RecordType::Person).field_id(name).unwrap()
}

fn date_predicate() -> impl Strategy<Value = Predicate> {
    let date = prop::sample::select(&DATES[..]).prop_map(|text| FilterValue::Date(text.parse().unwrap()));
    (date.clone(), prop::collection::vec(date, 0..3), 0..8usize).prop_map(|(value, values, kind)| match kind {
        0 => Predicate::Eq(value),
        1 => Predicate::In(values),
        2 => Predicate::Not(value),
        3 => Predicate::Lt(value),
        4 => Predicate::Lte(value),
        5 => Predicate::Gt(value),
        6 => Predicate::Gte(value),
        _ => Predicate::IsNull(values.is_empty()),
    })
}

fn text_predicate() -> impl Strategy<Value = Predicate> {
    (prop::sample::select(&["female", "male", "fem"][..]), 0..5usize, any::<bool>()).prop_map(|(text, kind, known)| match kind {
        0 => Predicate::Eq(FilterValue::Text(text.to_owned())),
        1 => Predicate::Not(FilterValue::Text(text.to_owned())),
        2 => Predicate::StartsWith(text.to_owned()),
        3 => Predicate::Contains(text.to_owned()),
        _ => Predicate::IsNull(known),
    })
}

fn filter() -> impl Strategy<Value = Filter> {
    let quantifier = prop::sample::select(&[Quantifier::Some, Quantifier::None, Quantifier::Every][..]);
    let parties = (quantifier, prop::sample::select(&ROLES[..]), any::<bool>()).prop_map(|(quantifier, role, negated)| {
        let relation = catalog().get(RecordType::Person).relation_id("caseParties").unwrap();
        let role_field = catalog().get(RecordType::CaseParty).field_id("role").unwrap();
        let is_role = Filter::Field(role_field, Predicate::Eq(FilterValue::Text(role.to_owned())));
        Filter::Many(relation, quantifier, Box::new(if negated { Filter::Not(Box::new(is_role)) } else { is_role }))
    });
    let leaf = prop_oneof![
        date_predicate().prop_map(|predicate| Filter::Field(field("birthDate"), predicate)),
        text_predicate().prop_map(|predicate| Filter::Field(field("gender"), predicate)),
        parties
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Filter::And),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Filter::Or),
            inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
}

fn matches_filter(filter: &Filter, row: &Row) -> bool {
    match filter {
        Filter::And(parts) => parts.iter().all(|part| matches_filter(part, row)),
        Filter::Or(parts) => parts.iter().any(|part| matches_filter(part, row)),
        Filter::Not(part) => !matches_filter(part, row),
        Filter::Field(index, predicate) if *index == field("birthDate") => satisfies(row.birth, predicate),
        Filter::Field(_, predicate) => satisfies(row.gender, predicate),
        Filter::Many(_, quantifier, inner) => {
            let mut found = row.roles.iter().map(|role| match &**inner {
                Filter::Not(inner) => !is_role(inner, role),
                inner => is_role(inner, role),
            });
            match quantifier {
                Quantifier::Some => found.any(|matches| matches),
                Quantifier::None => !found.any(|matches| matches),
                Quantifier::Every => found.all(|matches| matches),
            }
        }
        Filter::Id(_) | Filter::One(..) => unreachable!("not generated"),
    }
}

fn is_role(filter: &Filter, role: &str) -> bool {
    matches!(filter, Filter::Field(_, Predicate::Eq(FilterValue::Text(text))) if text == role)
}

/// Null satisfies only `not` and `isNull`.
fn satisfies(value: Option<&str>, predicate: &Predicate) -> bool {
    let text = |given: &FilterValue| match given {
        FilterValue::Date(date) => date.as_str().to_owned(),
        FilterValue::Text(text) => text.clone(),
        other => unreachable!("{other:?} is not generated"),
    };
    let equal = |value: &str, given: &FilterValue| match given {
        // a year means all of its days
        FilterValue::Date(date) => value.starts_with(date.as_str()),
        _ => value == text(given),
    };
    match (value, predicate) {
        (value, Predicate::IsNull(unknown)) => value.is_none() == *unknown,
        (None, Predicate::Not(_)) => true,
        (None, _) => false,
        (Some(value), predicate) => match predicate {
            Predicate::Eq(given) => equal(value, given),
            Predicate::In(given) => given.iter().any(|given| equal(value, given)),
            Predicate::Not(given) => !equal(value, given),
            Predicate::Lt(given) => *value < *text(given),
            Predicate::Lte(given) => *value < *text(given) || equal(value, given),
            Predicate::Gt(given) => *value > *text(given) && !equal(value, given),
            Predicate::Gte(given) => *value >= *text(given),
            Predicate::StartsWith(given) => value.starts_with(given.as_str()),
            Predicate::Contains(given) => value.contains(given.as_str()),
            Predicate::IsNull(_) => unreachable!("handled above"),
        },
    }
}

fn slugs(slice: PageRows<'_>) -> Vec<String> {
    slice.nodes().map(|node| node.cell(field("slug")).as_text().unwrap().to_owned()).collect()
}

#[rstest]
#[tokio::test]
async fn filters_agree_with_evaluation_in_memory(#[values(On::Sqlite, On::Postgres)] on: On) {
    let rows = rows();
    let server = Server::with(on, &yaml(&rows)).await;
    let mut runner = TestRunner::deterministic();
    for _ in 0..200 {
        let filter = filter().new_tree(&mut runner).unwrap().current();
        let mut plan = Plan::new(RecordType::Person);
        plan.select_field(field("slug"));
        let list = ListPlan {
            filter: filter.clone(),
            page: Page::first(100),
            total: true,
            order: (field("name"), Direction::Asc),
            ..ListPlan::new(plan)
        };
        let pages = server.store.page(&list).await.unwrap();
        let slice = pages.get(0).unwrap();
        let expected: Vec<String> = rows.iter().filter(|row| matches_filter(&filter, row)).map(|row| row.slug.clone()).collect();
        assert_eq!(slugs(slice), expected, "{filter:?}");
        assert_eq!(slice.total(), Some(expected.len() as u64), "{filter:?}");
    }
}
