// Generates valid operations from a schema.
import {
  Kind,
  getNamedType,
  getNullableType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isRequiredArgument,
  isRequiredInputField,
  isUnionType,
} from "graphql";
import * as ast from "./ast.mjs";

const MAX_DEPTH = 4;
const MAX_PAGE = 3;
/** Fields whose value depends on the caller or the time of the request, and a field that requires a file. */
const EXCLUDED_FIELDS = new Set(["rateLimit", "viewer", "importFile"]);
/** Arguments that are tokens of the server. */
const CURSOR_ARGUMENTS = new Set(["after", "before", "since"]);

/** What a request sends: a document, the operation to execute, and variables. */
export function generate(schema, random, sample, { kinds = ["query"], maxOperations = 2 } = {}) {
  return new Generator(schema, random, sample).request(kinds, maxOperations);
}

class Generator {
  constructor(schema, random, sample) {
    Object.assign(this, { schema, random, sample });
    this.count = 0;
    /** What each response key stands for, so that no two fields conflict. */
    this.meanings = new Map();
  }

  fresh(prefix) {
    this.count += 1;
    return `${prefix}${this.count}`;
  }

  request(kinds, maxOperations) {
    const { random } = this;
    const count = random.chance(0.1) ? maxOperations : 1;
    const definitions = [];
    const operations = [];
    let variables = {};
    for (let index = 0; index < count; index += 1) {
      Object.assign(this, { definitions: [], values: {}, fragments: [] });
      const kind = random.pick(kinds);
      const root = this.schema.getRootType(kind);
      const selections = kind === "subscription" ? [this.field(root, random.pick(this.fieldsOf(root)), 0)] : this.selections(root, 0);
      const isNamed = count > 1 || random.chance(0.5);
      const operation = ast.operation(kind, isNamed ? this.fresh("Operation") : undefined, selections, this.definitions);
      operations.push({ name: operation.name?.value, variables: this.values });
      // fragments may stand before the operation
      definitions.push(...(random.chance(0.5) ? [operation, ...this.fragments] : [...this.fragments, operation]));
    }
    const { name, ...chosen } = random.pick(operations);
    variables = chosen.variables;
    const operationName = count > 1 || (name && random.chance(0.3)) ? name : undefined;
    return { document: { kind: Kind.DOCUMENT, definitions }, operationName, variables };
  }

  fieldsOf(type) {
    return Object.values(type.getFields()).filter((field) => !EXCLUDED_FIELDS.has(field.name));
  }

  /** One to five selections of a composite type. */
  selections(parent, depth) {
    const { random } = this;
    const selections = [];
    const count = 1 + random.below(depth === 0 ? 3 : 4);
    while (selections.length < count) selections.push(this.selection(parent, depth));
    return selections;
  }

  selection(parent, depth) {
    const { random } = this;
    if (random.chance(0.06) && depth > 0) return ast.field("__typename", this.aliased("__typename", "__typename: String!"));
    const isAbstract = isUnionType(parent) || isInterfaceType(parent);
    if (depth < MAX_DEPTH && (isUnionType(parent) || random.chance(isAbstract ? 0.6 : 0.15))) {
      return this.fragment(parent, depth);
    }
    const fields = this.fieldsOf(parent);
    const leaves = fields.filter((field) => !isCompositeType(getNamedType(field.type)));
    const composites = fields.filter((field) => isCompositeType(getNamedType(field.type)));
    const wantsLeaf = composites.length === 0 || depth >= MAX_DEPTH || random.chance(depth === 0 ? 0 : 0.55);
    const candidates = wantsLeaf && leaves.length > 0 ? leaves : composites;
    // a type without leaves ends in its name
    if (depth >= MAX_DEPTH && leaves.length === 0) return ast.field("__typename", this.aliased("__typename", "__typename: String!"));
    return this.field(parent, random.pick(candidates), depth);
  }

