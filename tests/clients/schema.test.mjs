// The schema and its parts, as graphql-js reads them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { buildSchema, specifiedScalarTypes, validateSchema } from "graphql";

const address = process.env.KURULTAI_URL;
const options = { skip: address ? false : "KURULTAI_URL is not set; see tests/run.sh" };

async function schema(query) {
  const response = await fetch(`${address}/schema.graphql?${query}`);
  assert.equal(response.status, 200, query);
  const schema = buildSchema(await response.text());
  assert.deepEqual(validateSchema(schema), [], query);
  return schema;
}

test("the part of the schema that any type needs is a valid schema", options, async () => {
  const whole = await schema("");
  const scalars = specifiedScalarTypes.map(({ name }) => name);
  const names = Object.keys(whole.getTypeMap()).filter((name) => !name.startsWith("__") && !scalars.includes(name));
  for (const name of names) {
    const part = await schema(`types=${name}&descriptions=false`);
    assert.ok(part.getType(name), name);
  }
});

test("a part of the schema has the queries of its types", options, async () => {
  const part = await schema("types=Case,Law");
  assert.deepEqual(Object.keys(part.getQueryType().getFields()).sort(), ["case", "cases", "law", "laws"]);
  assert.equal(part.getMutationType(), undefined);
  assert.ok(part.getType("Case").description);
});
