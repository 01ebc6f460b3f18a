//! The form of an answer, read from a query and the schema before anything is run: which lists it has, and which columns
//! their rows.

use async_graphql::registry::{MetaTypeName, Registry};

use crate::core::error::{Result, bad_input};
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::scalar::{DATE_TIME, PARTIAL_DATE};
use crate::tabular::{ColumnType, TableColumn};

/// What stands at one place of an answer.
#[derive(Debug)]
pub(super) enum Form {
    /// A value.
    Leaf(ColumnType),
    /// An object.
    Object(Vec<Branch>),
    /// A list of any of these.
    List {
        item: Box<Form>,
        /// Whether each of its items is a row of its own.
        exploded: bool,
    },
}

/// A member of an object.
#[derive(Debug)]
pub(super) struct Branch {
    /// Its name in the answer.
    pub(super) key: String,
    /// Whether the names of columns leave it out: it says nothing but that there is a list.
    is_wrapper: bool,
    pub(super) form: Form,
}

/// What every GraphQL type has.
const TYPE_NAME: &str = "__typename";
/// Name of a column that has no name of its own: a list of plain values.
const VALUE: &str = "value";

impl Form {
    /// The form of what a selection gives, on an object of this type.
    pub(super) fn of(selection: &Selection<'_>, parent: &str, registry: &Registry) -> Self {
        let parent = selection.on.unwrap_or(parent);
        let field = registry.types.get(parent).and_then(|ty| ty.field_by_name(selection.name()));
        let Some(ty) = field.map(|field| field.ty.as_str()).filter(|_| selection.name() != TYPE_NAME) else {
            return Self::Leaf(ColumnType::Text);
        };
        let name = MetaTypeName::concrete_typename(ty);
        let form = match registry.types.get(name) {
            Some(of) if of.is_composite() => Self::Object(
                selection
                    .all_below()
                    .iter()
                    .map(|below| Branch {
                        key: below.name_in_answer().to_owned(),
                        is_wrapper: is_wrapper(name, below.name()),
                        form: Self::of(below, name, registry),
                    })
                    .collect(),
            ),
            _ => Self::Leaf(leaf(name)),
        };
        match ty.contains('[') {
            true => Self::List { item: Box::new(form), exploded: false },
            false => form,
        }
    }

    /// Number of columns.
    pub(super) fn width(&self) -> usize {
        match self {
            Self::Leaf(_) => 1,
            Self::Object(branches) => branches.iter().map(|branch| branch.form.width()).sum(),
            Self::List { item, .. } => item.width(),
        }
    }

    /// The columns of a row of this form.
    pub(super) fn columns(&self) -> Result<Vec<TableColumn>> {
        let mut columns = Vec::new();
        self.collect(&Path::default(), false, &mut columns);
        for (place, column) in columns.iter().enumerate() {
            if columns[..place].iter().any(|before| before.name == column.name) {
                return Err(bad_input(
                    "query",
                    format_args!("two columns would be called {}; give one of the fields an alias", column.name),
                ));
            }
        }
        Ok(columns)
    }

    fn collect(&self, path: &Path<'_>, is_joined: bool, columns: &mut Vec<TableColumn>) {
        match self {
            Self::Leaf(ty) => {
                let name = Some(path.to_string()).filter(|name| !name.is_empty()).unwrap_or_else(|| VALUE.to_owned());
                columns.push(TableColumn { name, ty: if is_joined { ColumnType::Text } else { *ty } });
            }
            Self::Object(branches) => {
                branches.iter().for_each(|branch| branch.form.collect(&path.then(branch), is_joined, columns));
            }
            Self::List { item, exploded } => item.collect(path, is_joined || !exploded, columns),
        }
    }

    /// Every list that is reached through objects alone: its name, and the keys that lead to it.
    pub(super) fn lists(&self) -> Vec<(String, Vec<String>)> {
        let mut lists = Vec::new();
        self.find(&Path::default(), &mut Vec::new(), &mut lists);
        lists
    }

