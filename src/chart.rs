//! Bar and line charts of a table, rendered on the server as SVG or PNG.
//!
//! The SVG is self-contained: it can be embedded in a page, has a title and a description for screen readers, and follows
//! the colour scheme of the reader's system. The `svg` crate serializes elements and `resvg` rasterizes them. Layout and
//! axes are implemented here, because the chart crates that were evaluated (plotters, charts-rs, kuva, poloto) hard-code
//! a colour in each element or emit no accessible text.
//!
//! This module depends on typed columns and rows only; it knows neither GraphQL nor HTTP.

mod canvas;
mod description;
mod figure;
mod font;
mod frame;
mod horizontal;
mod labels;
mod limits;
mod png;
mod sanitize;
mod scale;
mod spec;
mod style;
mod svg;
mod vertical;

pub use labels::ChartLanguage;
pub use limits::{IMAGE_SIDE_PX, MAX_BARS, MAX_CHART_ROWS, MAX_LINE_POINTS, MAX_SERIES, MAX_TITLE_CHARS};
pub use spec::{ChartKind, ChartSpec};
pub use style::Theme;

use crate::core::error::Result;
use crate::tabular::{TableColumn, TableRows};

/// Renders a table as an SVG document.
///
/// # Errors
/// Bad input if the specification names a missing or unsuitable column, or if a limit of this module is exceeded.
pub fn render_svg(spec: &ChartSpec, columns: &[TableColumn], rows: &TableRows<'_>) -> Result<String> {
    spec.validate()?;
    let figure = figure::Figure::new(spec, columns, rows)?;
    svg::render(spec, &figure)
}

/// Renders a table as a PNG image. [`Theme::Auto`] becomes [`Theme::Light`], because pixels cannot follow the reader's
/// system.
///
/// # Errors
/// Those of [`render_svg`], and an internal error if the image cannot be rasterized.
pub fn render_png(spec: &ChartSpec, columns: &[TableColumn], rows: &TableRows<'_>) -> Result<Vec<u8>> {
    let theme = if spec.theme == Theme::Auto { Theme::Light } else { spec.theme };
    png::rasterize(&render_svg(&ChartSpec { theme, ..spec.clone() }, columns, rows)?)
}
