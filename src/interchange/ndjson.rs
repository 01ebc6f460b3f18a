//! Parses newline-delimited JSON. Each line is an object of one entry, from a record type to the record.

use std::io::BufRead;
use std::sync::Arc;

use crate::catalog::catalog;
use crate::catalog::record::{Record, RecordKind};
use crate::entity::RecordType;
use crate::interchange::json;
use crate::interchange::problem::{invalid_utf8, unreadable};
use crate::store::draft;
use crate::store::draft::value_tree::{Tree, Value};
use crate::store::draft::{Draft, InputProblem, Origin};

/// Parses records line by line and passes each record, or the problems of a line without one, to `emit`. An I/O error or
/// invalid UTF-8 ends the file and is returned.
pub fn parse(
    file: &Arc<str>,
    mut reader: impl BufRead,
    mut emit: impl FnMut(Result<(RecordType, Draft), Vec<InputProblem>>),
) -> Result<(), InputProblem> {
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        match reader.read_until(b'\n', &mut bytes) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) => return Err(unreadable(file, &error)),
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| invalid_utf8(file, line))?;
        let text = if line == 1 { text.trim_start_matches('\u{FEFF}') } else { text };
        if !text.trim().is_empty() {
            let tree = json::parse_line(file, line, text).map_err(|problem| vec![problem]);
            emit(tree.and_then(|tree| parse_record(file, line, &tree)));
        }
    }
    Ok(())
}

fn parse_record(file: &Arc<str>, line: usize, tree: &Tree) -> Result<(RecordType, Draft), Vec<InputProblem>> {
    let origin = |path| Origin { file: Some(file.clone()), line: Some(line), path };
    let invalid = |message: String| Err(vec![InputProblem::new(origin(Vec::new()), message)]);
    let expected = "expected an object of one entry, from the record type to the record, such as {\"person\": {...}}";
    let Value::Map(entries) = &tree.value else {
        return invalid(format!("{expected}; found {}", tree.kind()));
    };
    let [(name, value)] = entries.as_slice() else {
        return invalid(format!("{expected}; found {} entries", entries.len()));
    };
    let mut records = catalog().all().filter(|record| record.kind == RecordKind::Record);
    let Some(record) = records.find(|record| record.singular() == *name || record.plural == name) else {
        let known: Vec<String> = catalog().all().filter(|record| record.kind == RecordKind::Record).map(Record::singular).collect();
        return invalid(format!("unknown record type \"{name}\"; expected one of {}", known.join(", ")));
    };
    if record.plural == name && record.singular() != *name {
        return invalid(format!("a line contains one record under its type; write {} instead of {name}", record.singular()));
    }
    Ok((record.ty, draft::parse::record(record, value, &origin(vec![name.clone().into()]))))
}
