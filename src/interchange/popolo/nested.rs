//! References between items: ids, and objects nested in their place or in lists.

use super::class::PopoloClass;
use super::fields::{FieldMap, is_empty, scalar_text};
use super::model::{PopoloData, UntypedMember};
use crate::store::draft::value_tree::{Tree, Value};
use crate::store::draft::{InputProblem, Origin};

/// Fields of a class that contain an object, whose id can stand in a field of the same name with `_id`, and the class of the
/// object.
fn references(class: PopoloClass) -> &'static [(&'static str, PopoloClass)] {
    const PERSON: (&str, PopoloClass) = ("person", PopoloClass::Person);
    const CREATOR: (&str, PopoloClass) = ("creator", PopoloClass::Person);
    const VOTER: (&str, PopoloClass) = ("voter", PopoloClass::Person);
    const ORGANIZATION: (&str, PopoloClass) = ("organization", PopoloClass::Organization);
    const ON_BEHALF_OF: (&str, PopoloClass) = ("on_behalf_of", PopoloClass::Organization);
    const GROUP: (&str, PopoloClass) = ("group", PopoloClass::Organization);
    const POST: (&str, PopoloClass) = ("post", PopoloClass::Post);
    const AREA: (&str, PopoloClass) = ("area", PopoloClass::Area);
    const PERIOD: (&str, PopoloClass) = ("legislative_period", PopoloClass::Event);
    const SESSION: (&str, PopoloClass) = ("legislative_session", PopoloClass::Event);
    const EVENT: (&str, PopoloClass) = ("event", PopoloClass::Event);
    const MOTION: (&str, PopoloClass) = ("motion", PopoloClass::Motion);
    match class {
        PopoloClass::Person => &[AREA],
        PopoloClass::Organization => &[("parent", PopoloClass::Organization), AREA],
        PopoloClass::Membership => &[PERSON, ORGANIZATION, ON_BEHALF_OF, POST, AREA, PERIOD],
        PopoloClass::Post | PopoloClass::Bill => &[ORGANIZATION, AREA],
        PopoloClass::Area => &[("parent", PopoloClass::Area)],
        PopoloClass::Event => &[("parent", PopoloClass::Event), ORGANIZATION, AREA],
        PopoloClass::Motion => &[CREATOR, ORGANIZATION, SESSION],
        PopoloClass::VoteEvent => &[MOTION, ORGANIZATION, SESSION, VOTER, GROUP],
        PopoloClass::Speech => &[CREATOR, EVENT],
    }
}

/// Fields of a membership that contain its member: an object or an id.
pub(super) const MEMBER_FIELDS: [&str; 2] = ["member", "member_id"];

/// A list of items nested in an item: class of the item, name of the list, class of its items, and the reference that each
/// has to the item.
type NestedList = (PopoloClass, &'static str, PopoloClass, &'static str);

const NESTED_LISTS: [NestedList; 11] = [
    (PopoloClass::Person, "memberships", PopoloClass::Membership, "person"),
    (PopoloClass::Organization, "memberships", PopoloClass::Membership, "organization"),
    (PopoloClass::Post, "memberships", PopoloClass::Membership, "post"),
    (PopoloClass::Organization, "posts", PopoloClass::Post, "organization"),
    (PopoloClass::Organization, "children", PopoloClass::Organization, "parent"),
    (PopoloClass::Area, "children", PopoloClass::Area, "parent"),
    (PopoloClass::Organization, "motions", PopoloClass::Motion, "organization"),
    (PopoloClass::Organization, "vote_events", PopoloClass::VoteEvent, "organization"),
    (PopoloClass::Motion, "vote_events", PopoloClass::VoteEvent, "motion"),
    (PopoloClass::Bill, "vote_events", PopoloClass::VoteEvent, "bill"),
    (PopoloClass::Event, "speeches", PopoloClass::Speech, "event"),
];

/// Takes a field that holds one id, or a list with nothing but it. Fails with what is wrong with another value.
pub(super) fn take_single(fields: &mut FieldMap, name: &str) -> Result<Option<Tree>, String> {
    let Some(mut tree) = fields.take(name) else { return Ok(None) };
    if let Value::List(items) = &mut tree.value {
        items.retain(|item| !is_empty(item));
        if items.len() != 1 {
            return Err(format!("this is a list of {}; it must be one id or one object", items.len()));
        }
        tree = items.swap_remove(0);
    }
    match tree.value {
        Value::Text(_) | Value::Number(_) | Value::Map(_) => Ok(Some(tree)),
        Value::Null | Value::Boolean(_) | Value::List(_) | Value::Invalid => {
            Err(format!("this is {}; it must be one id or one object", tree.kind()))
        }
    }
}

