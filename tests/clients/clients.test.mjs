import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import {
  buildSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedDirective,
  isSpecifiedScalarType,
  parse,
  validate,
  validateSchema,
} from "graphql";

const here = import.meta.dirname;
const sdl = readFileSync(join(here, "../../schema.graphql"), "utf8");
const schema = buildSchema(sdl);

const exec = promisify(execFile);

/** Runs a tool from node_modules; fails with its output. */
async function run(tool, ...args) {
  const env = { ...process.env, CI: "1", NO_COLOR: "1" };
  try {
    return await exec(join(here, "node_modules/.bin", tool), args, { cwd: here, env });
  } catch (error) {
    assert.fail([`${tool} failed:`, error.stdout, error.stderr, error.message].filter(Boolean).join("\n"));
  }
}

test("the schema is valid", () => {
  assert.deepEqual(validateSchema(schema).map(String), []);
});

test("relay-compiler and graphql-codegen generate clients that type-check", async () => {
  for (const folder of ["relay", "codegen"]) {
    const generated = join(here, folder, "__generated__");
    rmSync(generated, { recursive: true, force: true });
    mkdirSync(generated);
  }
  await run("relay-compiler", "relay.config.json");
  await run("graphql-codegen", "--config", "codegen.config.mjs");

  const artifacts = readdirSync(join(here, "relay/__generated__"));
  for (const name of ["CaseListPaginationQuery", "CaseCard_case", "RecordPageQuery"]) {
    assert.ok(artifacts.includes(`${name}.graphql.ts`), `relay-compiler generated no ${name}`);
  }
  await run("../typescript7/bin/tsc", "--noEmit", "--project", ".");
});

test("the example queries are valid", async (t) => {
  const folder = join(here, "../../web/examples");
  const files = readdirSync(folder).filter((file) => file.endsWith(".graphql"));
  assert.equal(files.length, 6);
  for (const file of files) {
    await t.test(file, () => {
      const errors = validate(schema, parse(readFileSync(join(folder, file), "utf8")));
      assert.deepEqual(errors.map(({ message, locations }) => `line ${locations[0].line}: ${message}`), []);
    });
  }
});

test("every element of the schema has a description", () => {
  const undescribed = [];
  const check = (path, { description }) => {
    if (!description?.trim()) undescribed.push(path);
  };

  for (const directive of schema.getDirectives()) {
    // @oneOf is a standard directive that only some versions of graphql-js know
    if (isSpecifiedDirective(directive) || directive.name === "oneOf") continue;
    check(`@${directive.name}`, directive);
    for (const argument of directive.args) check(`@${directive.name}(${argument.name}:)`, argument);
  }
  for (const type of Object.values(schema.getTypeMap())) {
    if (isIntrospectionType(type) || isSpecifiedScalarType(type)) continue;
    check(type.name, type);
    if (isEnumType(type)) {
      for (const value of type.getValues()) check(`${type.name}.${value.name}`, value);
    }
    if (isObjectType(type) || isInterfaceType(type) || isInputObjectType(type)) {
      for (const field of Object.values(type.getFields())) {
        check(`${type.name}.${field.name}`, field);
        for (const argument of field.args ?? []) check(`${type.name}.${field.name}(${argument.name}:)`, argument);
      }
    }
  }
  assert.deepEqual(undescribed, []);
});
