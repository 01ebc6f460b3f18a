//! Vertical bar charts and line charts: values go up, and categories go from left to right, spaced by their numbers or
//! dates if they have any.

use super::canvas::{Anchor, Area, Canvas, LABEL_FONT_PX, LABEL_LINE_PX};
use super::figure::{AxisPosition, DataPoint, Figure};
use super::font;
use super::scale::{Scale, whole_count};
use super::spec::{ChartKind, ChartSpec};
use super::style::ColourRole;

/// Space between a label and its neighbour, in pixels.
const LABEL_GAP_PX: f64 = 8.0;
/// Number of categories up to which each point of a line is marked with a dot; more dots would overlap.
const MAX_DOTTED_CATEGORIES: usize = 60;
/// Bar charts leave empty slots for absent numbers or dates while slots are fewer than this multiple of the categories.
const MAX_SLOTS_PER_CATEGORY: f64 = 3.0;

/// Horizontal positions of the categories, in pixels.
struct XAxis {
    /// Centre of each category.
    centres: Vec<f64>,
    /// Width available to each category.
    band: f64,
    ticks: Vec<(f64, String)>,
}

/// Draws both axes and the bars or lines.
pub(super) fn draw(canvas: &mut Canvas, spec: &ChartSpec, figure: &Figure, area: Area) {
    let scale = Scale::value_axis(figure.values(), spec.kind == ChartKind::Bar, whole_count(area.height / 45.0), spec.language);
    let labels_width = scale.ticks.iter().map(|(_, label)| font::text_width(label, LABEL_FONT_PX, false)).fold(0.0, f64::max).ceil();
    let labels_width = labels_width + LABEL_GAP_PX;
    let plot = Area { left: area.left + labels_width, width: (area.width - labels_width).max(20.0), ..area };
    let y_of = |value: f64| plot.bottom() - scale.fraction(value) * plot.height;
    for (value, label) in &scale.ticks {
        let y = y_of(*value);
        canvas.rule((plot.left, y), (plot.right(), y), if *value == 0.0 { ColourRole::Muted } else { ColourRole::Grid });
        canvas.text(label, plot.left - LABEL_GAP_PX, y + 4.0, Anchor::End, ColourRole::Muted);
    }
    let x_axis = match spec.kind {
        ChartKind::Bar => bar_x_axis(figure, plot),
        ChartKind::Line => line_x_axis(spec, figure, plot),
    };
    draw_tick_labels(canvas, &x_axis, plot, area.left);
    match spec.kind {
        ChartKind::Bar => draw_bars(canvas, spec, figure, &x_axis, y_of),
        ChartKind::Line => draw_lines(canvas, spec, figure, &x_axis, y_of),
    }
}

/// Slots of equal width. If the numbers or dates are nearly evenly spaced, an absent one leaves its slot empty.
fn bar_x_axis(figure: &Figure, plot: Area) -> XAxis {
    let count = figure.categories.len();
    let slots = figure.positions().and_then(|positions| {
        let interval = positions.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
        let slots: Vec<f64> = positions.iter().map(|position| ((position - positions[0]) / interval).round()).collect();
        let is_increasing = slots.windows(2).all(|pair| pair[1] > pair[0]);
        (is_increasing && interval > 0.0 && *slots.last()? < count as f64 * MAX_SLOTS_PER_CATEGORY).then_some(slots)
    });
    let slots = slots.unwrap_or_else(|| (0..count).map(|index| index as f64).collect());
    let band = plot.width / (slots.last().copied().unwrap_or(0.0) + 1.0);
    let centres = slots.iter().map(|slot| plot.left + (slot + 0.5) * band).collect();
    banded_x_axis(figure, centres, band)
}

