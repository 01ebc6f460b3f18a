//! Conversion of a parsed document to the document that is planned, with every literal coerced to the type of its place.
//!
//! The walk knows the type of each place, so it also reports what does not exist there: fields, arguments, members of
//! input objects, values of enums. It reports everything that is wrong, not only the first.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;

use apollo_compiler::ast;
use apollo_compiler::ast::{Definition, DirectiveList, Selection};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::{Name as AstName, Node};
use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types as executable;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationType};
use async_graphql::registry::{MetaInputValue, MetaType, MetaTypeName, Registry};
use async_graphql::{Name, Pos, Positioned};
use async_graphql_value::{ConstValue, Value};

use crate::core::nearest::nearest;
use crate::graphql::error::{GraphqlError, codes};
use crate::graphql::request::input_value::{Coercion, InputValue, Path, VariableUse};
use crate::graphql::request::positions::Positions;
use crate::graphql::schema::connection::{EDGES, NODES};

const TYPE_NAME: &str = "__typename";

/// Arguments of `__typename`.
static NO_ARGUMENTS: LazyLock<IndexMap<String, MetaInputValue>> = LazyLock::new(IndexMap::new);
/// Names of arguments or fields that a message lists.
const MAX_LISTED_NAMES: usize = 40;

/// A converted document, and what is wrong with it.
pub(super) struct Converted {
    pub(super) document: ExecutableDocument,
    /// Positions of the definitions of variables that are used where null must not stand.
    pub(super) non_null_uses: BTreeSet<(usize, usize)>,
    pub(super) errors: Vec<GraphqlError>,
}

/// What an operation or a fragment uses.
#[derive(Default)]
struct Uses<'a> {
    variables: Vec<VariableUse<'a>>,
    fragments: BTreeSet<&'a str>,
}

struct Converter<'a> {
    registry: &'a Registry,
    positions: &'a Positions<'a>,
    errors: Vec<GraphqlError>,
    uses: Uses<'a>,
}

