// Ways to break a valid request. Each changes a copy of a request in place and returns false where it does not apply. A
// changed request is not always invalid: graphql-js decides.
import {
  Kind,
  getNamedType,
  getNullableType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
} from "graphql";
import * as ast from "./ast.mjs";

const clone = (node) => structuredClone(node);
const remove = (items, item) => void items.splice(items.indexOf(item), 1);
const operations = (document) => document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
const fragments = (document) => document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION);
const definedVariables = (document) => operations(document).flatMap(({ variableDefinitions }) => variableDefinitions);

/** Literals of every kind. */
const literals = () => [
  ast.int(1),
  ast.int(-7),
  ast.float("1.0"),
  ast.float("2.5e3"),
  ast.string("text"),
  ast.string("2020"),
  ast.string("", true),
  ast.boolean(true),
  ast.enumValue("ASC"),
  ast.enumValue("text"),
  ast.nullValue(),
  ast.list([]),
  ast.list([ast.int(1)]),
  ast.list([ast.list([ast.string("text")])]),
  ast.object([]),
  ast.object([ast.member("eq", ast.string("text"))]),
  ast.object([ast.member("en", ast.nullValue())]),
];

/** JSON values of every kind. */
const jsons = () => [1, 1.5, 2147483648, -2147483649, 1e20, 3.0, "text", "1", "true", true, null, [], [null], [[1]], {}, { eq: "text" }, { x: null }];

/** The wrappings and names that a type of a variable can be changed to. */
function otherTypes(text) {
  const bare = text.replace(/!$/, "");
  return [bare, `${bare}!`, `[${text}]`, `[${bare}!]!`, bare.replace(/^\[(.*)\]$/, "$1"), "Int", "String!", "ID", "Float", "Case", "Record", "Nothing", "[Nothing!]"];
}

