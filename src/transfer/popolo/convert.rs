//! From items to records: each field of Popolo to the field of ours that says the same.

use std::collections::{HashMap, HashSet};

use super::wish::Known;
use super::{Class, Fields, Item, Left, Options, Popolo, is_empty, value};
use crate::catalog::record::catalog;
use crate::core::language;
use crate::entity::RecordType;
use crate::store::draft;
use crate::store::draft::value_tree::{Tree, Value};
use crate::store::draft::{Draft, InputProblem, Origin};
use crate::transfer::slug::{LONGEST, mark, slug};

/// Notes about single items that are told at most.
const NOTES: usize = 50;

/// What was made of Popolo.
#[derive(Debug, Default)]
pub struct Converted {
    /// The records.
    pub drafts: Vec<(RecordType, Draft)>,
    /// What is wrong.
    pub problems: Vec<InputProblem>,
    /// What somebody should know.
    pub notes: Vec<String>,
}

impl Popolo {
    /// Makes records of everything that was taken up.
    pub fn convert(mut self, known: Known) -> Converted {
        let mut items: HashMap<Class, Vec<Item>> = HashMap::new();
        for item in std::mem::take(&mut self.items) {
            items.entry(item.class).or_default().push(item);
        }
        let mut work = Work {
            options: self.options,
            known,
            problems: self.problems,
            left: self.left,
            notes: Vec::new(),
            slugs: HashMap::new(),
            names: HashMap::new(),
            periods: HashMap::new(),
            sources: HashMap::new(),
            identifiers: HashMap::new(),
            marks: HashMap::new(),
            records: Vec::new(),
        };
        let mut of = |class| items.remove(&class).unwrap_or_default();
        let (areas, people, organizations) = (of(Class::Area), of(Class::Person), of(Class::Organization));
        for (class, items) in [(Class::Person, &people), (Class::Organization, &organizations), (Class::Area, &areas)] {
            work.name_all(class, items);
        }
        of(Class::Event).into_iter().for_each(|item| work.period(item));
        let mut posts: HashMap<String, Fields> = HashMap::new();
        for post in of(Class::Post) {
            posts.insert(post.id.unwrap_or_default(), post.fields);
        }
        areas.into_iter().for_each(|item| work.area(item));
        people.into_iter().for_each(|item| work.person(item));
        organizations.into_iter().for_each(|item| work.organization(item));
        let mut unused: HashSet<String> = posts.keys().cloned().collect();
        for item in of(Class::Membership) {
            work.membership(item, &posts, &mut unused);
        }
        unused.iter().for_each(|_| work.left.count("posts without memberships"));
        for period in work.periods.values().filter(|period| !period.used) {
            work.left.count(format!(
                "events that are {}",
                if period.is_term { "periods without memberships" } else { "no legislative periods" }
            ));
        }
        work.finish()
    }
}

/// A legislative period.
#[derive(Debug, Default)]
struct Period {
    name: Option<String>,
    start: Option<Tree>,
    end: Option<Tree>,
    is_term: bool,
    used: bool,
}

/// A record in the making: its fields, and where it stands.
struct Making {
    entries: Vec<(String, Tree)>,
    origin: Origin,
}

impl Making {
    fn new(slug: &str, origin: Origin) -> Self {
        let mut making = Self { entries: Vec::new(), origin };
        making.put("slug", Some(text(making.origin.line, slug)));
        making
    }

    fn put(&mut self, name: &str, tree: Option<Tree>) {
        if let Some(tree) = tree {
            self.entries.push((name.to_owned(), tree));
        }
    }

    fn put_list(&mut self, name: &str, items: Vec<Tree>) {
        if !items.is_empty() {
            self.put(name, Some(Tree { line: items[0].line, value: Value::List(items) }));
        }
    }

    fn put_language(&mut self, name: &str, lang: &str, given: Option<String>) {
        let line = self.origin.line;
        self.put(name, given.map(|given| map(line, vec![(lang, text(line, &given))])));
    }
}

fn text(line: Option<usize>, text: &str) -> Tree {
    Tree { line, value: Value::Text(text.to_owned()) }
}

fn map(line: Option<usize>, entries: Vec<(&str, Tree)>) -> Tree {
    Tree { line, value: Value::Map(entries.into_iter().map(|(name, tree)| (name.to_owned(), tree)).collect()) }
}

