//! Charts of tables: the SVG, its description, the PNG, the limits and the endpoint.

use std::borrow::Cow;

use kurultai::chart;
use kurultai::chart::{ChartKind, ChartLanguage, ChartSpec, Theme};
use kurultai::tabular::{ColumnType, TableColumn, TableRows, TableValue};
use rstest::rstest;

use crate::server::{On, Server};

fn spec(kind: ChartKind, x: &str, y: Option<&str>, series: Option<&str>) -> ChartSpec {
    ChartSpec {
        kind,
        x: x.to_owned(),
        y: y.map(str::to_owned),
        series: series.map(str::to_owned),
        title: Some("Cases under article 174".to_owned()),
        width: 640,
        height: None,
        theme: Theme::Auto,
        language: ChartLanguage::English,
        source: ChartLanguage::English.attribution(Some("2026-03-01")),
    }
}

fn columns(of: &[(&str, ColumnType)]) -> Vec<TableColumn> {
    of.iter().map(|(name, ty)| TableColumn { name: (*name).to_owned(), ty: *ty }).collect()
}

fn rows(of: Vec<Vec<TableValue<'static>>>) -> TableRows<'static> {
    let mut rows = TableRows::new(of.first().map_or(1, Vec::len));
    of.into_iter().flatten().for_each(|value| rows.push(value));
    rows
}

fn text(text: &'static str) -> TableValue<'static> {
    TableValue::Text(Cow::Borrowed(text))
}

fn integer(number: i64) -> TableValue<'static> {
    TableValue::Integer(number)
}

/// Renders a chart and checks that it is well formed, accessible and free of scripts and external resources.
fn render(spec: &ChartSpec, columns: &[TableColumn], rows: &TableRows<'_>) -> String {
    let svg = chart::render_svg(spec, columns, rows).unwrap();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let root = document.root_element();
    assert_eq!(root.attribute("role"), Some("img"));
    for id in root.attribute("aria-labelledby").unwrap().split(' ') {
        let named = root.children().find(|child| child.attribute("id") == Some(id)).unwrap();
        assert!(!named.text().unwrap().is_empty());
    }
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        assert!(!["script", "image", "use", "foreignObject", "a"].contains(&node.tag_name().name()), "{svg}");
        for attribute in node.attributes() {
            assert!(attribute.name() != "style" && attribute.name() != "href" && !attribute.name().starts_with("on"), "{svg}");
            let number = attribute.value().parse::<f64>();
            assert!(number.is_ok_and(f64::is_finite) || !["x", "y", "width", "height"].contains(&attribute.name()), "{svg}");
        }
        if node.tag_name().name() == "rect" {
            let side = |name: &str| node.attribute(name).unwrap().parse::<f64>().unwrap();
            assert!(side("width") >= 0.0 && side("height") >= 0.0 && side("x") >= -0.01 && side("y") >= -0.01, "{svg}");
            assert!(side("x") + side("width") <= f64::from(spec.width) + 0.01, "{svg}");
        }
    }
    svg
}

fn description(svg: &str) -> String {
    let document = roxmltree::Document::parse(svg).unwrap();
    document.descendants().find(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "desc"))).unwrap().text().unwrap().to_owned()
}

fn by_year() -> (Vec<TableColumn>, TableRows<'static>) {
    let years = ["2019", "2016", "2017", "2021", "2018", "2022"].into_iter().zip([31, 12, 25, 8, 27, 14_500]);
    (
        columns(&[("key", ColumnType::Date), ("count", ColumnType::Integer)]),
        rows(years.map(|(year, count)| vec![text(year), integer(count)]).collect()),
    )
}

fn regions() -> (Vec<TableColumn>, TableRows<'static>) {
    let names = [
        ("Түркістан облысының мамандандырылған ауданаралық қылмыстық істер жөніндегі соты", 17),
        ("Алматы қаласы", 9),
        ("Ұлытау облысы", 4),
        ("Шығыс Қазақстан облысы", 11),
        ("Өскемен", 0),
    ];
    (
        columns(&[("court.name", ColumnType::Text), ("count", ColumnType::Integer)]),
        rows(names.map(|(name, count)| vec![text(name), integer(count)]).into()),
    )
}

