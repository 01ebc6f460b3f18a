// What graphql-js and the server say about a request.
import * as graphql16 from "graphql";

/** Scalars that are written as strings. */
const TEXT_SCALARS = ["DateTime", "Duration", "Language", "PartialDate", "PathSegment", "URL"];

const isTexts = (value) => typeof value === "object" && value !== null && !Array.isArray(value) && Object.values(value).every((text) => text === null || typeof text === "string");

/** A judge by graphql-js: the schema, and a function that returns the errors of a request. */
export function judge(sdl, graphql = graphql16) {
  const { GraphQLError, Kind, buildSchema, getVariableValues, parse, specifiedRules, validate } = graphql;
  const schema = buildSchema(sdl);
  const rules = [...specifiedRules.filter(({ name }) => name !== "MaxIntrospectionDepthRule"), ...rulesOfSpecification(graphql)];

  const restrict = (name, parseValue, parseLiteral) => {
    const scalar = schema.getType(name);
    if (!scalar) return;
    Object.assign(scalar, { parseValue, parseLiteral, coerceInputValue: parseValue, coerceInputLiteral: parseLiteral });
  };
  const refuse = (name) => {
    throw new GraphQLError(`not a ${name}`);
  };
  for (const name of TEXT_SCALARS) {
    restrict(
      name,
      (value) => (typeof value === "string" ? value : refuse(name)),
      (node) => (node.kind === Kind.STRING ? node.value : refuse(name)),
    );
  }
  // a file is a part of a multipart request, and these requests have none
  restrict("Upload", () => refuse("Upload"), () => refuse("Upload"));
  restrict(
    "Translations",
    (value) => (isTexts(value) ? value : refuse("Translations")),
    (node) => {
      const isObject = node.kind === Kind.OBJECT && node.fields.every(({ value }) => [Kind.STRING, Kind.NULL, Kind.VARIABLE].includes(value.kind));
      const names = isObject ? node.fields.map(({ name }) => name.value) : [];
      return isObject && new Set(names).size === names.length ? {} : refuse("Translations");
    },
  );

  /** The errors of a request, before its execution. */
  const errorsOf = ({ query, operationName, variables }) => {
    let document;
    try {
      document = parse(query);
    } catch (error) {
      return [error.message];
    }
    let errors;
    try {
      errors = validate(schema, document, rules).filter(({ message }) => !message.includes("to be used for OneOf"));
    } catch (error) {
      // a rule for subscriptions evaluates directives that are not valid
      errors = [error];
    }
    if (errors.length > 0) return errors.map(({ message }) => message);
    const operations = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
    const chosen = operations.filter(({ name }) => operationName === undefined || name?.value === operationName);
    if (chosen.length !== 1) return ["no operation is selected"];
    const [operation] = chosen;
    const coerced = getVariableValues(schema, operation.variableDefinitions ?? [], variables);
    if (coerced.errors) return coerced.errors.map(({ message }) => message);
    return nullsWhereRequired(graphql, schema, document, operation, variables);
  };
  return { schema, errorsOf };
}

/**
 * Rules of the specification of September 2025 that graphql-js 16 lacks or applies in part. It sees no OneOf through a type
 * that is not null, and elsewhere it rejects variables with a default, which section 5.8.5 allows.
 */
