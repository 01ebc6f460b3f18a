//! Rasterizes the SVG of a chart.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb::Database};

use super::font::{BOLD, FONT_FAMILY, REGULAR};
use crate::core::error::{Result, internal};

/// The embedded fonts only, so that an image does not depend on the fonts of the host.
static FONTS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    for font in [REGULAR, BOLD] {
        fonts.load_font_data(font.to_vec());
    }
    fonts.set_sans_serif_family(FONT_FAMILY);
    Arc::new(fonts)
});

/// Renders an SVG document as a PNG image of the same size.
///
/// # Errors
/// Internal if the document cannot be parsed, has no size or cannot be encoded.
pub(super) fn rasterize(svg: &str) -> Result<Vec<u8>> {
    let options = Options { fontdb: FONTS.clone(), font_family: FONT_FAMILY.to_owned(), ..Options::default() };
    let tree = Tree::from_str(svg, &options).map_err(internal)?;
    let size = tree.size().to_int_size();
    let mut pixels = Pixmap::new(size.width(), size.height()).ok_or_else(|| internal("the chart has no size"))?;
    resvg::render(&tree, Transform::identity(), &mut pixels.as_mut());
    pixels.encode_png().map_err(internal)
}
