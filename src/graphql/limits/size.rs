//! Size of a document with its fragments expanded. Each fragment is measured once, so the time is linear in the text even
//! if fragments spread each other.

use std::collections::HashMap;

use apollo_compiler::ast::{Definition, DirectiveList, Document, FragmentDefinition, Selection};

use crate::graphql::error::GraphqlError;
use crate::graphql::limits::bounds::{Limits, ensure_at_most};

/// Introspection fields that return lists of types: nested in each other, they multiply the response. The standard
/// introspection query nests one in `types`. The bound is that of graphql-js.
const INTROSPECTION_LISTS: [&str; 4] = ["fields", "interfaces", "possibleTypes", "inputFields"];
const MAX_NESTED_INTROSPECTION_LISTS: u64 = 2;

/// Size of a selection set with its fragments expanded.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    /// Fields of the selection set itself.
    top: u64,
    fields: u64,
    aliases: u64,
    directives: u64,
    depth: u64,
    /// Nested introspection lists.
    type_lists: u64,
    /// Nested introspection lists below `__schema` and `__type`.
    introspection: u64,
}

/// Rejects a document with an operation that exceeds a limit.
pub(crate) fn check(limits: &Limits, document: &Document) -> Result<(), GraphqlError> {
    let definitions = || document.definitions.iter();
    let fragments = definitions().filter_map(Definition::as_fragment_definition).map(|fragment| (fragment.name.as_str(), &**fragment));
    let mut sizes = Sizes { definitions: fragments.collect(), fragments: HashMap::new() };
    for operation in definitions().filter_map(Definition::as_operation_definition) {
        let size = sizes.of(&operation.selection_set).with(&operation.directives);
        let variable_directives: u64 = operation.variables.iter().map(|variable| variable.directives.len() as u64).sum();
        let size = Size { directives: size.directives.saturating_add(variable_directives), ..size };
        let Size { top, fields, aliases, directives, depth, introspection, .. } = size;
        let split = "split it into several requests";
        ensure_at_most(
            "depth",
            limits.depth,
            depth,
            &format!("the query is {depth} levels deep"),
            "fetch deeper levels in a separate request",
        )?;
        ensure_at_most("root_fields", limits.root_fields, top, &format!("the operation has {top} root fields"), split)?;
        ensure_at_most(
            "aliases",
            limits.aliases,
            aliases,
            &format!("the query has {aliases} aliases"),
            "fetch many records with one list and a filter, or in several requests",
        )?;
        ensure_at_most("directives", limits.directives, directives, &format!("the query has {directives} directives"), split)?;
        ensure_at_most("fields", limits.fields, fields, &format!("the query has {fields} fields with fragments expanded"), split)?;
        ensure_at_most(
            "introspection",
            MAX_NESTED_INTROSPECTION_LISTS,
            introspection,
            &format!("the query nests introspection lists {introspection} levels deep"),
            "read /schema.graphql, or fetch types by name in another request",
        )?;
    }
    Ok(())
}

struct Sizes<'d> {
    definitions: HashMap<&'d str, &'d FragmentDefinition>,
    /// Sizes of fragments; `None` while a fragment is being measured. A fragment that spreads itself fails validation
    /// later.
    fragments: HashMap<&'d str, Option<Size>>,
}

impl<'d> Sizes<'d> {
    fn of(&mut self, selections: &'d [Selection]) -> Size {
        let mut all = Size::default();
        for selection in selections {
            let size = match selection {
                Selection::Field(field) => {
                    let name = field.name.as_str();
                    let below = self.of(field.selection_set.as_deref().unwrap_or_default());
                    let type_lists = below.type_lists.saturating_add(u64::from(INTROSPECTION_LISTS.contains(&name)));
                    let introspection = if name.starts_with("__") { type_lists } else { 0 };
                    Size {
                        top: 1,
                        fields: below.fields.saturating_add(1),
                        aliases: below.aliases.saturating_add(u64::from(field.alias.is_some())),
                        depth: below.depth.saturating_add(1),
                        type_lists,
                        introspection: below.introspection.max(introspection),
                        ..below
                    }
                    .with(&field.directives)
                }
                Selection::InlineFragment(fragment) => self.of(&fragment.selection_set).with(&fragment.directives),
                Selection::FragmentSpread(spread) => self.of_fragment(&spread.fragment_name).with(&spread.directives),
            };
            all = all.and(size);
        }
        all
    }

    fn of_fragment(&mut self, name: &'d str) -> Size {
        if let Some(known) = self.fragments.get(name) {
            return known.unwrap_or_default();
        }
        // validation reports a fragment that does not exist
        let Some(fragment) = self.definitions.get(name).copied() else { return Size::default() };
        self.fragments.insert(name, None);
        let size = self.of(&fragment.selection_set).with(&fragment.directives);
        self.fragments.insert(name, Some(size));
        size
    }
}

impl Size {
    fn with(self, directives: &DirectiveList) -> Self {
        Self { directives: self.directives.saturating_add(directives.len() as u64), ..self }
    }

    /// Adds the size of a sibling.
    fn and(self, other: Self) -> Self {
        Self {
            top: self.top.saturating_add(other.top),
            fields: self.fields.saturating_add(other.fields),
            aliases: self.aliases.saturating_add(other.aliases),
            directives: self.directives.saturating_add(other.directives),
            depth: self.depth.max(other.depth),
            type_lists: self.type_lists.max(other.type_lists),
            introspection: self.introspection.max(other.introspection),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    fn rejection(text: &str) -> Option<String> {
        check(&Limits::default(), &Document::parse(text, "query").unwrap()).err().map(|error| error.message)
    }

    #[test]
    fn doubling_fragments_are_measured_once_and_rejected() {
        let mut text = "{ ...f0 }".to_owned();
        for index in 0..200 {
            write!(text, " fragment f{index} on Query {{ ...f{0} ...f{0} }}", index + 1).unwrap();
        }
        text += " fragment f200 on Query { __typename }";
        assert!(rejection(&text).unwrap().contains("root fields"));
    }

    #[test]
    fn fragment_that_spreads_itself_is_measured() {
        assert_eq!(rejection("{ ...f } fragment f on Query { a { ...f } }"), None);
    }

    #[test]
    fn nested_introspection_lists_are_bounded() {
        assert_eq!(rejection("{ __schema { types { fields { type { fields { name } } } } } }"), None);
        let deeper =
            "{ __schema { types { fields { type { ...f } } } } } fragment f on __Type { fields { type { inputFields { name } } } }";
        assert!(rejection(deeper).unwrap().contains("introspection lists"));
    }
}
