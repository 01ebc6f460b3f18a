//! Groups problems that are alike, so that one mistake in a thousand rows is not a thousand messages.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use super::{InputProblem, Origin};
use crate::core::path::PathSegment;

/// Problems of a group that are given in full.
const MAX_FULL_PROBLEMS: usize = 5;
/// Lines of further problems that are named.
const MAX_NAMED_LINES: usize = 10;

/// What alike problems have in common.
type GroupKey = (Option<Arc<str>>, Vec<PathSegment>, String);

/// The problems in their order. Of those that say the same about the same field of a file, the first five are given in full,
/// and one more problem counts the others and names the first of their lines.
pub fn group_alike(problems: &[InputProblem]) -> Vec<InputProblem> {
    group_alike_as("problems", problems)
}

/// As [`group_alike`], for notes that are texts: those that differ in the file, in numbers and in quoted values are alike.
pub fn group_alike_texts(texts: &[String]) -> Vec<String> {
    let kind = |text: &String| without_values(text.split_once(": ").map_or(text.as_str(), |(_, text)| text));
    let kinds: Vec<(String, String)> = texts.iter().map(|text| (kind(text), text.clone())).collect();
    group_by_kind(&kinds)
}

/// The texts in their order. Of those of a kind, the first five are given in full, and the others are counted after them.
pub fn group_by_kind<K: Eq + Hash>(texts: &[(K, String)]) -> Vec<String> {
    let mut counts: HashMap<&K, usize> = HashMap::new();
    for (kind, _) in texts {
        *counts.entry(kind).or_default() += 1;
    }
    let mut seen: HashMap<&K, usize> = HashMap::new();
    let mut lines = Vec::new();
    for (kind, text) in texts {
        let count = seen.entry(kind).or_default();
        *count += 1;
        if *count <= MAX_FULL_PROBLEMS {
            lines.push(text.clone());
        }
        if *count == MAX_FULL_PROBLEMS && counts[kind] > MAX_FULL_PROBLEMS {
            lines.push(format!("{} more notes like these", counts[kind] - MAX_FULL_PROBLEMS));
        }
    }
    lines
}

/// As [`group_alike`]. `noun` is what the problems are called where they are counted.
pub fn group_alike_as(noun: &str, problems: &[InputProblem]) -> Vec<InputProblem> {
    let mut groups: HashMap<GroupKey, Vec<usize>> = HashMap::new();
    for (index, problem) in problems.iter().enumerate() {
        groups.entry(key(problem)).or_default().push(index);
    }
    let mut shown: Vec<(usize, InputProblem)> = Vec::new();
    for indices in groups.into_values() {
        let (full, others) = indices.split_at(indices.len().min(MAX_FULL_PROBLEMS));
        shown.extend(full.iter().map(|index| (*index, problems[*index].clone())));
        if let (Some(last), false) = (full.last(), others.is_empty()) {
            shown.push((*last, rest(noun, &problems[*last], others.iter().map(|index| &problems[*index]))));
        }
    }
    // the sort is stable: the rest of a group follows its last full problem
    shown.sort_by_key(|(index, _)| *index);
    shown.into_iter().map(|(_, problem)| problem).collect()
}

/// The problem that stands for others like the last one.
fn rest<'p>(noun: &str, last: &InputProblem, others: impl Iterator<Item = &'p InputProblem>) -> InputProblem {
    let others: Vec<&InputProblem> = others.collect();
    let mut lines: Vec<usize> = others.iter().filter_map(|problem| problem.origin.line).collect();
    lines.dedup();
    let named: Vec<String> = lines.iter().take(MAX_NAMED_LINES).map(ToString::to_string).collect();
    let more = if lines.len() > MAX_NAMED_LINES { ", ..." } else { "" };
    let at = if named.is_empty() { String::new() } else { format!(", on lines {}{more}", named.join(", ")) };
    let path = last.origin.path.iter().filter(|segment| !matches!(segment, PathSegment::Index(_))).cloned().collect();
    let origin = Origin { file: last.origin.file.clone(), line: None, path };
    InputProblem::new(origin, format!("{} more {noun} like these{at}", others.len())).with_code(last.code)
}

fn key(problem: &InputProblem) -> GroupKey {
    let path = problem.origin.path.iter().map(|segment| match segment {
        PathSegment::Index(_) => PathSegment::Index(0),
        segment => segment.clone(),
    });
    (problem.origin.file.clone(), path.collect(), without_values(&problem.message))
}

/// A message without its quoted values and numbers.
fn without_values(message: &str) -> String {
    let mut parts = message.split('"');
    let mut text = String::new();
    while let Some(part) = parts.next() {
        text.extend(part.chars().filter(|char| !char.is_ascii_digit()));
        if parts.next().is_some() {
            text.push('"');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(line: usize, path: &[PathSegment], message: &str) -> InputProblem {
        InputProblem::new(Origin { file: Some(Arc::from("t.csv")), line: Some(line), path: path.to_vec() }, message)
    }

    #[test]
    fn alike_problems_are_counted_in_their_place() {
        let mut problems: Vec<InputProblem> = (1..=20)
            .map(|line| problem(line, &["people".into(), line.into(), "birthDate".into()], &format!("\"{line}.x\" is not a date")))
            .collect();
        problems.insert(5, problem(5, &["people".into(), 5.into(), "gender".into()], "this is a list"));
        problems.push(problem(21, &["people".into(), 21.into(), "birthDate".into()], "this is a list"));
        let lines: Vec<String> = group_alike(&problems).iter().map(ToString::to_string).collect();
        assert_eq!(lines.len(), 8, "{lines:#?}");
        assert_eq!(lines[4], "t.csv:5: people[5].birthDate: \"5.x\" is not a date");
        assert_eq!(lines[5], "t.csv: people.birthDate: 15 more problems like these, on lines 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, ...");
        assert_eq!(lines[6], "t.csv:5: people[5].gender: this is a list");
        assert_eq!(lines[7], "t.csv:21: people[21].birthDate: this is a list");
    }

    #[test]
    fn alike_notes_of_many_files_are_counted() {
        let mut notes: Vec<String> = (1..=8).map(|file| format!("{file}.csv: read as \"koi8-r\", which was detected")).collect();
        notes.insert(7, "a.csv: 3 rows are empty".to_owned());
        let lines = group_alike_texts(&notes);
        assert_eq!(lines.len(), 7, "{lines:#?}");
        assert_eq!(lines[5..], ["3 more notes like these", "a.csv: 3 rows are empty"]);
    }
}
