// The three checks: acceptance as graphql-js, shape of the data, and equality of rewritten requests.
import assert from "node:assert/strict";
import { print, stripIgnoredCharacters } from "graphql";
import { FAULTS, SYNTAX_FAULTS, breakRequest, breakText, tokenize } from "./faults.mjs";
import { generate } from "./generate.mjs";
import { Client, each, judge } from "./judge.mjs";
import { minimise } from "./minimise.mjs";
import { Random } from "./random.mjs";
import { REWRITINGS, rewrite } from "./rewrite.mjs";
import { shapeProblems } from "./shape.mjs";

const CONCURRENCY = 4;
/** Differences that are minimised and reported in full. */
const MAX_REPORTED = 12;
/** Share of broken requests. */
const BROKEN = 0.8;
const SYNTAX_BROKEN = 0.12;
/** The query whose ids and slugs the generated queries use. */
const SAMPLE_QUERY = "{ changes(first: 100) { nodes { record { id ... on Record { slug } } } } }";

/** What the checks need of a server. */
export async function prepare(address) {
  const client = new Client(address);
  const response = await fetch(`${address}/schema.graphql`);
  assert.equal(response.status, 200);
  const { schema, errorsOf } = judge(await response.text());
  const { result } = await client.send({ query: SAMPLE_QUERY });
  const records = result.data.changes.nodes.map(({ record }) => record).filter(Boolean);
  const sample = { records, ids: records.map(({ id }) => id), slugs: records.map(({ slug }) => slug).filter(Boolean) };
  assert.ok(sample.ids.length > 20, "the sample has records");
  return { client, schema, errorsOf, sample };
}

/** A generator of random choices for one request, independent of the order in which requests are sent. */
const randomOf = (seed, index) => {
  const random = new Random(Math.imul(seed, 1000003) ^ Math.imul(index + 1, 0x9e3779b1));
  random.next();
  return random;
};

const bodyOf = ({ document, operationName, variables }, random) => {
  let query = print(document);
  const style = random.below(8);
  // the same document with other whitespace, or as tools of clients minify it
  if (style > 4) query = stripIgnoredCharacters(query);
  if (style === 0) query = tokenize(query).join(" ");
  if (style === 1) query = query.replaceAll("\n", "\r\n");
  if (style === 2 && !query.includes('"')) query = `\uFEFF# comment é\n${query.replaceAll("\n", ",\n")}`;
  return { query, operationName, variables };
};

/** A request: valid, or broken in one or two ways. */
function request(schema, sample, random) {
  const kinds = ["query", "query", "query", "query", "query", "mutation", "subscription"];
  const valid = generate(schema, random, sample, { kinds });
  if (!random.chance(BROKEN)) return { fault: "valid", body: bodyOf(valid, random) };
  if (random.chance(SYNTAX_BROKEN)) {
    const fault = random.pick(SYNTAX_FAULTS);
    const { query, ...rest } = bodyOf(valid, random);
    return { fault, body: { ...rest, query: breakText(random, query, fault) } };
  }
  for (;;) {
    const fault = random.pick(FAULTS);
    let broken = breakRequest(schema, random, valid, fault);
    if (!broken) continue;
    if (random.chance(0.1)) broken = breakRequest(schema, random, broken, random.pick(FAULTS)) ?? broken;
    return { fault, body: bodyOf(broken, random) };
  }
}

/** Compares which requests graphql-js and the server accept. */
export async function compareAcceptance({ client, schema, errorsOf, sample }, { count, seed }) {
  const statistics = new Map();
  const differences = [];
  let limited = 0;
  const ask = async (body) => {
    const errors = errorsOf(body);
    const { verdict, messages } = await client.verdict(body);
    const expected = errors.length > 0 ? "rejected" : "accepted";
    return { expected, verdict, errors, messages };
  };
  await each(count, CONCURRENCY, async (index) => {
    const { fault, body } = request(schema, sample, randomOf(seed, index));
    const { expected, verdict, errors, messages } = await ask(body);
    const row = statistics.get(fault) ?? { accepted: 0, rejected: 0 };
    row[expected] += 1;
    statistics.set(fault, row);
    if (fault === "valid" && expected === "rejected") throw new Error(`the generator is wrong: ${errors[0]}\n${body.query}`);
    if (verdict === "limited") limited += 1;
    else if (verdict !== expected) differences.push({ index, fault, expected, verdict, body });
  });
  const reports = [];
  for (const { index, fault, expected, verdict, body } of differences.slice(0, MAX_REPORTED)) {
    const small = await minimise(body, async (candidate) => {
      const again = await ask(candidate);
      return again.expected === expected && again.verdict === verdict;
    });
    const last = await ask(small);
    reports.push(
      [
        `#${index} (${fault}): graphql-js ${expected} it, the server ${verdict} it`,
        `  query: ${small.query}`,
        `  variables: ${JSON.stringify(small.variables)}`,
        `  graphql-js: ${last.errors[0] ?? "no error"}`,
        `  server: ${last.messages[0] ?? "no error"}`,
      ].join("\n"),
    );
  }
  return { statistics, differences, limited, reports };
}

/** Executes valid queries and checks the data against the schema. */
export async function checkShapes({ client, schema, sample }, { count, seed }) {
  const problems = [];
  const statistics = { withData: 0, values: 0, nulls: 0, errors: new Map(), nullableLists: new Map() };
  await each(count, CONCURRENCY, async (index) => {
    const random = randomOf(seed, index);
    const generated = generate(schema, random, sample);
    const body = bodyOf(generated, random);
    const { status, result } = await client.send(body);
    if (result.errors?.some(({ extensions }) => extensions.code === "LIMIT_EXCEEDED")) return;
    for (const { extensions } of result.errors ?? []) {
      statistics.errors.set(extensions.code, (statistics.errors.get(extensions.code) ?? 0) + 1);
    }
    if (status === 200 && Object.values(result.data ?? {}).some((value) => value !== null)) statistics.withData += 1;
    const found = shapeProblems(schema, generated, status, result, statistics);
    problems.push(...found.map((problem) => `#${index} ${problem}\n${body.query}\n${JSON.stringify(body.variables)}`));
  });
  return { problems, statistics };
}

/** Rewrites valid queries in ways that keep their meaning, and compares the data. */
export async function compareRewritings({ client, schema, sample }, { count, seed }) {
  const problems = [];
  const statistics = new Map();
  await each(count, CONCURRENCY, async (index) => {
    const random = randomOf(seed, index);
    const original = generate(schema, random, sample, { maxOperations: 1 });
    const body = bodyOf(original, random);
    const { status, result } = await client.send(body);
    if (status !== 200) return;
    const chosen = random.sample(REWRITINGS, 1 + random.below(3));
    const { request: rewritten, restore } = rewrite(schema, random, original, chosen);
    const other = bodyOf(rewritten, random);
    const again = await client.send(other);
    if (again.result.errors?.some(({ extensions }) => extensions.code === "LIMIT_EXCEEDED")) return;
    for (const rewriting of chosen) statistics.set(rewriting, (statistics.get(rewriting) ?? 0) + 1);
    const expected = JSON.stringify(result.data);
    const actual = JSON.stringify(restore(again.result.data));
    if (expected !== actual) {
      problems.push(
        [`#${index} ${chosen.join(", ")}: the data differs`, body.query, JSON.stringify(body.variables), expected, other.query, JSON.stringify(other.variables), actual, JSON.stringify(again.result.errors)].join("\n"),
      );
    }
  });
  return { problems, statistics };
}
