//! Any table is read, or told apart by its lines.

use std::io::Cursor;
use std::sync::Arc;

use kurultai::store::draft::InputProblem;
use kurultai::transfer::csv::Table;
use kurultai::transfer::mapping::{Mapping, Slugs};
use kurultai::transfer::yaml;
use proptest::prelude::*;

const MAPPING: &str = "type: person\nfields:\n  slug: slug\n  name: {en: name}\n  birthDate: born\n";

/// Bytes that say something to whoever reads tables, and others.
const PIECES: &[&[u8]] =
    &[b"a", b"\"", b"\"\"", b",", b"\n", b"\r\n", b"\r", b"1970-01-01", b"slug", b"\0", b"\xff", b"\xd0\xb0", b"\xef\xbb\xbf", b" "];

/// Number of records that a table holds, and what is wrong with it.
fn read(table: Vec<u8>) -> (usize, Vec<InputProblem>) {
    let file: Arc<str> = Arc::from("people.mapping.yaml");
    let mapping = Arc::new(Mapping::read(&file, &yaml::read(&file, MAPPING).unwrap()).unwrap());
    let (mut records, mut problems) = (0, Vec::new());
    match Table::open(&Arc::from("people.csv"), Box::new(Cursor::new(table)), &mapping) {
        Ok((table, _)) => table.read(&Slugs::new(), |read| match read {
            Ok(_) => records += 1,
            Err(wrong) => problems.extend(wrong),
        }),
        Err(wrong) => problems.extend(wrong),
    }
    (records, problems)
}

/// A cell as it is written: what would be taken for something else stands in quotation marks.
fn quoted(cell: &str) -> String {
    format!("\"{}\"", cell.replace('"', "\"\""))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused_with_a_line_that_is_there(
        has_heading in any::<bool>(),
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..60),
    ) {
        let heading = if has_heading { &b"slug,name,born\n"[..] } else { b"" };
        let bytes = [heading, &pieces.concat()].concat();
        let lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).count();
        for problem in read(bytes).1 {
            // what is missing in the heading is told where it is asked for, in the mapping
            let of_mapping = problem.origin.file.as_deref() == Some("people.mapping.yaml");
            let known = problem.origin.line.is_none_or(|line| (1..=lines).contains(&line));
            prop_assert!(of_mapping || known, "{problem} in {lines} lines");
        }
    }

    #[test]
    fn what_is_wrong_with_a_cell_is_told_with_the_line_where_its_record_begins(
        end in prop::sample::select(&["\n", "\r\n", "\r"][..]),
        rows in prop::collection::vec((0..3usize, "[a-z ,\"\n]{0,12}", any::<bool>()), 1..12),
        has_mark in any::<bool>(),
        ends in any::<bool>(),
    ) {
        let mut text = format!("{}slug,name,born{end}", if has_mark { "\u{feff}" } else { "" });
        let mut line = 2;
        let mut expected = Vec::new();
        for (place, (blank, name, is_wrong)) in rows.iter().enumerate() {
            // lines with nothing in them are no records
            text += &end.repeat(*blank);
            line += blank;
            if *is_wrong {
                expected.push(line);
            }
            text += &format!("p{place},{},{}", quoted(&format!("N{name}")), if *is_wrong { "1970-13-01" } else { "1970-12-01" });
            line += name.matches('\n').count() + 1;
            if ends || place + 1 < rows.len() {
                text += end;
            }
        }
        let (records, problems) = read(text.clone().into_bytes());
        let told: Vec<usize> = problems.iter().map(|problem| problem.origin.line.unwrap()).collect();
        prop_assert_eq!(&told, &expected, "{:?}: {:?}", text, problems.iter().map(ToString::to_string).collect::<Vec<_>>());
        prop_assert_eq!(records, rows.len() - expected.len());
    }
}
