//! The items of a set of Popolo files, and their fields.

use std::collections::HashMap;
use std::sync::Arc;

use super::class::PopoloClass;
use super::fields::FieldMap;
use super::normalize::display_name;
use crate::interchange::omissions::Omissions;
use crate::store::draft::value_tree::{Tree, Value};
use crate::store::draft::{InputProblem, Origin};

/// Prefix of the id of an item that has a name but no id of its own.
const NAME_ID_PREFIX: &str = "name:";

/// Prefix of the id of an item that has identifiers of other registers but no id of its own.
const IDENTIFIER_ID_PREFIX: &str = "identifier:";

/// Identifier scheme of the ids of people in Open States, which are unique everywhere.
const OPEN_STATES_SCHEME: &str = "openstates";

/// Field of an organization of Open States whose file does not name the place that it governs: the id of the area of that place.
pub(in crate::interchange) const NAMED_AFTER: &str = "(named after)";

/// Options of a Popolo import.
#[derive(Debug, Clone)]
pub struct PopoloOptions {
    /// Identifier scheme for the ids of persons; ids of other classes use this scheme with the class as suffix. An import of
    /// Popolo needs one, because ids are unique in one register only. An import of Open States does not.
    pub scheme: Option<String>,
    /// Language tag of names and other text.
    pub lang: String,
}

impl Default for PopoloOptions {
    fn default() -> Self {
        Self { scheme: None, lang: "und".to_owned() }
    }
}

/// The id of an item without an id, derived from its name: within one register, a name stands for one item.
pub(super) fn id_from_name(name: &str) -> String {
    format!("{NAME_ID_PREFIX}{name}")
}

/// The id of an item without an id, derived from its identifiers in other registers: two items with the same name and other
/// identifiers are not the same. It is no identifier of the register.
pub(super) fn id_from_identifiers(fields: &FieldMap) -> Option<String> {
    let (scheme, value) = identifiers(fields).into_iter().min()?;
    Some(format!("{IDENTIFIER_ID_PREFIX}{scheme}:{value}"))
}

/// Whether an id was derived from identifiers in other registers.
pub(super) fn is_from_identifiers(id: &str) -> bool {
    id.starts_with(IDENTIFIER_ID_PREFIX)
}

/// The schemes and values of the identifiers of an item.
pub(super) fn identifiers(fields: &FieldMap) -> Vec<(String, String)> {
    let Some(Value::List(items)) = fields.get("identifiers").map(|tree| &tree.value) else { return Vec::new() };
    let pair = |item: &Tree| match &item.value {
        Value::Map(entries) => {
            let identifier = FieldMap(entries.clone());
            identifier.get_text("scheme").zip(identifier.get_text("identifier").or_else(|| identifier.get_text("value")))
        }
        // what is no object is reported where identifiers are converted
        Value::Null | Value::Boolean(_) | Value::Number(_) | Value::Text(_) | Value::List(_) | Value::Invalid => None,
    };
    items.iter().filter_map(pair).collect()
}

/// An object of a Popolo class.
#[derive(Debug, Clone)]
pub(super) struct PopoloItem {
    pub(super) class: PopoloClass,
    pub(super) id: Option<String>,
    /// Whether the item comes from a list of its class rather than from inside another item.
    pub(super) is_top_level: bool,
    pub(super) fields: FieldMap,
    pub(super) origin: Origin,
}

/// An object in place of the member of a membership that does not say whether it is a person or an organization.
#[derive(Debug)]
pub(super) struct UntypedMember {
    pub(super) id: String,
    pub(super) object: Tree,
    pub(super) origin: Origin,
}

/// The items of all Popolo files of an import.
#[derive(Debug, Default)]
pub struct PopoloData {
    pub(super) options: PopoloOptions,
    pub(super) items: Vec<PopoloItem>,
    /// Number of objects that were added as items.
    pub(super) object_count: usize,
    pub(super) index_by_id: HashMap<(PopoloClass, String), usize>,
    /// Items that could not be read.
    pub problems: Vec<InputProblem>,
    /// Texts from which invisible characters were removed: the place of the first, and their number.
    pub(super) cleaned: Option<(String, usize)>,
    pub(super) omissions: Omissions,
    /// Members of memberships of which only the items of the import tell what they are.
    pub(super) untyped_members: Vec<UntypedMember>,
    /// The first file whose ids are unique in one register only.
    pub(super) register_file: Option<Arc<str>>,
    /// The first file of Open States.
    pub(super) open_states_file: Option<Arc<str>>,
}

impl PopoloData {
    /// Creates a set without items.
    pub fn new(options: PopoloOptions) -> Self {
        Self { options, ..Self::default() }
    }

    /// The scheme of the ids, or the problem that there is none. The ids of Open States have their own.
    pub fn scheme(&self) -> Result<String, InputProblem> {
        if let Some(file) = &self.open_states_file {
            let problem =
                |file: &Arc<str>, message: String| InputProblem::new(Origin { file: Some(file.clone()), ..Origin::default() }, message);
            if let Some(other) = &self.register_file {
                let message = format!(
                    "the ids of this file belong to another register than those of Open States in {file}; import the two with two commands"
                );
                return Err(problem(other, message));
            }
            return match &self.options.scheme {
                Some(scheme) if scheme != OPEN_STATES_SCHEME => {
                    let message = format!(
                        "the ids of Open States are unique everywhere and have the scheme {OPEN_STATES_SCHEME}, not {scheme}; leave out --scheme, or scheme of importFile"
                    );
                    Err(problem(file, message))
                }
                Some(_) | None => Ok(OPEN_STATES_SCHEME.to_owned()),
            };
        }
        self.options.scheme.clone().ok_or_else(|| {
            let message = "the ids of Popolo are unique in one register only; name the register with --scheme, such as --scheme isles-parliament, or with scheme of importFile; later imports find the same records by it";
            InputProblem::new(self.items.first().map(|item| item.origin.clone()).unwrap_or_default(), message)
        })
    }

    /// Names the bodies of places that other files of the import name, such as `municipalities.yml`.
    pub fn name_bodies(&mut self) {
        let areas = self.items.iter().filter(|item| item.class == PopoloClass::Area);
        let names: HashMap<String, String> = areas.filter_map(|area| area.id.clone().zip(display_name(&area.fields))).collect();
        for organization in self.items.iter_mut().filter(|item| item.class == PopoloClass::Organization) {
            let fields = &mut organization.fields;
            let name = fields.get_text(NAMED_AFTER).and_then(|area| names.get(&area)).zip(fields.get_text("classification"));
            if let Some((place, body)) = name.filter(|_| fields.get_text("name").is_none()) {
                fields.0.push(("name".to_owned(), Tree::text(organization.origin.line, format!("{place}, {body}"))));
            }
        }
    }

    /// Number of objects that were read, also of those that are the same item, and of problems.
    pub fn read_so_far(&self) -> usize {
        self.object_count + self.problems.len()
    }

    /// Whether there are neither items nor problems.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.problems.is_empty()
    }
}
