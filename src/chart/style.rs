//! Colour themes. Series colours are distinguishable with colour-vision deficiency and contrast with the background.
//!
//! Each element carries the colour of one theme as an attribute, which no content security policy blocks. With
//! [`Theme::Auto`] a style sheet overrides these attributes if the reader's system prefers a dark scheme.

use std::fmt::Write;

use super::limits::MAX_SERIES;

/// Colour scheme of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, strum::EnumString)]
#[strum(serialize_all = "lowercase")]
pub enum Theme {
    /// Dark text on a light background.
    Light,
    /// Light text on a dark background.
    Dark,
    /// Follows the reader's system.
    #[default]
    Auto,
}

/// Colours of a theme, in hexadecimal notation.
#[derive(Debug)]
struct Palette {
    background: &'static str,
    text: &'static str,
    muted: &'static str,
    grid: &'static str,
    series: [&'static str; MAX_SERIES],
}

const LIGHT_PALETTE: Palette = Palette {
    background: "#ffffff",
    text: "#1b1f21",
    muted: "#565e62",
    grid: "#dde1e3",
    series: ["#0072b2", "#d55e00", "#4c1f00", "#11397b", "#7c433a", "#a88891", "#3496ef", "#af3e7c"],
};
const DARK_PALETTE: Palette = Palette {
    background: "#161b1d",
    text: "#eceff0",
    muted: "#aab3b7",
    grid: "#353d41",
    series: ["#56b4e9", "#e69f00", "#237086", "#d5e4c8", "#c92516", "#955be3", "#afbda2", "#539982"],
};

/// Purpose of an element, which determines its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColourRole {
    Background,
    Text,
    /// Secondary text and axes.
    Muted,
    Grid,
    /// The series at this index.
    Series(usize),
}

impl ColourRole {
    const ALL: [Self; 4 + MAX_SERIES] = [
        Self::Background,
        Self::Text,
        Self::Muted,
        Self::Grid,
        Self::Series(0),
        Self::Series(1),
        Self::Series(2),
        Self::Series(3),
        Self::Series(4),
        Self::Series(5),
        Self::Series(6),
        Self::Series(7),
    ];

    fn colour_in(self, palette: &Palette) -> &'static str {
        match self {
            Self::Background => palette.background,
            Self::Text => palette.text,
            Self::Muted => palette.muted,
            Self::Grid => palette.grid,
            Self::Series(index) => palette.series[index % MAX_SERIES],
        }
    }

    /// Colour of the element in a theme; [`Theme::Auto`] starts from the light one.
    pub(super) fn colour(self, theme: Theme) -> &'static str {
        self.colour_in(if theme == Theme::Dark { &DARK_PALETTE } else { &LIGHT_PALETTE })
    }

    fn class_suffix(self) -> String {
        match self {
            Self::Background => "ground".to_owned(),
            Self::Text => "text".to_owned(),
            Self::Muted => "quiet".to_owned(),
            Self::Grid => "grid".to_owned(),
            Self::Series(index) => format!("s{index}"),
        }
    }

    /// CSS class of a filled or stroked element; the prefix avoids collisions with classes of the embedding page.
    pub(super) fn class(self, is_stroke: bool) -> String {
        format!("kc-{}-{}", if is_stroke { "stroke" } else { "fill" }, self.class_suffix())
    }
}

/// Style sheet of a theme; only [`Theme::Auto`] needs one.
pub(super) fn style_sheet(theme: Theme) -> Option<String> {
    if theme != Theme::Auto {
        return None;
    }
    let mut sheet = String::from("@media (prefers-color-scheme:dark){");
    for role in ColourRole::ALL {
        let colour = role.colour_in(&DARK_PALETTE);
        let _ = write!(sheet, ".{}{{fill:{colour}}}.{}{{stroke:{colour}}}", role.class(false), role.class(true));
    }
    sheet.push('}');
    Some(sheet)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance as defined by WCAG 2.
    fn luminance(colour: &str) -> f64 {
        let channel = |at| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn text_and_series_meet_wcag_contrast() {
        for palette in [LIGHT_PALETTE, DARK_PALETTE] {
            for text in [palette.text, palette.muted] {
                assert!(contrast(text, palette.background) >= 4.5, "{text}");
            }
            for series in palette.series {
                assert!(contrast(series, palette.background) >= 3.0, "{series}");
            }
        }
    }
}