/// The date in a field, as dates are written here.
fn date(fields: &mut Fields, name: &str) -> Option<Tree> {
    let tree = fields.take(name)?;
    Some(text(tree.line, &value::date(&value::text(&tree)?)?))
}

/// Items of a list, as fields.
fn objects(fields: &mut Fields, name: &str) -> Vec<(Option<usize>, Fields)> {
    let Some(Tree { value: Value::List(items), .. }) = fields.take(name) else { return Vec::new() };
    items
        .into_iter()
        .filter(|item| !is_empty(item))
        .map(|item| match item.value {
            Value::Map(entries) => (item.line, Fields(entries)),
            value => (item.line, Fields(vec![("name".to_owned(), Tree { line: item.line, value })])),
        })
        .collect()
}

/// The Open Civic Data id of an area.
pub(super) fn division(id: Option<&str>, fields: &Fields) -> Option<String> {
    let is_division = |text: &str| text.starts_with("ocd-division/");
    let own = id.map(str::to_owned);
    let list = match fields.get("identifiers").map(|tree| &tree.value) {
        Some(Value::List(items)) => items.as_slice(),
        _ => &[],
    };
    let others = list.iter().filter_map(|item| match &item.value {
        Value::Map(entries) => entries.iter().find(|(key, _)| key == "identifier").and_then(|(_, tree)| value::text(tree)),
        _ => None,
    });
    own.into_iter().chain(fields.id("division_id")).chain(others).find(|text| is_division(text))
}

/// The address of a source.
pub(super) fn address(tree: &Tree) -> Option<String> {
    let url = match &tree.value {
        Value::Map(entries) => entries.iter().find(|(key, _)| key == "url").and_then(|(_, tree)| value::text(tree)),
        _ => value::text(tree),
    };
    url.filter(|url| value::is_web(url))
}

struct Work {
    options: Options,
    known: Known,
    problems: Vec<InputProblem>,
    left: Left,
    notes: Vec<String>,
    /// Slugs by class and id.
    slugs: HashMap<(Class, String), String>,
    /// Names by class and id.
    names: HashMap<(Class, String), String>,
    periods: HashMap<String, Period>,
    /// Slugs of sources by address.
    sources: HashMap<String, String>,
    /// Identifiers that were given, and the record that has them.
    identifiers: HashMap<(String, String), String>,
    /// How often the same mark of a membership was given.
    marks: HashMap<String, usize>,
    records: Vec<(RecordType, Making)>,
}

impl Work {
    /// Gives each item of a class its slug: the one it has in the database, or its name if nobody else has that, or its name
    /// with a mark.
    fn name_all(&mut self, class: Class, items: &[Item]) {
        let Some(ty) = class.becomes() else { return };
        let mut bases: HashMap<String, usize> = HashMap::new();
        let mut named = Vec::new();
        for item in items {
            let Some(id) = &item.id else { continue };
            let name = value::name(&mut item.fields.clone());
            let base = slug(name.as_deref().unwrap_or_default(), LONGEST);
            if let Some(name) = name {
                self.names.insert((class, id.clone()), name);
            }
            let division = (class == Class::Area).then(|| division(Some(id), &item.fields)).flatten();
            if class == Class::Area && division.is_none() {
                continue;
            }
            let there = division.and_then(|division| self.known.divisions.get(&division)).or_else(|| self.known.ids.get(&(ty, id.clone())));
            match there {
                Some(slug) => {
                    self.slugs.insert((class, id.clone()), slug.clone());
                }
                None => {
                    *bases.entry(base.clone()).or_default() += 1;
                    named.push((id, base));
                }
            }
        }
        for (id, base) in named {
            let is_taken = self.known.taken.contains(&(ty, base.clone())) && !id.starts_with("name:");
            let slug = match () {
                () if base.is_empty() => format!("{}-{}", class.singular(), mark(id)),
                () if is_taken || bases.get(&base).is_some_and(|count| *count > 1) => format!("{base}-{}", mark(id)),
                () => base.clone(),
            };
            if is_taken {
                self.notes.push(format!(
                    "{} \"{id}\" becomes {slug}: {base} is another in the database; if it is the same, give that one the identifier {} {id}",
                    class.singular(),
                    class.scheme(&self.options.scheme)
                ));
            }
            self.slugs.insert((class, id.clone()), slug);
        }
    }

