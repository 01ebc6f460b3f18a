//! Frame around the plot: title and legend above it, names of the axes, and the attribution below it.

use super::canvas::{Anchor, Area, Canvas, LABEL_FONT_PX, LABEL_LINE_PX};
use super::figure::Figure;
use super::limits::IMAGE_SIDE_PX;
use super::sanitize::sanitize;
use super::spec::{ChartKind, ChartSpec};
use super::style::ColourRole;
use super::{font, horizontal};
use crate::core::error::{Result, bad_input};

/// Margin between the edge of the image and its content, in pixels.
const MARGIN_PX: f64 = 14.0;
/// Font size of notes, in pixels.
const NOTE_FONT_PX: f64 = 11.0;
/// Line height of notes, in pixels.
const NOTE_LINE_PX: f64 = NOTE_FONT_PX + 4.0;
/// Width of the sample of a series in the legend, in pixels.
const SWATCH_PX: f64 = 18.0;
/// Height of a row of the legend, in pixels.
const LEGEND_ROW_PX: f64 = 20.0;
/// Minimum height of a readable plot, in pixels.
const MIN_PLOT_PX: f64 = 60.0;

/// A series in the legend; `x` is relative to the left margin.
#[derive(Debug)]
struct LegendEntry {
    x: f64,
    series: usize,
    name: String,
}

type LegendRow = Vec<LegendEntry>;

/// Texts around the plot, wrapped into lines.
#[derive(Debug)]
pub(super) struct Frame {
    width: f64,
    title_font_px: f64,
    title: Vec<String>,
    legend: Vec<LegendRow>,
    /// Name of the axis above the plot.
    axis_above: Vec<String>,
    /// Name of the axis below the plot.
    axis_below: Vec<String>,
    notes: Vec<String>,
}

impl Frame {
    pub(super) fn new(spec: &ChartSpec, figure: &Figure) -> Self {
        let width = f64::from(spec.width) - 2.0 * MARGIN_PX;
        let title_font_px = if width < 400.0 { 15.0 } else { 18.0 };
        let title = spec.title.as_deref().map(sanitize).unwrap_or_default();
        let (above, below) =
            if spec.kind == ChartKind::Bar && figure.is_categorical { (&figure.x, &figure.y) } else { (&figure.y, &figure.x) };
        let mut notes = Vec::new();
        if figure.omitted_rows > 0 {
            notes.extend(font::wrap(&spec.language.omitted_rows(figure.omitted_rows, &figure.x), NOTE_FONT_PX, false, width, 2));
        }
        notes.extend(font::wrap(&sanitize(&spec.source), NOTE_FONT_PX, false, width, 3));
        Self {
            width,
            title_font_px,
            title: font::wrap(&title, title_font_px, true, width, 5),
            legend: legend(figure, width),
            axis_above: font::wrap(above, LABEL_FONT_PX, false, width, 2),
            axis_below: font::wrap(below, LABEL_FONT_PX, false, width, 2),
            notes,
        }
    }

    fn height_above(&self) -> f64 {
        let title = self.title.len() as f64 * self.title_line_px() + if self.title.is_empty() { 0.0 } else { 6.0 };
        let legend = self.legend.len() as f64 * LEGEND_ROW_PX + if self.legend.is_empty() { 0.0 } else { 6.0 };
        MARGIN_PX + title + legend + self.axis_above.len() as f64 * LABEL_LINE_PX + 8.0
    }

    fn height_below(&self) -> f64 {
        // tick labels, name of the axis, notes
        LABEL_LINE_PX + 6.0 + self.axis_below.len() as f64 * LABEL_LINE_PX + 8.0 + self.notes.len() as f64 * NOTE_LINE_PX + MARGIN_PX - 4.0
    }

    fn title_line_px(&self) -> f64 {
        (self.title_font_px * 1.3).round()
    }

