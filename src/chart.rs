//! Charts of a table, drawn on the server: an SVG that can be put into an article as it is, and a PNG of it.
//!
//! Elements are written by the `svg` crate and pixels by `resvg`. The chart crates that were looked at
//! (plotters, charts-rs, kuva, poloto) write colours into each element or give the image no text for screen
//! readers, so dark mode and descriptions could not be had from them; axes and layout are therefore here.
//! This module knows typed columns and rows, and neither GraphQL nor HTTP.

mod draw;
mod figure;
mod frame;
mod horizontal;
mod png;
mod scale;
mod style;
mod summary;
mod text;
mod vertical;
mod word;

use std::ops::RangeInclusive;

pub use style::Theme;
pub use word::Words;

use crate::core::error::{Result, bad_input};
use crate::table::{Column, Rows};

/// Series that one chart may have: more colours than this cannot be told apart.
pub const MOST_SERIES: usize = 8;
/// Bars of a bar chart, at most, over all its series.
pub const MOST_BARS: usize = 200;
/// Points of a line chart, at most, over all its series.
pub const MOST_POINTS: usize = 5_000;
/// Rows that a chart is drawn from, at most.
pub const MOST_ROWS: usize = 20_000;
/// Sides of an image in pixels: the least and the most.
pub const SIDES: RangeInclusive<u32> = 160..=4_000;
/// Characters of a title, at most.
pub const MOST_TITLE: usize = 300;

/// What the marks are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A bar for each value.
    Bar,
    /// A line through the values of each series.
    Line,
}

/// What is to be drawn.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Bars or lines.
    pub kind: Kind,
    /// Column along the axis.
    pub x: String,
    /// Column of the values; without it rows are counted.
    pub y: Option<String>,
    /// Column that parts the rows into series.
    pub series: Option<String>,
    /// Title above the chart.
    pub title: Option<String>,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels; without it as high as the chart needs.
    pub height: Option<u32>,
    /// Light, dark, or as the reader's system is.
    pub theme: Theme,
    /// Language of the words that are ours.
    pub words: Words,
    /// Where the data is from.
    pub source: String,
}

/// Draws a table as an SVG.
pub fn svg(spec: &Spec, columns: &[Column], rows: &Rows<'_>) -> Result<String> {
    for (name, side) in [("width", Some(spec.width)), ("height", spec.height)] {
        if side.is_some_and(|side| !SIDES.contains(&side)) {
            return Err(bad_input(name, format!("give pixels between {} and {}", SIDES.start(), SIDES.end())));
        }
    }
    if spec.title.as_ref().is_some_and(|title| title.chars().count() > MOST_TITLE) {
        return Err(bad_input("title", format!("a title has {MOST_TITLE} characters at most")));
    }
    let figure = figure::Figure::new(spec, columns, rows)?;
    draw::draw(spec, &figure)
}

/// Draws a table as a PNG; where the theme is left to the reader's system it is the light one, for pixels know no system.
pub fn png(spec: &Spec, columns: &[Column], rows: &Rows<'_>) -> Result<Vec<u8>> {
    let theme = if spec.theme == Theme::Auto { Theme::Light } else { spec.theme };
    png::png(&svg(&Spec { theme, ..spec.clone() }, columns, rows)?)
}