const faults = {
  unknown_field({ document }, { places, random }) {
    const { node } = random.pick(places.fields);
    node.name.value = random.pick(["nothing", "__schemas", `${node.name.value}s`, "__typenames"]);
  },

  meta_field({ document }, { places, random }) {
    const { node } = random.pick(places.selectionSets);
    const schema = ast.field("__schema", { selections: [ast.field("description")] });
    const type = ast.field("__type", { args: [ast.argument("name", ast.string("Case"))], selections: [ast.field("name")] });
    node.selections.push(random.pick([schema, type, ast.field("__typename", { args: [ast.argument("a", ast.int(1))] }), ast.field("__type")]));
  },

  unknown_argument(request, { places, random }) {
    const { node } = random.pick([...places.fields, ...places.directives]);
    node.arguments.push(ast.argument(random.pick(["nothing", "first", "if", "filter"]), random.pick(literals())));
  },

  argument_given_twice(request, { places, random }) {
    const holders = [...places.fields, ...places.directives].filter(({ node }) => node.arguments.length > 0);
    if (holders.length === 0) return false;
    const { node } = random.pick(holders);
    node.arguments.push(clone(random.pick(node.arguments)));
  },

  missing_required_argument(request, { places, random, schema }) {
    const fields = places.fields.filter(({ definition }) => definition?.args.some(isRequiredArgument));
    const holders = [...fields, ...places.directives];
    if (holders.length === 0) {
      places.fields[0].node.directives.push(ast.directive("include"));
      return;
    }
    random.pick(holders).node.arguments = [];
  },

  literal_of_another_kind(request, { places, random }) {
    if (places.values.length === 0) return false;
    random.pick(places.values).holder.value = random.pick(literals());
  },

  item_of_another_kind(request, { places, random }) {
    const lists = places.lists.filter(({ node }) => node.values.length > 0);
    if (lists.length === 0) return false;
    const { node } = random.pick(lists);
    node.values[random.below(node.values.length)] = random.pick(literals());
  },

  enum_value(request, { places, random }) {
    const enums = places.values.filter(({ type }) => isEnumType(getNamedType(type)));
    if (enums.length === 0) return false;
    const { holder, type } = random.pick(enums);
    const { name } = random.pick(getNamedType(type).getValues());
    holder.value = random.pick([ast.string(name), ast.enumValue(`${name}S`), ast.enumValue(name.toLowerCase()), ast.list([ast.string(name)]), ast.enumValue("_")]);
  },

  input_member(request, { places, random }) {
    if (places.objects.length === 0) return false;
    const { node, type } = random.pick(places.objects);
    const required = isInputObjectType(type) ? Object.values(type.getFields()).filter(isRequiredInputField) : [];
    switch (random.below(3)) {
      case 0:
        node.fields.push(ast.member(random.pick(["nothing", "eq", "id", "and"]), random.pick(literals())));
        break;
      case 1:
        if (node.fields.length === 0) return false;
        node.fields.push(clone(random.pick(node.fields)));
        break;
      default:
        if (required.length === 0) return false;
        node.fields = node.fields.filter(({ name }) => !required.some((field) => field.name === name.value));
    }
  },

  one_of(request, { places, random, schema }) {
    const oneOfs = places.objects.filter(({ type }) => isInputObjectType(type) && type.isOneOf);
    if (oneOfs.length === 0) return false;
    const { node, type } = random.pick(oneOfs);
    const [first, second] = random.sample(Object.keys(type.getFields()), 2);
    switch (random.below(6)) {
      case 0:
        node.fields = [];
        break;
      case 1:
        node.fields = [first, second ?? first].map((key) => ast.member(key, ast.string("text")));
        break;
      case 2:
        node.fields = [ast.member(first, ast.nullValue())];
        break;
      case 3:
        node.fields = [ast.member(first, ast.string("text")), ast.member(second ?? first, ast.nullValue())];
        break;
      default:
        return oneOfVariable(request, node, random.pick(Object.values(type.getFields())), random);
    }
  },

  null_where_required(request, { places, random }) {
    const required = places.values.filter(({ type }) => isNonNullType(type) || isNonNullType(getNullableType(type)?.ofType));
    if (required.length === 0) return false;
    const { holder, type } = random.pick(required);
    holder.value = isListType(getNullableType(type)) && random.chance(0.7) ? ast.list([ast.nullValue()]) : ast.nullValue();
  },

  number_out_of_range(request, { places, random }) {
    const numbers = places.values.filter(({ type }) => ["Int", "Float", "ID"].includes(getNamedType(type)?.name));
    if (numbers.length === 0) return false;
    const { holder } = random.pick(numbers);
    holder.value = random.pick([
      ast.int("2147483647"),
      ast.int("2147483648"),
      ast.int("-2147483648"),
      ast.int("-2147483649"),
      ast.int("99999999999999999999"),
      ast.int("-0"),
      ast.float("1e2"),
      ast.float("1e400"),
      ast.float("-0.0"),
    ]);
  },

  variable_of_another_type({ document }, { random }) {
    const definitions = definedVariables(document);
    if (definitions.length === 0) return false;
    const definition = random.pick(definitions);
    definition.type = ast.type(random.pick(otherTypes(typeText(definition.type))));
  },

  variable_definitions({ document, variables }, { random }) {
    const operation = random.pick(operations(document));
    const definitions = operation.variableDefinitions;
    switch (random.below(4)) {
      case 0:
        definitions.push(ast.variableDefinition("unused", random.pick(["Int", "Case", "CaseFilter", "Nothing", "[CaseStatus!]!"])));
        if (random.chance(0.5)) variables.unused = random.pick(jsons());
        break;
      case 1:
        if (definitions.length === 0) return false;
        remove(definitions, random.pick(definitions));
        break;
      case 2:
        if (definitions.length === 0) return false;
        definitions.push(clone(random.pick(definitions)));
        break;
      default:
        if (definitions.length === 0) return false;
        random.pick(definitions).defaultValue = undefined;
    }
  },

  undeclared_variable(request, { places, random }) {
    if (places.values.length === 0) return false;
    random.pick(places.values).holder.value = ast.variable("undeclared");
  },

  variable_in_another_place({ document }, { places, random }) {
    const definitions = definedVariables(document);
    if (definitions.length === 0 || places.values.length === 0) return false;
    random.pick(places.values).holder.value = ast.variable(random.pick(definitions).variable.name.value);
  },

  variable_value({ document, variables }, { random }) {
    const definitions = definedVariables(document);
    if (definitions.length === 0) return false;
    const key = random.pick(definitions).variable.name.value;
    switch (random.below(4)) {
      case 0:
        delete variables[key];
        break;
      case 1:
        variables[key] = null;
        break;
      case 2:
        variables[key] = random.pick([[variables[key] ?? 1], { x: 1 }, [variables[key] ?? 1, null]]);
        break;
      default:
        variables[key] = random.pick(jsons());
    }
  },

  inside_variable_value({ variables }, { random }) {
    const inner = [];
    const walk = (value) => {
      if (typeof value !== "object" || value === null) return;
      inner.push(value);
      Object.values(value).forEach(walk);
    };
    Object.values(variables).forEach(walk);
    if (inner.length === 0) return false;
    const value = random.pick(inner);
    const keys = Object.keys(value);
    const key = keys.length > 0 && random.chance(0.7) ? random.pick(keys) : Array.isArray(value) ? keys.length : random.pick(["nothing", "eq", "id"]);
    value[key] = random.pick(jsons());
  },

  default_value({ document, variables }, { random }) {
    const definitions = definedVariables(document);
    if (definitions.length === 0) return false;
    const definition = random.pick(definitions);
    const other = ast.variable(random.pick(definitions).variable.name.value);
    definition.defaultValue = random.pick([...literals(), other, ast.list([other])]);
    if (random.chance(0.5)) delete variables[definition.variable.name.value];
  },

  conflicting_fields(request, { places, random }) {
    const { node: set, parentType } = random.pick(places.selectionSets);
    const own = set.selections.filter(({ kind }) => kind === Kind.FIELD);
    if (own.length === 0) return false;
    const field = random.pick(own);
    const key = (field.alias ?? field.name).value;
    const copy = clone(field);
    copy.alias = ast.name(key);
    if (random.chance(0.5) && typeof parentType?.getFields === "function") {
      const others = Object.values(parentType.getFields()).filter(({ args }) => !args.some(isRequiredArgument));
      if (others.length === 0) return false;
      const other = random.pick(others);
      copy.name = ast.name(other.name);
      copy.arguments = [];
      copy.selectionSet = isCompositeType(getNamedType(other.type)) ? ast.selectionSet([ast.field("__typename")]) : undefined;
    } else if (copy.arguments.length > 0) {
      if (random.chance(0.3)) copy.arguments = [];
      else if (random.chance(0.3)) copy.arguments.reverse();
      else random.pick(copy.arguments).value = random.pick(literals());
    }
    set.selections.push(random.chance(0.3) ? ast.inlineFragment(undefined, [copy]) : copy);
  },

  conflict_below_merged_fields(request, { places, random }) {
    const merged = places.fields.filter(({ node }) => node.selectionSet);
    if (merged.length === 0) return false;
    const { node, type } = random.pick(merged);
    const sets = places.selectionSets.find(({ node: set }) => set.selections.includes(node));
    const fields = Object.values(getNamedType(type)?.getFields?.() ?? {}).filter(({ args }) => !args.some(isRequiredArgument));
    const [first, second] = random.sample(fields, 2);
    const select = (field) =>
      ast.field(field.name, { alias: "same", selections: isCompositeType(getNamedType(field.type)) ? [ast.field("__typename")] : undefined });
    if (!first) return false;
    const copy = { ...clone(node), selectionSet: ast.selectionSet([select(second && random.chance(0.8) ? second : first)]) };
    node.selectionSet.selections.push(select(first));
    sets.node.selections.push(random.chance(0.3) ? ast.inlineFragment(undefined, [copy]) : copy);
  },

  conflict_across_types(request, { places, random, schema }) {
    const abstract = places.selectionSets.filter(({ parentType }) => parentType && !isObjectType(parentType) && isCompositeType(parentType));
    if (abstract.length === 0) return false;
    const { node, parentType } = random.pick(abstract);
    const objects = random.sample(schema.getPossibleTypes(parentType), 2);
    // graphql-js does not compare the type of __typename with others
    const below = random.pick(["__typename", "id"]);
    for (const object of objects) {
      const fields = Object.values(object.getFields()).filter(({ args }) => !args.some(isRequiredArgument));
      const field = random.pick(fields);
      const selections = isCompositeType(getNamedType(field.type))
        ? [ast.field(below, { alias: "below" })]
        : undefined;
      node.selections.push(ast.inlineFragment(object.name, [ast.field(field.name, { alias: "same", selections })]));
    }
  },

  fragment_definitions({ document }, { places, random, schema }) {
    const { node: set, parentType } = random.pick(places.selectionSets);
    const on = random.pick([parentType?.name, "Query", "Case", "Record", "Node", "Nothing", "CaseStatus", "CaseFilter", "String"].filter(Boolean));
    const existing = fragments(document);
    switch (random.below(6)) {
      case 0:
        document.definitions.push(ast.fragment("Unused", on, [ast.field("__typename")]));
        break;
      case 1:
        set.selections.push(ast.spread("Unknown"));
        break;
      case 2:
        document.definitions.push(ast.fragment("Spread", on, [ast.field("__typename")]));
        set.selections.push(ast.spread("Spread"));
        break;
      case 3:
        document.definitions.push(
          ast.fragment("A", on, [ast.field("__typename"), ast.spread("B")]),
          ast.fragment("B", on, [ast.spread(random.pick(["A", "B", "C"]))]),
          ast.fragment("C", on, [ast.field("__typename")]),
        );
        set.selections.push(ast.spread("A"));
        if (random.chance(0.5)) set.selections.push(ast.spread("C"));
        break;
      case 4:
        if (existing.length === 0) return false;
        document.definitions.push(clone(random.pick(existing)));
        break;
      default:
        if (existing.length === 0) return false;
        remove(document.definitions, random.pick(existing));
    }
  },

  impossible_fragment({ document }, { places, random, schema }) {
    const conditions = [...places.inlineFragments.map(({ node }) => node), ...fragments(document)].filter(({ typeCondition }) => typeCondition);
    const on = random.pick(Object.keys(schema.getTypeMap()));
    if (conditions.length > 0 && random.chance(0.7)) {
      random.pick(conditions).typeCondition.name.value = on;
    } else {
      random.pick(places.selectionSets).node.selections.push(ast.inlineFragment(on, [ast.field("__typename")]));
    }
  },

  directive_in_another_place({ document }, { places, random }) {
    const holders = [
      ...operations(document),
      ...definedVariables(document),
      ...fragments(document),
      ...places.fields.map(({ node }) => node),
      ...places.inlineFragments.map(({ node }) => node),
      ...places.spreads.map(({ node }) => node),
    ];
    const holder = random.pick(holders);
    const key = random.pick(["include", "skip", "include", "deprecated", "oneOf", "specifiedBy", "nothing", "defer", "stream"]);
    const takes = { include: "if", skip: "if", specifiedBy: "url" }[key];
    const value = key === "specifiedBy" ? ast.string("text") : random.pick([ast.boolean(true), ast.boolean(false), ast.nullValue(), ast.variable("undeclared")]);
    holder.directives.push(ast.directive(key, takes ? [ast.argument(takes, value)] : []));
  },

  repeated_directive(request, { places, random }) {
    const { node } = random.pick([...places.fields, ...places.inlineFragments, ...places.spreads]);
    const key = random.pick(["include", "skip"]);
    const copies = Array.from({ length: 2 }, () => ast.directive(key, [ast.argument("if", ast.boolean(random.chance(0.5)))]));
    node.directives.push(...copies);
  },

  braces(request, { places, random }) {
    const { node, type } = random.pick(places.fields);
    if (node.selectionSet && random.chance(0.5)) node.selectionSet = undefined;
    else if (isLeafType(getNamedType(type))) node.selectionSet = ast.selectionSet([ast.field(random.pick(["__typename", "id"]))]);
    else node.selectionSet = undefined;
  },

  operation_definitions({ document, ...request }, { random }) {
    const first = operations(document)[0];
    switch (random.below(5)) {
      case 0:
        document.definitions.push(clone(first));
        break;
      case 1:
        document.definitions.push(ast.operation("query", undefined, [ast.field("__typename")]));
        break;
      case 2:
        document.definitions.push(ast.operation(random.pick(["query", "mutation", "subscription"]), first.name?.value ?? "Other", [ast.field("__typename")]));
        break;
      case 3:
        first.operation = random.pick(["query", "mutation", "subscription"]);
        break;
      default:
        first.name = random.chance(0.5) ? undefined : ast.name(random.pick(["query", "fragment", "on", "true", "null", "__x"]));
    }
  },

  subscription_roots({ document }, { places, random }) {
    const changed = (alias, directives = []) => ast.field("changed", { alias, directives, selections: [ast.field("cursor")] });
    const roots = random.pick([
      [changed("a"), changed("b")],
      [changed(), changed()],
      [changed(), ast.inlineFragment("Subscription", [changed("b")])],
      [ast.inlineFragment("Subscription", [changed("b")])],
      [ast.inlineFragment(undefined, [changed("b"), ast.spread("S")])],
      [ast.spread("S")],
      [ast.spread("S"), changed()],
      [ast.spread("S"), changed("b")],
      [ast.field("__typename")],
      [ast.field("__typename", { alias: "a" }), changed()],
      [changed(undefined, [ast.directive("skip", [ast.argument("if", ast.boolean(false))])])],
      [ast.inlineFragment(undefined, [changed()], [ast.directive("include", [ast.argument("if", ast.variable("v"))])])],
    ]);
    const uses = JSON.stringify(roots);
    const variables = uses.includes('"v"') ? [ast.variableDefinition("v", "Boolean!")] : [];
    document.definitions = [ast.operation("subscription", undefined, roots, variables)];
    if (uses.includes('"S"')) document.definitions.push(ast.fragment("S", "Subscription", [random.pick([changed(), ast.field("__typename")])]));
  },
};

