//! Reads JSON with one record a line: a map of one entry, from the type of the record to the record.

use std::io::BufRead;
use std::sync::Arc;

use crate::catalog::record::{RecordKind, catalog};
use crate::entity::RecordType;
use crate::store::draft;
use crate::store::draft::value_tree::{Tree, Value};
use crate::store::draft::{Draft, InputProblem, Origin};
use crate::transfer::input::{cannot_read, not_utf8};
use crate::transfer::json;

/// Reads records line by line and hands each on with its line, or what is wrong with it.
pub fn read(file: &Arc<str>, mut reader: impl BufRead, mut each: impl FnMut(Result<(RecordType, Draft), Vec<InputProblem>>)) {
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        match reader.read_until(b'\n', &mut bytes) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => return each(Err(vec![cannot_read(file, &error)])),
        }
        let Ok(text) = std::str::from_utf8(&bytes) else { return each(Err(vec![not_utf8(file, number)])) };
        let text = if number == 1 { text.trim_start_matches('\u{FEFF}') } else { text };
        if !text.trim().is_empty() {
            each(json::read_line(file, number, text).map_err(|problem| vec![problem]).and_then(|tree| record(file, number, &tree)));
        }
    }
}

fn record(file: &Arc<str>, line: usize, tree: &Tree) -> Result<(RecordType, Draft), Vec<InputProblem>> {
    let origin = |path: &str| Origin { file: Some(file.clone()), line: Some(line), path: path.to_owned() };
    let wrong = |message: String| Err(vec![InputProblem::new(origin(""), message)]);
    let Value::Map(entries) = &tree.value else {
        return wrong(format!(
            "this is {}; a line is a map from the type of a record to the record, such as {{\"person\": {{...}}}}",
            tree.kind()
        ));
    };
    let [(name, value)] = entries.as_slice() else {
        return wrong(format!(
            "there are {} entries; a line is a map of one entry, from the type of a record to the record, such as {{\"person\": {{...}}}}",
            entries.len()
        ));
    };
    let mut records = catalog().all().filter(|record| record.shape == RecordKind::Record);
    let Some(record) = records.find(|record| record.singular() == *name || record.plural == name) else {
        let known: Vec<String> =
            catalog().all().filter(|record| record.shape == RecordKind::Record).map(|record| record.singular()).collect();
        return wrong(format!("\"{name}\" is no type of record; there are {}", known.join(", ")));
    };
    if record.plural == name && record.singular() != *name {
        return wrong(format!("a line holds one record under the name of its type; write {} instead of {name}", record.singular()));
    }
    draft::parse::record(record, value, &origin(name)).map(|draft| (record.ty, draft))
}