/// Converts a document.
pub(super) fn convert(registry: &Registry, positions: &Positions<'_>, document: &ast::Document) -> Converted {
    let mut converter = Converter { registry, positions, errors: Vec::new(), uses: Uses::default() };
    let mut fragments = HashMap::new();
    let mut named = HashMap::new();
    let mut anonymous = None;
    let mut uses_of_fragments: BTreeMap<&str, Uses<'_>> = BTreeMap::new();
    let mut uses_of_operations: Vec<(&Node<ast::OperationDefinition>, Uses<'_>)> = Vec::new();
    for definition in &document.definitions {
        match definition {
            Definition::OperationDefinition(operation) => {
                let converted = converter.operation(operation);
                uses_of_operations.push((operation, std::mem::take(&mut converter.uses)));
                match &operation.name {
                    Some(name) => drop(named.insert(Name::new(name), converted)),
                    None => anonymous = Some(converted),
                }
            }
            Definition::FragmentDefinition(fragment) => {
                let converted = converter.fragment(fragment);
                uses_of_fragments.insert(&fragment.name, std::mem::take(&mut converter.uses));
                fragments.insert(Name::new(&fragment.name), converted);
            }
            // validation rejects definitions of a schema
            Definition::DirectiveDefinition(_)
            | Definition::SchemaDefinition(_)
            | Definition::ScalarTypeDefinition(_)
            | Definition::ObjectTypeDefinition(_)
            | Definition::InterfaceTypeDefinition(_)
            | Definition::UnionTypeDefinition(_)
            | Definition::EnumTypeDefinition(_)
            | Definition::InputObjectTypeDefinition(_)
            | Definition::SchemaExtension(_)
            | Definition::DirectiveExtension(_)
            | Definition::ScalarTypeExtension(_)
            | Definition::ObjectTypeExtension(_)
            | Definition::InterfaceTypeExtension(_)
            | Definition::UnionTypeExtension(_)
            | Definition::EnumTypeExtension(_)
            | Definition::InputObjectTypeExtension(_) => {}
        }
    }
    let mut non_null_uses = BTreeSet::new();
    for (operation, uses) in &uses_of_operations {
        converter.check_variables(operation, uses, &uses_of_fragments, &mut non_null_uses);
    }
    let operations = match anonymous {
        Some(operation) if named.is_empty() => DocumentOperations::Single(operation),
        Some(_) | None => DocumentOperations::Multiple(named),
    };
    Converted { document: ExecutableDocument { operations, fragments }, non_null_uses, errors: converter.errors }
}

pub(super) fn operation_type(ty: ast::OperationType) -> OperationType {
    match ty {
        ast::OperationType::Query => OperationType::Query,
        ast::OperationType::Mutation => OperationType::Mutation,
        ast::OperationType::Subscription => OperationType::Subscription,
    }
}

impl<'a> Converter<'a> {
    fn positioned<T>(&self, node: T, span: Option<SourceSpan>) -> Positioned<T> {
        Positioned::new(node, self.positions.of_span(span))
    }

    fn name(&self, name: &AstName) -> Positioned<Name> {
        self.positioned(Name::new(name), name.location())
    }

    fn fail(&mut self, span: Option<SourceSpan>, message: impl Into<String>) {
        self.errors.push(GraphqlError::new(codes::VALIDATION_FAILED, message).at(self.positions.of_span(span)));
    }

    fn operation(&mut self, operation: &'a Node<ast::OperationDefinition>) -> Positioned<executable::OperationDefinition> {
        let registry = self.registry;
        let root = match operation.operation_type {
            ast::OperationType::Query => Some(registry.query_type.as_str()),
            ast::OperationType::Mutation => registry.mutation_type.as_deref(),
            ast::OperationType::Subscription => registry.subscription_type.as_deref(),
        };
        let converted = executable::OperationDefinition {
            ty: operation_type(operation.operation_type),
            variable_definitions: operation.variables.iter().filter_map(|variable| self.variable(variable)).collect(),
            directives: self.directives(&operation.directives),
            selection_set: self.selection_set(root, &operation.selection_set, operation.location()),
        };
        self.positioned(converted, operation.location())
    }

    fn fragment(&mut self, fragment: &'a Node<ast::FragmentDefinition>) -> Positioned<executable::FragmentDefinition> {
        let parent = self.registry.types.get_key_value(fragment.type_condition.as_str()).map(|(name, _)| name.as_str());
        let on = self.name(&fragment.type_condition);
        let converted = executable::FragmentDefinition {
            type_condition: Positioned::new(executable::TypeCondition { on: on.clone() }, on.pos),
            directives: self.directives(&fragment.directives),
            selection_set: self.selection_set(parent, &fragment.selection_set, fragment.location()),
        };
        self.positioned(converted, fragment.location())
    }

    fn variable(&mut self, variable: &'a Node<ast::VariableDefinition>) -> Option<Positioned<executable::VariableDefinition>> {
        let ty = executable::Type::new(&variable.ty.to_string())?;
        let default_value = match &variable.default_value {
            Some(default) => {
                let type_text = variable.ty.to_string();
                let mut coercion = Coercion::new(self.registry);
                let coerced = coercion.coerce(&type_text, InputValue::Literal(default), &Path::default());
                let uses: Vec<usize> = coercion.uses.iter().map(|variable_use| variable_use.offset).collect();
                let errors = coercion.errors;
                // an unknown type is reported by validation
                if self.registry.types.contains_key(variable.ty.inner_named_type().as_str()) {
                    self.value_errors(errors, &format!("default of ${}", variable.name));
                }
                for offset in uses {
                    let message = format!("the default of ${} must not use variables", variable.name);
                    self.errors.push(GraphqlError::new(codes::VALIDATION_FAILED, message).at(self.positions.of(offset)));
                }
                let value = coerced.and_then(Value::into_const).unwrap_or(ConstValue::Null);
                Some(self.positioned(value, default.location()))
            }
            None => None,
        };
        let converted = executable::VariableDefinition {
            name: self.name(&variable.name),
            var_type: self.positioned(ty, variable.ty.location()),
            directives: self.directives(&variable.directives),
            default_value,
        };
        Some(self.positioned(converted, variable.location()))
    }

    /// Converts a selection set on a type of the schema; `None` for a type that does not exist.
    fn selection_set(
        &mut self,
        parent: Option<&'a str>,
        selections: &'a [Selection],
        span: Option<SourceSpan>,
    ) -> Positioned<executable::SelectionSet> {
        if selections.is_empty() {
            self.fail(span, "braces must contain at least one field");
        }
        let items = selections.iter().map(|selection| match selection {
            Selection::Field(field) => {
                let converted = self.field(parent, field);
                let field = self.positioned(converted, field.location());
                Positioned::new(executable::Selection::Field(field.clone()), field.pos)
            }
            Selection::FragmentSpread(spread) => {
                self.uses.fragments.insert(&spread.fragment_name);
                let converted = executable::FragmentSpread {
                    fragment_name: self.name(&spread.fragment_name),
                    directives: self.directives(&spread.directives),
                };
                let spread = self.positioned(converted, spread.location());
                Positioned::new(executable::Selection::FragmentSpread(spread.clone()), spread.pos)
            }
            Selection::InlineFragment(fragment) => {
                let inner = match &fragment.type_condition {
                    Some(name) => self.registry.types.get_key_value(name.as_str()).map(|(name, _)| name.as_str()),
                    None => parent,
                };
                let converted = executable::InlineFragment {
                    type_condition: fragment.type_condition.as_ref().map(|name| {
                        let on = self.name(name);
                        Positioned::new(executable::TypeCondition { on: on.clone() }, on.pos)
                    }),
                    directives: self.directives(&fragment.directives),
                    selection_set: self.selection_set(inner, &fragment.selection_set, fragment.location()),
                };
                let fragment = self.positioned(converted, fragment.location());
                Positioned::new(executable::Selection::InlineFragment(fragment.clone()), fragment.pos)
            }
        });
        let items = items.collect();
        self.positioned(executable::SelectionSet { items }, span)
    }

    fn field(&mut self, parent: Option<&'a str>, field: &'a Node<ast::Field>) -> executable::Field {
        let registry = self.registry;
        let parent_type = parent.and_then(|parent| Some((parent, registry.types.get(parent)?)));
        let declaration = parent_type.and_then(|(_, ty)| ty.field_by_name(&field.name));
        if let (Some((parent, ty)), None) = (parent_type, declaration)
            && field.name != TYPE_NAME
            && ty.is_composite()
        {
            let hint = unknown_field_hint(registry, ty, field);
            self.fail(field.name.location(), format!("{parent} has no field {}; {hint}", field.name));
        }
        let arguments = match declaration {
            Some(declaration) => self.arguments(&field.name, Some(&declaration.args), &field.arguments, field.name.location()),
            None if field.name == TYPE_NAME => self.arguments(&field.name, Some(&NO_ARGUMENTS), &field.arguments, field.name.location()),
            None => self.arguments(&field.name, None, &field.arguments, field.name.location()),
        };
        let below = declaration.and_then(|declaration| {
            let (name, ty) = registry.types.get_key_value(MetaTypeName::concrete_typename(&declaration.ty))?;
            Some((name.as_str(), ty))
        });
        match (below, &field.selection_set) {
            (Some((name, ty)), None) if ty.is_composite() => {
                let example = ty.fields().and_then(|fields| example_selection(registry, fields)).unwrap_or(TYPE_NAME.to_owned());
                self.fail(field.location(), format!("{} is of type {name}; select fields of it, such as {0} {{ {example} }}", field.name));
            }
            (Some((name, ty)), Some(_)) if ty.is_leaf() => {
                self.fail(field.location(), format!("{} is of type {name}, which has no fields; remove the braces", field.name));
            }
            (None, Some(_)) if field.name == TYPE_NAME => {
                self.fail(field.location(), format!("{TYPE_NAME} is of type String, which has no fields; remove the braces"));
            }
            _ => {}
        }
        let selection_set = match &field.selection_set {
            Some(selections) => self.selection_set(below.map(|(name, _)| name), selections, field.location()),
            None => self.positioned(executable::SelectionSet::default(), field.location()),
        };
        executable::Field {
            alias: field.alias.as_ref().map(|alias| self.name(alias)),
            name: self.name(&field.name),
            arguments,
            directives: self.directives(&field.directives),
            selection_set,
        }
    }

    fn directives(&mut self, directives: &'a DirectiveList) -> Vec<Positioned<executable::Directive>> {
        let registry = self.registry;
        let convert = |directive: &'a Node<ast::Directive>| {
            // validation rejects unknown directives
            let declared = registry.directives.get(directive.name.as_str()).map(|declaration| &declaration.args);
            let owner = format!("@{}", directive.name);
            let converted = executable::Directive {
                name: self.name(&directive.name),
                arguments: self.arguments(&owner, declared, &directive.arguments, directive.name.location()).into_iter().collect(),
            };
            self.positioned(converted, directive.location())
        };
        directives.iter().map(convert).collect()
    }

    /// Converts arguments; `None` if it is not known which are declared.
    fn arguments(
        &mut self,
        owner: &str,
        declared: Option<&'a IndexMap<String, MetaInputValue>>,
        given: &'a [Node<ast::Argument>],
        owner_span: Option<SourceSpan>,
    ) -> Vec<(Positioned<Name>, Positioned<Value>)> {
        let Some(declared) = declared else { return Vec::new() };
        let mut converted: Vec<(Positioned<Name>, Positioned<Value>)> = Vec::with_capacity(given.len());
        for argument in given {
            let Some(declaration) = declared.get(argument.name.as_str()) else {
                let hint = unknown_argument_hint(self.registry, declared, &argument.name);
                self.fail(argument.name.location(), format!("{owner} has no argument {}; {hint}", argument.name));
                continue;
            };
            if converted.iter().any(|(name, _)| name.node == argument.name.as_str()) {
                self.fail(argument.name.location(), format!("the argument {} of {owner} is given twice", argument.name));
                continue;
            }
            let mut coercion = Coercion::new(self.registry);
            let value = coercion.coerce(&declaration.ty, InputValue::Literal(&argument.value), &Path::default());
            let Coercion { errors, mut uses, .. } = coercion;
            if let (ast::Value::Variable(_), [variable_use]) = (&*argument.value, uses.as_mut_slice()) {
                variable_use.has_default = declaration.default_value.is_some();
            }
            self.uses.variables.extend(uses);
            self.value_errors(errors, &argument.name);
            let value = value.unwrap_or(Value::Null);
            converted.push((self.name(&argument.name), self.positioned(value, argument.value.location())));
        }
        for (name, declaration) in declared {
            let is_given = given.iter().any(|argument| argument.name == name.as_str());
            if !is_given && declaration.ty.ends_with('!') && declaration.default_value.is_none() {
                let message = format!("{owner} requires the argument {name} of type {}", declaration.ty);
                self.fail(owner_span, message);
            }
        }
        converted
    }

    /// Reports values that do not fit; `place` names the argument or variable.
    fn value_errors(&mut self, errors: Vec<crate::graphql::request::input_value::InputError>, place: &str) {
        for error in errors {
            let path = match error.path.as_str() {
                "" => place.to_owned(),
                path if path.starts_with('[') => format!("{place}{path}"),
                path => format!("{place}.{path}"),
            };
            let position = self.positions.of(error.offset.unwrap_or(0));
            self.errors.push(GraphqlError::new(codes::VALIDATION_FAILED, format!("{path}: {}", error.message)).at(position));
        }
    }

    /// Checks that the variables an operation uses are declared and may stand where they are used, and collects those that
    /// must not be null. Rules "All Variable Uses Defined" and "All Variable Usages Are Allowed" of the GraphQL
    /// specification (section 5.8).
    fn check_variables(
        &mut self,
        operation: &ast::OperationDefinition,
        uses: &Uses<'_>,
        uses_of_fragments: &BTreeMap<&str, Uses<'_>>,
        non_null_uses: &mut BTreeSet<(usize, usize)>,
    ) {
        let mut reached: BTreeSet<&str> = BTreeSet::new();
        let mut pending: Vec<&Uses<'_>> = vec![uses];
        while let Some(uses) = pending.pop() {
            for variable_use in &uses.variables {
                self.check_variable(operation, variable_use, non_null_uses);
            }
            for fragment in &uses.fragments {
                if let Some((name, uses)) = uses_of_fragments.get_key_value(fragment)
                    && reached.insert(name)
                {
                    pending.push(uses);
                }
            }
        }
    }

    fn check_variable(
        &mut self,
        operation: &ast::OperationDefinition,
        variable_use: &VariableUse<'_>,
        non_null_uses: &mut BTreeSet<(usize, usize)>,
    ) {
        let VariableUse { name, ty, offset, has_default: has_location_default } = variable_use;
        let at = self.positions.of(*offset);
        let Some(definition) = operation.variables.iter().find(|definition| definition.name == *name) else {
            let of = operation.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
            let keyword = operation.operation_type.name();
            let hint = match (nearest(name, operation.variables.iter().map(|variable| variable.name.as_str())), ty) {
                (Some(near), _) => format!("did you mean ${near}?"),
                (None, Some(ty)) => format!("declare it: {keyword}{of}(${name}: {ty})"),
                (None, None) => format!("declare it: {keyword}{of}(${name}: String!)"),
            };
            self.errors.push(GraphqlError::new(codes::VALIDATION_FAILED, format!("the variable ${name} is not declared; {hint}")).at(at));
            return;
        };
        let Some(ty) = ty else { return };
        let has_default = *has_location_default || definition.default_value.as_ref().is_some_and(|default| !default.is_null());
        let declared = definition.ty.to_string();
        let (required, nullable) = match ty.strip_suffix('!') {
            Some(nullable) => (true, nullable),
            None => (false, ty.as_ref()),
        };
        let allowed = if required && !declared.ends_with('!') {
            has_default && is_assignable(&declared, nullable)
        } else {
            is_assignable(&declared, ty)
        };
        if !allowed {
            let message = format!("the variable ${name} is of type {declared}, and {ty} is required here; declare it as ${name}: {ty}");
            self.errors.push(GraphqlError::new(codes::VALIDATION_FAILED, message).at(at));
        } else if required && !declared.ends_with('!') {
            let Pos { line, column } = self.positions.of_span(definition.location());
            non_null_uses.insert((line, column));
        }
    }
}

