// Rewritings of a query that keep its data.
import { Kind, getNamedType, isInputObjectType, isListType, isNonNullType, print, visit } from "graphql";
import * as ast from "./ast.mjs";

const isVariableFree = (value) => !JSON.stringify(value).includes('"Variable"');
const operations = (document) => document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);

const rewritings = {
  /** Puts selections into inline fragments on the type itself or without a type. */
  inline_fragments({ document }, { schema, random }) {
    for (const { node, parentType } of ast.places(schema, document).selectionSets) {
      if (!random.chance(0.5)) continue;
      const start = random.below(node.selections.length);
      const run = node.selections.slice(start, start + 1 + random.below(3));
      node.selections.splice(start, run.length, ast.inlineFragment(random.chance(0.5) ? parentType.name : undefined, run));
    }
  },

  /** Puts selections into named fragments. */
  named_fragments({ document }, { schema, random }) {
    for (const { node, parentType } of ast.places(schema, document).selectionSets) {
      if (!random.chance(0.4)) continue;
      const key = `Rewritten${document.definitions.length}`;
      const start = random.below(node.selections.length);
      const run = node.selections.splice(start, 1 + random.below(3), ast.spread(key));
      document.definitions.push(ast.fragment(key, parentType.name, run));
    }
  },

  /** Replaces spreads by inline fragments with what the named fragments select. */
  spreads_to_inline_fragments({ document }) {
    const fragments = new Map(document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION).map((node) => [node.name.value, node]));
    const inline = (set) => {
      set.selections = set.selections.map((selection) => {
        if (selection.kind !== Kind.FRAGMENT_SPREAD) {
          if (selection.selectionSet) inline(selection.selectionSet);
          return selection;
        }
        const { typeCondition, selectionSet } = structuredClone(fragments.get(selection.name.value));
        inline(selectionSet);
        return ast.inlineFragment(typeCondition.name.value, selectionSet.selections, selection.directives);
      });
    };
    operations(document).forEach(({ selectionSet }) => inline(selectionSet));
    document.definitions = operations(document);
  },

  /** Renames response keys throughout. */
  aliases({ document }, { schema, random, renamed }) {
    const salt = random.below(3);
    for (const { node } of ast.places(schema, document).fields) {
      const key = (node.alias ?? node.name).value;
      // the same choice for each place of a key
      if (key.startsWith("renamed_") || (key.length + salt) % 3 === 0) continue;
      node.alias = ast.name(`renamed_${key}`);
      renamed.add(`renamed_${key}`);
    }
  },

  /** Replaces literals by variables with the same value. Equal literals become one variable, so that fields still merge. */
  literals_to_variables({ document, variables }, { schema, random }) {
    const [operation] = operations(document);
    const chosen = new Map();
    const inside = new Set();
    for (const { holder, type, isDefault } of ast.places(schema, document).values) {
      if (!type || isDefault || inside.has(holder) || !isVariableFree(holder.value)) continue;
      // a member that is not null may have to be so
      const isRequired = holder.kind === Kind.OBJECT_FIELD && holder.value.kind !== Kind.NULL;
      const declared = isRequired && !isNonNullType(type) ? `${type}!` : String(type);
      const text = `${declared} ${print(holder.value)}`;
      if (!chosen.has(text)) chosen.set(text, random.chance(0.5) ? `rewritten${chosen.size}` : undefined);
      const key = chosen.get(text);
      if (!key) continue;
      // below a replaced literal, nothing is left to replace
      JSON.stringify(holder.value, (_, value) => (value && typeof value === "object" && inside.add(value), value));
      if (!operation.variableDefinitions.some(({ variable }) => variable.name.value === key)) {
        const asDefault = random.chance(0.3) && holder.value.kind !== Kind.NULL;
        operation.variableDefinitions.push(ast.variableDefinition(key, declared, asDefault ? structuredClone(holder.value) : undefined));
        if (!asDefault) variables[key] = json(holder.value, type);
      }
      holder.value = ast.variable(key);
    }
  },

  /** Replaces variables by literals of their values. */
  variables_to_literals({ document, variables }, { schema }) {
    const [operation] = operations(document);
    const definitions = new Map(operation.variableDefinitions.map((definition) => [definition.variable.name.value, definition]));
    for (const { holder } of ast.places(schema, document).values) {
      if (holder.value.kind !== Kind.VARIABLE) continue;
      const key = holder.value.name.value;
      const { type, defaultValue } = definitions.get(key);
      if (key in variables) holder.value = ast.literal(variables[key], schema.getType(nameOf(type)));
      else if (defaultValue) holder.value = structuredClone(defaultValue);
    }
  },

  /** Adds @include and @skip that keep everything. */
  conditions({ document, variables }, { schema, random }) {
    const { fields, spreads, inlineFragments } = ast.places(schema, document);
    const isUsed = new Set();
    for (const { node } of [...fields, ...spreads, ...inlineFragments]) {
      if (!random.chance(0.3)) continue;
      for (const [key, value] of [["include", true], ["skip", false]]) {
        if (!random.chance(0.6) || node.directives?.some(({ name }) => name.value === key)) continue;
        const isLiteral = random.chance(0.5);
        if (!isLiteral) isUsed.add(key);
        (node.directives ??= []).push(ast.directive(key, [ast.argument("if", isLiteral ? ast.boolean(value) : ast.variable(`keep_${key}`))]));
      }
    }
    for (const key of isUsed) {
      operations(document)[0].variableDefinitions.push(ast.variableDefinition(`keep_${key}`, "Boolean!"));
      variables[`keep_${key}`] = key === "include";
    }
  },

  /** Selects fields twice, and adds selections that select nothing. */
  repeated_fields({ document }, { schema, random }) {
    for (const { node } of ast.places(schema, document).selectionSets) {
      if (random.chance(0.3)) node.selections.push(structuredClone(random.pick(node.selections)));
      if (random.chance(0.2)) {
        node.selections.unshift(ast.field("__typename", { alias: "absent", directives: [ast.directive("include", [ast.argument("if", ast.boolean(false))])] }));
      }
    }
  },

  /** Splits the selection of a field over two fields. */
  split_fields({ document }, { schema, random }) {
    for (const { node: set } of ast.places(schema, document).selectionSets) {
      for (const node of [...set.selections]) {
        if (node.kind !== Kind.FIELD || !node.selectionSet || node.selectionSet.selections.length < 2 || !random.chance(0.5)) continue;
        const cut = 1 + random.below(node.selectionSet.selections.length - 1);
        const rest = { ...structuredClone(node), selectionSet: ast.selectionSet(node.selectionSet.selections.splice(cut)) };
        set.selections.splice(set.selections.indexOf(node) + 1, 0, rest);
      }
    }
  },
};

