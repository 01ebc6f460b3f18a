// GraphQL over HTTP, to the letter: the audits of the working group.
import assert from "node:assert/strict";
import { test } from "node:test";
import { serverAudits } from "graphql-http";

const address = process.env.KURULTAI_URL;
const needs = { skip: address ? false : "KURULTAI_URL says which server to ask; see tests/run.sh" };

test("every audit of GraphQL over HTTP is met, those that are only recommended too", needs, async (t) => {
  const audits = serverAudits({ url: `${address}/graphql` });
  assert.ok(audits.length > 50, "the audits are there");
  for (const audit of audits) {
    await t.test(`${audit.id} ${audit.name}`, async () => {
      const result = await audit.fn();
      assert.equal(result.status, "ok", `${result.status}: ${result.reason}`);
    });
  }
});