fn outcomes() -> (Vec<TableColumn>, TableRows<'static>) {
    let mut of = Vec::new();
    for (index, year) in (0_i64..).zip(["2015", "2016", "2017", "2018", "2019"]) {
        for (outcome, base) in [("Convicted", 10), ("Acquitted", 2), ("Dismissed & <closed>", 5)] {
            let value = if year == "2017" && outcome == "Acquitted" { TableValue::Null } else { integer(base + (index * 7) % 5) };
            of.push(vec![text(year), text(outcome), value]);
        }
    }
    (columns(&[("year", ColumnType::Date), ("outcome", ColumnType::Text), ("count", ColumnType::Integer)]), rows(of))
}

#[test]
fn bars_are_sorted_by_year_with_gaps_for_absent_years() {
    let (columns, rows) = by_year();
    insta::assert_snapshot!(render(&spec(ChartKind::Bar, "key", Some("count"), None), &columns, &rows));
}

#[test]
fn long_names_are_wrapped_beside_horizontal_bars() {
    let (columns, rows) = regions();
    let spec = ChartSpec {
        language: ChartLanguage::Kazakh,
        title: Some("Аймақтар бойынша істер".to_owned()),
        theme: Theme::Dark,
        ..spec(ChartKind::Bar, "court.name", Some("count"), None)
    };
    insta::assert_snapshot!(render(&spec, &columns, &rows));
}

#[test]
fn line_series_have_a_legend_and_break_at_null() {
    let (columns, rows) = outcomes();
    let svg = render(&spec(ChartKind::Line, "year", Some("count"), Some("outcome")), &columns, &rows);
    assert!(description(&svg).contains("2017: unknown"));
    insta::assert_snapshot!(svg);
}

#[test]
fn empty_table_shows_no_data() {
    let columns = columns(&[("key", ColumnType::Text), ("count", ColumnType::Integer)]);
    for kind in [ChartKind::Bar, ChartKind::Line] {
        let svg = render(&spec(kind, "key", Some("count"), None), &columns, &TableRows::new(2));
        assert!(description(&svg).contains("No data"));
        if kind == ChartKind::Bar {
            insta::assert_snapshot!(svg);
        }
    }
}

#[test]
fn rows_are_counted_without_a_y_column() {
    let columns = columns(&[("outcome", ColumnType::Text), ("open", ColumnType::Boolean)]);
    let rows = rows(vec![
        vec![text("Convicted"), TableValue::Boolean(true)],
        vec![text("Acquitted"), TableValue::Boolean(false)],
        vec![text("Convicted"), TableValue::Boolean(false)],
        vec![TableValue::Null, TableValue::Boolean(false)],
    ]);
    let by_outcome = render(&spec(ChartKind::Bar, "outcome", None, None), &columns, &rows);
    assert!(description(&by_outcome).contains("Convicted: 2; Acquitted: 1; unknown: 1"), "{}", description(&by_outcome));
    let by_outcome_and_open = render(&spec(ChartKind::Bar, "outcome", None, Some("open")), &columns, &rows);
    assert!(
        description(&by_outcome_and_open).contains("yes – Convicted: 1; Acquitted: 0; unknown: 0. no – Convicted: 1"),
        "{}",
        description(&by_outcome_and_open)
    );
}

#[rstest]
#[case::one_row(vec![("2020", TableValue::Integer(3))])]
#[case::one_unknown(vec![("2020", TableValue::Null)])]
#[case::negative(vec![("2020", TableValue::Number(-3.5)), ("2021", TableValue::Number(2.25)), ("2022", TableValue::Null)])]
#[case::only_negative(vec![("2020", TableValue::Integer(-3)), ("2021", TableValue::Integer(-1))])]
#[case::all_zero(vec![("2020", TableValue::Integer(0)), ("2021", TableValue::Integer(0))])]
#[case::no_number(vec![("2020", TableValue::Number(f64::NAN)), ("2021", TableValue::Number(f64::INFINITY))])]
#[case::big(vec![("2020", TableValue::Integer(i64::MAX)), ("2021", TableValue::Number(1e300)), ("2022", TableValue::Number(-1e-300))])]
#[case::one_inside_another(vec![("2020", TableValue::Integer(1)), ("2020-01", TableValue::Integer(2)), ("2020-01-01", TableValue::Integer(3))])]
#[case::far_apart(vec![("0001", TableValue::Integer(1)), ("1999-12-31", TableValue::Integer(2)), ("9999", TableValue::Integer(3))])]
fn every_table_renders_at_every_size(
    #[case] of: Vec<(&'static str, TableValue<'static>)>,
    #[values(ColumnType::Date, ColumnType::Text)] ty: ColumnType,
    #[values(ChartKind::Bar, ChartKind::Line)] kind: ChartKind,
    #[values(160, 320, 4_000)] width: u32,
) {
    let columns = columns(&[("x", ty), ("y", ColumnType::Number)]);
    let rows = rows(of.into_iter().map(|(x, y)| vec![text(x), y]).collect());
    render(&ChartSpec { width, ..spec(kind, "x", Some("y"), None) }, &columns, &rows);
}

