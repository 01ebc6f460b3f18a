//! Reads the metadata of an act: its work, its expression, and what happened to it.

use roxmltree::Node;

use super::language;
use super::text::{line_of, plain_text};
use super::tree::Located;
use super::vocabulary::{WorkDate, is_title_alias, law_kind, work_date};
use super::xml::FileReader;
use crate::store::draft::Origin;

/// What an act says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Metadata {
    /// URI of the work, which identifies the law.
    pub(super) work: Located,
    /// Country, or another jurisdiction, in lower case.
    pub(super) country: Located,
    /// Day from which the text of this expression counts.
    pub(super) date: Located,
    /// Language of this expression.
    pub(super) language: Located,
    pub(super) title: Located,
    pub(super) number: Option<Located>,
    pub(super) eli: Option<Located>,
    /// Kind of the law, if the act has a subtype that is one.
    pub(super) kind: Option<Located>,
    /// Kind that the name of the act says. It is often no more than a default.
    pub(super) kind_of_name: Option<&'static str>,
    pub(super) adopted_on: Option<Located>,
    pub(super) in_force_from: Option<Located>,
    pub(super) repealed_on: Option<Located>,
}

/// What is found of the metadata, of which some must be there.
#[derive(Default)]
struct Found {
    work: Option<Located>,
    this: Option<Located>,
    country: Option<Located>,
    date: Option<Located>,
    language: Option<Located>,
    number: Option<Located>,
    eli: Option<Located>,
    subtype: Option<Located>,
    enacted_on: Option<Located>,
    generated_on: Option<Located>,
    in_force_from: Option<Located>,
    repealed_on: Option<Located>,
    alias: Option<Located>,
}

