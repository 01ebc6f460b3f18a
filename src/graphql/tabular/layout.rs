//! The layout of a response, derived from a query and the schema before execution: its lists, and the columns of their
//! rows.

use async_graphql::registry::{MetaTypeName, Registry};

use crate::core::error::{Result, bad_input};
use crate::graphql::projection::output_type::TYPE_NAME;
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::scalar::{DATE_TIME, PARTIAL_DATE};
use crate::tabular::{ColumnType, TableColumn};

/// Layout of a value of a response.
#[derive(Debug)]
pub(super) enum Layout {
    /// A scalar or enum value.
    Leaf(ColumnType),
    /// An object.
    Object(Vec<LayoutMember>),
    /// A list.
    List {
        item: Box<Layout>,
        /// Whether each item becomes a row of its own.
        exploded: bool,
    },
}

/// A member of an object.
#[derive(Debug)]
pub(super) struct LayoutMember {
    /// Response key.
    pub(super) key: String,
    /// Whether column names omit the key, because it only wraps the rows of a connection.
    is_wrapper: bool,
    pub(super) layout: Layout,
}

/// Column name of a list of plain values, which have no key.
const VALUE_COLUMN: &str = "value";

impl Layout {
    /// Layout of the value of a selection on an object of type `parent`.
    pub(super) fn of(selection: &Selection<'_>, parent: &str, registry: &Registry) -> Self {
        let parent = selection.type_condition.unwrap_or(parent);
        let field = registry.types.get(parent).and_then(|ty| ty.field_by_name(selection.name()));
        let Some(ty) = field.map(|field| field.ty.as_str()).filter(|_| selection.name() != TYPE_NAME) else {
            return Self::Leaf(ColumnType::Text);
        };
        let name = MetaTypeName::concrete_typename(ty);
        let layout = match registry.types.get(name) {
            Some(ty) if ty.is_composite() => Self::Object(
                selection
                    .all_subfields()
                    .iter()
                    .map(|selected| LayoutMember {
                        key: selected.response_key().to_owned(),
                        is_wrapper: is_wrapper(name, selected.name()),
                        layout: Self::of(selected, name, registry),
                    })
                    .collect(),
            ),
            _ => Self::Leaf(column_type(name)),
        };
        if ty.contains('[') { Self::List { item: Box::new(layout), exploded: false } } else { layout }
    }

    /// Number of columns.
    pub(super) fn width(&self) -> usize {
        match self {
            Self::Leaf(_) => 1,
            Self::Object(members) => members.iter().map(|member| member.layout.width()).sum(),
            Self::List { item, .. } => item.width(),
        }
    }

    /// Columns of a row. Fails if two have the same name.
    pub(super) fn columns(&self) -> Result<Vec<TableColumn>> {
        let mut columns = Vec::new();
        self.collect(&MemberPath::default(), false, &mut columns);
        for (index, column) in columns.iter().enumerate() {
            if columns[..index].iter().any(|before| before.name == column.name) {
                return Err(bad_input("query", format_args!("two columns have the name {}; give one of the fields an alias", column.name)));
            }
        }
        Ok(columns)
    }

    fn collect(&self, path: &MemberPath<'_>, is_joined: bool, columns: &mut Vec<TableColumn>) {
        match self {
            Self::Leaf(ty) => {
                let name = Some(path.to_string()).filter(|name| !name.is_empty()).unwrap_or_else(|| VALUE_COLUMN.to_owned());
                columns.push(TableColumn { name, ty: if is_joined { ColumnType::Text } else { *ty } });
            }
            Self::Object(members) => {
                for member in members {
                    member.layout.collect(&path.then(member), is_joined, columns);
                }
            }
            Self::List { item, exploded } => item.collect(path, is_joined || !exploded, columns),
        }
    }

    /// Every list that is reached through objects only: its name and its path of response keys.
    pub(super) fn lists(&self) -> Vec<(String, Vec<String>)> {
        let mut lists = Vec::new();
        self.find(&MemberPath::default(), &mut Vec::new(), &mut lists);
        lists
    }