#[test]
fn numbers_have_thousands_separators_and_signs() {
    let columns = columns(&[("x", ColumnType::Text), ("y", ColumnType::Number)]);
    let rows = rows(vec![vec![text("a"), integer(1_234_567)], vec![text("b"), TableValue::Number(-12.5)]]);
    let description = description(&render(&spec(ChartKind::Bar, "x", Some("y"), None), &columns, &rows));
    assert!(description.contains("a: 1\u{202f}234\u{202f}567; b: -12.5"), "{description}");
}

#[rstest]
#[case::x(("nope", None, None), "x: unknown column \"nope\"; available columns: key, count, text")]
#[case::y(("key", Some("nope"), None), "y: unknown column \"nope\"; available columns: key, count, text")]
#[case::series(("key", None, Some("")), "series: unknown column \"\"; available columns: key, count, text")]
#[case::not_a_number(("key", Some("text"), None), "y: column \"text\" is not numeric; choose one of count, or omit y to count rows")]
#[case::duplicate(("key", Some("count"), None), "x: several rows have the value \"2020\" in column \"key\"; set series to a column that distinguishes them, return one row for each value, or omit y to count rows")]
fn unsuitable_columns_are_rejected_with_alternatives(#[case] (x, y, series): (&str, Option<&str>, Option<&str>), #[case] message: &str) {
    let columns = columns(&[("key", ColumnType::Date), ("count", ColumnType::Integer), ("text", ColumnType::Text)]);
    let rows = rows(vec![vec![text("2020"), integer(1), text("a")], vec![text("2020"), integer(2), text("b")]]);
    let error = chart::render_svg(&spec(ChartKind::Bar, x, y, series), &columns, &rows).unwrap_err();
    assert_eq!(error.to_string(), message);
}

#[test]
fn exceeded_limits_are_named() {
    let columns = columns(&[("x", ColumnType::Integer), ("s", ColumnType::Integer), ("y", ColumnType::Integer)]);
    let table = |rows: std::ops::Range<i64>, series: i64| {
        let of = rows.map(|row| vec![integer(row), integer(row % series), integer(row)]).collect();
        self::rows(of)
    };
    let rendered = |kind, rows: &TableRows<'_>| {
        chart::render_svg(&spec(kind, "x", Some("y"), Some("s")), &columns, rows).map_err(|error| error.to_string())
    };
    assert!(rendered(ChartKind::Bar, &table(0..200, 8)).is_ok());
    assert!(rendered(ChartKind::Bar, &table(0..201, 8)).unwrap_err().contains("more than 200 bars"));
    assert!(rendered(ChartKind::Line, &table(0..5_000, 8)).is_ok());
    assert!(rendered(ChartKind::Line, &table(0..5_001, 8)).unwrap_err().contains("more than 5000 points"));
    assert!(rendered(ChartKind::Line, &table(0..9, 9)).unwrap_err().contains("\"s\" has more than 8 values"));
    let resized = |width, height| {
        let spec = ChartSpec { width, height, ..spec(ChartKind::Bar, "x", Some("y"), None) };
        chart::render_svg(&spec, &columns, &table(0..3, 1)).map_err(|error| error.to_string())
    };
    assert_eq!(resized(100, None).unwrap_err(), "width: must be between 160 and 4000 pixels");
    assert_eq!(resized(300, Some(4_001)).unwrap_err(), "height: must be between 160 and 4000 pixels");
    assert!(resized(160, Some(160)).unwrap_err().starts_with("height: at this width"));
}