    /// The slug of what a field refers to by its id.
    fn refer(&mut self, fields: &mut Fields, field: &str, class: Class, origin: &Origin) -> Option<Tree> {
        let tree = fields.take(field)?;
        let id = value::text(&tree)?;
        let there = class.becomes().and_then(|ty| self.known.ids.get(&(ty, id.clone())));
        if let Some(slug) = self.slugs.get(&(class, id.clone())).or(there) {
            return Some(text(tree.line, slug));
        }
        let (what, list, scheme) = (class.singular(), class.plural(), class.scheme(&self.options.scheme));
        self.problems.push(InputProblem::new(
            origin.below(format_args!(".{field}"), tree.line),
            format!("there is no {what} with the id \"{id}\" in {list}, and none with the identifier {scheme} {id} in the database"),
        ));
        None
    }

    fn period(&mut self, item: Item) {
        let mut fields = item.fields;
        let class = fields.text("classification").unwrap_or_default();
        let period = Period {
            name: value::name(&mut fields),
            start: date(&mut fields, "start_date"),
            end: date(&mut fields, "end_date"),
            is_term: class.is_empty() || class.contains("period") || class.contains("term"),
            used: false,
        };
        fields.take("organization_id");
        self.left.rest(Class::Event, &fields);
        self.periods.insert(item.id.unwrap_or_default(), period);
    }

    fn area(&mut self, item: Item) {
        let mut fields = item.fields;
        let Some(id) = item.id else { return };
        let Some(division) = division(Some(&id), &fields) else {
            return self.left.count("areas without Open Civic Data id, which stand in labels of memberships only");
        };
        let is_other =
            self.known.divisions.contains_key(&division) && !self.known.ids.contains_key(&(RecordType::Jurisdiction, id.clone()));
        let Some(slug) = self.slugs.get(&(Class::Area, id.clone())).cloned() else { return };
        // one that the dataset keeps already is referred to and stays as it is
        if is_other {
            return;
        }
        let mut making = Making::new(&slug, item.origin);
        fields.take("division_id");
        let name = value::name(&mut fields);
        making.put_language("name", &self.options.lang, name);
        let class = fields.text("classification").unwrap_or_default();
        making.put("classification", Some(text(making.origin.line, value::area(&class))));
        making.put("ocdId", Some(text(making.origin.line, &division)));
        let parent = fields.id("parent_id").and_then(|id| self.slugs.get(&(Class::Area, id)).cloned());
        if let Some(parent) = parent {
            fields.take("parent_id");
            making.put("parent", Some(text(making.origin.line, &parent)));
        }
        self.identifiers(&mut making, &mut fields, Class::Area, Some(&id), &slug);
        self.sources(&mut making, &mut fields);
        self.left.rest(Class::Area, &fields);
        self.records.push((RecordType::Jurisdiction, making));
    }

    fn person(&mut self, item: Item) {
        let Some((mut making, mut fields, id, slug)) = self.begin(Class::Person, item) else { return };
        let sort = fields.text("sort_name").or_else(|| Some(format!("{} {}", fields.id("family_name")?, fields.id("given_name")?)));
        let name = value::name(&mut fields);
        if fields.get("family_name").is_some() && fields.get("given_name").is_some() {
            fields.take("family_name");
            fields.take("given_name");
        }
        making.put_language("name", &self.options.lang, name);
        let line = making.origin.line;
        making.put("sortName", sort.map(|sort| text(line, &sort)));
        self.other_names(&mut making, &mut fields, Class::Person);
        for (from, to) in [("birth_date", "birthDate"), ("death_date", "deathDate")] {
            making.put(to, date(&mut fields, from));
        }
        making.put("gender", fields.text("gender").map(|gender| text(line, &value::gender(&gender))));
        let about = [fields.text("summary"), fields.text("biography")];
        let mut about: Vec<String> = about.into_iter().flatten().collect();
        about.dedup();
        making.put_language("biography", &self.options.lang, (!about.is_empty()).then(|| about.join("\n\n")));
        self.image(&mut making, &mut fields, Class::Person);
        self.links(&mut making, &mut fields, Class::Person);
        self.jurisdiction(&mut making, &mut fields);
        self.identifiers(&mut making, &mut fields, Class::Person, id.as_deref(), &slug);
        self.sources(&mut making, &mut fields);
        self.left.rest(Class::Person, &fields);
        self.records.push((RecordType::Person, making));
    }