impl PopoloData {
    /// Adds the objects in reference fields as items of their own, and leaves their ids in the fields with `_id`.
    pub(super) fn extract_references(&mut self, fields: &mut FieldMap, class: PopoloClass, origin: &Origin) {
        for &(name, nested) in references(class) {
            // an area given as text is a name, not an id
            if nested == PopoloClass::Area && name == "area" && fields.get_text(name).is_some() {
                self.single_id(fields, "area_id", nested, origin);
                continue;
            }
            self.extract_reference(fields, name, nested, origin);
        }
    }

    /// Reads a reference that is given as an object, as an id, or as both.
    fn extract_reference(&mut self, fields: &mut FieldMap, name: &'static str, nested: PopoloClass, origin: &Origin) {
        let id_field = format!("{name}_id");
        let by_object = self.single_id(fields, name, nested, origin);
        let by_id = self.single_id(fields, &id_field, nested, origin);
        match (by_object, by_id) {
            (Some(object), Some(id)) if scalar_text(&object) != scalar_text(&id) => {
                self.contradiction([name, &id_field], [&object, &id], origin);
            }
            (Some(object), None) => fields.0.push((id_field, object)),
            (Some(_), Some(_)) | (None, _) => {}
        }
    }

    /// Reads the member of a membership, which is a person or an organization. An object says by its `@type` or its fields which
    /// one it is; one with an id may also be one that stands elsewhere. The id stays in the field that was given, `member` or
    /// `member_id`.
    pub(super) fn extract_member(&mut self, fields: &mut FieldMap, origin: &Origin) {
        let mut class = None;
        for (name, tree) in fields.0.iter_mut().filter(|(name, _)| MEMBER_FIELDS.contains(&name.as_str())) {
            let Value::Map(entries) = &tree.value else { continue };
            let place = origin.child(name.clone(), tree.line);
            let text = |name: &str| entries.iter().find(|(key, _)| key == name).and_then(|(_, tree)| scalar_text(tree));
            let by_fields = PopoloClass::from_fields(entries);
            let found = match (text("@type").as_deref().map(PopoloClass::from_name), by_fields.as_slice()) {
                (Some(stated), _) => stated,
                (None, [(only, _)]) => Some(*only),
                (None, _) => None,
            };
            match (found, text("id")) {
                (Some(PopoloClass::Person | PopoloClass::Organization), _) => class = found,
                // the items of the import tell which one it is, once all are there
                (None, Some(id)) => {
                    let object = Tree { line: tree.line, value: std::mem::replace(&mut tree.value, Value::Text(id.clone())) };
                    self.untyped_members.push(UntypedMember { id, object, origin: place });
                }
                (Some(_), _) | (None, None) => {
                    tree.value = Value::Null;
                    let message = "this is neither a person nor an organization; add an \"@type\", which is Person or Organization";
                    self.problems.push(InputProblem::new(place, message));
                }
            }
        }
        let class = class.unwrap_or(PopoloClass::Person);
        let [by_object, by_id] = MEMBER_FIELDS.map(|name| self.single_id(fields, name, class, origin));
        match (by_object, by_id) {
            (Some(object), Some(id)) if scalar_text(&object) != scalar_text(&id) => {
                self.contradiction(MEMBER_FIELDS, [&object, &id], origin);
            }
            (Some(object), None) => fields.0.push((MEMBER_FIELDS[0].to_owned(), object)),
            (Some(_), Some(_)) | (None, _) => {}
        }
    }

    /// Adds the objects in place of members to the persons and organizations with their ids. What an object of neither says besides
    /// its id and name counts as omitted; whether the database has it is known later.
    pub fn resolve_members(&mut self) {
        for UntypedMember { id, object, origin } in std::mem::take(&mut self.untyped_members) {
            let known = [PopoloClass::Person, PopoloClass::Organization]
                .into_iter()
                .filter(|class| self.index_by_id.contains_key(&(*class, id.clone())));
            match (known.collect::<Vec<_>>().as_slice(), object.value) {
                ([class], value) => drop(self.add(*class, Tree { line: object.line, value }, origin, false)),
                (_, Value::Map(entries)) => {
                    let rest = entries.into_iter().filter(|(name, tree)| !matches!(name.as_str(), "id" | "name") && !is_empty(tree));
                    self.omissions.count_remaining("memberships.member", rest.collect::<Vec<_>>().iter(), &origin);
                }
                (_, _) => {}
            }
        }
    }

