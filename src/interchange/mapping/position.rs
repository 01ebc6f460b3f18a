//! Lines and columns of the places in a mapping file.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser};

/// Lines and columns by path, such as `fields.links[0].url`.
#[derive(Debug, Default)]
pub(super) struct Positions(HashMap<String, (usize, usize)>);

/// A list or map that has not ended yet.
struct Frame {
    path: String,
    /// Number of entries so far, of a list.
    index: Option<usize>,
    /// Key of the value that comes next, of a map, with its place.
    key: Option<(String, (usize, usize))>,
}

impl Positions {
    /// Finds the places in a YAML document. A value of a map is at its key. Parsing ends at the first error, which the parser of
    /// the tree reports.
    pub(super) fn parse(text: &str) -> Self {
        let mut positions = HashMap::new();
        let mut stack: Vec<Frame> = Vec::new();
        for event in Parser::new_from_str(text) {
            let Ok((event, span)) = event else { break };
            let at = (span.start.line(), span.start.col() + 1);
            match event {
                Event::Scalar(text, ..) if is_key(&stack) => {
                    if let Some(frame) = stack.last_mut() {
                        frame.key = Some((text.into_owned(), at));
                    }
                }
                Event::Alias(_) if is_key(&stack) => {
                    if let Some(frame) = stack.last_mut() {
                        frame.key = Some((String::new(), at));
                    }
                }
                Event::Scalar(..) | Event::Alias(_) => {
                    let (path, at) = next_path(&mut stack, at);
                    positions.insert(path, at);
                }
                Event::SequenceStart(..) | Event::MappingStart(..) => {
                    let (path, at) = next_path(&mut stack, at);
                    positions.insert(path.clone(), at);
                    let index = matches!(event, Event::SequenceStart(..)).then_some(0);
                    stack.push(Frame { path, index, key: None });
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    stack.pop();
                }
                Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {}
            }
        }
        Self(positions)
    }

    /// Line and column of a place, or of the nearest one around it.
    pub(super) fn of(&self, path: &str) -> Option<(usize, usize)> {
        let mut path = path;
        loop {
            if let Some(position) = self.0.get(path) {
                return Some(*position);
            }
            path = match path.rfind(['.', '[']) {
                Some(end) => &path[..end],
                None if path.is_empty() => return None,
                None => "",
            };
        }
    }
}

fn is_key(stack: &[Frame]) -> bool {
    stack.last().is_some_and(|frame| frame.index.is_none() && frame.key.is_none())
}

/// The path of the next value and its place, which is that of its key in a map.
fn next_path(stack: &mut [Frame], at: (usize, usize)) -> (String, (usize, usize)) {
    let Some(frame) = stack.last_mut() else { return (String::new(), at) };
    if let Some(index) = &mut frame.index {
        *index += 1;
        return (format!("{}[{}]", frame.path, *index - 1), at);
    }
    match frame.key.take() {
        Some((key, at)) if frame.path.is_empty() => (key, at),
        Some((key, at)) => (format!("{}.{key}", frame.path), at),
        None => (frame.path.clone(), at),
    }
}

/// The path of a member of a map.
pub(super) fn member(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_is_that_of_the_key() {
        let positions = Positions::parse("type: person\nfields:\n  name: {en: A, ru: B}\n  links:\n    - url: C\n    - {url: D}\n");
        let of = |path| positions.of(path).unwrap();
        assert_eq!([of("type"), of("fields.name.ru"), of("fields.links[1]"), of("fields.links[1].url")], [(1, 1), (3, 17), (6, 7), (6, 8)]);
        assert_eq!(of("fields.name.kk"), of("fields.name"));
    }
}
