//! Bars that stand and lines: values go up, and places are along the bottom, as far apart as their numbers or days are.

use super::draw::{Anchor, Area, Canvas, LINE, SIZE};
use super::figure::{At, Figure, Mark};
use super::scale::{self, Scale};
use super::style::Ink;
use super::{Kind, Spec, text};

const SPACE: f64 = 8.0;
/// Places that have a dot each on a line; more of them would be a smear.
const MOST_DOTS: usize = 60;

/// Where places are along the bottom.
struct Along {
    centres: Vec<f64>,
    /// Width that is free around each.
    room: f64,
    ticks: Vec<(f64, String)>,
}

pub(super) fn draw(canvas: &mut Canvas, spec: &Spec, figure: &Figure, area: Area) {
    let values = Scale::values(figure.values(), spec.kind == Kind::Bar, (area.height / 45.0) as usize, spec.words);
    let side = values.ticks.iter().map(|(_, label)| text::width(label, SIZE, false)).fold(0.0, f64::max).ceil() + SPACE;
    let plot = Area { left: area.left + side, width: (area.width - side).max(20.0), ..area };
    let up = |value: f64| plot.bottom() - values.share(value) * plot.height;
    for (value, label) in &values.ticks {
        let y = up(*value);
        canvas.rule((plot.left, y), (plot.right(), y), if *value == 0.0 { Ink::Quiet } else { Ink::Grid });
        canvas.text(label, plot.left - SPACE, y + 4.0, Anchor::End, Ink::Quiet);
    }
    let along = match spec.kind {
        Kind::Bar => bars_along(figure, plot),
        Kind::Line => line_along(spec, figure, plot),
    };
    labels(canvas, &along, plot, area.left);
    match spec.kind {
        Kind::Bar => bars(canvas, spec, figure, &along, up),
        Kind::Line => lines(canvas, spec, figure, &along, up),
    }
}

/// Slots of equal width. Where numbers or days are nearly evenly spaced, one that is missing leaves its slot empty.
fn bars_along(figure: &Figure, plot: Area) -> Along {
    let count = figure.places.len();
    let slots = figure.positions().and_then(|positions| {
        let nearest = positions.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
        let places: Vec<f64> = positions.iter().map(|at| ((at - positions[0]) / nearest).round()).collect();
        let apart = places.windows(2).all(|pair| pair[1] > pair[0]);
        (apart && nearest > 0.0 && *places.last()? < count as f64 * 3.0).then_some(places)
    });
    let slots = slots.unwrap_or_else(|| (0..count).map(|index| index as f64).collect());
    let room = plot.width / (slots.last().copied().unwrap_or(0.0) + 1.0);
    let centres: Vec<f64> = slots.iter().map(|slot| plot.left + (slot + 0.5) * room).collect();
    let ticks = centres.iter().copied().zip(figure.places.iter().map(|place| place.label.clone())).collect();
    Along { centres, room, ticks }
}

fn line_along(spec: &Spec, figure: &Figure, plot: Area) -> Along {
    let count = figure.places.len();
    let inside = Area { left: plot.left + 6.0, width: plot.width - 12.0, ..plot };
    match figure.positions() {
        Some(positions) if count > 1 => {
            let (low, high) = (positions[0], positions[count - 1]);
            let about = (inside.width / 80.0) as usize;
            let is_day = figure.places.iter().any(|place| matches!(place.at, At::Day(_)));
            let scale = if is_day { Scale::days(low, high, about) } else { Scale::numbers(low, high, about, spec.words) };
            let at = |value: f64| inside.left + scale.share(value) * inside.width;
            let centres = positions.iter().map(|position| at(*position)).collect();
            Along { centres, room: inside.width, ticks: scale.ticks.iter().map(|(value, label)| (at(*value), label.clone())).collect() }
        }
        _ => {
            let room = plot.width / count as f64;
            let centres: Vec<f64> = (0..count).map(|index| plot.left + (index as f64 + 0.5) * room).collect();
            let ticks = centres.iter().copied().zip(figure.places.iter().map(|place| place.label.clone())).collect();
            Along { centres, room, ticks }
        }
    }
}

/// Names of places, as many as there is room for.
fn labels(canvas: &mut Canvas, along: &Along, plot: Area, left: f64) {
    let room = along.room.max(90.0).min(plot.width);
    let mut free = left;
    for (x, label) in &along.ticks {
        let label = text::shorten(label, SIZE, false, room);
        let half = text::width(&label, SIZE, false) / 2.0;
        let middle = x.min(plot.right() - half).max(left + half);
        if middle - half >= free {
            canvas.rule((*x, plot.bottom()), (*x, plot.bottom() + 4.0), Ink::Quiet);
            canvas.text(&label, middle, plot.bottom() + LINE, Anchor::Middle, Ink::Quiet);
            free = middle + half + SPACE;
        }
    }
}

fn bars(canvas: &mut Canvas, spec: &Spec, figure: &Figure, along: &Along, up: impl Fn(f64) -> f64) {
    let count = figure.series.len() as f64;
    let thick = (along.room * 0.8 / count).min(60.0);
    for (number, series) in figure.series.iter().enumerate() {
        for (place, mark) in series.marks.iter().enumerate() {
            let Mark::Value(value) = *mark else { continue };
            let left = along.centres[place] + (number as f64 - count / 2.0) * thick;
            let (top, bottom) = (up(value.max(0.0)), up(value.min(0.0)));
            let width = if count > 1.0 { thick * 0.94 } else { thick };
            canvas.bar(
                Area { left, top, width, height: bottom - top },
                Ink::Series(number),
                Some(&tip(spec, figure, number, place, value)),
            );
        }
    }
}

fn lines(canvas: &mut Canvas, spec: &Spec, figure: &Figure, along: &Along, up: impl Fn(f64) -> f64) {
    for (number, series) in figure.series.iter().enumerate() {
        // a value that is unknown parts the line; a place that the series does not have is passed over
        for run in series.marks.iter().enumerate().collect::<Vec<_>>().split(|(_, mark)| **mark == Mark::Gap) {
            let values = run.iter().filter_map(|(place, mark)| match mark {
                Mark::Value(value) => Some((*place, *value)),
                Mark::None | Mark::Gap => None,
            });
            let values: Vec<(usize, f64)> = values.collect();
            let points: Vec<(f64, f64)> = values.iter().map(|(place, value)| (along.centres[*place], up(*value))).collect();
            if points.len() > 1 {
                canvas.line(&points, number);
            }
            if points.len() == 1 || figure.places.len() <= MOST_DOTS {
                for ((x, y), (place, value)) in points.iter().zip(&values) {
                    canvas.dot(*x, *y, 3.0, Ink::Series(number), Some(&tip(spec, figure, number, *place, *value)));
                }
            }
        }
    }
}

/// What is shown where a pointer is over a mark.
pub(super) fn tip(spec: &Spec, figure: &Figure, series: usize, place: usize, value: f64) -> String {
    let value = scale::number(value, spec.words);
    let place = &figure.places[place].label;
    match &figure.series[series].name {
        Some(name) => format!("{name}, {place}: {value}"),
        None => format!("{place}: {value}"),
    }
}