    fn contradiction(&mut self, [name, id_field]: [&str; 2], [object, id]: [&Tree; 2], origin: &Origin) {
        let shown = |tree: &Tree| scalar_text(tree).map_or_else(|| tree.kind().to_owned(), |text| format!("\"{text}\""));
        let message = format!("{name} is {}, but {id_field} is {}; keep one of them", shown(object), shown(id));
        self.problem(origin.child(name.to_owned(), None), message);
    }

    /// Reads a reference, and leaves its id in the field if that ends in `_id`. A value that is neither an id nor an object is
    /// a problem.
    fn single_id(&mut self, fields: &mut FieldMap, name: &str, class: PopoloClass, origin: &Origin) -> Option<Tree> {
        let line = fields.get(name).and_then(|tree| tree.line);
        let place = origin.child(name.to_owned(), line);
        let tree = match take_single(fields, name) {
            Ok(tree) => tree?,
            Err(message) => {
                self.problem(place, message);
                return None;
            }
        };
        let id = match tree.value {
            Value::Map(_) => {
                let id = self.add(class, tree, place, false)?;
                Tree::text(line, id)
            }
            _ => tree,
        };
        if name.ends_with("_id") {
            fields.0.push((name.to_owned(), id.clone()));
        }
        Some(id)
    }

    /// Adds the items of nested lists, each with a reference to the item that contains them.
    pub(super) fn extract_lists(&mut self, fields: &mut FieldMap, class: PopoloClass, id: Option<&str>, origin: &Origin) {
        for (_, name, nested, owner) in NESTED_LISTS.into_iter().filter(|(of, ..)| *of == class) {
            let Some(tree) = fields.take(name) else { continue };
            let origin = origin.child(name, tree.line);
            let Value::List(items) = tree.value else {
                self.problem(origin, format!("this is {}; it must be a list of {}", tree.kind(), nested.plural()));
                continue;
            };
            for (index, item) in items.into_iter().enumerate() {
                let origin = origin.child(index, item.line);
                // the items themselves say what they belong to
                if scalar_text(&item).is_some() {
                    self.omissions.count(format!("{}.{name} given as ids", class.plural()), &item, &origin);
                    continue;
                }
                if let Some(item) = self.with_owner(item, owner, id, &origin) {
                    self.add(nested, item, origin, true);
                }
            }
        }
    }

    /// Sets the reference of a nested item to the one that contains it. Another reference is a problem.
    fn with_owner(&mut self, mut item: Tree, owner: &str, id: Option<&str>, origin: &Origin) -> Option<Tree> {
        let (Value::Map(entries), Some(id)) = (&mut item.value, id) else { return Some(item) };
        let id_field = format!("{owner}_id");
        let given = entries.iter().find(|(name, tree)| (*name == id_field || name == owner) && !is_empty(tree)).map(|(_, tree)| tree);
        let given = given.map(|tree| match &tree.value {
            Value::Map(fields) => fields.iter().find(|(name, _)| name == "id").and_then(|(_, tree)| scalar_text(tree)),
            _ => scalar_text(tree),
        });
        match given {
            None => {
                entries.retain(|(name, _)| *name != id_field);
                entries.push((id_field, Tree::text(item.line, id)));
            }
            Some(Some(given)) if given != id => {
                let message =
                    format!("this belongs to the {owner} \"{id}\" by its place, but to \"{given}\" by its {owner}; keep one of them");
                self.problem(origin.clone(), message);
                return None;
            }
            Some(_) => {}
        }
        Some(item)
    }

    /// Reads the references of the objects that an item has in lists as parts of it, such as the votes of a vote event.
    pub(super) fn extract_parts(&mut self, fields: &mut FieldMap, class: PopoloClass, origin: &Origin) {
        let lists: &[&str] = match class {
            PopoloClass::VoteEvent => &["votes"],
            PopoloClass::Bill => &["actions", "sponsorships"],
            PopoloClass::Person
            | PopoloClass::Organization
            | PopoloClass::Membership
            | PopoloClass::Post
            | PopoloClass::Area
            | PopoloClass::Event
            | PopoloClass::Motion
            | PopoloClass::Speech => &[],
        };
        for &list in lists {
            let Some((_, tree)) = fields.0.iter_mut().find(|(name, _)| name == list) else { continue };
            let line = tree.line;
            let Value::List(parts) = &mut tree.value else { continue };
            for (index, part) in parts.iter_mut().enumerate() {
                if let Value::Map(entries) = &mut part.value {
                    let origin = origin.child(list, line).child(index, part.line);
                    let mut fields = FieldMap(std::mem::take(entries));
                    self.extract_references(&mut fields, class, &origin);
                    *entries = fields.0;
                }
            }
        }
    }
}