/// A numeric or time axis if every category has a number or date; slots of equal width otherwise.
fn line_x_axis(spec: &ChartSpec, figure: &Figure, plot: Area) -> XAxis {
    let count = figure.categories.len();
    let inside = Area { left: plot.left + 6.0, width: plot.width - 12.0, ..plot };
    match figure.positions() {
        Some(positions) if count > 1 => {
            let (low, high) = (positions[0], positions[count - 1]);
            let target_ticks = whole_count(inside.width / 80.0);
            let is_time = figure.categories.iter().any(|category| matches!(category.position, AxisPosition::Day(_)));
            let scale = if is_time {
                Scale::time_axis(low, high, target_ticks)
            } else {
                Scale::numeric_axis(low, high, target_ticks, spec.language)
            };
            let x_of = |value: f64| inside.left + scale.fraction(value) * inside.width;
            let centres = positions.iter().map(|position| x_of(*position)).collect();
            let ticks = scale.ticks.iter().map(|(value, label)| (x_of(*value), label.clone())).collect();
            XAxis { centres, band: inside.width, ticks }
        }
        _ => {
            let band = plot.width / count as f64;
            let centres = (0..count).map(|index| plot.left + (index as f64 + 0.5) * band).collect();
            banded_x_axis(figure, centres, band)
        }
    }
}

/// An axis with a tick at each category.
fn banded_x_axis(figure: &Figure, centres: Vec<f64>, band: f64) -> XAxis {
    let ticks = centres.iter().copied().zip(figure.categories.iter().map(|category| category.label.clone())).collect();
    XAxis { centres, band, ticks }
}

/// Draws ticks and their labels, leaving out those that would overlap.
fn draw_tick_labels(canvas: &mut Canvas, x_axis: &XAxis, plot: Area, left: f64) {
    let max_width = x_axis.band.max(90.0).min(plot.width);
    let mut next_free_x = left;
    for (x, label) in &x_axis.ticks {
        let label = font::truncate(label, LABEL_FONT_PX, false, max_width);
        let half_width = font::text_width(&label, LABEL_FONT_PX, false) / 2.0;
        let middle = x.min(plot.right() - half_width).max(left + half_width);
        if middle - half_width >= next_free_x {
            canvas.rule((*x, plot.bottom()), (*x, plot.bottom() + 4.0), ColourRole::Muted);
            canvas.text(&label, middle, plot.bottom() + LABEL_LINE_PX, Anchor::Middle, ColourRole::Muted);
            next_free_x = middle + half_width + LABEL_GAP_PX;
        }
    }
}

fn draw_bars(canvas: &mut Canvas, spec: &ChartSpec, figure: &Figure, x_axis: &XAxis, y_of: impl Fn(f64) -> f64) {
    let count = figure.series.len() as f64;
    let thickness = (x_axis.band * 0.8 / count).min(60.0);
    let width = if count > 1.0 { thickness * 0.94 } else { thickness };
    for (index, series) in figure.series.iter().enumerate() {
        for (category, point) in series.points.iter().enumerate() {
            let DataPoint::Value(value) = *point else { continue };
            let left = x_axis.centres[category] + (index as f64 - count / 2.0) * thickness;
            let (top, bottom) = (y_of(value.max(0.0)), y_of(value.min(0.0)));
            let tooltip = figure.tooltip(index, category, value, spec.language);
            canvas.rect(Area { left, top, width, height: bottom - top }, ColourRole::Series(index), Some(&tooltip));
        }
    }
}

fn draw_lines(canvas: &mut Canvas, spec: &ChartSpec, figure: &Figure, x_axis: &XAxis, y_of: impl Fn(f64) -> f64) {
    for (index, series) in figure.series.iter().enumerate() {
        // a null value interrupts the line; a category without a row does not
        for segment in series.points.iter().enumerate().collect::<Vec<_>>().split(|(_, point)| **point == DataPoint::Null) {
            let values = segment.iter().filter_map(|(category, point)| match point {
                DataPoint::Value(value) => Some((*category, *value)),
                DataPoint::Missing | DataPoint::Null => None,
            });
            let values: Vec<(usize, f64)> = values.collect();
            let points: Vec<(f64, f64)> = values.iter().map(|(category, value)| (x_axis.centres[*category], y_of(*value))).collect();
            if points.len() > 1 {
                canvas.polyline(&points, index);
            }
            if points.len() == 1 || figure.categories.len() <= MAX_DOTTED_CATEGORIES {
                for ((x, y), (category, value)) in points.iter().zip(&values) {
                    let tooltip = figure.tooltip(index, *category, *value, spec.language);
                    canvas.circle(*x, *y, 3.0, ColourRole::Series(index), Some(&tooltip));
                }
            }
        }
    }
}
