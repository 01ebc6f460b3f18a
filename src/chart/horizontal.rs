//! Horizontal bar charts: categories are listed from top to bottom, with their names beside the bars.

use super::canvas::{Anchor, Area, Canvas, LABEL_FONT_PX, LABEL_LINE_PX};
use super::figure::{DataPoint, Figure};
use super::font;
use super::scale::{Scale, format_number, whole_count};
use super::spec::ChartSpec;
use super::style::ColourRole;

/// Maximum share of the width that category names occupy.
const MAX_NAME_WIDTH_RATIO: f64 = 0.42;
/// Line height of category names, in pixels.
const NAME_LINE_PX: f64 = 14.0;
/// Maximum number of lines of a category name.
const MAX_NAME_LINES: usize = 3;
/// Horizontal space between a label and its neighbour, in pixels.
const LABEL_GAP_PX: f64 = 6.0;
/// Width of the plot below which it does not shrink, in pixels.
const MIN_PLOT_WIDTH_PX: f64 = 20.0;

/// Positions of one horizontal bar chart, in pixels.
struct BarLayout {
    area: Area,
    /// Left edge of the bars.
    left: f64,
    width: f64,
    /// Width of the category names, with the gap to the bars.
    names_width: f64,
    /// Height of a category.
    band: f64,
    thickness: f64,
    /// Whether each bar is labelled with its value; true for a single series only.
    has_value_labels: bool,
    scale: Scale,
}

impl BarLayout {
    fn new(spec: &ChartSpec, figure: &Figure, area: Area, names: &[Vec<String>], band: f64) -> Self {
        let names_width = names.iter().flatten().map(|line| font::text_width(line, LABEL_FONT_PX, false)).fold(0.0, f64::max).ceil();
        let names_width = names_width + LABEL_GAP_PX;
        let thickness = ((band - (band * 0.25).clamp(0.0, 12.0)) / figure.series.len() as f64).min(40.0);
        let has_value_labels = figure.series.len() == 1 && band >= NAME_LINE_PX;
        let widest_label = |is_included: fn(f64) -> bool| {
            figure
                .values()
                .filter(|value| is_included(*value))
                .map(|value| font::text_width(&format_number(value, spec.language), LABEL_FONT_PX, false))
                .fold(0.0, f64::max)
        };
        let (before, after) =
            if has_value_labels { (widest_label(|value| value < 0.0), widest_label(|value| value >= 0.0)) } else { (0.0, 0.0) };
        let before = if before > 0.0 { before + LABEL_GAP_PX } else { 0.0 };
        let after = if after > 0.0 { after + LABEL_GAP_PX } else { LABEL_GAP_PX };
        let left = area.left + names_width + before;
        let width = (area.right() - after - left).max(MIN_PLOT_WIDTH_PX);
        let scale = Scale::value_axis(figure.values(), true, whole_count(width / 70.0).max(3), spec.language);
        Self { area, left, width, names_width, band, thickness, has_value_labels, scale }
    }

    fn x(&self, value: f64) -> f64 {
        self.left + self.scale.fraction(value) * self.width
    }

    /// Vertical centre of a category.
    fn middle(&self, category: usize) -> f64 {
        self.area.top + self.band * (category as f64 + 0.5)
    }
}

fn wrapped_names(figure: &Figure, width: f64, max_lines: usize) -> Vec<Vec<String>> {
    let wrap = |label: &str| font::wrap(label, LABEL_FONT_PX, false, width * MAX_NAME_WIDTH_RATIO, max_lines);
    figure.categories.iter().map(|category| wrap(&category.label)).collect()
}

/// Height in pixels at which all names and bars of a figure fit.
pub(super) fn preferred_height(figure: &Figure, width: f64) -> f64 {
    let name_lines = wrapped_names(figure, width, MAX_NAME_LINES).iter().map(Vec::len).max().unwrap_or(1) as f64;
    let bars = if figure.series.len() == 1 { 18.0 } else { figure.series.len() as f64 * 13.0 };
    figure.categories.len() as f64 * (bars.max(name_lines * NAME_LINE_PX) + 8.0)
}

/// Draws the axis, the names and the bars.
pub(super) fn draw(canvas: &mut Canvas, spec: &ChartSpec, figure: &Figure, area: Area) {
    let band = area.height / figure.categories.len() as f64;
    let names = wrapped_names(figure, area.width, whole_count(band / NAME_LINE_PX).clamp(1, MAX_NAME_LINES));
    let layout = BarLayout::new(spec, figure, area, &names, band);
    draw_axis(canvas, &layout);
    let mut next_free_y = area.top - 1.0;
    for (category, lines) in names.iter().enumerate() {
        let top = layout.middle(category) - lines.len() as f64 * NAME_LINE_PX / 2.0;
        // a fixed height may have space for some of the names only
        if top >= next_free_y {
            for (line, name) in lines.iter().enumerate() {
                let (x, y) = (area.left + layout.names_width - LABEL_GAP_PX, top + (line as f64 + 1.0) * NAME_LINE_PX - 3.0);
                canvas.text(name, x, y, Anchor::End, ColourRole::Text);
            }
            next_free_y = top + lines.len() as f64 * NAME_LINE_PX;
        }
        for series in 0..figure.series.len() {
            draw_bar(canvas, spec, figure, &layout, category, series);
        }
    }
}

/// Draws grid lines and tick labels, leaving out labels that would overlap.
fn draw_axis(canvas: &mut Canvas, layout: &BarLayout) {
    let area = layout.area;
    let mut occupied_until = f64::NEG_INFINITY;
    for (value, label) in &layout.scale.ticks {
        let x = layout.x(*value);
        canvas.rule((x, area.top), (x, area.bottom()), if *value == 0.0 { ColourRole::Muted } else { ColourRole::Grid });
        let half_width = font::text_width(label, LABEL_FONT_PX, false) / 2.0;
        let middle = x.min(area.right() - half_width);
        if middle - half_width > occupied_until {
            canvas.text(label, middle, area.bottom() + LABEL_LINE_PX, Anchor::Middle, ColourRole::Muted);
            occupied_until = middle + half_width + LABEL_GAP_PX;
        }
    }
}

fn draw_bar(canvas: &mut Canvas, spec: &ChartSpec, figure: &Figure, layout: &BarLayout, category: usize, series: usize) {
    let thickness = layout.thickness;
    let top = layout.middle(category) + (series as f64 - figure.series.len() as f64 / 2.0) * thickness;
    let baseline = top + thickness / 2.0 + 4.0;
    match figure.series[series].points[category] {
        DataPoint::Value(value) => {
            let (left, right) = (layout.x(value.min(0.0)), layout.x(value.max(0.0)));
            let tooltip = figure.tooltip(series, category, value, spec.language);
            canvas.rect(
                Area { left, top, width: right - left, height: (thickness - thickness.min(1.0)).max(0.5) },
                ColourRole::Series(series),
                Some(&tooltip),
            );
            if layout.has_value_labels && value < 0.0 {
                canvas.text(&format_number(value, spec.language), left - 4.0, baseline, Anchor::End, ColourRole::Text);
            } else if layout.has_value_labels {
                canvas.text(&format_number(value, spec.language), right + 4.0, baseline, Anchor::Start, ColourRole::Text);
            }
        }
        DataPoint::Null if layout.has_value_labels => {
            canvas.text(spec.language.unknown(), layout.x(0.0) + 4.0, baseline, Anchor::Start, ColourRole::Muted);
        }
        DataPoint::Null | DataPoint::Missing => {}
    }
}