    fn organization(&mut self, item: Item) {
        let Some((mut making, mut fields, id, slug)) = self.begin(Class::Organization, item) else { return };
        let line = making.origin.line;
        let name = value::name(&mut fields);
        making.put_language("name", &self.options.lang, name);
        self.other_names(&mut making, &mut fields, Class::Organization);
        let given = fields.text("classification").unwrap_or_default();
        let class = value::organization(&given);
        if class == "other" && !given.is_empty() && given != "other" {
            self.left.count(format!("organizations.classification \"{given}\", which became other"));
        }
        making.put("classification", Some(text(line, class)));
        for (from, to) in [("founding_date", "founded"), ("dissolution_date", "dissolved")] {
            making.put(to, date(&mut fields, from));
        }
        let about = [fields.text("abstract"), fields.text("summary"), fields.text("description")];
        let mut about: Vec<String> = about.into_iter().flatten().collect();
        about.dedup();
        making.put_language("description", &self.options.lang, (!about.is_empty()).then(|| about.join("\n\n")));
        let parent = self.refer(&mut fields, "parent_id", Class::Organization, &making.origin);
        making.put("parent", parent);
        self.image(&mut making, &mut fields, Class::Organization);
        self.links(&mut making, &mut fields, Class::Organization);
        self.jurisdiction(&mut making, &mut fields);
        self.identifiers(&mut making, &mut fields, Class::Organization, id.as_deref(), &slug);
        self.sources(&mut making, &mut fields);
        self.left.rest(Class::Organization, &fields);
        self.records.push((RecordType::Organization, making));
    }

    fn membership(&mut self, item: Item, posts: &HashMap<String, Fields>, unused: &mut HashSet<String>) {
        let (mut fields, origin) = (item.fields, item.origin);
        let mut post = Fields(Vec::new());
        if let Some(id) = fields.id("post_id")
            && let Some(found) = posts.get(&id)
        {
            fields.take("post_id");
            unused.remove(&id);
            post = found.clone();
            if let (None, Some(organization)) = (fields.get("organization_id"), post.take("organization_id")) {
                fields.0.push(("organization_id".to_owned(), organization));
            }
        }
        if fields.get("person_id").is_none() || fields.get("organization_id").is_none() {
            let missing = if fields.get("person_id").is_none() { "person" } else { "organization" };
            let place = format!("{}:{}", origin.file.as_deref().unwrap_or_default(), origin.line.unwrap_or_default());
            self.notes.push(format!("{place}: {}: this membership names no {missing} and is left out", origin.path));
            return;
        }
        let mark = self.mark(item.id.as_deref(), &fields);
        let person = self.refer(&mut fields, "person_id", Class::Person, &origin);
        let organization = self.refer(&mut fields, "organization_id", Class::Organization, &origin);
        let on_behalf_of = self.refer(&mut fields, "on_behalf_of_id", Class::Organization, &origin);
        let (Some(person), Some(organization)) = (person, organization) else { return };
        let short = |tree: &Tree| slug(&value::text(tree).unwrap_or_default(), 44);
        let there = item.id.as_ref().and_then(|id| self.known.ids.get(&(RecordType::Membership, id.clone()))).cloned();
        let slug = there.unwrap_or_else(|| format!("{}-{}-{mark}", short(&person), short(&organization)));
        let mut making = Making::new(&slug, origin);
        let line = making.origin.line;
        let role = fields.text("role").or_else(|| post.text("role"));
        let label = fields.text("label").or_else(|| post.text("label"));
        let mut label = vec![label.or_else(|| role.clone()).unwrap_or_else(|| "member".to_owned())];
        label.extend(self.place(&mut fields).or_else(|| self.place(&mut post)));
        let mut dates = (date(&mut fields, "start_date"), date(&mut fields, "end_date"));
        if let Some(period) = fields.id("legislative_period_id").and_then(|id| self.periods.get_mut(&id)) {
            fields.take("legislative_period_id");
            period.used = true;
            label.extend(period.name.clone());
            dates.0 = dates.0.or_else(|| period.start.clone());
            dates.1 = dates.1.or_else(|| period.end.clone());
        }
        making.put_language("label", &self.options.lang, Some(label.join(", ")));
        making.put("role", role.map(|role| text(line, &role)));
        making.put("startDate", dates.0);
        making.put("endDate", dates.1);
        making.put("endReason", fields.text("end_reason").map(|reason| text(line, &reason)));
        making.put("person", Some(person));
        making.put("organization", Some(organization));
        making.put("onBehalfOf", on_behalf_of);
        self.identifiers(&mut making, &mut fields, Class::Membership, item.id.as_deref(), &slug);
        self.sources(&mut making, &mut fields);
        self.left.rest(Class::Membership, &fields);
        self.left.rest(
            Class::Post,
            &Fields(
                post.0
                    .into_iter()
                    .filter(|(key, _)| !matches!(key.as_str(), "id" | "organization_id" | "role" | "label" | "start_date" | "end_date"))
                    .collect(),
            ),
        );
        self.records.push((RecordType::Membership, making));
    }

