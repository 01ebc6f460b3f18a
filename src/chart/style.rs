//! Colours. Those of series can be told apart by readers who see few colours, and have contrast to the background.
//!
//! Elements have the colours of one theme as attributes, which no policy of a page forbids; a style sheet puts those of
//! the dark theme in their place where the reader's system is dark.

use std::fmt::Write;
use std::str::FromStr;

use super::MOST_SERIES;

/// Which colours a chart has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
    /// As the reader's system is.
    #[default]
    Auto,
}

impl FromStr for Theme {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "light" => Ok(Self::Light),
            "dark" => Ok(Self::Dark),
            "auto" => Ok(Self::Auto),
            _ => Err(()),
        }
    }
}

/// The colours of a theme.
#[derive(Debug)]
pub(super) struct Colours {
    background: &'static str,
    text: &'static str,
    quiet: &'static str,
    grid: &'static str,
    series: [&'static str; MOST_SERIES],
}

const LIGHT: Colours = Colours {
    background: "#ffffff",
    text: "#1b1f21",
    quiet: "#565e62",
    grid: "#dde1e3",
    series: ["#0072b2", "#d55e00", "#4c1f00", "#11397b", "#7c433a", "#a88891", "#3496ef", "#af3e7c"],
};
const DARK: Colours = Colours {
    background: "#161b1d",
    text: "#eceff0",
    quiet: "#aab3b7",
    grid: "#353d41",
    series: ["#56b4e9", "#e69f00", "#237086", "#d5e4c8", "#c92516", "#955be3", "#afbda2", "#539982"],
};

/// What an element is, by which it has its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Background,
    Text,
    Quiet,
    Grid,
    Series(usize),
}

impl Ink {
    const ALL: [Self; 4 + MOST_SERIES] = [
        Self::Background,
        Self::Text,
        Self::Quiet,
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

    fn of(self, colours: &Colours) -> &'static str {
        match self {
            Self::Background => colours.background,
            Self::Text => colours.text,
            Self::Quiet => colours.quiet,
            Self::Grid => colours.grid,
            Self::Series(index) => colours.series[index % MOST_SERIES],
        }
    }

    /// The colour that is written into the element.
    pub(super) fn colour(self, theme: Theme) -> &'static str {
        self.of(if theme == Theme::Dark { &DARK } else { &LIGHT })
    }

    fn name(self) -> String {
        match self {
            Self::Background => "ground".to_owned(),
            Self::Text => "text".to_owned(),
            Self::Quiet => "quiet".to_owned(),
            Self::Grid => "grid".to_owned(),
            Self::Series(index) => format!("s{index}"),
        }
    }

    /// The class of an element that is filled, or drawn as a line; the prefix keeps it apart from classes of the page.
    pub(super) fn class(self, line: bool) -> String {
        format!("kc-{}-{}", if line { "stroke" } else { "fill" }, self.name())
    }
}

/// The style sheet of a theme, if it needs one: only what follows the reader's system does.
pub(super) fn sheet(theme: Theme) -> Option<String> {
    if theme != Theme::Auto {
        return None;
    }
    let mut sheet = String::from("@media (prefers-color-scheme:dark){");
    for ink in Ink::ALL {
        let colour = ink.of(&DARK);
        let _ = write!(sheet, ".{}{{fill:{colour}}}.{}{{stroke:{colour}}}", ink.class(false), ink.class(true));
    }
    sheet.push('}');
    Some(sheet)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance after WCAG 2.
    fn luminance(colour: &str) -> f64 {
        let part = |at| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn text_and_marks_have_the_contrast_that_wcag_asks_for() {
        for colours in [LIGHT, DARK] {
            for text in [colours.text, colours.quiet] {
                assert!(contrast(text, colours.background) >= 4.5, "{text}");
            }
            for series in colours.series {
                assert!(contrast(series, colours.background) >= 3.0, "{series}");
            }
        }
    }
}
