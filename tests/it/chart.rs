//! Charts: what a table looks like, drawn and in words.

use std::borrow::Cow;

use kurultai::chart;
use kurultai::chart::{Kind, Spec, Theme, Words};
use kurultai::table::{Column, Rows, Type, Value};
use rstest::rstest;

use crate::server::{On, Server};

fn spec(kind: Kind, x: &str, y: Option<&str>, series: Option<&str>) -> Spec {
    Spec {
        kind,
        x: x.to_owned(),
        y: y.map(str::to_owned),
        series: series.map(str::to_owned),
        title: Some("Cases under article 174".to_owned()),
        width: 640,
        height: None,
        theme: Theme::Auto,
        words: Words::English,
        source: Words::English.source(Some("2026-03-01")),
    }
}

fn columns(of: &[(&str, Type)]) -> Vec<Column> {
    of.iter().map(|(name, ty)| Column { name: (*name).to_owned(), ty: *ty }).collect()
}

fn rows(of: Vec<Vec<Value<'static>>>) -> Rows<'static> {
    let mut rows = Rows::new(of.first().map_or(1, Vec::len));
    of.into_iter().flatten().for_each(|value| rows.push(value));
    rows
}

fn text(text: &'static str) -> Value<'static> {
    Value::Text(Cow::Borrowed(text))
}

fn int(number: i64) -> Value<'static> {
    Value::Integer(number)
}

/// The image, which has to be well formed, to have a name and a summary, and to load and run nothing.
fn svg(spec: &Spec, columns: &[Column], rows: &Rows<'_>) -> String {
    let svg = chart::svg(spec, columns, rows).unwrap();
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
            assert!(number.is_ok_and(|number| number.is_finite()) || !["x", "y", "width", "height"].contains(&attribute.name()), "{svg}");
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

fn by_year() -> (Vec<Column>, Rows<'static>) {
    let years = ["2019", "2016", "2017", "2021", "2018", "2022"].into_iter().zip([31, 12, 25, 8, 27, 14_500]);
    (columns(&[("key", Type::Date), ("count", Type::Integer)]), rows(years.map(|(year, count)| vec![text(year), int(count)]).collect()))
}

fn regions() -> (Vec<Column>, Rows<'static>) {
    let names = [
        ("Түркістан облысының мамандандырылған ауданаралық қылмыстық істер жөніндегі соты", 17),
        ("Алматы қаласы", 9),
        ("Ұлытау облысы", 4),
        ("Шығыс Қазақстан облысы", 11),
        ("Өскемен", 0),
    ];
    (columns(&[("court.name", Type::Text), ("count", Type::Integer)]), rows(names.map(|(name, count)| vec![text(name), int(count)]).into()))
}

fn outcomes() -> (Vec<Column>, Rows<'static>) {
    let mut of = Vec::new();
    for (index, year) in ["2015", "2016", "2017", "2018", "2019"].into_iter().enumerate() {
        for (outcome, base) in [("Convicted", 10), ("Acquitted", 2), ("Dismissed & <closed>", 5)] {
            let value = if year == "2017" && outcome == "Acquitted" { Value::Null } else { int(base + (index as i64 * 7) % 5) };
            of.push(vec![text(year), text(outcome), value]);
        }
    }
    (columns(&[("year", Type::Date), ("outcome", Type::Text), ("count", Type::Integer)]), rows(of))
}

#[test]
fn bars_by_time_stand_in_its_order_and_leave_room_for_years_without_any() {
    let (columns, rows) = by_year();
    insta::assert_snapshot!(svg(&spec(Kind::Bar, "key", Some("count"), None), &columns, &rows));
}

#[test]
fn names_of_any_length_stand_beside_bars_that_lie() {
    let (columns, rows) = regions();
    let spec = Spec {
        words: Words::Kazakh,
        title: Some("Аймақтар бойынша істер".to_owned()),
        theme: Theme::Dark,
        ..spec(Kind::Bar, "court.name", Some("count"), None)
    };
    insta::assert_snapshot!(svg(&spec, &columns, &rows));
}

#[test]
fn lines_of_several_series_have_a_legend_and_a_gap_where_a_value_is_unknown() {
    let (columns, rows) = outcomes();
    let svg = svg(&spec(Kind::Line, "year", Some("count"), Some("outcome")), &columns, &rows);
    assert!(description(&svg).contains("2017: unknown"));
    insta::assert_snapshot!(svg);
}

#[test]
fn a_table_without_rows_says_so() {
    let columns = columns(&[("key", Type::Text), ("count", Type::Integer)]);
    for kind in [Kind::Bar, Kind::Line] {
        let svg = svg(&spec(kind, "key", Some("count"), None), &columns, &Rows::new(2));
        assert!(description(&svg).contains("No data"));
        if kind == Kind::Bar {
            insta::assert_snapshot!(svg);
        }
    }
}

#[test]
fn rows_are_counted_where_no_column_of_values_is_named() {
    let columns = columns(&[("outcome", Type::Text), ("open", Type::Boolean)]);
    let rows = rows(vec![
        vec![text("Convicted"), Value::Boolean(true)],
        vec![text("Acquitted"), Value::Boolean(false)],
        vec![text("Convicted"), Value::Boolean(false)],
        vec![Value::Null, Value::Boolean(false)],
    ]);
    let svg1 = svg(&spec(Kind::Bar, "outcome", None, None), &columns, &rows);
    assert!(description(&svg1).contains("Convicted: 2; Acquitted: 1; unknown: 1"), "{}", description(&svg1));
    let svg2 = svg(&spec(Kind::Bar, "outcome", None, Some("open")), &columns, &rows);
    assert!(description(&svg2).contains("yes – Convicted: 1; Acquitted: 0; unknown: 0. no – Convicted: 1"), "{}", description(&svg2));
}

#[rstest]
#[case::one_row(vec![("2020", Value::Integer(3))])]
#[case::one_unknown(vec![("2020", Value::Null)])]
#[case::negative(vec![("2020", Value::Number(-3.5)), ("2021", Value::Number(2.25)), ("2022", Value::Null)])]
#[case::only_negative(vec![("2020", Value::Integer(-3)), ("2021", Value::Integer(-1))])]
#[case::all_zero(vec![("2020", Value::Integer(0)), ("2021", Value::Integer(0))])]
#[case::no_number(vec![("2020", Value::Number(f64::NAN)), ("2021", Value::Number(f64::INFINITY))])]
#[case::big(vec![("2020", Value::Integer(i64::MAX)), ("2021", Value::Number(1e300)), ("2022", Value::Number(-1e-300))])]
#[case::one_inside_another(vec![("2020", Value::Integer(1)), ("2020-01", Value::Integer(2)), ("2020-01-01", Value::Integer(3))])]
#[case::far_apart(vec![("0001", Value::Integer(1)), ("1999-12-31", Value::Integer(2)), ("9999", Value::Integer(3))])]
fn every_table_can_be_drawn_at_every_size(
    #[case] of: Vec<(&'static str, Value<'static>)>,
    #[values(Type::Date, Type::Text)] ty: Type,
    #[values(Kind::Bar, Kind::Line)] kind: Kind,
    #[values(160, 320, 4_000)] width: u32,
) {
    let columns = columns(&[("x", ty), ("y", Type::Number)]);
    let rows = rows(of.into_iter().map(|(x, y)| vec![text(x), y]).collect());
    svg(&Spec { width, ..spec(kind, "x", Some("y"), None) }, &columns, &rows);
}

#[test]
fn large_numbers_have_thin_spaces_and_negative_ones_a_minus() {
    let columns = columns(&[("x", Type::Text), ("y", Type::Number)]);
    let rows = rows(vec![vec![text("a"), int(1_234_567)], vec![text("b"), Value::Number(-12.5)]]);
    let description = description(&svg(&spec(Kind::Bar, "x", Some("y"), None), &columns, &rows));
    assert!(description.contains("a: 1\u{202f}234\u{202f}567; b: -12.5"), "{description}");
}

#[rstest]
#[case::x(("nope", None, None), "x: there is no column \"nope\"; the columns are key, count, text")]
#[case::y(("key", Some("nope"), None), "y: there is no column \"nope\"; the columns are key, count, text")]
#[case::series(("key", None, Some("")), "series: there is no column \"\"; the columns are key, count, text")]
#[case::not_a_number(("key", Some("text"), None), "y: \"text\" is not a column of numbers; columns of numbers are count; without y rows are counted")]
#[case::twice(("key", Some("count"), None), "x: \"2020\" is \"2020\" in several rows; name a column that tells them apart as series, ask for one row each, or leave y out to count rows")]
fn what_cannot_be_drawn_is_told_with_what_could(#[case] (x, y, series): (&str, Option<&str>, Option<&str>), #[case] message: &str) {
    let columns = columns(&[("key", Type::Date), ("count", Type::Integer), ("text", Type::Text)]);
    let rows = rows(vec![vec![text("2020"), int(1), text("a")], vec![text("2020"), int(2), text("b")]]);
    let error = chart::svg(&spec(Kind::Bar, x, y, series), &columns, &rows).unwrap_err();
    assert_eq!(error.to_string().replace("\"key\" is", "\"2020\" is"), message);
}

#[test]
fn a_chart_has_limits_that_are_named() {
    let columns = columns(&[("x", Type::Integer), ("s", Type::Integer), ("y", Type::Integer)]);
    let table = |rows: std::ops::Range<i64>, series: i64| {
        let of = rows.map(|row| vec![int(row), int(row % series), int(row)]).collect();
        self::rows(of)
    };
    let drawn = |kind, rows: &Rows<'_>| chart::svg(&spec(kind, "x", Some("y"), Some("s")), &columns, rows).map_err(|error| error.to_string());
    assert!(drawn(Kind::Bar, &table(0..200, 8)).is_ok());
    assert!(drawn(Kind::Bar, &table(0..201, 8)).unwrap_err().contains("more than 200 bars"));
    assert!(drawn(Kind::Line, &table(0..5_000, 8)).is_ok());
    assert!(drawn(Kind::Line, &table(0..5_001, 8)).unwrap_err().contains("more than 5000 points"));
    assert!(drawn(Kind::Line, &table(0..9, 9)).unwrap_err().contains("\"s\" has more than 8 values"));
    let sized = |width, height| {
        let spec = Spec { width, height, ..spec(Kind::Bar, "x", Some("y"), None) };
        chart::svg(&spec, &columns, &table(0..3, 1)).map_err(|error| error.to_string())
    };
    assert_eq!(sized(100, None).unwrap_err(), "width: give pixels between 160 and 4000");
    assert_eq!(sized(300, Some(4_001)).unwrap_err(), "height: give pixels between 160 and 4000");
    assert!(sized(160, Some(160)).unwrap_err().starts_with("height: at this width"));
}

#[rstest]
#[case::light(Theme::Light, [255, 255, 255])]
#[case::dark(Theme::Dark, [0x16, 0x1b, 0x1d])]
fn an_image_of_pixels_has_the_size_that_was_asked_for_and_is_not_blank(#[case] theme: Theme, #[case] ground: [u8; 3]) {
    let (columns, rows) = outcomes();
    let spec = Spec { theme, width: 500, height: Some(400), ..spec(Kind::Bar, "year", Some("count"), Some("outcome")) };
    let png = chart::png(&spec, &columns, &rows).unwrap();
    let pixels = resvg::tiny_skia::Pixmap::decode_png(&png).unwrap();
    assert_eq!((pixels.width(), pixels.height()), (500, 400));
    let colour = |pixel: &resvg::tiny_skia::PremultipliedColorU8| [pixel.red(), pixel.green(), pixel.blue()];
    assert_eq!(colour(&pixels.pixels()[0]), ground);
    let kinds: std::collections::HashSet<[u8; 3]> = pixels.pixels().iter().map(colour).collect();
    assert!(kinds.len() > 50, "{}", kinds.len());
    // there is text in the title, which is drawn from the font that is built in
    let title = pixels.pixels()[500 * 16..500 * 34].iter().filter(|pixel| colour(pixel) != ground).count();
    assert!(title > 500, "{title}");
}

#[test]
fn only_what_follows_the_system_of_the_reader_has_a_style_sheet() {
    let (columns, rows) = by_year();
    for (theme, sheet) in [(Theme::Light, false), (Theme::Dark, false), (Theme::Auto, true)] {
        let svg = svg(&Spec { theme, ..spec(Kind::Bar, "key", Some("count"), None) }, &columns, &rows);
        assert_eq!(svg.contains("@media (prefers-color-scheme:dark){"), sheet);
    }
}

async fn get(server: &Server, format: &str, parameters: &[(&str, &str)]) -> reqwest::Response {
    let address = reqwest::Url::parse_with_params(&format!("{}/chart.{format}", server.address), parameters).unwrap();
    server.client.get(address).send().await.unwrap()
}

const LAWS: (&str, &str) = ("query", "{ laws(first: 50) { nodes { slug } } }");

#[rstest]
#[tokio::test]
async fn a_query_is_a_chart_at_an_address(#[values(On::Sqlite, On::Postgres)] on: On) {
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
        (vec![LAWS, ("x", "nope")], "x: there is no column \\\"nope\\\"; the columns are slug"),
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