function rulesOfSpecification({ GraphQLError, getNullableType, isInputObjectType }) {
  const isOneOf = (type) => {
    const nullable = type && getNullableType(type);
    return isInputObjectType(nullable) && nullable.isOneOf;
  };
  const variablesOfOneOf = (context) => ({
    OperationDefinition(operation) {
      for (const { node, parentType } of context.getRecursiveVariableUsages(operation)) {
        const definition = operation.variableDefinitions?.find(({ variable }) => variable.name.value === node.name.value);
        if (!definition || !isOneOf(parentType) || definition.type.kind === "NonNullType") continue;
        const hasDefault = definition.defaultValue && definition.defaultValue.kind !== "NullValue";
        if (!hasDefault) context.reportError(new GraphQLError(`$${node.name.value} may be null in a OneOf input object`));
      }
    },
  });
  const conditionsOfSubscriptions = (context) => ({
    OperationDefinition(operation) {
      if (operation.operation !== "subscription") return;
      const visited = new Set();
      const check = ({ selections }) => {
        for (const selection of selections) {
          const condition = selection.directives?.find(({ name }) => name.value === "skip" || name.value === "include");
          if (condition) context.reportError(new GraphQLError(`@${condition.name.value} on the root of a subscription`));
          if (selection.kind === "InlineFragment") check(selection.selectionSet);
          if (selection.kind !== "FragmentSpread" || visited.has(selection.name.value)) continue;
          visited.add(selection.name.value);
          const fragment = context.getFragment(selection.name.value);
          if (fragment) check(fragment.selectionSet);
        }
      };
      check(operation.selectionSet);
    },
  });
  return [variablesOfOneOf, conditionsOfSubscriptions];
}

/** Null variables with a default, where null must not stand: graphql-js reports them during execution. */
function nullsWhereRequired({ TypeInfo, isInputObjectType, isNonNullType, getNullableType, visit, visitWithTypeInfo }, schema, document, operation, variables) {
  const nullable = operation.variableDefinitions?.filter(({ variable }) => variables[variable.name.value] === null) ?? [];
  if (nullable.length === 0) return [];
  const names = new Set(nullable.map(({ variable }) => variable.name.value));
  const errors = [];
  const info = new TypeInfo(schema);
  const reached = new Set();
  const check = (definition) => {
    const spreads = new Set();
    visit(
      definition,
      visitWithTypeInfo(info, {
        Variable(node) {
          const parent = info.getParentInputType() && getNullableType(info.getParentInputType());
          const isRequired = isNonNullType(info.getInputType()) || (isInputObjectType(parent) && parent.isOneOf);
          if (names.has(node.name.value) && isRequired) errors.push(`$${node.name.value} is null`);
        },
        VariableDefinition: () => false,
        FragmentSpread: (node) => void spreads.add(node.name.value),
      }),
    );
    for (const name of spreads) {
      if (reached.has(name)) continue;
      reached.add(name);
      check(document.definitions.find((fragment) => fragment.kind === "FragmentDefinition" && fragment.name.value === name));
    }
  };
  check(operation);
  return errors;
}

const REJECTED = new Set(["GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "BAD_REQUEST"]);

/** Sends requests to a server. */
export class Client {
  constructor(address) {
    this.url = `${address}/graphql`;
  }

  async send(body) {
    const response = await fetch(this.url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/graphql-response+json" },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    try {
      return { status: response.status, result: JSON.parse(text), text };
    } catch {
      throw new Error(`status ${response.status} with ${text.slice(0, 200)} for ${JSON.stringify(body)}`);
    }
  }

  /** Whether the server accepts a request for execution: accepted, rejected, or limited. */
  async verdict(body) {
    const { status, result } = await this.send(body);
    const codes = new Set(result.errors?.map(({ extensions }) => extensions?.code));
    const messages = result.errors?.map(({ message }) => message) ?? [];
    if (codes.has("LIMIT_EXCEEDED")) return { verdict: "limited", messages };
    // a valid subscription needs another transport
    if (messages.some((message) => message.startsWith("a subscription requires a stream"))) return { verdict: "accepted", messages };
    if (status === 400 && [...codes].every((code) => REJECTED.has(code))) return { verdict: "rejected", messages };
    if (status === 200 && "data" in result) return { verdict: "accepted", messages };
    return { verdict: `status ${status}`, messages };
  }
}

/** Runs tasks, some at a time. */
export async function each(count, concurrency, task) {
  let next = 0;
  const worker = async () => {
    while (next < count) await task(next++);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}
