//! Specification of a chart, as the caller requests it.

use super::labels::ChartLanguage;
use super::limits::{IMAGE_SIDE_PX, MAX_TITLE_CHARS};
use super::style::Theme;
use crate::core::error::{Result, bad_input};

/// Kind of mark that represents the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChartKind {
    /// A bar for each value.
    Bar,
    /// A line through the values of each series.
    Line,
}

/// Columns, layout and texts of a chart.
#[derive(Debug, Clone)]
pub struct ChartSpec {
    /// Kind of mark.
    pub kind: ChartKind,
    /// Name of the column whose values are the categories of the x axis.
    pub x: String,
    /// Name of the numeric column with the values; rows are counted if not set.
    pub y: Option<String>,
    /// Name of the column that divides the rows into series.
    pub series: Option<String>,
    /// Title above the plot.
    pub title: Option<String>,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels; computed from the data if not set.
    pub height: Option<u32>,
    /// Colour scheme.
    pub theme: Theme,
    /// Language of generated labels.
    pub language: ChartLanguage,
    /// Attribution below the plot.
    pub source: String,
}

impl ChartSpec {
    /// Checks the size of the image and the length of the title.
    pub(super) fn validate(&self) -> Result<()> {
        for (name, side) in [("width", Some(self.width)), ("height", self.height)] {
            if side.is_some_and(|side| !IMAGE_SIDE_PX.contains(&side)) {
                let message = format!("must be between {} and {} pixels", IMAGE_SIDE_PX.start(), IMAGE_SIDE_PX.end());
                return Err(bad_input(name, message));
            }
        }
        if self.title.as_ref().is_some_and(|title| title.chars().count() > MAX_TITLE_CHARS) {
            return Err(bad_input("title", format!("must be at most {MAX_TITLE_CHARS} characters long")));
        }
        Ok(())
    }
}