impl FileReader<'_> {
    /// Reads the metadata of an act and its preface, of which the title and the number are kept. `None` if a problem was found.
    pub(super) fn metadata(&mut self, act: Node<'_, '_>) -> Option<Metadata> {
        let mut found = Found::default();
        let meta = self.child(act, "meta")?;
        let identification = self.child(meta, "identification")?;
        for section in self.read_elements(meta) {
            match section.tag_name().name() {
                "identification" => {}
                "lifecycle" => self.lifecycle(section, &mut found),
                name => self.omit_each(&format!("meta {name}"), section),
            }
        }
        let (work, expression) = (self.child(identification, "FRBRWork"), self.child(identification, "FRBRExpression"));
        for section in self.read_elements(identification) {
            match section.tag_name().name() {
                "FRBRWork" | "FRBRExpression" => {}
                name => self.omit(name.to_owned(), section),
            }
        }
        let (work, expression) = (work?, expression?);
        // the title of an expression is in its language
        self.expression(expression, &mut found);
        self.work(work, &mut found);
        let title = match (self.preface(act, &mut found), found.alias.take()) {
            (Some(title), Some(alias)) if alias.text != title.text => {
                let origin = Origin { line: Some(alias.line), ..self.origin(act) };
                self.omissions.count_text("FRBRalias", &alias.text, &origin);
                Some(title)
            }
            (title, alias) => title.or(alias),
        };
        if title.is_none() {
            self.problem(act, "the title is missing; give the act a <docTitle> in its <preface>, or a <FRBRalias name=\"title\">");
        }
        let (kind, kind_of_name) = self.kind(act, found.subtype.take());
        self.check_component(work, &found);
        Some(Metadata {
            work: found.work?,
            country: found.country?,
            date: found.date?,
            language: found.language?,
            title: title?,
            number: found.number,
            eli: found.eli,
            kind,
            kind_of_name,
            adopted_on: found.enacted_on.or(found.generated_on),
            in_force_from: found.in_force_from,
            repealed_on: found.repealed_on,
        })
    }

    /// The one element of a name that must be there.
    fn child<'a, 't>(&mut self, node: Node<'a, 't>, name: &str) -> Option<Node<'a, 't>> {
        let is_named =
            |child: &Node<'_, '_>| child.is_element() && child.tag_name().namespace() == self.namespace && child.tag_name().name() == name;
        let found: Vec<Node<'a, 't>> = node.children().filter(is_named).collect();
        match found.as_slice() {
            [only] => Some(*only),
            [] => {
                self.problem(node, format!("<{name}> is missing"));
                None
            }
            [_, second, ..] => {
                self.problem(*second, format!("<{name}> is given twice; keep one"));
                None
            }
        }
    }

    /// Counts the elements in an element, or the element itself if it has none.
    fn omit_each(&mut self, description: &str, node: Node<'_, '_>) {
        let elements: Vec<Node<'_, '_>> = node.children().filter(Node::is_element).collect();
        let omitted = if elements.is_empty() { vec![node] } else { elements };
        for element in omitted {
            self.omit(description, element);
        }
    }

    /// Sets a value that is given once, or twice alike.
    fn set_once(&mut self, node: Node<'_, '_>, slot: &mut Option<Located>, value: Option<Located>) {
        match (slot.as_ref(), value) {
            (_, None) => {}
            (None, Some(value)) => *slot = Some(value),
            (Some(first), Some(value)) if first.text == value.text => {}
            (Some(first), Some(value)) => {
                let message = format!("\"{}\" differs from \"{}\" on line {}; keep one of them", value.text, first.text, first.line);
                self.problem(node, message);
            }
        }
    }

    fn work(&mut self, work: Node<'_, '_>, found: &mut Found) {
        for node in self.read_elements(work) {
            match node.tag_name().name() {
                "FRBRuri" => {
                    let uri = self.required(node, "value").map(|uri| trimmed_uri(&uri));
                    self.set_once(node, &mut found.work, uri);
                }
                "FRBRthis" => {
                    let this = self.required(node, "value").map(|uri| trimmed_uri(&uri));
                    self.set_once(node, &mut found.this, this);
                }
                "FRBRcountry" => {
                    let country = self.required(node, "value");
                    let country = country.map(|country| Located { text: country.text.to_lowercase(), ..country });
                    self.set_once(node, &mut found.country, country);
                }
                "FRBRnumber" => {
                    let number = self.required(node, "value");
                    self.set_once(node, &mut found.number, number);
                }
                "FRBRsubtype" => {
                    let subtype = self.required(node, "value");
                    self.set_once(node, &mut found.subtype, subtype);
                }
                "FRBRdate" => self.work_date(node, found),
                "FRBRalias" => self.alias(node, found),
                name => self.omit(format!("FRBRWork {name}"), node),
            }
        }
        for (name, value) in [("FRBRuri", &found.work), ("FRBRcountry", &found.country)] {
            let is_given = work.children().any(|child| child.tag_name().name() == name);
            if value.is_none() && !is_given {
                self.problem(work, format!("<{name}> is missing"));
            }
        }
        let uris = [found.work.clone(), found.this.clone()];
        for uri in uris.into_iter().flatten().filter(|uri| is_eli(&uri.text)) {
            if found.eli.is_none() {
                found.eli = Some(uri);
            }
        }
    }

    fn work_date(&mut self, node: Node<'_, '_>, found: &mut Found) {
        let Some(name) = node.attribute("name") else {
            return self.omit("FRBRWork date without a name", node);
        };
        let Some(meaning) = work_date(name) else {
            return self.omit(format!("FRBRWork date \"{name}\""), node);
        };
        let date = self.date(node);
        let slot = match meaning {
            WorkDate::Adoption => &mut found.enacted_on,
            WorkDate::Generation => &mut found.generated_on,
            WorkDate::EntryIntoForce => &mut found.in_force_from,
        };
        self.set_once(node, slot, date);
    }

    fn alias(&mut self, node: Node<'_, '_>, found: &mut Found) {
        let value = self.required(node, "value");
        let name = node.attribute("name").unwrap_or("alias");
        if name.eq_ignore_ascii_case("eli") || value.as_ref().is_some_and(|value| is_eli(&value.text)) {
            self.set_once(node, &mut found.eli, value);
        } else if is_title_alias(name) && found.alias.is_none() {
            found.alias = value;
        } else {
            self.omit("FRBRalias", node);
        }
    }

    fn expression(&mut self, expression: Node<'_, '_>, found: &mut Found) {
        for node in self.read_elements(expression) {
            match node.tag_name().name() {
                "FRBRdate" => {
                    let date = self.date(node);
                    self.set_once(node, &mut found.date, date);
                }
                "FRBRlanguage" => {
                    let code = self.required(node, "language");
                    let language = code.and_then(|code| match language::tag(&code.text) {
                        Ok(tag) => Some(Located { text: tag, ..code }),
                        Err(message) => {
                            self.problem(node, format!("language: {message}"));
                            None
                        }
                    });
                    self.set_once(node, &mut found.language, language);
                }
                "FRBRalias" => self.alias(node, found),
                name => self.omit(format!("FRBRExpression {name}"), node),
            }
        }
        for (name, value) in [("FRBRdate", &found.date), ("FRBRlanguage", &found.language)] {
            let is_given = expression.children().any(|child| child.tag_name().name() == name);
            if value.is_none() && !is_given {
                self.problem(expression, format!("<{name}> is missing"));
            }
        }
    }

    /// Reads the events of an act, of which repeal is one that laws have a date for.
    fn lifecycle(&mut self, lifecycle: Node<'_, '_>, found: &mut Found) {
        for event in self.read_elements(lifecycle) {
            if event.attribute("type") == Some("repeal") {
                let date = self.date(event);
                self.set_once(event, &mut found.repealed_on, date);
            } else {
                self.omit("meta lifecycle", event);
            }
        }
    }

    /// Reads the title and the number of an act from its preface and cover page. The rest of these is counted as omitted.
    fn preface(&mut self, act: Node<'_, '_>, found: &mut Found) -> Option<Located> {
        let namespace = self.namespace;
        let mut title = None;
        for section in self.elements(act).into_iter().filter(|node| matches!(node.tag_name().name(), "preface" | "coverPage")) {
            let own = section.descendants().filter(|node| node.tag_name().namespace() == namespace);
            let named = |name: &str| own.clone().find(|node| node.tag_name().name() == name);
            let titled = ["docTitle", "shortTitle", "longTitle"].into_iter().find_map(named);
            let mut taken = Vec::new();
            for (node, slot) in [(titled, &mut title), (named("docNumber"), &mut found.number)] {
                let Some(node) = node else { continue };
                let (text, omitted) = line_of(node, namespace);
                for (description, node) in omitted {
                    self.omit(description, node);
                }
                match slot {
                    None if !text.is_empty() => {
                        *slot = Some(Located { text, line: self.line(node) });
                        taken.push(node);
                    }
                    Some(given) if given.text == text => taken.push(node),
                    None | Some(_) => {}
                }
            }
            for block in self.read_elements(section) {
                let kept: Vec<String> = block.descendants().filter(|node| taken.contains(node)).map(plain_text).collect();
                if plain_text(block) != kept.join(" ") {
                    self.omit(format!("{} {}", section.tag_name().name(), block.tag_name().name()), block);
                }
            }
        }
        title
    }

    /// The kinds of the law that its subtype and the name of the act say. What has no known meaning is counted as omitted.
    fn kind(&mut self, act: Node<'_, '_>, subtype: Option<Located>) -> (Option<Located>, Option<&'static str>) {
        let name = act.attribute("name").unwrap_or("act");
        let kind = subtype.as_ref().and_then(|subtype| law_kind(&subtype.text));
        let kind_of_name = law_kind(name);
        let unknown = match &subtype {
            Some(subtype) => kind.is_none().then_some((subtype.text.as_str(), subtype.line)),
            None => kind_of_name.is_none().then(|| (name, self.line(act))),
        };
        if let Some((text, line)) = unknown {
            let origin = Origin { line: Some(line), ..self.origin(act) };
            self.omissions.count_text("types of acts without a kind of law", text, &origin);
        }
        // a subtype says more than a name, even if it is not known
        let kind_of_name = kind_of_name.filter(|_| subtype.is_none());
        (subtype.zip(kind).map(|(subtype, kind)| Located { text: kind.to_owned(), line: subtype.line }), kind_of_name)
    }

    /// Requires that the file is the main document of its work: annexes in files of their own have the same ids of provisions.
    fn check_component(&mut self, work: Node<'_, '_>, found: &Found) {
        let (Some(uri), Some(this)) = (&found.work, &found.this) else { return };
        let component = this.text.strip_prefix(&uri.text);
        if !matches!(component, Some("" | "/main" | "/!main" | "!main")) {
            let message = format!(
                "FRBRthis is {}, which is neither the work {} nor its main document (/!main); only these are imported",
                this.text, uri.text
            );
            self.problem(work, message);
        }
    }
}

/// A URI without slashes at its end.
fn trimmed_uri(uri: &Located) -> Located {
    Located { text: uri.text.trim_end_matches('/').to_owned(), line: uri.line }
}

/// Whether a URI is a European Legislation Identifier.
fn is_eli(uri: &str) -> bool {
    let path = uri.split_once("://").map_or(Some(uri), |(_, rest)| rest.find('/').map(|at| &rest[at..]));
    path.is_some_and(|path| path.starts_with("/eli/"))
}