/// Whether a value of one type may stand where another type is required (`AreTypesCompatible` in the specification).
fn is_assignable(given: &str, required: &str) -> bool {
    let (given_inner, given_non_null) = given.strip_suffix('!').map_or((given, false), |inner| (inner, true));
    let (required_inner, required_non_null) = required.strip_suffix('!').map_or((required, false), |inner| (inner, true));
    if required_non_null && !given_non_null {
        return false;
    }
    match (MetaTypeName::create(given_inner), MetaTypeName::create(required_inner)) {
        (MetaTypeName::List(given), MetaTypeName::List(required)) => is_assignable(given, required),
        (MetaTypeName::Named(given), MetaTypeName::Named(required)) => given == required,
        _ => false,
    }
}

/// What would be right instead of a field that does not exist.
fn unknown_field_hint(registry: &Registry, parent: &MetaType, field: &ast::Field) -> String {
    let fields = || parent.fields().into_iter().flatten();
    let row_type = |list: &str| {
        let ty = &parent.field_by_name(list)?.ty;
        registry.types.get(MetaTypeName::concrete_typename(ty))
    };
    // a field of the records of a list
    if row_type(EDGES).is_some() && row_type(NODES).is_some_and(|row| row.field_by_name(&field.name).is_some()) {
        return format!("did you mean {NODES} {{ {} }}?", field.name);
    }
    if let Some(near) = nearest(&field.name, fields().map(|(name, _)| name.as_str())) {
        return format!("did you mean {near}?");
    }
    // a field of the types that implement an interface or are members of a union
    if let MetaType::Interface { possible_types, .. } | MetaType::Union { possible_types, .. } = parent {
        let having = |ty: &&String| registry.types.get(*ty).is_some_and(|ty| ty.field_by_name(&field.name).is_some());
        if let Some(ty) = possible_types.iter().find(having) {
            return format!("did you mean ... on {ty} {{ {} }}?", field.name);
        }
    }
    let known: Vec<&str> = fields().map(|(name, _)| name.as_str()).filter(|name| !name.starts_with("__")).collect();
    match known.len() {
        0 => format!("select fields by type, such as ... on Case {{ {} }}", field.name),
        1..=MAX_LISTED_NAMES => format!("its fields are {}", known.join(", ")),
        count => format!("its {count} fields are in /schema.graphql"),
    }
}

