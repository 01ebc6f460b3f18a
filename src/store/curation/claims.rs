//! Claims of citations about fields, and whether they contradict each other.

use crate::catalog::field::Field;
use crate::catalog::kind::FieldKind;
use crate::core::normalize::fold;
use crate::core::partial_date::PartialDate;

/// Whether two claims about a field can both be true.
#[expect(clippy::float_cmp, reason = "two texts of the same number agree; no number is computed")]
pub fn agree(field: Option<&Field>, one: &str, other: &str) -> bool {
    match field.map(|field| field.kind) {
        Some(FieldKind::Date) => match (one.parse::<PartialDate>(), other.parse::<PartialDate>()) {
            (Ok(one), Ok(other)) => one.agrees_with(&other),
            _ => one == other,
        },
        Some(FieldKind::Number | FieldKind::Integer) => match (one.parse::<f64>(), other.parse::<f64>()) {
            (Ok(one), Ok(other)) => one == other,
            _ => one == other,
        },
        Some(FieldKind::Text | FieldKind::Translated) => fold(one) == fold(other),
        _ => one == other,
    }
}

/// A claimed value of a field, and the positions of the citations that claim it.
pub type Claim = (String, Vec<usize>);

/// Groups claims by field, and within a field by value. A field with more than one claimed value is disputed.
///
/// A claim that agrees with several values, such as a year when two of its days are claimed, joins the first of them.
pub fn claims<'a>(fields: &[Field], citations: impl Iterator<Item = (Option<&'a str>, Option<&'a str>)>) -> Vec<(String, Vec<Claim>)> {
    let mut by_field: Vec<(String, Vec<Claim>)> = Vec::new();
    for (position, (field, value)) in citations.enumerate() {
        let (Some(name), Some(value)) = (field, value) else { continue };
        let declared = fields.iter().find(|field| field.name == name);
        let index = by_field.iter().position(|(field, _)| field == name).unwrap_or_else(|| {
            by_field.push((name.to_owned(), Vec::new()));
            by_field.len() - 1
        });
        let groups = &mut by_field[index].1;
        match groups.iter_mut().find(|(claimed, _)| agree(declared, claimed, value)) {
            Some((claimed, positions)) => {
                positions.push(position);
                // of two dates that agree, the more precise one is the claimed value
                if matches!(declared.map(|field| field.kind), Some(FieldKind::Date)) && value.len() > claimed.len() {
                    value.clone_into(claimed);
                }
            }
            None => groups.push((value.to_owned(), vec![position])),
        }
    }
    by_field
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::catalog;
    use crate::entity::RecordType;

    #[test]
    fn different_days_disagree_and_their_year_agrees() {
        let fields = &catalog().get(RecordType::Case).fields;
        let claimed =
            [("decidedOn", "2020-06-22"), ("decidedOn", "2020"), ("decidedOn", "2019-06-22"), ("title", "A  case"), ("title", "a case")];
        let found = claims(fields, claimed.iter().map(|(field, value)| (Some(*field), Some(*value))));
        assert_eq!(
            found,
            [
                ("decidedOn".to_owned(), vec![("2020-06-22".to_owned(), vec![0, 1]), ("2019-06-22".to_owned(), vec![2])]),
                ("title".to_owned(), vec![("A  case".to_owned(), vec![3, 4])]),
            ]
        );
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        let fields = &catalog().get(RecordType::Sentence).fields;
        let found = claims(
            fields,
            [(Some("amount"), Some("100")), (Some("amount"), Some("100.0")), (None, Some("7")), (Some("amount"), None)].into_iter(),
        );
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].1.len(), 1);
    }
}
