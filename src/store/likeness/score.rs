//! The score of likeness: a sum of shares, each of one feature that both sides have.
//!
//! Shares and scores are integers in thousandths, so that they are the same everywhere. A feature that one side does not
//! have says nothing. The sum is cut to the range from 0 to 1.

use std::cmp::Reverse;

use uuid::Uuid;

use crate::core::partial_date::PartialDate;
use crate::entity::RecordType;
use crate::store::likeness::name::{Name, NameStyle, SAME};

/// The highest score, in thousandths.
pub const MAX_SCORE: u32 = 1_000;
/// Score from which on two records may be the same, in thousandths.
pub const MIN_DUPLICATE_SCORE: u32 = 600;
/// Score from which on an import warns that a new record may be a stored one, in thousandths.
pub const MIN_WARNING_SCORE: u32 = 700;
/// Score from which on a match may be certain, in thousandths.
pub const MIN_CERTAIN_SCORE: u32 = 900;
/// Score below which a record is no match, in thousandths.
pub const MIN_MATCH_SCORE: u32 = 300;

/// Share of an identifier that both have: it decides.
const SAME_IDENTIFIER: i32 = 1_000;
/// Share of another identifier of the same register.
const OTHER_IDENTIFIER: i32 = -100;
/// Share of the same jurisdiction.
const SAME_JURISDICTION: i32 = 50;

/// A feature by which records are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeatureKind {
    /// Names.
    Name,
    /// Birth dates.
    BirthDate,
    /// Dates of death.
    DeathDate,
    /// Dates of foundation.
    FoundedOn,
    /// Dates of dissolution.
    DissolvedOn,
    /// Identifiers of one register.
    Identifier,
    /// Jurisdictions.
    Jurisdiction,
    /// Types of organization.
    Classification,
}

/// Shares of a date: of the same day, of dates of which one is less precise, and of dates that exclude each other.
#[derive(Debug, Clone, Copy)]
struct DateShares {
    same_day: i32,
    agreeing: i32,
    different: i32,
}

/// How records of a type are compared.
#[derive(Debug)]
pub struct Comparison {
    /// The type.
    pub ty: RecordType,
    /// How their names are compared.
    pub style: NameStyle,
    /// Fields with the first and the last date.
    pub dates: [(&'static str, FeatureKind); 2],
    /// Share of the same name.
    name: i32,
    start: DateShares,
    end: DateShares,
    other_jurisdiction: i32,
    other_classification: i32,
}

const END: DateShares = DateShares { same_day: 100, agreeing: 50, different: -300 };

static COMPARISONS: [Comparison; 2] = [
    Comparison {
        ty: RecordType::Person,
        style: NameStyle::Person,
        dates: [("birthDate", FeatureKind::BirthDate), ("deathDate", FeatureKind::DeathDate)],
        name: 700,
        start: DateShares { same_day: 250, agreeing: 120, different: -500 },
        end: END,
        other_jurisdiction: -100,
        other_classification: 0,
    },
    Comparison {
        ty: RecordType::Organization,
        style: NameStyle::Organization,
        dates: [("foundedOn", FeatureKind::FoundedOn), ("dissolvedOn", FeatureKind::DissolvedOn)],
        name: 850,
        start: DateShares { same_day: 100, agreeing: 50, different: -300 },
        end: END,
        other_jurisdiction: -300,
        other_classification: -200,
    },
];

/// The types whose records are compared, with how.
pub fn comparisons() -> impl Iterator<Item = &'static Comparison> {
    COMPARISONS.iter()
}

/// How records of a type are compared; `None` if they are not.
pub fn comparison(ty: RecordType) -> Option<&'static Comparison> {
    comparisons().find(|comparison| comparison.ty == ty)
}

/// What is known of a person or organization: of a record, or as a caller describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// Its names.
    pub names: Vec<Name>,
    /// Dates of birth and death, or of foundation and dissolution.
    pub dates: [Option<PartialDate>; 2],
    /// Schemes and values of its identifiers.
    pub identifiers: Vec<(String, String)>,
    /// Id and slug of its jurisdiction.
    pub jurisdiction: Option<(Uuid, String)>,
    /// The type of organization.
    pub classification: Option<String>,
}

/// A feature that both sides have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    /// Which one.
    pub kind: FeatureKind,
    /// The value of the first side.
    pub given: String,
    /// The value of the second side.
    pub stored: String,
    /// What it adds to the score or takes from it, in thousandths.
    pub share: i32,
}

/// How alike two subjects are, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Likeness {
    /// From 0 to [`MAX_SCORE`].
    pub score: u32,
    /// The features that make the score.
    pub features: Vec<Feature>,
}

impl Likeness {
    /// Whether both have an identifier in common.
    pub fn has_common_identifier(&self) -> bool {
        self.features.iter().any(|feature| feature.kind == FeatureKind::Identifier && feature.share > 0)
    }

    /// Whether some feature speaks against the likeness.
    pub fn is_contradicted(&self) -> bool {
        self.features.iter().any(|feature| feature.share < 0)
    }
}

