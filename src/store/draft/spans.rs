//! Spans of time that end before they begin: one of the two dates is wrong.

/// Fields that begin and end a span, of records, parts and structures.
const SPANS: [(&str, &str); 6] = [
    ("start", "end"),
    ("periodStart", "periodEnd"),
    ("validFrom", "validTo"),
    ("birthDate", "deathDate"),
    ("foundedOn", "dissolvedOn"),
    ("adoptedOn", "repealedOn"),
];

/// The fields that end a span before its beginning, each with what contradicts it. `date` gives the partial date of a field. A
/// month and its year do not contradict each other.
pub(super) fn reversed<'d>(date: impl Fn(&'static str) -> Option<&'d str>) -> Vec<(&'static str, String)> {
    let contradiction = |(start, end): &(&'static str, &'static str)| {
        let (first, last) = (date(start)?, date(end)?);
        let is_before = last < first && !first.starts_with(last);
        is_before.then(|| (*end, format!("{end} {last} is before {start} {first}; correct one of them")))
    };
    SPANS.iter().filter_map(contradiction).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("2020", "2019", true)]
    #[case("2020-05", "2020-04-30", true)]
    #[case("2020-05-03", "2020", false)]
    #[case("2020", "2020-01", false)]
    #[case("2020-05-03", "2020-05-03", false)]
    fn date_is_before_another_if_no_day_of_it_is_not(#[case] start: &str, #[case] end: &str, #[case] is_before: bool) {
        let date = |name: &str| [("validFrom", start), ("validTo", end)].into_iter().find(|(of, _)| *of == name).map(|(_, date)| date);
        assert_eq!(reversed(date).len(), usize::from(is_before));
    }
}
