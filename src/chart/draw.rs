//! Elements of a chart, and the chart as a whole.

use std::fmt::Write;

use sha2::{Digest, Sha256};
use svg::node::Node;
use svg::node::Text;
use svg::node::element::Element;

use super::figure::Figure;
use super::frame::Frame;
use super::style::{self, Ink};
use super::text::{self, FAMILY};
use super::{Kind, Spec, Theme, horizontal, summary, vertical};
use crate::core::error::Result;

/// Size of most text, in pixels.
pub(super) const SIZE: f64 = 12.0;
/// Height of a line of such text.
pub(super) const LINE: f64 = 16.0;

/// Where a text stands relative to its position.
#[derive(Debug, Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A part of the image.
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

/// Takes the elements that are drawn.
#[derive(Debug)]
pub(super) struct Canvas {
    theme: Theme,
    elements: Vec<Element>,
}

/// A length with as many digits as can be seen.
pub(super) fn px(length: f64) -> f64 {
    (length * 100.0).round() / 100.0 + 0.0
}

fn element(name: &str, attributes: &[(&str, f64)]) -> Element {
    let mut element = Element::new(name);
    for (name, length) in attributes {
        element.assign(*name, px(*length));
    }
    element
}

fn with_text(name: &str, text: &str) -> Element {
    let mut element = Element::new(name);
    element.append(Text::new(text));
    element
}

impl Canvas {
    fn fill(&mut self, mut element: Element, ink: Ink, tip: Option<&str>) {
        element.assign("fill", ink.colour(self.theme));
        self.class(&mut element, ink, false);
        if let Some(tip) = tip {
            element.append(with_text("title", tip));
        }
        self.elements.push(element);
    }

    fn stroke(&mut self, mut element: Element, ink: Ink, width: f64) {
        element.assign("stroke", ink.colour(self.theme));
        element.assign("stroke-width", width);
        self.class(&mut element, ink, true);
        self.elements.push(element);
    }

    /// Only what follows the reader's system has classes.
    fn class(&self, element: &mut Element, ink: Ink, line: bool) {
        if self.theme == Theme::Auto {
            element.assign("class", ink.class(line));
        }
    }

    /// A text in one line, its baseline at `y`.
    pub(super) fn text(&mut self, text: &str, x: f64, y: f64, anchor: Anchor, ink: Ink) {
        self.text_of(text, (x, y), (SIZE, false), anchor, ink);
    }

    /// A text in one line of this size, bold or not.
    pub(super) fn text_of(&mut self, text: &str, (x, y): (f64, f64), (size, bold): (f64, bool), anchor: Anchor, ink: Ink) {
        let mut element = with_text("text", text);
        element.assign("x", px(x));
        element.assign("y", px(y));
        if size != SIZE {
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
        self.fill(element, ink, None);
    }

    pub(super) fn bar(&mut self, area: Area, ink: Ink, tip: Option<&str>) {
        let Area { left, top, width, height } = area;
        self.fill(element("rect", &[("x", left), ("y", top), ("width", width), ("height", height)]), ink, tip);
    }

    pub(super) fn dot(&mut self, x: f64, y: f64, radius: f64, ink: Ink, tip: Option<&str>) {
        self.fill(element("circle", &[("cx", x), ("cy", y), ("r", radius)]), ink, tip);
    }

    pub(super) fn rule(&mut self, from: (f64, f64), to: (f64, f64), ink: Ink) {
        self.stroke(element("line", &[("x1", from.0), ("y1", from.1), ("x2", to.0), ("y2", to.1)]), ink, 1.0);
    }

    /// A line through points, of the look of its series.
    pub(super) fn line(&mut self, points: &[(f64, f64)], series: usize) {
        let mut path = String::new();
        for (index, (x, y)) in points.iter().enumerate() {
            let _ = write!(path, "{}{} {}", if index == 0 { 'M' } else { 'L' }, px(*x), px(*y));
        }
        let mut element = Element::new("path");
        element.assign("d", path);
        element.assign("fill", "none");
        element.assign("stroke-linejoin", "round");
        // colours that are far along the list are nearer to each other
        if let Some(dashes) = [None, None, Some("7 3"), Some("2 3")][series / 2 % 4] {
            element.assign("stroke-dasharray", dashes);
        }
        self.stroke(element, Ink::Series(series), 2.0);
    }
}

/// Draws the chart as an SVG.
pub(super) fn draw(spec: &Spec, figure: &Figure) -> Result<String> {
    let frame = Frame::new(spec, figure);
    let mut canvas = Canvas { theme: spec.theme, elements: Vec::new() };
    let plot = frame.plot(spec, figure)?;
    let height = frame.height(plot);
    canvas.bar(Area { left: 0.0, top: 0.0, width: f64::from(spec.width), height }, Ink::Background, None);
    frame.draw(&mut canvas, spec, plot);
    if figure.values().next().is_none() {
        let (x, y) = (plot.left + plot.width / 2.0, plot.top + plot.height / 2.0);
        canvas.text(spec.words.no_data(), x, y, Anchor::Middle, Ink::Quiet);
    } else if spec.kind == Kind::Bar && figure.named {
        horizontal::draw(&mut canvas, spec, figure, plot);
    } else {
        vertical::draw(&mut canvas, spec, figure, plot);
    }
    Ok(root(spec, figure, canvas, height))
}

/// The root, with what a screen reader says.
fn root(spec: &Spec, figure: &Figure, canvas: Canvas, height: f64) -> String {
    let title =
        spec.title.as_deref().map(text::clean).filter(|title| !title.is_empty()).unwrap_or_else(|| spec.words.by(&figure.y, &figure.x));
    let summary = summary::summary(spec, figure);
    // names have to be apart from those of other charts in the same page
    let digest = Sha256::digest(format!("{title}\n{summary}\n{}\n{height}", spec.width));
    let name = digest[..5].iter().fold(String::from("kc-"), |name, byte| format!("{name}{byte:02x}"));

    let mut root = Element::new("svg");
    root.assign("xmlns", "http://www.w3.org/2000/svg");
    root.assign("width", spec.width);
    root.assign("height", height);
    root.assign("viewBox", format!("0 0 {} {height}", spec.width));
    root.assign("lang", spec.words.tag());
    root.assign("role", "img");
    root.assign("aria-labelledby", format!("{name}-title {name}-desc"));
    root.assign("font-family", format!("{FAMILY}, Segoe UI, Roboto, Helvetica, Arial, sans-serif"));
    root.assign("font-size", SIZE);
    for (tag, text) in [("title", &title), ("desc", &summary)] {
        let mut element = with_text(tag, text);
        element.assign("id", format!("{name}-{tag}"));
        root.append(element);
    }
    if let Some(sheet) = style::sheet(spec.theme) {
        root.append(with_text("style", &sheet));
    }
    for element in canvas.elements {
        root.append(element);
    }
    format!("{root}\n")
}
