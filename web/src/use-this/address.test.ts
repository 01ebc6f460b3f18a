import { expect, test } from "vitest";
import { chartAddress, isPrivate, tableAddress } from "./address.ts";

const operation = {
  name: "Cases",
  query: 'query Cases($text:String){cases(filter:{title:{contains:"it\'s (50%) \\"a\\" + b & c = $d"}}){nodes{title}}}',
  variables: { text: "Ильяшев \"x\" \\ $1 \n#" },
  lists: [],
};
const choice = { rows: "", explode: "", sources: false, excel: false };
const read = (address: string) => Object.fromEntries(new URL(address).searchParams);

test("URLs contain the query and the variables unchanged", () => {
  const address = tableAddress("https://example.org", "csv", operation, choice);
  const { query, variables, ...rest } = read(address);
  expect(query).toBe(operation.query);
  expect(JSON.parse(variables!)).toEqual(operation.variables);
  expect(rest).toEqual({});
});

test("URLs contain only characters that URL detectors accept", () => {
  expect(tableAddress("https://example.org", "csv", operation, choice)).toMatch(/^[A-Za-z0-9:/?&=%._~-]+$/);
});

test("URLs contain only options that differ from the defaults", () => {
  const all = { rows: "cases", explode: "charges", sources: true, excel: true };
  const { query, variables, ...csv } = read(tableAddress("https://example.org", "csv", operation, all, { excel: true, limit: 20 }));
  expect(csv).toEqual({ rows: "cases", lists: "explode", explode: "charges", sources: "true", safe: "true", bom: "true", limit: "20" });
  expect(tableAddress("https://example.org", "parquet", operation, all, { excel: true })).not.toMatch(/safe|bom|limit/);
  expect(tableAddress("https://example.org", "json", { ...operation, variables: {} }, choice)).not.toContain("variables");
});

test("chart URLs contain the axes and the title", () => {
  const axes = { kind: "line", x: "year", y: "", series: "outcome" } as const;
  const { query, variables, ...rest } = read(chartAddress("https://example.org", operation, { ...choice, sources: true }, axes, "Дела & суды"));
  expect(rest).toEqual({ kind: "line", x: "year", series: "outcome", title: "Дела & суды" });
});

test("private host names are recognized", () => {
  for (const host of ["localhost", "127.0.0.1", "192.168.1.5", "10.0.0.1", "172.20.0.2", "[::1]", "nas.local"]) {
    expect(isPrivate(host), host).toBe(true);
  }
  for (const host of ["example.org", "172.15.0.1", "11.0.0.1", "localhost.example.org"]) expect(isPrivate(host), host).toBe(false);
});
