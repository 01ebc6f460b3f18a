// Checks the data of a response against the schema and the request.
import {
  Kind,
  getNamedType,
  isAbstractType,
  isEnumType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  valueFromAST,
} from "graphql";

const SCALARS = {
  Int: (value) => Number.isInteger(value) && Math.abs(value) <= 2147483648,
  Float: (value) => typeof value === "number",
  Boolean: (value) => typeof value === "boolean",
  PathSegment: (value) => typeof value === "string" || typeof value === "number",
  PartialDate: (value) => typeof value === "string" && /^-?\d{4}(-\d\d(-\d\d)?)?$/.test(value),
  DateTime: (value) => typeof value === "string" && !Number.isNaN(Date.parse(value)),
  URL: (value) => typeof value === "string" && URL.canParse(value),
  Duration: (value) => typeof value === "string" && /^P/.test(value),
};

/** What is wrong with a response to a valid query. */
export function shapeProblems(schema, { document, operationName, variables }, status, result, statistics) {
  if (status !== 200) return [`status ${status}: ${result.errors?.[0]?.message}`];
  const operations = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  const operation = operations.find(({ name }) => operationName === undefined || name?.value === operationName);
  const fragments = new Map(document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION).map((node) => [node.name.value, node]));
  const check = new Check(schema, fragments, valuesOf(schema, operation, variables), result.errors ?? [], statistics);
  const unknown = Object.keys(result).filter((key) => !["data", "errors", "extensions"].includes(key));
  if (unknown.length > 0) check.fail([], `the response has ${unknown}`);
  if (result.data === undefined) check.fail([], "the response has no data");
  if (result.data !== null) check.object(schema.getRootType(operation.operation), [operation.selectionSet], result.data, []);
  return check.problems;
}

/** The values of the boolean variables of an operation. */
function valuesOf(schema, operation, given) {
  const values = {};
  for (const { variable, defaultValue } of operation.variableDefinitions ?? []) {
    const key = variable.name.value;
    if (key in given) values[key] = given[key];
    else if (defaultValue?.kind === Kind.BOOLEAN) values[key] = valueFromAST(defaultValue, schema.getType("Boolean"));
  }
  return values;
}

class Check {
  constructor(schema, fragments, variables, errors, statistics) {
    Object.assign(this, { schema, fragments, variables, errors, statistics, problems: [] });
  }

  fail(path, message) {
    this.problems.push(`${path.join(".") || "response"}: ${message}`);
  }

  isSelected({ directives = [] }) {
    return directives.every(({ name, arguments: [{ value }] }) => {
      const condition = value.kind === Kind.VARIABLE ? this.variables[value.name.value] : value.value;
      return name.value === "include" ? condition : !condition;
    });
  }

  /** The fields of an object by response key, in the order of the response (CollectFields). */
  collect(type, sets, fields = new Map(), visited = new Set()) {
    const applies = (condition) => {
      if (!condition) return true;
      const on = this.schema.getType(condition.name.value);
      return isAbstractType(on) ? this.schema.isSubType(on, type) : on === type;
    };
    for (const selection of sets.flatMap(({ selections }) => selections)) {
      if (!this.isSelected(selection)) continue;
      if (selection.kind === Kind.FIELD) {
        const key = (selection.alias ?? selection.name).value;
        fields.set(key, [...(fields.get(key) ?? []), selection]);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        if (applies(selection.typeCondition)) this.collect(type, [selection.selectionSet], fields, visited);
      } else if (!visited.has(selection.name.value)) {
        visited.add(selection.name.value);
        const fragment = this.fragments.get(selection.name.value);
        if (applies(fragment.typeCondition)) this.collect(type, [fragment.selectionSet], fields, visited);
      }
    }
    return fields;
  }

  object(type, sets, value, path) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return this.fail(path, `${JSON.stringify(value)} is not an object`);
    let types = [type];
    if (!isObjectType(type)) {
      // without __typename, the type is one that explains the keys
      types = this.schema.getPossibleTypes(type);
      const named = this.typeName(type, sets, value);
      if (named) types = types.filter(({ name }) => name === named);
      if (types.length === 0) return this.fail(path, `__typename ${named} is not a ${type}`);
    }
    const keys = Object.keys(value).join();
    const candidates = types.map((candidate) => [candidate, this.collect(candidate, sets)]);
    const matching = candidates.filter(([, fields]) => [...fields.keys()].join() === keys);
    if (matching.length === 0) return this.fail(path, `has the keys ${keys}, and the query selects ${[...candidates[0][1].keys()]}`);
    // types with the same keys differ in the types of the fields at most
    const tried = matching.map(([candidate, fields]) => {
      const check = matching.length > 1 ? new Check(this.schema, this.fragments, this.variables, this.errors, { ...this.statistics }) : this;
      for (const [key, selections] of fields) check.field(candidate, selections, value[key], [...path, key]);
      return check;
    });
    if (!tried.some((check) => check !== this && check.problems.length === 0) && tried[0] !== this) this.problems.push(...tried[0].problems);
  }

  /** The name of the type of an object, if every type selects it under the same key. */
  typeName(type, sets, value) {
    for (const possible of this.schema.getPossibleTypes(type)) {
      for (const [key, [first]] of this.collect(possible, sets)) {
        if (first.name.value === "__typename" && value[key] === possible.name) return value[key];
      }
    }
    return undefined;
  }

  field(parent, selections, value, path) {
    const [{ name }] = selections;
    if (name.value === "__typename") {
      if (value !== parent.name) this.fail(path, `is ${JSON.stringify(value)}, not ${parent.name}`);
      return;
    }
    const { type } = parent.getFields()[name.value];
    if ((isListType(type) || /Connection$/.test(type.name)) && value !== undefined) {
      const lists = this.statistics.nullableLists;
      const seen = lists.get(`${parent}.${name.value}`) ?? { values: 0, nulls: 0 };
      seen[value === null ? "nulls" : "values"] += 1;
      lists.set(`${parent}.${name.value}`, seen);
    }
    const sets = selections.map(({ selectionSet }) => selectionSet).filter(Boolean);
    this.value(type, sets, value, path);
  }

  value(type, sets, value, path) {
    if (isNonNullType(type)) {
      if (value === null) return this.fail(path, `is null, and its type is ${type}`);
      return this.value(type.ofType, sets, value, path);
    }
    this.statistics.values += 1;
    if (value === null) {
      this.statistics.nulls += 1;
      return;
    }
    if (this.errors.some((error) => error.path?.join() === path.join())) this.fail(path, "has an error and a value");
    if (isListType(type)) {
      if (!Array.isArray(value)) return this.fail(path, `${JSON.stringify(value)} is not a list`);
      value.forEach((item, index) => this.value(type.ofType, sets, item, [...path, index]));
    } else if (isLeafType(type)) {
      const isValid = isEnumType(type) ? type.getValue(value) !== undefined : (SCALARS[type.name] ?? ((text) => typeof text === "string"))(value);
      if (!isValid) this.fail(path, `${JSON.stringify(value)} is not a ${getNamedType(type)}`);
    } else {
      this.object(type, sets, value, path);
    }
  }
}
