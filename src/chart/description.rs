//! Text description of a chart for screen readers (the `desc` element).

use super::figure::{DataPoint, Figure, Series};
use super::scale::format_number;
use super::spec::{ChartKind, ChartSpec};

/// Number of values up to which all are listed; beyond it only the range and the extremes are.
const MAX_LISTED_VALUES: usize = 20;

/// Describes the data in sentences: the kind of chart, the range, the values and the attribution.
pub(super) fn describe(spec: &ChartSpec, figure: &Figure) -> String {
    let language = spec.language;
    let kind = match spec.kind {
        ChartKind::Bar => language.bar_chart(),
        ChartKind::Line => language.line_chart(),
    };
    let mut sentences = vec![format!("{kind}: {}", language.default_title(&figure.y, &figure.x))];
    if figure.values().next().is_none() {
        sentences.push(language.no_data().to_owned());
    } else {
        if let ([first, .., last], false) = (figure.categories.as_slice(), figure.is_categorical) {
            sentences.push(language.range(&first.label, &last.label));
        }
        let point_count = figure.series.iter().flat_map(|series| &series.points).filter(|point| **point != DataPoint::Missing).count();
        for series in &figure.series {
            let text = if point_count <= MAX_LISTED_VALUES { all_values(spec, figure, series) } else { extremes(spec, figure, series) };
            sentences.push(match &series.name {
                Some(name) => format!("{name} – {text}"),
                None => text,
            });
        }
    }
    if figure.omitted_rows > 0 {
        sentences.push(language.omitted_rows(figure.omitted_rows, &figure.x));
    }
    sentences.push(spec.source.clone());
    format!("{}.", sentences.join(". "))
}

/// Every value of a series with its category.
fn all_values(spec: &ChartSpec, figure: &Figure, series: &Series) -> String {
    let values = figure.categories.iter().zip(&series.points).filter_map(|(category, point)| match point {
        DataPoint::Missing => None,
        DataPoint::Null => Some(format!("{}: {}", category.label, spec.language.unknown())),
        DataPoint::Value(value) => Some(format!("{}: {}", category.label, format_number(*value, spec.language))),
    });
    values.collect::<Vec<_>>().join("; ")
}

/// The maximum and the minimum of a series, each with its first category.
fn extremes(spec: &ChartSpec, figure: &Figure, series: &Series) -> String {
    let mut extremes: Option<[(usize, f64); 2]> = None;
    for (category, point) in series.points.iter().enumerate() {
        let DataPoint::Value(value) = *point else { continue };
        let [max, min] = extremes.unwrap_or([(category, value); 2]);
        extremes = Some([if value > max.1 { (category, value) } else { max }, if value < min.1 { (category, value) } else { min }]);
    }
    let Some([max, min]) = extremes else { return spec.language.no_data().to_owned() };
    let describe = |name: &str, (category, value): (usize, f64)| {
        format!("{name}: {} ({})", format_number(value, spec.language), figure.categories[category].label)
    };
    format!("{}; {}", describe(spec.language.maximum(), max), describe(spec.language.minimum(), min))
}