#[rstest]
#[case::light(Theme::Light, [255, 255, 255])]
#[case::dark(Theme::Dark, [0x16, 0x1b, 0x1d])]
fn png_has_the_requested_size_and_content(#[case] theme: Theme, #[case] background: [u8; 3]) {
    let (columns, rows) = outcomes();
    let spec = ChartSpec { theme, width: 500, height: Some(400), ..spec(ChartKind::Bar, "year", Some("count"), Some("outcome")) };
    let png = chart::render_png(&spec, &columns, &rows).unwrap();
    let pixels = resvg::tiny_skia::Pixmap::decode_png(&png).unwrap();
    assert_eq!((pixels.width(), pixels.height()), (500, 400));
    let colour = |pixel: &resvg::tiny_skia::PremultipliedColorU8| [pixel.red(), pixel.green(), pixel.blue()];
    assert_eq!(colour(&pixels.pixels()[0]), background);
    let colours: std::collections::HashSet<[u8; 3]> = pixels.pixels().iter().map(colour).collect();
    assert!(colours.len() > 50, "{}", colours.len());
    // the title is rendered with the embedded font
    let title_pixels = pixels.pixels()[500 * 16..500 * 34].iter().filter(|pixel| colour(pixel) != background).count();
    assert!(title_pixels > 500, "{title_pixels}");
}

#[test]
fn only_the_auto_theme_has_a_style_sheet() {
    let (columns, rows) = by_year();
    for (theme, has_style_sheet) in [(Theme::Light, false), (Theme::Dark, false), (Theme::Auto, true)] {
        let svg = render(&ChartSpec { theme, ..spec(ChartKind::Bar, "key", Some("count"), None) }, &columns, &rows);
        assert_eq!(svg.contains("@media (prefers-color-scheme:dark){"), has_style_sheet);
    }
}

async fn get(server: &Server, format: &str, parameters: &[(&str, &str)]) -> reqwest::Response {
    let url = reqwest::Url::parse_with_params(&format!("{}/chart.{format}", server.address), parameters).unwrap();
    server.client.get(url).send().await.unwrap()
}

const LAWS: (&str, &str) = ("query", "{ laws(first: 50) { nodes { slug } } }");

#[rstest]
#[tokio::test]
async fn chart_endpoint_renders_a_query(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let response = get(&server, "svg", &[LAWS, ("x", "slug"), ("title", "Laws <i>&</i>")]).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "image/svg+xml; charset=utf-8");
    assert!(response.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    let svg = response.text().await.unwrap();
    let document = roxmltree::Document::parse(&svg).unwrap();
    assert!(document.descendants().any(|node| node.text() == Some("Laws <i>&</i>")));
    let bars = document.descendants().filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "rect"))).count();
    assert!(bars > 1, "{svg}");

    let response = get(&server, "png", &[LAWS, ("x", "slug"), ("width", "300"), ("height", "300"), ("theme", "dark")]).await;
    assert_eq!(response.headers()["content-type"], "image/png");
    let pixels = resvg::tiny_skia::Pixmap::decode_png(&response.bytes().await.unwrap()).unwrap();
    assert_eq!((pixels.width(), pixels.height()), (300, 300));

    for (parameters, message) in [
        (vec![LAWS, ("x", "nope")], "x: unknown column \\\"nope\\\"; available columns: slug"),
        (vec![LAWS], "x: name the column along the axis"),
        (vec![LAWS, ("x", "slug"), ("kind", "pie")], "kind: \\\"pie\\\" is not a kind of chart; write bar or line"),
        (vec![LAWS, ("x", "slug"), ("theme", "red")], "theme: \\\"red\\\" is not a theme"),
        (vec![LAWS, ("x", "slug"), ("width", "wide")], "width: \\\"wide\\\" is not a number of pixels"),
        (vec![LAWS, ("x", "slug"), ("colour", "red")], "there is no parameter \\\"colour\\\""),
    ] {
        let response = get(&server, "svg", &parameters).await;
        assert_eq!(response.status(), 400, "{parameters:?}");
        let text = response.text().await.unwrap();
        assert!(text.contains(message), "{text}");
    }
    assert_eq!(get(&server, "gif", &[LAWS, ("x", "slug")]).await.status(), 404);
}