    /// A mark that tells this membership from all others of the same person in the same organization, and stays the same.
    fn mark(&mut self, id: Option<&str>, fields: &Fields) -> String {
        if let Some(id) = id {
            return mark(id);
        }
        let known_by =
            ["person_id", "organization_id", "on_behalf_of_id", "post_id", "role", "area_id", "legislative_period_id", "start_date"];
        let parts: Vec<String> = known_by.iter().map(|name| fields.id(name).unwrap_or_default()).collect();
        let text = parts.join("\n");
        let count = self.marks.entry(text.clone()).or_default();
        *count += 1;
        if *count == 1 { mark(&text) } else { mark(&format!("{text}\n{count}")) }
    }

    /// Name of the area that a membership or a post is for.
    fn place(&mut self, fields: &mut Fields) -> Option<String> {
        if let Some(name) = fields.text("area") {
            return Some(name);
        }
        let id = fields.id("area_id")?;
        let name = self.names.get(&(Class::Area, id)).cloned()?;
        fields.take("area_id");
        Some(name)
    }

    /// A record with its slug; one without any name is left out with a problem.
    fn begin(&mut self, class: Class, item: Item) -> Option<(Making, Fields, Option<String>, String)> {
        let slug = item.id.as_ref().and_then(|id| self.slugs.get(&(class, id.clone()))).cloned();
        let name = item.id.as_ref().and_then(|id| self.names.get(&(class, id.clone())));
        match (slug, name) {
            (Some(slug), Some(_)) => Some((Making::new(&slug, item.origin), item.fields, item.id, slug)),
            _ => {
                let message = format!("name is missing; give the {} a name", class.singular());
                self.problems.push(InputProblem::new(item.origin, message));
                None
            }
        }
    }

    fn other_names(&mut self, making: &mut Making, fields: &mut Fields, class: Class) {
        let mut seen = HashSet::new();
        let mut names = Vec::new();
        for (line, mut other) in objects(fields, "other_names") {
            let Some(name) = value::name(&mut other) else {
                self.left.count(format!("{}.other_names without name", class.plural()));
                continue;
            };
            let lang = other.text("lang").or_else(|| other.text("language"));
            let tag = lang.and_then(|given| {
                let tag = language::tag(&given.replace('_', "-")).ok();
                if tag.is_none() {
                    self.left.count(format!("{}.other_names.lang \"{given}\", which is no language tag", class.plural()));
                }
                tag
            });
            if !seen.insert((name.clone(), tag.clone())) {
                continue;
            }
            let mut entries = vec![("name", text(line, &name))];
            entries.extend(tag.map(|tag| ("lang", text(line, &tag))));
            entries.extend(other.text("note").map(|note| ("note", text(line, &note))));
            entries.extend(date(&mut other, "start_date").map(|tree| ("start", tree)));
            entries.extend(date(&mut other, "end_date").map(|tree| ("end", tree)));
            for (key, _) in other.0.iter().filter(|(_, tree)| !is_empty(tree)) {
                self.left.count(format!("{}.other_names.{key}", class.plural()));
            }
            names.push(map(line, entries));
        }
        making.put_list("otherNames", names);
    }

    fn image(&mut self, making: &mut Making, fields: &mut Fields, class: Class) {
        let Some(image) = fields.text("image") else { return };
        match value::is_web(&image) {
            true => making.put("image", Some(text(making.origin.line, &image))),
            false => self.left.count(format!("{}.image that is no address on the web", class.plural())),
        }
    }

