//! SVG document of a chart: draws its parts on a canvas and adds the root element with the accessible texts.

use sha2::{Digest, Sha256};
use svg::node::Node;
use svg::node::element::Element;

use super::canvas::{Anchor, Area, Canvas, LABEL_FONT_PX, text_element};
use super::description::describe;
use super::figure::Figure;
use super::font::FONT_FAMILY;
use super::frame::Frame;
use super::sanitize::sanitize;
use super::spec::{ChartKind, ChartSpec};
use super::style::{self, ColourRole};
use super::{horizontal, vertical};
use crate::core::digest::hex_digest;
use crate::core::error::Result;

/// Renders a figure as an SVG document.
///
/// # Errors
/// Bad input if the requested height leaves no space for the plot.
pub(super) fn render(spec: &ChartSpec, figure: &Figure) -> Result<String> {
    let frame = Frame::new(spec, figure);
    let mut canvas = Canvas::new(spec.theme);
    let plot = frame.plot_area(spec, figure)?;
    let height = frame.image_height(plot);
    canvas.rect(Area { left: 0.0, top: 0.0, width: f64::from(spec.width), height }, ColourRole::Background, None);
    frame.draw(&mut canvas, spec, plot);
    if figure.values().next().is_none() {
        let (x, y) = (plot.left + plot.width / 2.0, plot.top + plot.height / 2.0);
        canvas.text(spec.language.no_data(), x, y, Anchor::Middle, ColourRole::Muted);
    } else if spec.kind == ChartKind::Bar && figure.is_categorical {
        horizontal::draw(&mut canvas, spec, figure, plot);
    } else {
        vertical::draw(&mut canvas, spec, figure, plot);
    }
    Ok(document(spec, figure, canvas, height))
}

/// The root element with the title and the description that screen readers announce.
fn document(spec: &ChartSpec, figure: &Figure, canvas: Canvas, height: f64) -> String {
    let title = spec
        .title
        .as_deref()
        .map(sanitize)
        .filter(|title| !title.is_empty())
        .unwrap_or_else(|| spec.language.default_title(&figure.y, &figure.x));
    let description = describe(spec, figure);
    // ids must not collide with those of other charts in the same page
    let digest = Sha256::digest(format!("{title}\n{description}\n{}\n{height}", spec.width));
    let id = format!("kc-{}", hex_digest(&digest[..5]));

    let mut root = Element::new("svg");
    root.assign("xmlns", "http://www.w3.org/2000/svg");
    root.assign("width", spec.width);
    root.assign("height", height);
    root.assign("viewBox", format!("0 0 {} {height}", spec.width));
    root.assign("lang", spec.language.tag());
    root.assign("role", "img");
    root.assign("aria-labelledby", format!("{id}-title {id}-desc"));
    root.assign("font-family", format!("{FONT_FAMILY}, Segoe UI, Roboto, Helvetica, Arial, sans-serif"));
    root.assign("font-size", LABEL_FONT_PX);
    for (tag, text) in [("title", &title), ("desc", &description)] {
        let mut element = text_element(tag, text);
        element.assign("id", format!("{id}-{tag}"));
        root.append(element);
    }
    if let Some(sheet) = style::style_sheet(spec.theme) {
        root.append(text_element("style", &sheet));
    }
    for element in canvas.into_elements() {
        root.append(element);
    }
    format!("{root}\n")
}
