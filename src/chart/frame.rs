//! What is around the plot: the title and the legend above it, names of axes, and the source below.

use super::draw::{Anchor, Area, Canvas, LINE, SIZE};
use super::figure::Figure;
use super::style::Ink;
use super::{Kind, SIDES, Spec, horizontal, text};
use crate::core::error::{Result, bad_input};

/// Space around everything.
const MARGIN: f64 = 14.0;
const SMALL: f64 = 11.0;
const SWATCH: f64 = 18.0;
/// Least height of a plot in which anything can be read.
const LEAST: f64 = 60.0;

/// The text around the plot, broken into lines.
#[derive(Debug)]
pub(super) struct Frame {
    width: f64,
    title_size: f64,
    title: Vec<String>,
    /// Rows of the legend: where each series is, and how it is called.
    legend: Vec<Vec<(f64, usize, String)>>,
    /// Names of the axes: above the plot, and below it.
    above: Vec<String>,
    below: Vec<String>,
    notes: Vec<String>,
}

impl Frame {
    pub(super) fn new(spec: &Spec, figure: &Figure) -> Self {
        let width = f64::from(spec.width) - 2.0 * MARGIN;
        let title_size = if width < 400.0 { 15.0 } else { 18.0 };
        let title = spec.title.as_deref().map(text::clean).unwrap_or_default();
        let (above, below) = if spec.kind == Kind::Bar && figure.named { (&figure.x, &figure.y) } else { (&figure.y, &figure.x) };
        let mut notes = Vec::new();
        if figure.left_out > 0 {
            notes.extend(text::wrap(&spec.words.left_out(figure.left_out, &figure.x), SMALL, false, width, 2));
        }
        notes.extend(text::wrap(&text::clean(&spec.source), SMALL, false, width, 3));
        Self {
            width,
            title_size,
            title: text::wrap(&title, title_size, true, width, 5),
            legend: legend(figure, width),
            above: text::wrap(above, SIZE, false, width, 2),
            below: text::wrap(below, SIZE, false, width, 2),
            notes,
        }
    }

    fn top(&self) -> f64 {
        let title = self.title.len() as f64 * self.title_line() + if self.title.is_empty() { 0.0 } else { 6.0 };
        let legend = self.legend.len() as f64 * 20.0 + if self.legend.is_empty() { 0.0 } else { 6.0 };
        MARGIN + title + legend + self.above.len() as f64 * LINE + 8.0
    }

    fn bottom(&self) -> f64 {
        // ticks, the name of the axis, the source
        LINE + 6.0 + self.below.len() as f64 * LINE + 8.0 + self.notes.len() as f64 * (SMALL + 4.0) + MARGIN - 4.0
    }

    fn title_line(&self) -> f64 {
        (self.title_size * 1.3).round()
    }

    /// Where the plot is; in a height that is given there must be room for it.
    pub(super) fn plot(&self, spec: &Spec, figure: &Figure) -> Result<Area> {
        let around = self.top() + self.bottom();
        let least = (around + LEAST).ceil();
        let most = f64::from(*SIDES.end());
        let height = match spec.height {
            Some(height) if f64::from(height) < least => {
                return Err(bad_input(
                    "height",
                    format!("at this width the title, the legend and the source leave no room for the chart; give at least {least}"),
                ));
            }
            Some(height) => f64::from(height) - around,
            None if figure.values().next().is_none() => 120.0,
            None if spec.kind == Kind::Bar && figure.named => horizontal::height(figure, self.width),
            None => (self.width * 0.5).clamp(150.0, 420.0),
        };
        let height = height.min((most - around).max(LEAST)).floor();
        Ok(Area { left: MARGIN, top: self.top(), width: self.width, height })
    }

    /// Height of the whole image around this plot.
    pub(super) fn height(&self, plot: Area) -> f64 {
        (plot.bottom() + self.bottom()).round()
    }

    pub(super) fn draw(&self, canvas: &mut Canvas, spec: &Spec, plot: Area) {
        let mut y = MARGIN;
        for line in &self.title {
            canvas.text_of(line, (MARGIN, y + self.title_size), (self.title_size, true), Anchor::Start, Ink::Text);
            y += self.title_line();
        }
        if !self.title.is_empty() {
            y += 6.0;
        }
        for row in &self.legend {
            for (x, series, name) in row {
                let (left, middle) = (MARGIN + x, y + 10.0);
                match spec.kind {
                    Kind::Bar => canvas.bar(Area { left, top: middle - 6.0, width: 12.0, height: 12.0 }, Ink::Series(*series), None),
                    Kind::Line => canvas.line(&[(left, middle), (left + SWATCH, middle)], *series),
                }
                canvas.text(name, left + SWATCH + 5.0, middle + 4.0, Anchor::Start, Ink::Text);
            }
            y += 20.0;
        }
        if !self.legend.is_empty() {
            y += 6.0;
        }
        for line in &self.above {
            canvas.text(line, MARGIN, y + SIZE, Anchor::Start, Ink::Quiet);
            y += LINE;
        }
        let mut y = plot.bottom() + LINE + 6.0;
        for line in &self.below {
            canvas.text(line, MARGIN + self.width, y + SIZE, Anchor::End, Ink::Quiet);
            y += LINE;
        }
        y += 8.0;
        for line in &self.notes {
            canvas.text_of(line, (MARGIN, y + SMALL), (SMALL, false), Anchor::Start, Ink::Quiet);
            y += SMALL + 4.0;
        }
    }
}

/// The names of the series, as many in a row as there is room for.
fn legend(figure: &Figure, width: f64) -> Vec<Vec<(f64, usize, String)>> {
    let mut rows: Vec<Vec<(f64, usize, String)>> = Vec::new();
    let mut x = f64::INFINITY;
    for (index, series) in figure.series.iter().enumerate() {
        let Some(name) = &series.name else { continue };
        let name = text::shorten(name, SIZE, false, width - SWATCH - 5.0);
        let room = SWATCH + 5.0 + text::width(&name, SIZE, false);
        if x + room > width {
            rows.push(Vec::new());
            x = 0.0;
        }
        if let Some(row) = rows.last_mut() {
            row.push((x, index, name));
        }
        x += room + 16.0;
    }
    rows
}