    fn find(&self, path: &MemberPath<'_>, keys: &mut Vec<String>, lists: &mut Vec<(String, Vec<String>)>) {
        match self {
            Self::Leaf(_) => {}
            Self::Object(members) => {
                for member in members {
                    keys.push(member.key.clone());
                    member.layout.find(&path.then(member), keys, lists);
                    keys.pop();
                }
            }
            Self::List { .. } => lists.push((path.to_string(), keys.clone())),
        }
    }

    /// Layout at a path of response keys.
    pub(super) fn at(self, keys: &[String]) -> Option<Self> {
        match (self, keys) {
            (layout, []) => Some(layout),
            (Self::Object(members), [key, rest @ ..]) => members.into_iter().find(|member| member.key == *key)?.layout.at(rest),
            _ => None,
        }
    }

    /// Whether a row becomes several rows.
    pub(super) fn is_exploded(&self) -> bool {
        match self {
            Self::Leaf(_) => false,
            Self::Object(members) => members.iter().any(|member| member.layout.is_exploded()),
            Self::List { exploded, .. } => *exploded,
        }
    }

    /// Explodes a list: each of its items becomes a row of its own. Without a path there must be exactly one list; lists
    /// that contain the list at the path are exploded, too.
    pub(super) fn explode(&mut self, path: Option<&str>) -> Result<()> {
        let lists = self.lists();
        let names = || lists.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        let (name, keys) = match (path, lists.as_slice()) {
            (_, []) => return Err(bad_input("explode", "a row has no list that can be exploded")),
            (None, [only]) => only,
            (None, _) => {
                return Err(bad_input("explode", format_args!("a row has several lists; specify one of {}", names())));
            }
            (Some(path), lists) => lists
                .iter()
                .find(|(name, _)| path == name || path.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('.')))
                .ok_or_else(|| bad_input("explode", format_args!("a row has no list {path}; it has {}", names())))?,
        };
        let rest = path.and_then(|path| path.strip_prefix(name.as_str())?.strip_prefix('.')).map(str::to_owned);
        if let Some(Self::List { item, exploded }) = self.at_mut(keys) {
            *exploded = true;
            return match (rest, path, item.lists().len()) {
                (Some(rest), _, _) => item.explode(Some(&rest)),
                (None, None, 1) => item.explode(None),
                _ => Ok(()),
            };
        }
        Ok(())
    }

    fn at_mut(&mut self, keys: &[String]) -> Option<&mut Self> {
        match (self, keys) {
            (layout, []) => Some(layout),
            (Self::Object(members), [key, rest @ ..]) => members.iter_mut().find(|member| member.key == *key)?.layout.at_mut(rest),
            _ => None,
        }
    }
}

/// A path of members, displayed as a column name.
#[derive(Default, Clone, Copy)]
struct MemberPath<'a>(Option<(&'a MemberPath<'a>, &'a LayoutMember)>);

impl<'a> MemberPath<'a> {
    fn then(&'a self, member: &'a LayoutMember) -> Self {
        Self(Some((self, member)))
    }
}

impl std::fmt::Display for MemberPath<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some((before, member)) = self.0 else { return Ok(()) };
        before.fmt(f)?;
        if member.is_wrapper {
            return Ok(());
        }
        let is_first = before.to_string().is_empty();
        write!(f, "{}{}", if is_first { "" } else { "." }, member.key)
    }
}

/// Whether a field only wraps the rows of a connection.
fn is_wrapper(parent: &str, field: &str) -> bool {
    (parent.ends_with("Connection") && matches!(field, "nodes" | "edges")) || (parent.ends_with("Edge") && field == "node")
}

/// Column type of a scalar or enum.
fn column_type(name: &str) -> ColumnType {
    match name {
        "Int" => ColumnType::Integer,
        "Float" => ColumnType::Number,
        "Boolean" => ColumnType::Boolean,
        PARTIAL_DATE => ColumnType::Date,
        DATE_TIME => ColumnType::Instant,
        _ => ColumnType::Text,
    }
}
