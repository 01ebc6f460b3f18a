//! Bars that lie, one below the other: names of places have room beside them, however long they are.

use super::draw::{Anchor, Area, Canvas, LINE, SIZE};
use super::figure::{Figure, Mark};
use super::scale::{self, Scale};
use super::style::Ink;
use super::vertical::tip;
use super::{Spec, text};

/// Share of the width that names may take.
const NAMES: f64 = 0.42;
const LABEL: f64 = 14.0;
const SPACE: f64 = 6.0;

fn names(figure: &Figure, width: f64, most: usize) -> Vec<Vec<String>> {
    figure.places.iter().map(|place| text::wrap(&place.label, SIZE, false, width * NAMES, most)).collect()
}

/// Height that such a plot should have.
pub(super) fn height(figure: &Figure, width: f64) -> f64 {
    let lines = names(figure, width, 3).iter().map(Vec::len).max().unwrap_or(1) as f64;
    let bars = if figure.series.len() == 1 { 18.0 } else { figure.series.len() as f64 * 13.0 };
    figure.places.len() as f64 * (bars.max(lines * LABEL) + 8.0)
}

pub(super) fn draw(canvas: &mut Canvas, spec: &Spec, figure: &Figure, area: Area) {
    let band = area.height / figure.places.len() as f64;
    let names = names(figure, area.width, ((band / LABEL) as usize).clamp(1, 3));
    let side = names.iter().flatten().map(|line| text::width(line, SIZE, false)).fold(0.0, f64::max).ceil() + SPACE;
    let thick = ((band - (band * 0.25).clamp(0.0, 12.0)) / figure.series.len() as f64).min(40.0);
    // one series has its values beside its bars
    let valued = figure.series.len() == 1 && band >= LABEL;
    let widest = |keep: fn(f64) -> bool| {
        figure
            .values()
            .filter(|value| keep(*value))
            .map(|value| text::width(&scale::number(value, spec.words), SIZE, false))
            .fold(0.0, f64::max)
    };
    let (before, after) = if valued { (widest(|value| value < 0.0), widest(|value| value >= 0.0)) } else { (0.0, 0.0) };
    let (before, after) = (if before > 0.0 { before + SPACE } else { 0.0 }, if after > 0.0 { after + SPACE } else { SPACE });
    let left = area.left + side + before;
    let room = (area.right() - after - left).max(20.0);

    let scale = Scale::values(figure.values(), true, ((room / 70.0) as usize).max(3), spec.words);
    let at = |value: f64| left + scale.share(value) * room;
    let mut taken = f64::NEG_INFINITY;
    for (value, label) in &scale.ticks {
        let x = at(*value);
        canvas.rule((x, area.top), (x, area.bottom()), if *value == 0.0 { Ink::Quiet } else { Ink::Grid });
        let half = text::width(label, SIZE, false) / 2.0;
        let middle = x.min(area.right() - half);
        if middle - half > taken {
            canvas.text(label, middle, area.bottom() + LINE, Anchor::Middle, Ink::Quiet);
            taken = middle + half + SPACE;
        }
    }
    let mut free = area.top - 1.0;
    for (index, lines) in names.iter().enumerate() {
        let middle = area.top + band * (index as f64 + 0.5);
        let top = middle - lines.len() as f64 * LABEL / 2.0;
        // in a height that is given there may be room for some names only
        if top >= free {
            for (line, name) in lines.iter().enumerate() {
                canvas.text(name, area.left + side - SPACE, top + (line as f64 + 1.0) * LABEL - 3.0, Anchor::End, Ink::Text);
            }
            free = top + lines.len() as f64 * LABEL;
        }
        for (number, series) in figure.series.iter().enumerate() {
            let top = middle + (number as f64 - figure.series.len() as f64 / 2.0) * thick;
            let base = top + thick / 2.0 + 4.0;
            match series.marks[index] {
                Mark::Value(value) => {
                    let (from, to) = (at(value.min(0.0)), at(value.max(0.0)));
                    let tip = tip(spec, figure, number, index, value);
                    canvas.bar(
                        Area { left: from, top, width: to - from, height: (thick - thick.min(1.0)).max(0.5) },
                        Ink::Series(number),
                        Some(&tip),
                    );
                    if valued && value < 0.0 {
                        canvas.text(&scale::number(value, spec.words), from - 4.0, base, Anchor::End, Ink::Text);
                    } else if valued {
                        canvas.text(&scale::number(value, spec.words), to + 4.0, base, Anchor::Start, Ink::Text);
                    }
                }
                Mark::Gap if valued => canvas.text(spec.words.unknown(), at(0.0) + 4.0, base, Anchor::Start, Ink::Quiet),
                Mark::Gap | Mark::None => {}
            }
        }
    }
}