    /// Links, and those ways of contact that are web pages.
    fn links(&mut self, making: &mut Making, fields: &mut Fields, class: Class) {
        let mut seen = HashSet::new();
        let mut links = Vec::new();
        let contacts = objects(fields, "contact_details").into_iter().map(|contact| (contact, true));
        for ((line, mut link), is_contact) in objects(fields, "links").into_iter().map(|link| (link, false)).chain(contacts) {
            let kind = link.text("type");
            let url = link.text("url").or_else(|| link.text("value")).or_else(|| link.text("name"));
            let Some(url) = url.filter(|url| value::is_web(url)) else {
                let what =
                    if is_contact { format!("contact_details {}", kind.unwrap_or_default()) } else { "links without address".to_owned() };
                self.left.count(format!("{}.{}", class.plural(), what.trim()));
                continue;
            };
            if seen.insert(url.clone()) {
                let note = link.text("note").or_else(|| link.text("label")).or(kind);
                let mut entries = vec![("url", text(line, &url))];
                entries.extend(note.map(|note| ("note", text(line, &note))));
                links.push(map(line, entries));
            }
        }
        making.put_list("links", links);
    }

    /// The jurisdiction that an area has become.
    fn jurisdiction(&mut self, making: &mut Making, fields: &mut Fields) {
        let Some(id) = fields.id("area_id") else { return };
        let there = self.known.ids.get(&(RecordType::Jurisdiction, id.clone()));
        if let Some(slug) = self.slugs.get(&(Class::Area, id)).or(there).cloned() {
            fields.take("area_id");
            making.put("jurisdiction", Some(text(making.origin.line, &slug)));
        }
    }

    /// The id and the other identifiers, each once; no two records can share one.
    fn identifiers(&mut self, making: &mut Making, fields: &mut Fields, class: Class, id: Option<&str>, slug: &str) {
        let line = making.origin.line;
        let mut found = Vec::new();
        if let Some(id) = id.filter(|id| !id.starts_with("name:")) {
            found.push((line, class.scheme(&self.options.scheme), id.to_owned()));
        }
        for (line, mut identifier) in objects(fields, "identifiers") {
            let value = identifier.text("identifier").or_else(|| identifier.text("value"));
            match (identifier.text("scheme"), value) {
                (_, Some(value)) if value.starts_with("ocd-division/") && class == Class::Area => {}
                (Some(scheme), Some(value)) => found.push((line, scheme, value)),
                _ => self.left.count(format!("{}.identifiers without scheme or value", class.plural())),
            }
        }
        let owner = format!("{} {slug}", class.singular());
        let mut trees = Vec::new();
        for (line, scheme, value) in found {
            match self.identifiers.get(&(scheme.clone(), value.clone())) {
                Some(other) if *other == owner => {}
                Some(other) => {
                    self.notes.push(format!(
                        "identifier {scheme} {value} stays with {other}; no two records can share it, so {owner} is without it"
                    ));
                }
                None => {
                    self.identifiers.insert((scheme.clone(), value.clone()), owner.clone());
                    trees.push(map(line, vec![("scheme", text(line, &scheme)), ("value", text(line, &value))]));
                }
            }
        }
        making.put_list("identifiers", trees);
    }

    /// Sources become records of their own, once for each address, and citations of this one.
    fn sources(&mut self, making: &mut Making, fields: &mut Fields) {
        let mut cited = HashSet::new();
        let mut citations = Vec::new();
        for (line, mut source) in objects(fields, "sources") {
            let url = source.text("url").or_else(|| source.text("name"));
            let Some(url) = url.filter(|url| value::is_web(url)) else {
                self.left.count("sources without address");
                continue;
            };
            if !cited.insert(url.clone()) {
                continue;
            }
            let slug = self.source(&url, &making.origin, line);
            let mut entries = vec![("source", text(line, &slug))];
            entries.extend(source.text("note").map(|note| ("note", text(line, &note))));
            citations.push(map(line, entries));
        }
        making.put_list("citations", citations);
    }

    /// Slug of the source with this address, which is made if it is new.
    fn source(&mut self, url: &str, origin: &Origin, line: Option<usize>) -> String {
        if let Some(slug) = self.known.sources.get(url).or_else(|| self.sources.get(url)) {
            return slug.clone();
        }
        let bare = url.split_once("://").map_or(url, |(_, bare)| bare).trim_end_matches('/');
        let slug = format!("{}-{}", slug(bare, LONGEST), mark(url));
        let mut making = Making::new(&slug, origin.below(".sources", line));
        making.put_language("title", "und", Some(bare.to_owned()));
        making.put("url", Some(text(line, url)));
        making.put("kind", Some(text(line, "other")));
        self.records.push((RecordType::Source, making));
        self.sources.insert(url.to_owned(), slug.clone());
        slug
    }