/// What would be right instead of an argument that does not exist.
fn unknown_argument_hint(registry: &Registry, declared: &IndexMap<String, MetaInputValue>, given: &str) -> String {
    if declared.is_empty() {
        return "it takes no arguments".to_owned();
    }
    // a member of an input object that is an argument
    let holder = declared.iter().find(|(_, argument)| match registry.types.get(MetaTypeName::concrete_typename(&argument.ty)) {
        Some(MetaType::InputObject { input_fields, .. }) => input_fields.contains_key(given),
        _ => false,
    });
    if let Some((name, _)) = holder {
        return format!("did you mean {name}: {{{given}: ...}}?");
    }
    let known: Vec<&str> = declared.keys().map(String::as_str).collect();
    match nearest(given, known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("its arguments are {}", known.join(", ")),
    }
}

/// A field that can be selected on a type without knowing more about it.
fn example_selection(registry: &Registry, fields: &IndexMap<String, async_graphql::registry::MetaField>) -> Option<String> {
    let preferred = [NODES, "id", "name", "title", "key", "count"];
    let found = preferred.iter().find(|name| fields.contains_key(**name)).map(|name| (*name).to_owned());
    let name = found.or_else(|| fields.keys().find(|name| !name.starts_with("__")).cloned())?;
    let below = registry.types.get(MetaTypeName::concrete_typename(&fields.get(&name)?.ty));
    Some(if below.is_some_and(MetaType::is_composite) { format!("{name} {{ {TYPE_NAME} }}") } else { name })
}
