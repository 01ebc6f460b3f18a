// The clients that people use follow changes: graphql-ws over a WebSocket, graphql-sse over a stream of events.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient as overSse } from "graphql-sse";
import { createClient as overWebSocket } from "graphql-ws";
import WebSocket from "ws";

const address = process.env.KURULTAI_URL;
const token = process.env.KURULTAI_TOKEN;
const needs = { skip: address && token ? false : "KURULTAI_URL and KURULTAI_TOKEN say which server to ask; see tests/run.sh" };

const query = `subscription($since: String) {
  changed(since: $since, types: [PERSON]) { cursor change { kind record { ... on Person { slug } } } }
}`;

/** Writes a person. */
async function write(slug) {
  const response = await fetch(`${address}/graphql`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: JSON.stringify({
      query: "mutation($input: CreatePersonInput!) { createPerson(input: $input) { errors { path message } } }",
      variables: { input: { slug, name: { en: slug } } },
    }),
  });
  const answer = await response.json();
  assert.deepEqual(answer.data?.createPerson.errors, [], JSON.stringify(answer));
}

/** The cursor at the end of the feed. */
async function end() {
  let cursor = null;
  for (;;) {
    const asked = "query($since: String) { changes(since: $since, first: 100) { pageInfo { hasNextPage endCursor } } }";
    const response = await fetch(`${address}/graphql`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ query: asked, variables: { since: cursor } }),
    });
    const { pageInfo } = (await response.json()).data.changes;
    cursor = pageInfo.endCursor ?? cursor;
    if (!pageInfo.hasNextPage) return cursor;
  }
}

/** Follows until so many events came; gives the slugs and the last cursor. */
async function follow(client, since, count) {
  const slugs = [];
  let cursor = since;
  for await (const { data, errors } of client.iterate({ query, variables: { since } })) {
    assert.equal(errors, undefined, JSON.stringify(errors));
    cursor = data.changed.cursor;
    slugs.push(data.changed.change.record.slug);
    if (slugs.length === count) break;
  }
  return { slugs, cursor };
}

const clients = {
  "graphql-ws": () => overWebSocket({ url: `${address.replace("http", "ws")}/graphql`, webSocketImpl: WebSocket }),
  "graphql-sse": () => overSse({ url: `${address}/graphql` }),
};

for (const [name, open] of Object.entries(clients)) {
  test(`${name} follows changes, and goes on where it was`, needs, async () => {
    const start = await end();
    const mark = `${name}-${process.pid}`;
    let client = open();
    const first = follow(client, start, 2);
    await write(`${mark}-1`);
    await write(`${mark}-2`);
    const { slugs, cursor } = await first;
    assert.deepEqual(slugs, [`${mark}-1`, `${mark}-2`]);
    await client.dispose();
    // written while nobody follows
    await write(`${mark}-3`);
    client = open();
    assert.deepEqual((await follow(client, cursor, 1)).slugs, [`${mark}-3`]);
    await client.dispose();
  });

  test(`${name} asks queries and is told what is wrong`, needs, async () => {
    const client = open();
    const ask = async (text) => {
      for await (const result of client.iterate({ query: text })) return result;
    };
    assert.deepEqual((await ask("{ __typename }")).data, { __typename: "Query" });
    const wrong = await ask("{ nothing }").catch((errors) => ({ errors }));
    assert.equal(wrong.errors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
    await client.dispose();
  });
}

test("graphql-ws shows a token", needs, async () => {
  const client = overWebSocket({
    url: `${address.replace("http", "ws")}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { Authorization: `Bearer ${token}` },
  });
  for await (const { data } of client.iterate({ query: "{ viewer { role } }" })) assert.equal(data.viewer.role, "EDITOR");
  await client.dispose();
});