    fn finish(mut self) -> Converted {
        let mut drafts = Vec::new();
        for (ty, making) in self.records {
            let tree = Tree { line: making.origin.line, value: Value::Map(making.entries) };
            match draft::parse::record(catalog().get(ty), &tree, &making.origin) {
                Ok(draft) => drafts.push((ty, draft)),
                Err(problems) => self.problems.extend(problems),
            }
        }
        if self.notes.len() > NOTES {
            let more = self.notes.split_off(NOTES).len();
            self.notes.push(format!("and {more} more of this kind"));
        }
        self.notes.extend(self.left.note());
        Converted { drafts, problems: self.problems, notes: self.notes }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::transfer::json;
    use proptest::prelude::*;

    fn converted(text: &str) -> Converted {
        let file: Arc<str> = Arc::from("test.json");
        let mut popolo = Popolo::new(Options::default());
        popolo.take(&file, json::read(&file, text.as_bytes()).unwrap());
        popolo.convert(Known::default())
    }

    fn names(converted: &Converted) -> Vec<&str> {
        converted.drafts.iter().filter_map(|(_, draft)| draft.name.as_deref()).collect()
    }

    #[test]
    fn the_same_file_gives_the_same_slugs_and_no_two_alike() {
        let person = |id: usize| format!("{{\"id\": {id}, \"name\": \"Same Name\"}}");
        let people: Vec<String> = (0..200).map(person).collect();
        let text = format!("{{\"persons\": [{}, {{\"id\": 200, \"name\": \"Other\"}}]}}", people.join(","));
        let (first, second) = (converted(&text), converted(&text));
        assert_eq!(names(&first), names(&second));
        assert_eq!(names(&first).into_iter().collect::<HashSet<_>>().len(), 201);
        assert!(names(&first).contains(&"other"));
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let key = prop::sample::select(vec![
            "id",
            "name",
            "persons",
            "person",
            "person_id",
            "organization",
            "organization_id",
            "memberships",
            "other_names",
            "identifiers",
            "identifier",
            "scheme",
            "sources",
            "url",
            "links",
            "areas",
            "area",
            "area_id",
            "posts",
            "post_id",
            "events",
            "birth_date",
            "classification",
            "parent",
            "parent_id",
            "@type",
            "contact_details",
            "legislative_period_id",
            "start_date",
            "image",
        ]);
        let text =
            prop::sample::select(vec!["", "1", "Person", "0000-00-00", "2020-01", "https://a.example/", "ocd-division/country:xi", "ж"]);
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<i32>().prop_map(serde_json::Value::from),
            text.prop_map(serde_json::Value::from)
        ];
        leaf.prop_recursive(5, 64, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
                prop::collection::vec((key.clone(), inner), 0..6)
                    .prop_map(|entries| entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_file_makes_reading_panic(json in any_json()) {
            let text = serde_json::json!({"persons": [json], "organizations": [json], "memberships": [json], "areas": [json], "x": json}).to_string();
            let converted = converted(&text);
            for (_, draft) in &converted.drafts {
                prop_assert!(draft.name.is_some());
            }
        }

        #[test]
        fn names_and_dates_come_through(name in "[A-Za-zА-я][A-Za-zА-я ]{0,30}", year in 1900u32..2030, month in 1u32..13) {
            let text = serde_json::json!({"persons": [{"id": "x", "name": name, "birth_date": format!("{year}-{month:02}-00")}]}).to_string();
            let converted = converted(&text);
            prop_assert!(converted.problems.is_empty());
            let record = catalog().get(RecordType::Person);
            let cell = |field: &str| converted.drafts[0].1.value(record.field_index(field).unwrap()).cloned();
            let given = |cell| Some(draft::DraftValue::Cell(cell));
            prop_assert_eq!(cell("name"), given(crate::store::read::result::Cell::Json(serde_json::json!({"und": name.trim()}))));
            prop_assert_eq!(cell("birthDate"), given(crate::store::read::result::Cell::Text(format!("{year}-{month:02}"))));
        }
    }
}