  field(parent, field, depth) {
    const named = getNamedType(field.type);
    const args = this.args(field);
    const meaning = `${field.name}${JSON.stringify(args)}: ${field.type}`;
    const selections = isCompositeType(named) ? this.selections(named, depth + 1) : undefined;
    const directives = parent === this.schema.getSubscriptionType() ? [] : this.directives();
    return ast.field(field.name, { ...this.aliased(field.name, meaning), args, directives, selections });
  }

  /** An alias, if one is wanted or needed. */
  aliased(fieldName, meaning) {
    const wanted = this.random.chance(0.15) ? this.fresh("alias") : undefined;
    let key = wanted ?? fieldName;
    if ((this.meanings.get(key) ?? meaning) !== meaning) key = this.fresh("alias");
    this.meanings.set(key, meaning);
    return key === fieldName ? {} : { alias: key };
  }

  fragment(parent, depth) {
    const { random } = this;
    const on = random.pick(this.overlapping(parent));
    const directives = this.directives();
    if (random.chance(0.4)) {
      const known = this.fragments.filter(({ typeCondition }) => typeCondition.name.value === on.name);
      if (known.length > 0 && random.chance(0.5)) return ast.spread(random.pick(known).name.value, directives);
      const key = this.fresh("Fragment");
      const definition = ast.fragment(key, on.name, this.selections(on, depth + 1));
      this.fragments.push(definition);
      return ast.spread(key, directives);
    }
    const hasCondition = on !== parent || random.chance(0.5);
    return ast.inlineFragment(hasCondition ? on.name : undefined, this.selections(on, depth + 1), directives);
  }

  /** The composite types that a fragment on a type may be on. */
  overlapping(parent) {
    const own = new Set(ast.possibleTypes(this.schema, parent));
    const composites = Object.values(this.schema.getTypeMap()).filter((type) => isCompositeType(type) && !type.name.startsWith("__"));
    return composites.filter((type) => ast.possibleTypes(this.schema, type).some((possible) => own.has(possible)));
  }

  /** Mostly none; @include and @skip with literals or variables. */
  directives() {
    const { random } = this;
    if (!random.chance(0.08)) return [];
    return random.sample(["include", "skip"], random.chance(0.2) ? 2 : 1).map((key) => {
      const type = this.schema.getDirective(key).args[0].type;
      return ast.directive(key, [ast.argument("if", this.value(type, random.chance(0.8) === (key === "include")))]);
    });
  }

  args(field) {
    const { random } = this;
    const args = [];
    const isBackward = random.chance(0.1) && field.args.some(({ name }) => name === "last");
    for (const arg of field.args) {
      if (CURSOR_ARGUMENTS.has(arg.name)) continue;
      const isPage = arg.name === (isBackward ? "last" : "first");
      if (arg.name === (isBackward ? "first" : "last")) continue;
      if (!isPage && !isRequiredArgument(arg) && !random.chance(0.25)) continue;
      const json = isPage ? 1 + random.below(MAX_PAGE) : this.json(arg.type, arg.name, 0);
      args.push(ast.argument(arg.name, this.value(arg.type, json)));
    }
    return random.chance(0.2) ? args.reverse() : args;
  }

  /** A value of an input type, as JSON. */
  json(type, key, depth) {
    const { random, sample } = this;
    if (isNonNullType(type)) return this.json(type.ofType, key, depth);
    if (isListType(type)) {
      const isDeep = isInputObjectType(getNamedType(type)) && depth > 2;
      return Array.from({ length: isDeep ? 0 : 1 + random.below(2) }, () => this.json(type.ofType, key, depth));
    }
    if (isEnumType(type)) return random.pick(type.getValues()).name;
    if (isInputObjectType(type)) return this.inputObject(type, depth);
    switch (type.name) {
      case "Int":
        return key === "first" || key === "last" ? 1 + random.below(MAX_PAGE) : random.below(4);
      case "Float":
        return random.pick([0, 0.5, 67, -1.25]);
      case "Boolean":
        return random.chance(0.5);
      case "ID":
        return random.pick(sample.ids);
      case "Language":
        return random.pick(["en", "ru", "kk", "fr"]);
      case "PartialDate":
        return random.pick(["2013", "2020-06", "2020-06-22", "2014-07-03"]);
      case "DateTime":
        return random.pick(["2020-01-01T00:00:00Z", "2026-11-24T09:30:00+05:00"]);
      case "Duration":
        return random.pick(["P3Y", "P1Y6M"]);
      case "URL":
        return "https://example.org/";
      case "Translations":
        return random.pick([{ en: "Senate" }, { en: "Senate", ru: "Сенат" }]);
      default:
        if (key === "slug") return random.pick(sample.slugs);
        return random.pick(["law", "ильяшев", "a \"b\" \\ c", "о", "x\ny", "😀", "kz"]);
    }
  }

