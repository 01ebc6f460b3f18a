// The server accepts what graphql-js accepts, data has the shape that the schema states, and rewritten queries return the
// same data. `npm run differential` runs the same checks on more requests.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { checkShapes, compareAcceptance, compareRewritings, prepare } from "./differential/checks.mjs";

const address = process.env.KURULTAI_URL;
const skip = address ? false : "KURULTAI_URL is not set; see tests/run.sh";
/** One run is always the same; the other finds something new. */
const seeds = [1, Math.floor(Math.random() * 2 ** 31)];

let server;
before(async () => {
  if (address) server = await prepare(address);
});

for (const seed of seeds) {
  test(`accepts the requests that graphql-js accepts (seed ${seed})`, { skip }, async () => {
    const { statistics, differences, limited, reports } = await compareAcceptance(server, { count: 600, seed });
    assert.equal(differences.length, 0, reports.join("\n"));
    assert.ok(limited < 12, `${limited} requests were beyond a limit`);
    const counts = [...statistics.values()];
    assert.ok(counts.reduce((sum, { accepted }) => sum + accepted, 0) > 100, "valid requests are compared");
    assert.ok(counts.reduce((sum, { rejected }) => sum + rejected, 0) > 300, "invalid requests are compared");
  });

  test(`data has the shape of the schema (seed ${seed})`, { skip }, async () => {
    const { problems, statistics } = await checkShapes(server, { count: 300, seed });
    assert.equal(problems.length, 0, problems.slice(0, 5).join("\n\n"));
    assert.ok(statistics.withData > 150, `${statistics.withData} queries have data`);
  });

  test(`rewritten queries return the same data (seed ${seed})`, { skip }, async () => {
    const { problems, statistics } = await compareRewritings(server, { count: 300, seed });
    assert.equal(problems.length, 0, problems.slice(0, 3).join("\n\n"));
    assert.ok([...statistics.values()].every((count) => count > 20), "each rewriting is used");
  });
}
