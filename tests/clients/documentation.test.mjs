// Runs the examples of docs/CLIENTS.md against the sample dataset. A comment before a block of code names its file:
// <!-- test: apollo.ts -->
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { before, test } from "node:test";
import { promisify } from "node:util";
import { buildSchema, parse, validate } from "graphql";

const here = import.meta.dirname;
const folder = join(here, "documentation");
const address = process.env.KURULTAI_URL;
const python = process.env.KURULTAI_PYTHON;
const skip = address ? false : "KURULTAI_URL is not set; see tests/run.sh";
const text = readFileSync(join(here, "../../docs/CLIENTS.md"), "utf8");

const exec = promisify(execFile);

/** Runs a program in a folder; fails with its output. */
async function run(program, args, cwd = folder) {
  try {
    return await exec(program, args, { cwd, env: { ...process.env, CI: "1", NO_COLOR: "1" }, timeout: 60_000 });
  } catch (error) {
    assert.fail([`${program} ${args.join(" ")} failed:`, error.stdout, error.stderr, error.message].filter(Boolean).join("\n"));
  }
}

const tool = (name) => join(here, "node_modules/.bin", name);

/** Runs a compiled example; returns what it prints, without warnings. */
async function example(name) {
  const { stdout, stderr } = await run("node", [join("compiled", name)]);
  assert.equal(stderr, "", "the example prints no warnings");
  return stdout;
}

before(async () => {
  if (!address) return;
  rmSync(folder, { recursive: true, force: true });
  const blocks = [...text.matchAll(/<!-- test: (\S+) -->\n```\w+\n(.*?)```/gs)];
  assert.ok(blocks.length >= 10, "the page has examples");
  for (const [, name, code] of blocks) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), code.replaceAll("http://127.0.0.1:8080", address));
  }
  copyFileSync(join(here, "../../schema.graphql"), join(folder, "schema.graphql"));
  mkdirSync(join(folder, "src/__generated__"), { recursive: true });
  await Promise.all([
    run(tool("graphql-codegen"), ["--config", "codegen.config.mjs"]),
    run(tool("gql.tada"), ["generate-output"], join(folder, "tada")),
    run(tool("relay-compiler"), ["relay.config.json"]),
  ]);
  const compilerOptions = {
    target: "ES2022",
    module: "NodeNext",
    lib: ["ES2023", "DOM"],
    types: ["node"],
    strict: true,
    skipLibCheck: true,
    rootDir: ".",
    outDir: "compiled",
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts", "tada/*.ts", "src", "generated"] }));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  await run(tool("../typescript7/bin/tsc"), ["--project", "."]);
});

test("GraphQL Code Generator: typed documents are executed", { skip }, async () => {
  const { length } = (await example("documents.js")).trim().split("\n");
  assert.equal(length, 3);
});

test("gql.tada: inferred documents are executed", { skip }, async () => {
  const { length } = (await example("tada/laws.js")).trim().split("\n");
  assert.equal(length, 2);
});

test("Apollo Client: pages of a list are joined", { skip }, async () => {
  assert.match(await example("apollo.js"), /^6 people; the first is \S+/);
});

test("urql: Graphcache joins pages without warnings", { skip }, async () => {
  assert.equal(await example("urql.js"), "6 people are in the cache\n");
});

test("Relay: the environment type-checks and its query is compiled", { skip }, () => {
  assert.ok(existsSync(join(folder, "src/__generated__/relayPeopleQuery.graphql.ts")));
});

test("changes and updatedAt return what is new", { skip }, async () => {
  assert.match(await example("fresh.js"), /^\d{2,} changes, \d{2,} people\n$/);
});

test("Python: gql reads all pages", { skip: skip || (python ? false : "KURULTAI_PYTHON is not set") }, async () => {
  const { stdout } = await run(python, ["people.py"]);
  assert.ok(stdout.trim().split("\n").length >= 10, stdout);
});

test("Rust: the query is valid", { skip }, () => {
  const schema = buildSchema(readFileSync(join(folder, "schema.graphql"), "utf8"));
  const errors = validate(schema, parse(readFileSync(join(folder, "people.graphql"), "utf8")));
  assert.deepEqual(errors.map(String), []);
});
