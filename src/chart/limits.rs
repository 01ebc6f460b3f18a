//! Limits of a chart: what stays readable, and what bounds the time of rendering.

use std::ops::RangeInclusive;

/// Maximum number of series; more colours are hard to distinguish.
pub const MAX_SERIES: usize = 8;
/// Maximum number of bars in a bar chart, across all series.
pub const MAX_BARS: usize = 200;
/// Maximum number of points in a line chart, across all series.
pub const MAX_LINE_POINTS: usize = 5_000;
/// Maximum number of table rows that a chart is made from.
pub const MAX_CHART_ROWS: usize = 20_000;
/// Valid width and height of an image, in pixels.
pub const IMAGE_SIDE_PX: RangeInclusive<u32> = 160..=4_000;
/// Maximum length of a title, in characters.
pub const MAX_TITLE_CHARS: usize = 300;
