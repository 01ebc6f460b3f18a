//! The size of a document, with fragments put in where they are spread. Each fragment is counted once, so a document
//! whose fragments spread each other costs no more to measure than to read.

use std::collections::HashMap;

use async_graphql::Positioned;
use async_graphql::parser::types::{Directive, ExecutableDocument, Selection, SelectionSet};

use crate::graphql::error::GraphqlError;
use crate::graphql::limits::{Limits, at_most};

/// Lists of the schema that lead from types to types: asked for within each other they give ever more. The standard
/// introspection query has one within `types`; this is the bound that graphql-js has.
const TYPE_LISTS: [&str; 4] = ["fields", "interfaces", "possibleTypes", "inputFields"];
const MOST_TYPE_LISTS: u64 = 2;

/// What a selection holds, fragments put in.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    /// Fields at the top of it.
    top: u64,
    fields: u64,
    aliases: u64,
    directives: u64,
    depth: u64,
    /// Lists of types within each other.
    type_lists: u64,
    /// The same below fields that tell of the schema.
    introspection: u64,
}

/// Refuses a document one of whose operations is too large.
pub(in crate::graphql) fn check(limits: &Limits, document: &ExecutableDocument) -> Result<(), GraphqlError> {
    let mut sizes = Sizes { document, fragments: HashMap::new() };
    for (_, operation) in document.operations.iter() {
        let mut size = sizes.of(&operation.node.selection_set.node);
        size.directives += operation.node.directives.len() as u64;
        let Size { top, fields, aliases, directives, depth, introspection, .. } = size;
        let several = "ask in several requests";
        at_most(
            "depth",
            limits.depth,
            depth,
            &format!("the query is {depth} levels deep"),
            "ask for what lies deeper in a request of its own",
        )?;
        at_most("root_fields", limits.root_fields, top, &format!("the operation has {top} fields at its root"), several)?;
        at_most(
            "aliases",
            limits.aliases,
            aliases,
            &format!("the query has {aliases} aliases"),
            "ask for many records by one list with a filter, or in several requests",
        )?;
        at_most("directives", limits.directives, directives, &format!("the query has {directives} directives"), several)?;
        at_most("fields", limits.fields, fields, &format!("the query has {fields} fields with its fragments put in"), several)?;
        at_most(
            "introspection",
            MOST_TYPE_LISTS,
            introspection,
            &format!("the query asks for types within types {introspection} levels deep"),
            "read /schema.graphql, or ask for types by their names in another request",
        )?;
    }
    Ok(())
}

struct Sizes<'d> {
    document: &'d ExecutableDocument,
    /// Sizes of fragments; nothing for one that is being measured, as one that spreads itself is. Such a document is
    /// refused when it is checked.
    fragments: HashMap<&'d str, Option<Size>>,
}

impl<'d> Sizes<'d> {
    fn of(&mut self, set: &'d SelectionSet) -> Size {
        let mut all = Size::default();
        for item in &set.items {
            let size = match &item.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    let name = field.name.node.as_str();
                    let below = self.of(&field.selection_set.node);
                    let type_lists = below.type_lists.saturating_add(u64::from(TYPE_LISTS.contains(&name)));
                    let about_schema = if name.starts_with("__") { type_lists } else { 0 };
                    Size {
                        top: 1,
                        fields: below.fields.saturating_add(1),
                        aliases: below.aliases.saturating_add(u64::from(field.alias.is_some())),
                        depth: below.depth.saturating_add(1),
                        type_lists,
                        introspection: below.introspection.max(about_schema),
                        ..below
                    }
                    .with(&field.directives)
                }
                Selection::InlineFragment(fragment) => self.of(&fragment.node.selection_set.node).with(&fragment.node.directives),
                Selection::FragmentSpread(spread) => self.of_fragment(&spread.node.fragment_name.node).with(&spread.node.directives),
            };
            all = all.and(size);
        }
        all
    }

    fn of_fragment(&mut self, name: &'d str) -> Size {
        if let Some(known) = self.fragments.get(name) {
            return known.unwrap_or_default();
        }
        let document = self.document;
        let Some(fragment) = document.fragments.get(name) else { return Size::default() };
        self.fragments.insert(name, None);
        let size = self.of(&fragment.node.selection_set.node).with(&fragment.node.directives);
        self.fragments.insert(name, Some(size));
        size
    }
}

impl Size {
    fn with(self, directives: &[Positioned<Directive>]) -> Self {
        Self { directives: self.directives.saturating_add(directives.len() as u64), ..self }
    }

    /// This and what stands beside it.
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
    use super::*;
    use async_graphql::parser::parse_query;

    fn refused(text: &str) -> Option<String> {
        check(&Limits::default(), &parse_query(text).unwrap()).err().map(|failure| failure.message)
    }

    #[test]
    fn fragments_that_double_each_other_are_measured_at_once_and_refused() {
        let mut text = "{ ...f0 }".to_owned();
        for index in 0..200 {
            text += &format!(" fragment f{index} on Query {{ ...f{0} ...f{0} }}", index + 1);
        }
        text += " fragment f200 on Query { __typename }";
        assert!(refused(&text).unwrap().contains("at its root"));
    }

    #[test]
    fn a_fragment_that_spreads_itself_is_measured_too() {
        assert_eq!(refused("{ ...f } fragment f on Query { a { ...f } }"), None);
    }

    #[test]
    fn types_within_types_have_a_bound() {
        assert_eq!(refused("{ __schema { types { fields { type { fields { name } } } } } }"), None);
        let deeper =
            "{ __schema { types { fields { type { ...f } } } } } fragment f on __Type { fields { type { inputFields { name } } } }";
        assert!(refused(deeper).unwrap().contains("types within types"));
    }
}
