// Compares schema.graphql with the schema that was last recorded, and adds the differences to the changelog of the schema.
// `make schema-changes` runs it; schema-changes.check.mjs fails while there are differences.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { diff } from "@graphql-inspector/core";
import { buildSchema, parse, print, visit } from "graphql";

export const schemaFile = new URL("../schema.graphql", import.meta.url);
export const changelogFile = new URL("../schema-changes.json", import.meta.url);
/** The schema as last recorded, without descriptions: a change of a description is no change for a client. */
export const recordedFile = new URL("./schema-recorded.graphql", import.meta.url);

/** The order of the changes of one day. */
const CRITICALITIES = ["BREAKING", "DANGEROUS", "NON_BREAKING"];

/** The schema without descriptions. */
export function withoutDescriptions(sdl) {
  const document = visit(parse(sdl), {
    enter: (node) => (node.description ? { ...node, description: undefined } : undefined),
  });
  return `${print(document)}\n`;
}

/** What GraphQL Inspector says, which takes every directive for one that may change responses. */
function criticality({ type, path, criticality }) {
  const promisesMore = type.startsWith("DIRECTIVE_USAGE_") && type.endsWith("_ADDED") && path?.endsWith(".@semanticNonNull");
  return promisesMore ? "NON_BREAKING" : criticality.level;
}

/** The differences between two schemas: breaking ones first, then by path. */
export async function schemaChanges(before, after) {
  const schemas = [before, after].map((sdl) => buildSchema(withoutDescriptions(sdl)));
  const changes = (await diff(...schemas)).map((change) => ({
    criticality: criticality(change),
    path: change.path ?? "",
    message: change.message,
  }));
  return changes.sort(byCriticality);
}

function byCriticality(one, other) {
  const compare = (one, other) => (one < other ? -1 : Number(one > other));
  return (
    CRITICALITIES.indexOf(one.criticality) - CRITICALITIES.indexOf(other.criticality) ||
    compare(one.path, other.path) ||
    compare(one.message, other.message)
  );
}

/** The changelog as text, one change on each line. */
export function printChangelog(changes) {
  return `{"changes": [\n${changes.map((change) => JSON.stringify(change)).join(",\n")}\n]}\n`;
}

/** Records the current schema. SCHEMA_DATE (today) and SCHEMA_VERSION (none) date the changes. */
async function record() {
  const schema = readFileSync(schemaFile, "utf8");
  const changes = await schemaChanges(readFileSync(recordedFile, "utf8"), schema);
  const { changes: earlier } = JSON.parse(readFileSync(changelogFile, "utf8"));
  const date = process.env.SCHEMA_DATE || new Date().toISOString().slice(0, 10);
  const version = process.env.SCHEMA_VERSION || undefined;
  const isSameEntry = (change) => change.date === date && change.version === version;
  const latest = [...changes.map((change) => ({ date, version, ...change })), ...earlier.filter(isSameEntry)];
  const rest = earlier.filter((change) => !isSameEntry(change));
  writeFileSync(changelogFile, printChangelog([...latest.sort(byCriticality), ...rest]));
  writeFileSync(recordedFile, withoutDescriptions(schema));
  console.log(`${changes.length} changes recorded in schema-changes.json`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await record();
