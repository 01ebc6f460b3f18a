//! Comparisons of records with the conditions of a filter, by the sizes of the tables.

use async_graphql::Value;

use crate::catalog::catalog;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::Record;
use crate::entity::RecordType;
use crate::store::read::table_sizes::TableSizes;

/// Levels of related records beyond which the weight of a level grows no more.
const MAX_WEIGHTED_LEVELS: u32 = 8;

/// Comparisons of one evaluation of a filter on a list: each record of the list with each condition. Related records count
/// as well, and from the second level on twice as much with every level: the joins of joins grow faster than their tables.
pub(super) fn comparisons(sizes: &TableSizes, record: &Record, filter: &Value) -> u64 {
    Comparisons { sizes }.of(record, filter, 0).max(sizes.of(record.ty))
}

struct Comparisons<'s> {
    sizes: &'s TableSizes,
}

impl Comparisons<'_> {
    /// Comparisons of the records of a type at this level of relations; 0 is the list itself.
    fn of(&self, record: &Record, filter: &Value, level: u32) -> u64 {
        match filter {
            Value::Object(members) => {
                members.iter().map(|(name, value)| self.of_member(record, name, value, level)).fold(0, u64::saturating_add)
            }
            Value::List(items) => items.iter().map(|item| self.of(record, item, level)).fold(0, u64::saturating_add),
            Value::Null | Value::Number(_) | Value::String(_) | Value::Boolean(_) | Value::Binary(_) | Value::Enum(_) => 0,
        }
    }

    fn of_member(&self, record: &Record, name: &str, value: &Value, level: u32) -> u64 {
        if matches!(name, "and" | "or" | "not") {
            return self.of(record, value, level);
        }
        let reference = record.fields.iter().find(|field| field.name == name).and_then(|field| match field.kind {
            FieldKind::One(target) => Some(target),
            _ => None,
        });
        if let Some(target) = reference {
            return self.related(target, value, level);
        }
        if let Some(relation) = record.relations.iter().find(|relation| relation.name == name) {
            let Value::Object(quantifiers) = value else { return 0 };
            return quantifiers.values().map(|filter| self.related(relation.target, filter, level)).fold(0, u64::saturating_add);
        }
        conditions(value).saturating_mul(self.weighted_size(record.ty, level))
    }

    fn related(&self, target: RecordType, filter: &Value, level: u32) -> u64 {
        let below = self.of(catalog().get(target), filter, level + 1);
        if *filter == Value::Null { 0 } else { below.saturating_add(self.weighted_size(target, level + 1)) }
    }

    fn weighted_size(&self, ty: RecordType, level: u32) -> u64 {
        let weight = 1 << level.saturating_sub(1).min(MAX_WEIGHTED_LEVELS);
        self.sizes.of(ty).saturating_mul(weight)
    }
}

/// Conditions on one field: values that records are compared with. The values of `in` are looked up at once.
fn conditions(predicate: &Value) -> u64 {
    match predicate {
        Value::Object(operators) => operators.values().filter(|value| **value != Value::Null).count() as u64,
        Value::Null => 0,
        Value::List(_) | Value::Number(_) | Value::String(_) | Value::Boolean(_) | Value::Binary(_) | Value::Enum(_) => 1,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case(json!({}), 100)]
    #[case(json!({"slug": {"eq": "a"}}), 100)]
    #[case(json!({"slug": {"not": "a", "in": ["b", "c"]}, "docketNumber": {"eq": "1"}}), 300)]
    #[case(json!({"or": [{"slug": {"eq": "a"}}, {"not": {"slug": {"eq": "b"}}}]}), 200)]
    #[case(json!({"parties": {"some": {"role": {"eq": "DEFENDANT"}}}}), 400)]
    #[case(json!({"parties": {"none": {"person": {"slug": {"eq": "a"}}}}}), 400)]
    #[case(json!({"parties": {"some": {"person": {"caseParties": {"none": {}}}}}}), 1_100)]
    fn comparisons_grow_with_tables_and_levels(#[case] filter: serde_json::Value, #[case] expected: u64) {
        let sizes = TableSizes::default();
        sizes.set([(RecordType::Case, 100), (RecordType::CaseParty, 200), (RecordType::Person, 50)].into_iter().collect());
        let filter = Value::from_json(filter).unwrap();
        assert_eq!(comparisons(&sizes, catalog().get(RecordType::Case), &filter), expected);
    }
}
