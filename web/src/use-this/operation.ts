import {
  type DocumentNode,
  getNamedType,
  getNullableType,
  type GraphQLSchema,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type NamedTypeNode,
  type OperationDefinitionNode,
  print,
  type SelectionSetNode,
  separateOperations,
  stripIgnoredCharacters,
} from "graphql";

/** A list in the query that can become the rows of a table. */
export interface List {
  /** Response keys of the path to the list, joined with dots, without `nodes` and `edges.node`. */
  path: string;
  /** Nested lists, as paths relative to an item. */
  inside: string[];
}

/** A single operation of the tab, as included in URLs. */
export interface Operation {
  name: string | undefined;
  /** The operation and the fragments that it uses, minified. */
  query: string;
  variables: Record<string, unknown>;
  lists: List[];
}

/** Returns the operation under the cursor, or else the one with the given name, or else the first. */
export function findOperation(
  document: DocumentNode,
  cursor: number | undefined,
  name: string | undefined,
): OperationDefinitionNode | undefined {
  const operations = document.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  const isUnderCursor = ({ loc }: OperationDefinitionNode) =>
    loc !== undefined && cursor !== undefined && loc.start <= cursor && cursor <= loc.end;
  return operations.find(isUnderCursor) ?? operations.find((one) => one.name?.value === name) ?? operations[0];
}

/** Extracts an operation with its fragments and the variables that it declares. */
export function isolate(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Record<string, unknown>,
  schema: GraphQLSchema,
): Operation {
  const name = operation.name?.value;
  const alone = separateOperations(document)[name ?? ""] ?? document;
  const declared = (operation.variableDefinitions ?? []).map(({ variable }) => variable.name.value);
  return {
    name,
    query: stripIgnoredCharacters(print(alone)),
    variables: Object.fromEntries(Object.entries(variables).filter(([key]) => declared.includes(key))),
    lists: listsOf(schema, alone, operation),
  };
}

/** Returns the outermost lists of a query, in document order. */
export function listsOf(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode): List[] {
  const lists: List[] = [];
  const fragments = new Map(
    document.definitions.flatMap((one) => (one.kind === Kind.FRAGMENT_DEFINITION ? [[one.name.value, one] as const] : [])),
  );

  const add = (path: string, outer: List | undefined): List => {
    if (outer) {
      const inside = path.slice(outer.path.length + 1);
      if (!outer.inside.includes(inside)) outer.inside.push(inside);
      return outer;
    }
    const known = lists.find((list) => list.path === path);
    if (known) return known;
    const list = { path, inside: [] };
    lists.push(list);
    return list;
  };

  // `spread` contains the fragments on the current path, so that a fragment cycle, an invalid query, ends the recursion.
  const walk = (set: SelectionSetNode, typeName: string, path: string[], outer: List | undefined, spread: string[]) => {
    const type = schema.getType(typeName);
    for (const selection of set.selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        const fragment = fragments.get(selection.name.value);
        if (!fragment || spread.includes(selection.name.value)) continue;
        const on = fragment.typeCondition.name.value;
        walk(fragment.selectionSet, on, path, outer, [...spread, selection.name.value]);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        const on: NamedTypeNode | undefined = selection.typeCondition;
        walk(selection.selectionSet, on?.name.value ?? typeName, path, outer, spread);
      } else {
        const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[selection.name.value] : undefined;
        const named = field && getNamedType(field.type);
        if (!field || !selection.selectionSet || !isCompositeType(named)) continue;
        const isPage = typeName.endsWith("Connection") && ["nodes", "edges"].includes(selection.name.value);
        const isItem = typeName.endsWith("Edge") && selection.name.value === "node";
        const here = isPage || isItem ? path : [...path, selection.alias?.value ?? selection.name.value];
        const isList =
          !isPage && (isListType(getNullableType(field.type)) || isPaged(selection.selectionSet, named.name));
        walk(selection.selectionSet, named.name, here, isList ? add(here.join("."), outer) : outer, spread);
      }
    }
  };

  const isPaged = (set: SelectionSetNode, typeName: string): boolean =>
    typeName.endsWith("Connection") &&
    set.selections.some((one) => {
      if (one.kind === Kind.FIELD) return one.name.value === "nodes" || one.name.value === "edges";
      const inner = one.kind === Kind.FRAGMENT_SPREAD ? fragments.get(one.name.value)?.selectionSet : one.selectionSet;
      return inner !== undefined && inner !== set && isPaged(inner, typeName);
    });

  const root = schema.getRootType(operation.operation);
  if (root) walk(operation.selectionSet, root.name, [], undefined, []);
  return lists;
}
