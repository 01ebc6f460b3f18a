//! Problems of CSV tables name the correct line, for any input.

use std::fmt::Write;
use std::io::Cursor;
use std::sync::Arc;

use kurultai::interchange::csv::MappedTable;
use kurultai::interchange::mapping::{Mapping, References};
use kurultai::store::draft::InputProblem;
use proptest::prelude::*;

const MAPPING: &str = "type: person\nfields:\n  slug: slug\n  biography: {en: name}\n  birthDate: born\n";

/// Byte sequences that matter to a CSV parser, and others.
const FRAGMENTS: &[&[u8]] =
    &[b"a", b"\"", b"\"\"", b",", b"\n", b"\r\n", b"\r", b"1970-01-01", b"slug", b"\0", b"\xff", b"\xd0\xb0", b"\xef\xbb\xbf", b" "];

/// The number of valid records in a table, and its problems.
fn read(table: Vec<u8>) -> (usize, Vec<InputProblem>) {
    let file: Arc<str> = Arc::from("people.mapping.yaml");
    let mapping = Arc::new(Mapping::parse(&file, MAPPING).unwrap());
    let (mut records, mut problems) = (0, Vec::new());
    match MappedTable::open(&Arc::from("people.csv"), Box::new(Cursor::new(table)), &mapping) {
        Ok((table, _)) => {
            table.read_rows(&References::default(), |row| match row {
                Ok((_, draft)) if draft.problems.is_empty() => records += 1,
                Ok((_, draft)) => problems.extend(draft.problems),
                Err(error) => problems.extend(error.into_problems()),
            });
        }
        Err(found) => problems.extend(found),
    }
    (records, problems)
}

/// Quotes a cell.
fn quoted(cell: &str) -> String {
    format!("\"{}\"", cell.replace('"', "\"\""))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_parsed_or_rejected_with_a_valid_line(
        has_header in any::<bool>(),
        pieces in prop::collection::vec(prop::sample::select(FRAGMENTS), 0..60),
    ) {
        let header = if has_header { &b"slug,name,born\n"[..] } else { b"" };
        let bytes = [header, &pieces.concat()].concat();
        let lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).count();
        for problem in read(bytes).1 {
            // a column missing from the header is reported at its rule in the mapping
            let is_in_mapping = problem.origin.file.as_deref() == Some("people.mapping.yaml");
            let is_in_table = problem.origin.line.is_none_or(|line| (1..=lines).contains(&line));
            prop_assert!(is_in_mapping || is_in_table, "{problem} in {lines} lines");
        }
    }

    #[test]
    fn cell_problem_names_the_line_where_its_row_begins(
        end in prop::sample::select(&["\n", "\r\n", "\r"][..]),
        rows in prop::collection::vec((0..3usize, "[a-z ,\"\n]{0,12}", any::<bool>()), 1..12),
        has_bom in any::<bool>(),
        has_final_newline in any::<bool>(),
    ) {
        let mut text = format!("{}slug,name,born{end}", if has_bom { "\u{feff}" } else { "" });
        let mut line = 2;
        let mut expected = Vec::new();
        for (index, (blank, name, is_invalid)) in rows.iter().enumerate() {
            // empty lines are skipped
            text += &end.repeat(*blank);
            line += blank;
            if *is_invalid {
                expected.push(line);
            }
            write!(text, "p{index},{},{}", quoted(&format!("N{name}")), if *is_invalid { "1970-13-01" } else { "1970-12-01" }).unwrap();
            line += name.matches('\n').count() + 1;
            if has_final_newline || index + 1 < rows.len() {
                text += end;
            }
        }
        let (records, problems) = read(text.clone().into_bytes());
        let lines: Vec<usize> = problems.iter().map(|problem| problem.origin.line.unwrap()).collect();
        prop_assert_eq!(&lines, &expected, "{:?}: {:?}", text, problems.iter().map(ToString::to_string).collect::<Vec<_>>());
        prop_assert_eq!(records, rows.len() - expected.len());
    }
}
