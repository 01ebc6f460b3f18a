// Subscriptions through common client libraries: graphql-ws over WebSocket, graphql-sse over server-sent events.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient as createSseClient } from "graphql-sse";
import { createClient as createWebSocketClient } from "graphql-ws";
import WebSocket from "ws";

const address = process.env.KURULTAI_URL;
const token = process.env.KURULTAI_TOKEN;
const options = { skip: address && token ? false : "KURULTAI_URL and KURULTAI_TOKEN are not set; see tests/run.sh" };

const query = `subscription($since: String) {
  changed(since: $since, types: [PERSON]) { cursor change { kind record { ... on Person { slug } } } }
}`;

/** Creates a person. */
async function createPerson(slug) {
  const response = await fetch(`${address}/graphql`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: JSON.stringify({
      query: "mutation($input: CreatePersonInput!) { createPerson(input: $input) { errors { path message } } }",
      variables: { input: { slug, name: { en: slug } } },
    }),
  });
  const result = await response.json();
  assert.deepEqual(result.data?.createPerson.errors, [], JSON.stringify(result));
}

/** The cursor of the latest change. */
async function latestCursor() {
  let cursor = null;
  for (;;) {
    const changes = "query($since: String) { changes(since: $since, first: 100) { pageInfo { hasNextPage endCursor } } }";
    const response = await fetch(`${address}/graphql`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ query: changes, variables: { since: cursor } }),
    });
    const { pageInfo } = (await response.json()).data.changes;
    cursor = pageInfo.endCursor ?? cursor;
    if (!pageInfo.hasNextPage) return cursor;
  }
}

/** Receives `count` events; returns the slugs and the last cursor. */
async function receive(client, since, count) {
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
  "graphql-ws": () => createWebSocketClient({ url: `${address.replace("http", "ws")}/graphql`, webSocketImpl: WebSocket }),
  "graphql-sse": () => createSseClient({ url: `${address}/graphql` }),
};

for (const [name, open] of Object.entries(clients)) {
  test(`${name} receives changes and resumes at a cursor`, options, async () => {
    const start = await latestCursor();
    const prefix = `${name}-${process.pid}`;
    let client = open();
    const first = receive(client, start, 2);
    await createPerson(`${prefix}-1`);
    await createPerson(`${prefix}-2`);
    const { slugs, cursor } = await first;
    assert.deepEqual(slugs, [`${prefix}-1`, `${prefix}-2`]);
    await client.dispose();
    // created while there is no subscription
    await createPerson(`${prefix}-3`);
    client = open();
    assert.deepEqual((await receive(client, cursor, 1)).slugs, [`${prefix}-3`]);
    await client.dispose();
  });

  test(`${name} executes queries and receives errors`, options, async () => {
    const client = open();
    const execute = async (text) => {
      for await (const result of client.iterate({ query: text })) return result;
    };
    assert.deepEqual((await execute("{ __typename }")).data, { __typename: "Query" });
    const invalid = await execute("{ nothing }").catch((errors) => ({ errors }));
    assert.equal(invalid.errors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
    await client.dispose();
  });
}

test("graphql-ws authenticates with a token", options, async () => {
  const client = createWebSocketClient({
    url: `${address.replace("http", "ws")}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { Authorization: `Bearer ${token}` },
  });
  for await (const { data } of client.iterate({ query: "{ viewer { role } }" })) assert.equal(data.viewer.role, "EDITOR");
  await client.dispose();
});
