// Run by node and not by vitest, which would load graphql twice: for this file and for graphql-inspector.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { buildSchema } from "graphql";
import { changelogFile, printChangelog, recordedFile, schemaChanges, schemaFile, withoutDescriptions } from "./schema-changes.mjs";

const UNRECORDED = "run `make schema-changes` and commit the result";
const read = (file) => readFileSync(file, "utf8");

test("every change of the schema is in schema-changes.json", async () => {
  const missing = await schemaChanges(read(recordedFile), read(schemaFile));
  assert.deepEqual(missing, [], UNRECORDED);
  // a directive, an order or a default that the comparison does not know
  assert.ok(read(recordedFile) === withoutDescriptions(read(schemaFile)), UNRECORDED);
});

test("the changelog has the documented shape, the latest change first", () => {
  const text = read(changelogFile);
  const { changes } = JSON.parse(text);
  assert.ok(changes.length > 0);
  for (const { date, version, criticality, path, message, ...rest } of changes) {
    assert.match(date, /^\d{4}-\d\d-\d\d$/);
    assert.ok(["undefined", "string"].includes(typeof version));
    assert.ok(["BREAKING", "DANGEROUS", "NON_BREAKING"].includes(criticality), criticality);
    assert.equal(typeof path, "string");
    assert.ok(message);
    assert.deepEqual(rest, {});
  }
  const dates = changes.map(({ date }) => date);
  assert.deepEqual(dates, dates.toSorted().toReversed());
  assert.equal(text, printChangelog(changes));
});

test("a removed field is breaking, an added enum value dangerous, an added field neither", async () => {
  const before = 'type Query { old: Kind, kept: Int } enum Kind { "One." A }';
  const after = 'type Query { kept: Int, new: Kind } enum Kind { "Other words." A B }';
  const changes = (await schemaChanges(before, after)).map(({ criticality, path }) => `${criticality} ${path}`);
  assert.deepEqual(changes, ["BREAKING Query.old", "DANGEROUS Kind.B", "NON_BREAKING Query.new"]);
});

test("a promise that a field is not null is compatible, its end is not", async () => {
  const directive = "directive @semanticNonNull on FIELD_DEFINITION";
  const [nullable, promised] = ["", "@semanticNonNull"].map((used) => `${directive} type Query { name: String ${used} }`);
  const changes = async (...schemas) => (await schemaChanges(...schemas)).map(({ criticality }) => criticality);
  assert.deepEqual(await changes(nullable, promised), ["NON_BREAKING"]);
  assert.deepEqual(await changes(promised, nullable), ["DANGEROUS"]);
});

test("descriptions are not recorded", () => {
  assert.ok(!read(recordedFile).includes('"""'));
  assert.doesNotThrow(() => buildSchema(read(recordedFile)));
});