export const REWRITINGS = Object.keys(rewritings);

/** A rewritten copy of a request, and a function that undoes what it changes in the data. */
export function rewrite(schema, random, request, chosen) {
  const copy = structuredClone(request);
  const renamed = new Set();
  for (const rewriting of chosen) rewritings[rewriting](copy, { schema, random, renamed });
  const restore = (value) => {
    if (Array.isArray(value)) return value.map(restore);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [renamed.has(key) ? key.slice("renamed_".length) : key, restore(inner)]));
  };
  // unused variables are not valid
  const [operation] = operations(copy.document);
  const used = new Set();
  for (const node of [operation.selectionSet, ...copy.document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION)]) {
    visit(node, { Variable: ({ name }) => void used.add(name.value) });
  }
  operation.variableDefinitions = operation.variableDefinitions.filter(({ variable }) => used.has(variable.name.value));
  return { request: copy, restore };
}

function nameOf(type) {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : nameOf(type.type);
}

/** The JSON of a literal without variables. */
function json(node, type) {
  const nullable = isNonNullType(type) ? type.ofType : type;
  switch (node.kind) {
    case Kind.NULL:
      return null;
    case Kind.LIST:
      return node.values.map((value) => json(value, isListType(nullable) ? nullable.ofType : nullable));
    case Kind.OBJECT: {
      const named = getNamedType(nullable);
      const fields = isInputObjectType(named) ? named.getFields() : {};
      return Object.fromEntries(node.fields.map(({ name, value }) => [name.value, json(value, fields[name.value]?.type)]));
    }
    case Kind.INT:
    case Kind.FLOAT:
      return Number(node.value);
    default:
      return node.value;
  }
}

