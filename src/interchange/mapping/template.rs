//! Templates: text with names in braces, which stand for columns of the row, groups of a pattern, or the value itself.

use std::borrow::Cow;

/// A template.
#[derive(Debug, Clone, Default)]
pub(super) struct Template {
    segments: Vec<Segment>,
}

#[derive(Debug, Clone)]
enum Segment {
    Text(String),
    /// The name in braces; empty for `{}`.
    Name(String),
}

impl Template {
    /// The text of one column.
    pub(super) fn column(name: &str) -> Self {
        Self { segments: vec![Segment::Name(name.trim().to_owned())] }
    }

    /// A text without names.
    pub(super) fn constant(text: &str) -> Self {
        Self { segments: vec![Segment::Text(text.to_owned())] }
    }

    /// Parses text with names in braces.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut segments = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(start);
            let inside = from.strip_prefix('{').ok_or_else(|| format!("\"{text}\" has a }} without {{"))?;
            let (name, after) = inside.split_once('}').ok_or_else(|| format!("\"{text}\" has an unclosed {{"))?;
            if !before.is_empty() {
                segments.push(Segment::Text(before.to_owned()));
            }
            segments.push(Segment::Name(name.trim().to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            segments.push(Segment::Text(rest.to_owned()));
        }
        Ok(Self { segments })
    }

    /// Names in braces.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Name(name) => Some(name.as_str()),
            Segment::Text(_) => None,
        })
    }

    /// Whether the template has no names.
    pub(super) fn is_constant(&self) -> bool {
        self.names().next().is_none()
    }

    /// The text with each name replaced. Empty if the template has names and all of them are empty. In a text that is put
    /// together, white space is collapsed and trimmed, so that an empty name leaves no gap.
    pub(super) fn render<'v>(&self, value: impl Fn(&str) -> Cow<'v, str>) -> String {
        if let [Segment::Name(name)] = self.segments.as_slice() {
            return value(name).trim().to_owned();
        }
        let mut text = String::new();
        let mut is_empty = true;
        for segment in &self.segments {
            match segment {
                Segment::Text(literal) => text.push_str(literal),
                Segment::Name(name) => {
                    let value = value(name);
                    is_empty &= value.is_empty();
                    text.push_str(&value);
                }
            }
        }
        if self.is_constant() {
            return text.trim().to_owned();
        }
        if is_empty { String::new() } else { collapse(&text) }
    }
}

/// Replaces white space within a line by one space. Line ends are kept.
fn collapse(text: &str) -> String {
    let lines: Vec<String> = text.trim().lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_names_leave_no_gap() {
        let template = Template::parse("{a} {b} {c}").unwrap();
        let render = |values: [&str; 3]| {
            template.render(|name| {
                let index = ["a", "b", "c"].iter().position(|known| *known == name).unwrap();
                Cow::Owned(values[index].to_owned())
            })
        };
        assert_eq!(render(["x", "", "z"]), "x z");
        assert_eq!(render(["", "", "z"]), "z");
        assert_eq!(render(["", "", ""]), "");
        assert_eq!(render(["x\u{a0} y", "1\n2", "z"]), "x y 1\n2 z");
    }

    #[test]
    fn braces_come_in_pairs() {
        assert_eq!(Template::parse("{a").unwrap_err(), "\"{a\" has an unclosed {");
        assert_eq!(Template::parse("a}").unwrap_err(), "\"a}\" has a } without {");
    }
}
