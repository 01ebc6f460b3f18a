//! What a chart shows, in words, for those who cannot see it.

use super::figure::{Figure, Mark, Series};
use super::{Kind, Spec, scale};

/// Values that are all read out; of more only the ends and the extremes are.
const MOST_VALUES: usize = 20;

/// A plain summary of the data.
pub(super) fn summary(spec: &Spec, figure: &Figure) -> String {
    let words = spec.words;
    let kind = match spec.kind {
        Kind::Bar => words.bars(),
        Kind::Line => words.lines(),
    };
    let mut sentences = vec![format!("{kind}: {}", words.by(&figure.y, &figure.x))];
    if figure.values().next().is_none() {
        sentences.push(words.no_data().to_owned());
    } else {
        if let ([first, .., last], false) = (figure.places.as_slice(), figure.named) {
            sentences.push(words.span(&first.label, &last.label));
        }
        let all = figure.series.iter().flat_map(|series| &series.marks).filter(|mark| **mark != Mark::None).count() <= MOST_VALUES;
        for series in &figure.series {
            let text = if all { values(spec, figure, series) } else { extremes(spec, figure, series) };
            sentences.push(match &series.name {
                Some(name) => format!("{name} – {text}"),
                None => text,
            });
        }
    }
    if figure.left_out > 0 {
        sentences.push(words.left_out(figure.left_out, &figure.x));
    }
    sentences.push(spec.source.clone());
    format!("{}.", sentences.join(". "))
}

/// Every value with its place.
fn values(spec: &Spec, figure: &Figure, series: &Series) -> String {
    let said = figure.places.iter().zip(&series.marks).filter_map(|(place, mark)| match mark {
        Mark::None => None,
        Mark::Gap => Some(format!("{}: {}", place.label, spec.words.unknown())),
        Mark::Value(value) => Some(format!("{}: {}", place.label, scale::number(*value, spec.words))),
    });
    said.collect::<Vec<_>>().join("; ")
}

/// The highest and the lowest value, and where they are first.
fn extremes(spec: &Spec, figure: &Figure, series: &Series) -> String {
    let mut found: Option<[(usize, f64); 2]> = None;
    for (place, mark) in series.marks.iter().enumerate() {
        let Mark::Value(value) = *mark else { continue };
        let [high, low] = found.unwrap_or([(place, value); 2]);
        found = Some([if value > high.1 { (place, value) } else { high }, if value < low.1 { (place, value) } else { low }]);
    }
    let Some([high, low]) = found else { return spec.words.no_data().to_owned() };
    let say =
        |name: &str, (place, value): (usize, f64)| format!("{name}: {} ({})", scale::number(value, spec.words), figure.places[place].label);
    format!("{}; {}", say(spec.words.highest(), high), say(spec.words.lowest(), low))
}
