// Short constructors of nodes of graphql-js, and lists of the places in a document.
import {
  Kind,
  TypeInfo,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  parseType,
  visit,
  visitWithTypeInfo,
} from "graphql";

export const name = (value) => ({ kind: Kind.NAME, value });
export const variable = (value) => ({ kind: Kind.VARIABLE, name: name(value) });
export const int = (value) => ({ kind: Kind.INT, value: String(value) });
export const float = (value) => ({ kind: Kind.FLOAT, value: String(value) });
export const string = (value, block = false) => ({ kind: Kind.STRING, value, block });
export const boolean = (value) => ({ kind: Kind.BOOLEAN, value });
export const enumValue = (value) => ({ kind: Kind.ENUM, value });
export const nullValue = () => ({ kind: Kind.NULL });
export const list = (values) => ({ kind: Kind.LIST, values });
export const member = (key, value) => ({ kind: Kind.OBJECT_FIELD, name: name(key), value });
export const object = (fields) => ({ kind: Kind.OBJECT, fields });
export const argument = (key, value) => ({ kind: Kind.ARGUMENT, name: name(key), value });
export const directive = (key, args = []) => ({ kind: Kind.DIRECTIVE, name: name(key), arguments: args });
export const selectionSet = (selections) => ({ kind: Kind.SELECTION_SET, selections });
export const type = (text) => parseType(text, { noLocation: true });

export const field = (key, { alias, args = [], directives = [], selections } = {}) => ({
  kind: Kind.FIELD,
  alias: alias && name(alias),
  name: name(key),
  arguments: args,
  directives,
  selectionSet: selections && selectionSet(selections),
});

export const spread = (key, directives = []) => ({ kind: Kind.FRAGMENT_SPREAD, name: name(key), directives });

export const inlineFragment = (on, selections, directives = []) => ({
  kind: Kind.INLINE_FRAGMENT,
  typeCondition: on && { kind: Kind.NAMED_TYPE, name: name(on) },
  directives,
  selectionSet: selectionSet(selections),
});

export const fragment = (key, on, selections, directives = []) => ({
  kind: Kind.FRAGMENT_DEFINITION,
  name: name(key),
  typeCondition: { kind: Kind.NAMED_TYPE, name: name(on) },
  directives,
  selectionSet: selectionSet(selections),
});

export const variableDefinition = (key, ofType, defaultValue) => ({
  kind: Kind.VARIABLE_DEFINITION,
  variable: variable(key),
  type: type(ofType),
  defaultValue,
  directives: [],
});

export const operation = (kind, key, selections, variables = []) => ({
  kind: Kind.OPERATION_DEFINITION,
  operation: kind,
  name: key && name(key),
  variableDefinitions: variables,
  directives: [],
  selectionSet: selectionSet(selections),
});

/** The literal of a JSON value at a place of a type. */
export function literal(json, ofType) {
  if (isNonNullType(ofType)) return literal(json, ofType.ofType);
  if (json === null) return nullValue();
  if (Array.isArray(json)) return list(json.map((item) => literal(item, isListType(ofType) ? ofType.ofType : ofType)));
  const named = getNamedType(ofType);
  if (isEnumType(named) && typeof json === "string") return enumValue(json);
  if (typeof json === "object") {
    const fields = isInputObjectType(named) ? named.getFields() : {};
    return object(Object.entries(json).map(([key, value]) => member(key, literal(value, fields[key]?.type))));
  }
  if (typeof json === "boolean") return boolean(json);
  if (typeof json === "number") return named?.name !== "Float" && Number.isInteger(json) ? int(json) : float(json);
  return string(json);
}

/** The places of a document, each with the nodes around it and its type. */
export function places(schema, document) {
  const info = new TypeInfo(schema);
  const found = { fields: [], selectionSets: [], args: [], objects: [], values: [], directives: [], lists: [], spreads: [], inlineFragments: [] };
  let isDefault = false;
  const note = (kind, entry) => void found[kind].push(entry);
  visit(
    document,
    visitWithTypeInfo(info, {
      // values in defaults are places, too, but cannot be variables
      VariableDefinition: { enter: () => void (isDefault = true), leave: () => void (isDefault = false) },
      SelectionSet: (node) => note("selectionSets", { node, parentType: info.getParentType() }),
      Field: (node) => note("fields", { node, definition: info.getFieldDef(), parentType: info.getParentType(), type: info.getType() }),
      FragmentSpread: (node) => note("spreads", { node, parentType: info.getParentType() }),
      InlineFragment: (node) => note("inlineFragments", { node, parentType: info.getParentType() }),
      Directive: (node) => note("directives", { node }),
      Argument: (node) => {
        note("args", { node, definition: info.getArgument() });
        note("values", { holder: node, type: info.getInputType(), isDefault });
      },
      ObjectField: (node) => note("values", { holder: node, type: info.getInputType(), isDefault }),
      ObjectValue: (node) => note("objects", { node, type: getNamedType(info.getInputType()) }),
      ListValue: (node) => note("lists", { node, type: info.getInputType() }),
    }),
  );
  return found;
}

/** The object types that a value of a composite type can have. */
export const possibleTypes = (schema, composite) => (isObjectType(composite) ? [composite] : schema.getPossibleTypes(composite));