    /// Area of the plot.
    ///
    /// # Errors
    /// Bad input if the requested height leaves less than [`MIN_PLOT_PX`] for the plot.
    pub(super) fn plot_area(&self, spec: &ChartSpec, figure: &Figure) -> Result<Area> {
        let frame_height = self.height_above() + self.height_below();
        let min_height = (frame_height + MIN_PLOT_PX).ceil();
        let max_height = f64::from(*IMAGE_SIDE_PX.end());
        let height = match spec.height {
            Some(height) if f64::from(height) < min_height => {
                let message =
                    format!("at this width the title, legend and source leave no space for the plot; specify at least {min_height}");
                return Err(bad_input("height", message));
            }
            Some(height) => f64::from(height) - frame_height,
            None if figure.values().next().is_none() => 120.0,
            None if spec.kind == ChartKind::Bar && figure.is_categorical => horizontal::preferred_height(figure, self.width),
            None => (self.width * 0.5).clamp(150.0, 420.0),
        };
        let height = height.min((max_height - frame_height).max(MIN_PLOT_PX)).floor();
        Ok(Area { left: MARGIN_PX, top: self.height_above(), width: self.width, height })
    }

    /// Height of the image with this plot area.
    pub(super) fn image_height(&self, plot: Area) -> f64 {
        (plot.bottom() + self.height_below()).round()
    }

    pub(super) fn draw(&self, canvas: &mut Canvas, spec: &ChartSpec, plot: Area) {
        let mut y = MARGIN_PX;
        for line in &self.title {
            canvas.text_sized(line, (MARGIN_PX, y + self.title_font_px), (self.title_font_px, true), Anchor::Start, ColourRole::Text);
            y += self.title_line_px();
        }
        if !self.title.is_empty() {
            y += 6.0;
        }
        for row in &self.legend {
            for LegendEntry { x, series, name } in row {
                let (left, middle) = (MARGIN_PX + x, y + 10.0);
                match spec.kind {
                    ChartKind::Bar => {
                        canvas.rect(Area { left, top: middle - 6.0, width: 12.0, height: 12.0 }, ColourRole::Series(*series), None);
                    }
                    ChartKind::Line => canvas.polyline(&[(left, middle), (left + SWATCH_PX, middle)], *series),
                }
                canvas.text(name, left + SWATCH_PX + 5.0, middle + 4.0, Anchor::Start, ColourRole::Text);
            }
            y += LEGEND_ROW_PX;
        }
        if !self.legend.is_empty() {
            y += 6.0;
        }
        for line in &self.axis_above {
            canvas.text(line, MARGIN_PX, y + LABEL_FONT_PX, Anchor::Start, ColourRole::Muted);
            y += LABEL_LINE_PX;
        }
        let mut y = plot.bottom() + LABEL_LINE_PX + 6.0;
        for line in &self.axis_below {
            canvas.text(line, MARGIN_PX + self.width, y + LABEL_FONT_PX, Anchor::End, ColourRole::Muted);
            y += LABEL_LINE_PX;
        }
        y += 8.0;
        for line in &self.notes {
            canvas.text_sized(line, (MARGIN_PX, y + NOTE_FONT_PX), (NOTE_FONT_PX, false), Anchor::Start, ColourRole::Muted);
            y += NOTE_LINE_PX;
        }
    }
}

/// Lays out the names of the series, as many in a row as fit.
fn legend(figure: &Figure, width: f64) -> Vec<LegendRow> {
    let mut rows: Vec<LegendRow> = Vec::new();
    let mut x = f64::INFINITY;
    for (index, series) in figure.series.iter().enumerate() {
        let Some(name) = &series.name else { continue };
        let name = font::truncate(name, LABEL_FONT_PX, false, width - SWATCH_PX - 5.0);
        let entry_width = SWATCH_PX + 5.0 + font::text_width(&name, LABEL_FONT_PX, false);
        if x + entry_width > width {
            rows.push(Vec::new());
            x = 0.0;
        }
        if let Some(row) = rows.last_mut() {
            row.push(LegendEntry { x, series: index, name });
        }
        x += entry_width + 16.0;
    }
    rows
}