    fn find(&self, path: &Path<'_>, keys: &mut Vec<String>, lists: &mut Vec<(String, Vec<String>)>) {
        match self {
            Self::Leaf(_) => {}
            Self::Object(branches) => {
                for branch in branches {
                    keys.push(branch.key.clone());
                    branch.form.find(&path.then(branch), keys, lists);
                    keys.pop();
                }
            }
            Self::List { .. } => lists.push((path.to_string(), keys.clone())),
        }
    }

    /// The form that these keys lead to.
    pub(super) fn at(self, keys: &[String]) -> Option<Self> {
        match (self, keys) {
            (form, []) => Some(form),
            (Self::Object(branches), [key, rest @ ..]) => branches.into_iter().find(|branch| branch.key == *key)?.form.at(rest),
            _ => None,
        }
    }

    /// Whether rows of this form become several.
    pub(super) fn is_exploded(&self) -> bool {
        match self {
            Self::Leaf(_) => false,
            Self::Object(branches) => branches.iter().any(|branch| branch.form.is_exploded()),
            Self::List { exploded, .. } => *exploded,
        }
    }

    /// Makes each item of a list a row of its own: that of this name, or the only one, and the lists on the way to it.
    pub(super) fn explode(&mut self, wanted: Option<&str>) -> Result<()> {
        let lists = self.lists();
        let names = || lists.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        let (name, keys) = match (wanted, lists.as_slice()) {
            (_, []) => return Err(bad_input("explode", "a row has no list here that could be more than one row")),
            (None, [only]) => only,
            (None, _) => {
                return Err(bad_input("explode", format_args!("a row has several lists; name one of them: {}", names())));
            }
            (Some(wanted), lists) => lists
                .iter()
                .find(|(name, _)| wanted == name || wanted.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('.')))
                .ok_or_else(|| bad_input("explode", format_args!("a row has no list {wanted}; it has {}", names())))?,
        };
        let rest = wanted.and_then(|wanted| wanted.strip_prefix(name.as_str())?.strip_prefix('.')).map(str::to_owned);
        if let Some(Self::List { item, exploded }) = self.at_mut(keys) {
            *exploded = true;
            return match (rest, wanted, item.lists().len()) {
                (Some(rest), _, _) => item.explode(Some(&rest)),
                (None, None, 1) => item.explode(None),
                _ => Ok(()),
            };
        }
        Ok(())
    }

    fn at_mut(&mut self, keys: &[String]) -> Option<&mut Self> {
        match (self, keys) {
            (form, []) => Some(form),
            (Self::Object(branches), [key, rest @ ..]) => branches.iter_mut().find(|branch| branch.key == *key)?.form.at_mut(rest),
            _ => None,
        }
    }
}

/// Names on the way to a place.
#[derive(Default, Clone, Copy)]
struct Path<'a>(Option<(&'a Path<'a>, &'a Branch)>);

impl<'a> Path<'a> {
    fn then(&'a self, branch: &'a Branch) -> Self {
        Self(Some((self, branch)))
    }
}

impl std::fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some((before, branch)) = self.0 else { return Ok(()) };
        before.fmt(f)?;
        if branch.is_wrapper {
            return Ok(());
        }
        let is_first = before.to_string().is_empty();
        write!(f, "{}{}", if is_first { "" } else { "." }, branch.key)
    }
}

/// Whether a field of a connection says nothing by its name.
fn is_wrapper(parent: &str, field: &str) -> bool {
    (parent.ends_with("Connection") && matches!(field, "nodes" | "edges")) || (parent.ends_with("Edge") && field == "node")
}

fn leaf(name: &str) -> ColumnType {
    match name {
        "Int" => ColumnType::Integer,
        "Float" => ColumnType::Number,
        "Boolean" => ColumnType::Boolean,
        PARTIAL_DATE => ColumnType::Date,
        DATE_TIME => ColumnType::Instant,
        _ => ColumnType::Text,
    }
}
