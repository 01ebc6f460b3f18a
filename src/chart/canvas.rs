//! Drawing surface: collects SVG elements and gives each its colour.

use std::fmt::Write;

use svg::node::Node;
use svg::node::Text;
use svg::node::element::Element;

use super::style::{ColourRole, Theme};

/// Font size of labels, in pixels.
pub(super) const LABEL_FONT_PX: f64 = 12.0;
/// Line height of labels, in pixels.
pub(super) const LABEL_LINE_PX: f64 = 16.0;

/// Horizontal alignment of a text relative to its position.
#[derive(Debug, Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A rectangle of the image, in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Area {
    pub(super) fn right(&self) -> f64 {
        self.left + self.width
    }

    pub(super) fn bottom(&self) -> f64 {
        self.top + self.height
    }
}

/// SVG elements of the image, in drawing order.
#[derive(Debug)]
pub(super) struct Canvas {
    theme: Theme,
    elements: Vec<Element>,
}

/// Rounds a length to hundredths of a pixel, without a negative zero.
fn px(length: f64) -> f64 {
    (length * 100.0).round() / 100.0 + 0.0
}

fn shape(name: &str, attributes: &[(&str, f64)]) -> Element {
    let mut element = Element::new(name);
    for (name, length) in attributes {
        element.assign(*name, px(*length));
    }
    element
}

/// An element with a text as its only child.
pub(super) fn text_element(name: &str, text: &str) -> Element {
    let mut element = Element::new(name);
    element.append(Text::new(text));
    element
}

impl Canvas {
    pub(super) fn new(theme: Theme) -> Self {
        Self { theme, elements: Vec::new() }
    }

    pub(super) fn into_elements(self) -> Vec<Element> {
        self.elements
    }

    fn fill(&mut self, mut element: Element, role: ColourRole, tooltip: Option<&str>) {
        element.assign("fill", role.colour(self.theme));
        self.assign_class(&mut element, role, false);
        if let Some(tooltip) = tooltip {
            element.append(text_element("title", tooltip));
        }
        self.elements.push(element);
    }

    fn stroke(&mut self, mut element: Element, role: ColourRole, width: f64) {
        element.assign("stroke", role.colour(self.theme));
        element.assign("stroke-width", width);
        self.assign_class(&mut element, role, true);
        self.elements.push(element);
    }

    /// Sets the class that the style sheet of [`Theme::Auto`] selects; other themes have no style sheet.
    fn assign_class(&self, element: &mut Element, role: ColourRole, is_stroke: bool) {
        if self.theme == Theme::Auto {
            element.assign("class", role.class(is_stroke));
        }
    }

    /// Draws one line of text in the label font, with its baseline at `y`.
    pub(super) fn text(&mut self, text: &str, x: f64, y: f64, anchor: Anchor, role: ColourRole) {
        self.text_sized(text, (x, y), (LABEL_FONT_PX, false), anchor, role);
    }

    /// Draws one line of text in this font size, bold or regular, with its baseline at `y`.
    pub(super) fn text_sized(&mut self, text: &str, (x, y): (f64, f64), (size, bold): (f64, bool), anchor: Anchor, role: ColourRole) {
        let mut element = text_element("text", text);
        element.assign("x", px(x));
        element.assign("y", px(y));
        if size != LABEL_FONT_PX {
            element.assign("font-size", size);
        }
        if bold {
            element.assign("font-weight", "bold");
        }
        match anchor {
            Anchor::Start => {}
            Anchor::Middle => element.assign("text-anchor", "middle"),
            Anchor::End => element.assign("text-anchor", "end"),
        }
        self.fill(element, role, None);
    }

    /// Draws a filled rectangle.
    pub(super) fn rect(&mut self, area: Area, role: ColourRole, tooltip: Option<&str>) {
        let Area { left, top, width, height } = area;
        self.fill(shape("rect", &[("x", left), ("y", top), ("width", width), ("height", height)]), role, tooltip);
    }

    /// Draws a filled circle.
    pub(super) fn circle(&mut self, x: f64, y: f64, radius: f64, role: ColourRole, tooltip: Option<&str>) {
        self.fill(shape("circle", &[("cx", x), ("cy", y), ("r", radius)]), role, tooltip);
    }

    /// Draws a straight line one pixel wide, such as a grid line or a tick mark.
    pub(super) fn rule(&mut self, from: (f64, f64), to: (f64, f64), role: ColourRole) {
        self.stroke(shape("line", &[("x1", from.0), ("y1", from.1), ("x2", to.0), ("y2", to.1)]), role, 1.0);
    }

    /// Draws a line through points, in the colour and dash pattern of a series.
    pub(super) fn polyline(&mut self, points: &[(f64, f64)], series: usize) {
        let mut path = String::new();
        for (index, (x, y)) in points.iter().enumerate() {
            let _ = write!(path, "{}{} {}", if index == 0 { 'M' } else { 'L' }, px(*x), px(*y));
        }
        let mut element = Element::new("path");
        element.assign("d", path);
        element.assign("fill", "none");
        element.assign("stroke-linejoin", "round");
        // later colours of the palette are closer to each other
        if let Some(dashes) = [None, None, Some("7 3"), Some("2 3")][series / 2 % 4] {
            element.assign("stroke-dasharray", dashes);
        }
        self.stroke(element, ColourRole::Series(series), 2.0);
    }
}