function oneOfVariable({ document, variables }, node, field, random) {
  const type = `${field.type}${random.pick(["", "!", "!"])}`;
  const key = "one";
  node.fields = [ast.member(field.name, ast.variable(key))];
  operations(document)[0].variableDefinitions.push(ast.variableDefinition(key, type));
  if (random.chance(0.8)) variables[key] = random.pick(["text", null, {}, { slug: "text" }]);
}

function typeText(node) {
  if (node.kind === Kind.NON_NULL_TYPE) return `${typeText(node.type)}!`;
  return node.kind === Kind.LIST_TYPE ? `[${typeText(node.type)}]` : node.name.value;
}

/** Ways to break the text of a document. Each returns the changed text. */
const syntaxFaults = {
  token(text, random) {
    const tokens = tokenize(text);
    const at = random.below(tokens.length);
    const strange = ["{", "}", "(", ")", "[", "]", ":", "=", "!", "|", "@", "$", "...", "&", "..", "?", "-", "on", "null", "true", "fragment", "query", "extend", '"', '"""', "0", ".5", "\\", "%", "<", "é", "#"];
    switch (random.below(4)) {
      case 0:
        tokens.splice(at, 1);
        break;
      case 1:
        tokens.splice(at, 0, tokens[at]);
        break;
      case 2:
        [tokens[at], tokens[at - 1]] = [tokens[at - 1] ?? tokens[at], tokens[at]];
        break;
      default:
        tokens.splice(at, random.below(2), random.pick(strange));
    }
    return tokens.join(" ");
  },

  literal(text, random) {
    const numbers = ["01", "-01", "1.", ".5", "1.e3", "1e", "1e+", "1e+2", "0xF", "1x", "1_000", "--1", "+1", "1.0.0", "1...", "-", "00", "0e0", "-0", "1E2", "1a"];
    const strings = ['"a', '"\\x"', '"\\u12"', '"\\u{110000}"', '"\\u{1F600}"', '"\\uD83D"', '"\\uD83D\\uDE00"', '"\\uDE00\\uD83D"', '"a\nb"', '"\\/\\n\\r\\t"', '"""a""', '"""\\""""""', '"\t"', '"""\n  a\n    b\n"""', '"\\u{}"', '"\\u{41}"', "'a'", '""""', '"a""b"', '"\\U0041"', '"é😀"'];
    const literal = random.pick(random.chance(0.5) ? numbers : strings);
    const frames = [
      (value) => `{ search(query: ${value}) { totalCount } }`,
      (value) => `{ cases(first: ${value}) { totalCount } }`,
      (value) => `{ cases(first:${value}after:null) { totalCount } }`,
      (value) => `{ nodes(ids: [${value}]) { id } }`,
      (value) => `query($x: String = ${value}) { search(query: $x) { totalCount } }`,
      (value) => `{ statistics(filter: {value: {eq: ${value}}}) { totalCount } }`,
    ];
    return random.pick(frames)(literal);
  },

  form(text, random) {
    return random.pick([
      "{}",
      "query {}",
      "query Q() { __typename }",
      "query Q($x: Int @d = 1) { cases(first: $x) { totalCount } }",
      "query Q($x: Int = 1 @d) { cases(first: $x) { totalCount } }",
      "query Q($x: Int = 1 @include(if: true)) { cases(first: $x) { totalCount } }",
      "query Q($x: Int = $y) { cases(first: $x) { totalCount } }",
      "query Q($x Int) { cases(first: $x) { totalCount } }",
      "query Q($x: Int!!) { cases(first: $x) { totalCount } }",
      "query Q($x: [Int) { cases(first: $x) { totalCount } }",
      "query Q($x: []) { cases(first: $x) { totalCount } }",
      "query Q($x: Int,,,) { cases(first: $x) { totalCount } }",
      "query Q($ x: Int) { cases(first: $ x) { totalCount } }",
      "query Q @skip { __typename }",
      "query Q @ skip(if: true) { __typename }",
      "{ cases() { totalCount } }",
      "{ cases { } }",
      "{ cases(filter: {}) { totalCount } }",
      "{ cases(filter: {,}) { totalCount } }",
      "{ cases(filter: {status}) { totalCount } }",
      "{ cases(first: 1 first: 2) { totalCount } }",
      "{ cases(first: {a: 1 b}) { totalCount } }",
      "{ nodes(ids: [,]) { id } }",
      "{ nodes(ids: []) { id } }",
      "{ a: b: __typename }",
      "{ : __typename }",
      "{ a: { __typename } }",
      "{ ... }",
      "{ ... { __typename } }",
      "{ ... @include(if: true) { __typename } }",
      "{ ... on { __typename } }",
      "{ ... on on { __typename } }",
      "{ ...on Query { __typename } }",
      "{ ...onQuery } fragment onQuery on Query { __typename }",
      "{ ...on } fragment on on Query { __typename }",
      "{ ...F } fragment F { __typename }",
      "{ ...F } fragment F on Query @include(if: true) { __typename }",
      "{ ...F } fragment F($x: Int) on Query { __typename }",
      "{ ...F(x: 1) } fragment F on Query { __typename }",
      "{ .. on Query { __typename } }",
      "fragment F on Query { __typename }",
      "",
      "   # only a comment",
      "{ __typename } { __typename }",
      "{ __typename } query Q { __typename }",
      "query { __typename } query { __typename }",
      "query query { query: __typename }",
      "query on { on: __typename }",
      "query null { null: __typename }",
      "query true { true: __typename false: __typename }",
      "query Q { fragment: __typename subscription: __typename }",
      "mutation { __typename }",
      "subscription { __typename }",
      "foo { __typename }",
      "Query { __typename }",
      "query Q { __typename } type T { a: Int }",
      "extend type Query { a: Int } { __typename }",
      "schema { query: Query }",
      "directive @d on FIELD",
      "{ __typename @include(if: true) @skip(if: false) }",
      "{ __typename @include(if: true) @include(if: true) }",
      "{ __typename @include(if: true, if: true) }",
      "{ __typename @include }",
      "{ __typename @include() }",
      "{ __typename @include(if: null) }",
      "{ __typename @include(if: \"true\") }",
      "{ __typename @include(unless: true, if: true) }",
      "{ cases(order: {field: true}) { totalCount } }",
      "{ cases(order: {field: null}) { totalCount } }",
      "{ __typename(a: 1) }",
      "{ __typename { a } }",
      "{ __type { name } }",
      "{ __type(name: Case) { name } }",
      "{ __type(name: \"Case\") { name fields { name } } __schema { queryType { name } } }",
      "{ __schema }",
      "{ cases { __schema { queryType { name } } } }",
      "{ __typename } }",
      "{ __typename",
      "{ __typename } garbage",
      "{ __typename; }",
      "{ __typename | cases { totalCount } }",
      "{ __typename & cases { totalCount } }",
      "\uFEFF{ __typename }",
      "{ \uFEFF __typename }",
      "{\t__typename\r}",
      "{ __typename\u00a0}",
      "{ __typename \u0000 }",
      "{ __typename # \u0007 comment\n }",
      "{ __typename # comment }",
      "{ __typename } # comment",
      "{ __typename # a\r b: __typename\r }",
      "{ caseés { totalCount } }",
      "{ 1a: __typename }",
      "{ _: __typename __: __typename }",
      "{ a-b: __typename }",
      "{ cases(first: 1, ) { totalCount, } , }",
      "{,cases,(,first,:,1,),{,totalCount,},}",
    ]);
  },
};

const TOKEN = /"""(?:[^"\\]|\\[^]|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|\.\.\.|[A-Za-z_][A-Za-z0-9_]*|-?[0-9.eE+]+|[^\s,]/gu;

export const tokenize = (text) => text.match(TOKEN) ?? [];

export const FAULTS = Object.keys(faults);
export const SYNTAX_FAULTS = Object.keys(syntaxFaults);

/** A broken copy of a request; undefined where the fault does not apply. */
export function breakRequest(schema, random, request, fault) {
  const copy = clone(request);
  const context = { schema, random, places: ast.places(schema, copy.document) };
  return faults[fault](copy, context) === false ? undefined : copy;
}

export const breakText = (random, text, fault) => syntaxFaults[fault](text, random);