impl Comparison {
    /// Compares a subject with another one.
    pub fn compare(&self, given: &Subject, stored: &Subject) -> Likeness {
        let mut features: Vec<Feature> = Vec::new();
        features.extend(self.compare_names(&given.names, &stored.names));
        for (index, shares) in [self.start, self.end].into_iter().enumerate() {
            if let (Some(given), Some(stored)) = (&given.dates[index], &stored.dates[index]) {
                let share = match given {
                    given if given == stored && given.as_str().len() == "2020-12-31".len() => shares.same_day,
                    given if given.agrees_with(stored) => shares.agreeing,
                    _ => shares.different,
                };
                features.push(Feature { kind: self.dates[index].1, given: given.to_string(), stored: stored.to_string(), share });
            }
        }
        features.extend(compare_identifiers(&given.identifiers, &stored.identifiers));
        if let (Some((id, slug)), Some((other_id, other_slug))) = (&given.jurisdiction, &stored.jurisdiction) {
            let share = if id == other_id { SAME_JURISDICTION } else { self.other_jurisdiction };
            features.push(Feature { kind: FeatureKind::Jurisdiction, given: slug.clone(), stored: other_slug.clone(), share });
        }
        if let (Some(one), Some(other)) = (&given.classification, &stored.classification) {
            let share = if one == other { 0 } else { self.other_classification };
            features.push(Feature { kind: FeatureKind::Classification, given: one.clone(), stored: other.clone(), share });
        }
        let sum: i32 = features.iter().map(|feature| feature.share).sum();
        Likeness { score: u32::try_from(sum).unwrap_or(0).min(MAX_SCORE), features }
    }

    /// The feature of the two names that are most alike.
    fn compare_names(&self, given: &[Name], stored: &[Name]) -> Option<Feature> {
        let pairs = given.iter().flat_map(|given| stored.iter().map(move |stored| (given, stored)));
        let pairs = pairs.map(|(given, stored)| (given.similarity(stored, self.style), given, stored));
        // the first of equals
        let (similarity, given, stored) = pairs.min_by_key(|(similarity, ..)| Reverse(*similarity))?;
        let share = i32::try_from(similarity).unwrap_or(0) * self.name / SAME.cast_signed();
        Some(Feature { kind: FeatureKind::Name, given: given.text.clone(), stored: stored.text.clone(), share })
    }
}

/// The feature of identifiers of a register that both have: a common one, or else two that differ.
fn compare_identifiers(given: &[(String, String)], stored: &[(String, String)]) -> Option<Feature> {
    let feature = |given: &(String, String), stored: &(String, String), share| {
        let text = |(scheme, value): &(String, String)| format!("{scheme}:{value}");
        Feature { kind: FeatureKind::Identifier, given: text(given), stored: text(stored), share }
    };
    if let Some(common) = given.iter().find(|identifier| stored.contains(identifier)) {
        return Some(feature(common, common, SAME_IDENTIFIER));
    }
    given.iter().find_map(|given| {
        let other = stored.iter().find(|stored| stored.0 == given.0)?;
        Some(feature(given, other, OTHER_IDENTIFIER))
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn subject(name: &str, birth: &str, identifier: &str) -> Subject {
        let identifiers = identifier.split_once(':').map(|(scheme, value)| (scheme.to_owned(), value.to_owned()));
        Subject {
            names: vec![Name::parse(name)],
            dates: [birth.parse().ok(), None],
            identifiers: identifiers.into_iter().collect(),
            ..Subject::default()
        }
    }

    #[rstest]
    #[case(("Kuat Ertaev", "", ""), ("Қуат Ертаев", "1971-02-03", ""), 700)]
    #[case(("Kuat Ertaev", "1971-02-03", ""), ("Қуат Ертаев", "1971-02-03", ""), 950)]
    #[case(("Kuat Ertaev", "1971", ""), ("Қуат Ертаев", "1971-02-03", ""), 820)]
    #[case(("Kuat Ertaev", "1972", ""), ("Қуат Ертаев", "1971-02-03", ""), 200)]
    #[case(("Kuat Ertaev", "", "wikidata:Q1"), ("Someone Else", "", "wikidata:Q1"), 1_000)]
    #[case(("Kuat Ertaev", "", "wikidata:Q1"), ("Қуат Ертаев", "", "wikidata:Q2"), 600)]
    #[case(("Kuat Ertaev", "", "wikidata:Q1"), ("Қуат Ертаев", "", "viaf:Q1"), 700)]
    fn score_of_persons_is_the_sum_of_the_shares(
        #[case] left: (&str, &str, &str),
        #[case] right: (&str, &str, &str),
        #[case] expected: u32,
    ) {
        let comparison = comparison(RecordType::Person).unwrap();
        let likeness = comparison.compare(&subject(left.0, left.1, left.2), &subject(right.0, right.1, right.2));
        assert_eq!(likeness.score, expected, "{likeness:?}");
    }
}