  inputObject(type, depth) {
    const { random } = this;
    const fields = Object.values(type.getFields()).filter(({ name, type: ofField }) => {
      if (CURSOR_ARGUMENTS.has(name)) return false;
      // filters of filters end
      return depth < 3 || !isInputObjectType(getNamedType(ofField));
    });
    const required = fields.filter(isRequiredInputField);
    const optional = fields.filter((field) => !isRequiredInputField(field));
    const count = type.isOneOf ? 1 : random.pick([0, 1, 1, 1, 2, 3]);
    const chosen = [...required, ...random.sample(optional, count)];
    // ids and slugs of the type that is looked up
    const prefix = type.name.match(/^(\w+)By$/)?.[1].replace(/(?!^)[A-Z]/g, "_$&").toLowerCase();
    const records = this.sample.records.filter(({ id, slug }) => slug && id.startsWith(`${prefix}_`));
    const record = records.length > 0 && random.chance(0.8) ? random.pick(records) : {};
    return Object.fromEntries(
      chosen.map(({ name, type: ofField }) => [name, record[name] ?? this.json(ofField, name, depth + 1)]),
    );
  }

  /** A literal of a JSON value, in which variables may stand. */
  value(type, json, { isOneOf = false } = {}) {
    const { random } = this;
    if (random.chance(0.12)) return this.variable(type, json, isOneOf);
    const nullable = getNullableType(type);
    if (!isNonNullType(type) && !isOneOf && random.chance(0.02)) return ast.nullValue();
    if (isListType(nullable) && Array.isArray(json)) {
      // a single value stands for a list of one
      if (json.length === 1 && !Array.isArray(json[0]) && random.chance(0.2)) return ast.literal(json[0], nullable.ofType);
      return ast.list(json.map((item) => this.value(nullable.ofType, item)));
    }
    if (isInputObjectType(nullable) && json !== null) {
      const fields = nullable.getFields();
      return ast.object(
        Object.entries(json).map(([key, value]) => ast.member(key, this.value(fields[key].type, value, { isOneOf: nullable.isOneOf }))),
      );
    }
    if (nullable.name === "Int" || nullable.name === "Float") return ast.literal(json, type);
    if (nullable.name === "String" && random.chance(0.1)) return ast.string(json, !json.includes("\\"));
    return ast.literal(json, type);
  }

  /** Declares a variable for a value at a place of a type. */
  variable(type, json, isOneOf) {
    const { random } = this;
    const key = this.fresh("v");
    const nullable = getNullableType(type);
    const mustBeNonNull = isNonNullType(type) || isOneOf;
    const form = random.below(mustBeNonNull && !isOneOf ? 3 : 4);
    if (isOneOf || form === 0) {
      this.definitions.push(ast.variableDefinition(key, `${nullable}!`));
      this.values[key] = json;
    } else if (mustBeNonNull || form === 1) {
      // nullable, with a default that is used or not
      this.definitions.push(ast.variableDefinition(key, String(nullable), ast.literal(json, type)));
      if (random.chance(0.5)) this.values[key] = json;
    } else {
      this.definitions.push(ast.variableDefinition(key, String(type)));
      if (form === 3 && random.chance(0.3)) this.values[key] = null;
      else if (random.chance(0.9)) this.values[key] = json;
    }
    return ast.variable(key);
  }
}
