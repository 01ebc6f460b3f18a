// Conformance to the GraphQL over HTTP specification: the audits of graphql-http.
import assert from "node:assert/strict";
import { test } from "node:test";
import { serverAudits } from "graphql-http";

const address = process.env.KURULTAI_URL;
const options = { skip: address ? false : "KURULTAI_URL is not set; see tests/run.sh" };

test("all required and recommended audits of GraphQL over HTTP pass", options, async (t) => {
  const audits = serverAudits({ url: `${address}/graphql` });
  assert.ok(audits.length > 50, "all audits are run");
  for (const audit of audits) {
    await t.test(`${audit.id} ${audit.name}`, async () => {
      const result = await audit.fn();
      assert.equal(result.status, "ok", `${result.status}: ${result.reason}`);
    });
  }
});
