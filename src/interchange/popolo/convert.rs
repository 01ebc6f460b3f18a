//! Converts Popolo items to records.

mod area;
mod attributes;
mod bill;
mod builder;
mod converted;
mod membership;
mod membership_match;
mod organization;
mod person;
mod provenance;
mod slugs;
mod speech;
mod state;
mod vote_event;

use std::collections::HashMap;

use super::class::PopoloClass;
use super::lookup::KnownRecords;
use super::model::{PopoloData, PopoloItem};
use converted::ReferredItems;
use state::Conversion;

pub use state::ConvertedRecords;

impl PopoloData {
    /// Converts all items to records. Slugs are assigned first, so that items can refer to each other in any order.
    pub fn convert(mut self, scheme: String, known: KnownRecords) -> ConvertedRecords {
        let collected = std::mem::take(&mut self.items);
        let mut conversion = Conversion::new(scheme, self.options.lang, known, self.problems, self.omissions);
        conversion.reports_unknown_references = self.open_states_file.is_some();
        conversion.collect_ids(&collected);
        let mut items: HashMap<PopoloClass, Vec<PopoloItem>> = HashMap::new();
        for item in collected {
            items.entry(item.class).or_default().push(item);
        }
        let mut take = |class| items.remove(&class).unwrap_or_default();
        let (areas, people, organizations) = (take(PopoloClass::Area), take(PopoloClass::Person), take(PopoloClass::Organization));
        let named = [(PopoloClass::Person, &people), (PopoloClass::Organization, &organizations), (PopoloClass::Area, &areas)];
        for (class, items) in named {
            conversion.assign_slugs(class, items);
        }
        for item in take(PopoloClass::Event) {
            conversion.collect_event(item);
        }
        conversion.posts = ReferredItems::new(take(PopoloClass::Post));
        conversion.motions = ReferredItems::new(take(PopoloClass::Motion));
        for item in areas {
            conversion.convert_area(item);
        }
        for item in people {
            conversion.convert_person(item);
        }
        for item in organizations {
            conversion.convert_organization(item);
        }
        for item in take(PopoloClass::Membership) {
            conversion.convert_membership(item);
        }
        conversion.assign_membership_slugs();
        for item in take(PopoloClass::Bill) {
            conversion.convert_bill(item);
        }
        for item in take(PopoloClass::VoteEvent) {
            conversion.convert_vote_event(item);
        }
        for item in take(PopoloClass::Speech) {
            conversion.convert_speech(item);
        }
        conversion.count_unused();
        conversion.finish(self.cleaned)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Arc;

    use super::*;
    use crate::catalog::catalog;
    use crate::entity::RecordType;
    use crate::interchange::json;
    use crate::interchange::popolo::model::PopoloOptions;
    use crate::store::draft::DraftValue;
    use crate::store::read::result::Cell;
    use proptest::prelude::*;

    fn convert(text: &str) -> ConvertedRecords {
        let file: Arc<str> = Arc::from("test.json");
        let mut popolo = PopoloData::new(PopoloOptions::default());
        popolo.collect(&file, json::parse(&file, text.as_bytes()).unwrap());
        popolo.convert("register".to_owned(), KnownRecords::default())
    }

    fn slugs(converted: &ConvertedRecords) -> Vec<&str> {
        converted.drafts.iter().filter_map(|(_, draft)| draft.name.as_deref()).collect()
    }

    #[test]
    fn slugs_are_deterministic_and_unique() {
        let person = |id: usize| format!("{{\"id\": {id}, \"name\": \"Same Name\"}}");
        let people: Vec<String> = (0..200).map(person).collect();
        let text = format!("{{\"persons\": [{}, {{\"id\": 200, \"name\": \"Other\"}}]}}", people.join(","));
        let (first, second) = (convert(&text), convert(&text));
        assert_eq!(slugs(&first), slugs(&second));
        assert_eq!(slugs(&first).into_iter().collect::<HashSet<_>>().len(), 201);
        assert!(slugs(&first).contains(&"other"));
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let key = prop::sample::select(vec![
            "id",
            "name",
            "persons",
            "person",
            "person_id",
            "organization",
            "organization_id",
            "memberships",
            "other_names",
            "identifiers",
            "identifier",
            "scheme",
            "sources",
            "url",
            "links",
            "areas",
            "area",
            "area_id",
            "posts",
            "post_id",
            "events",
            "birth_date",
            "classification",
            "parent",
            "parent_id",
            "@type",
            "contact_details",
            "legislative_period_id",
            "start_date",
            "image",
        ]);
        let text =
            prop::sample::select(vec!["", "1", "Person", "0000-00-00", "2020-01", "https://a.example/", "ocd-division/country:xi", "ж"]);
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<i32>().prop_map(serde_json::Value::from),
            text.prop_map(serde_json::Value::from)
        ];
        leaf.prop_recursive(5, 64, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
                prop::collection::vec((key.clone(), inner), 0..6)
                    .prop_map(|entries| entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_json_converts_without_panic(json in any_json()) {
            let text = serde_json::json!({"persons": [json], "organizations": [json], "memberships": [json], "areas": [json], "x": json}).to_string();
            let converted = convert(&text);
            for (_, draft) in &converted.drafts {
                prop_assert!(draft.name.is_some());
            }
        }

        #[test]
        fn names_and_dates_are_preserved(name in "[A-Za-zА-я][A-Za-zА-я ]{0,30}", year in 1900u32..2030, month in 1u32..13) {
            let text = serde_json::json!({"persons": [{"id": "x", "name": name, "birth_date": format!("{year}-{month:02}-00")}]}).to_string();
            let converted = convert(&text);
            prop_assert!(converted.problems.is_empty());
            let record = catalog().get(RecordType::Person);
            let value = |field: &str| converted.drafts[0].1.value(record.field_id(field).unwrap()).cloned();
            prop_assert_eq!(value("name"), Some(DraftValue::Cell(Cell::Json(serde_json::json!({"und": name.trim()})))));
            prop_assert_eq!(value("birthDate"), Some(DraftValue::Cell(Cell::Text(format!("{year}-{month:02}")))));
        }
    }
}
