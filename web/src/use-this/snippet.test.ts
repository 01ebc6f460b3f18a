import { execFileSync, spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { forCurl, forHtml, forJavaScript, forPython, forR, forSheets, quote, quoteForSheet, quoteForShell } from "./snippet.ts";

const HARD = [
  `it's "quoted"`,
  "two\nlines\tand a tab\r\n",
  "Ильяшев Әлнұр 🗳",
  "C:\\temp\\new \\' \\\" \\",
  "$HOME ${HOME} $(id) `id` !! %s %20",
  "#{a} {b} <b>&amp;</b> */ -- ;",
  "@file",
  "\u2028\u0001\u007f",
];
const ALL = HARD.join("|");

/** Runs a program and returns its output, so that snippets are parsed by the tools that they are for. */
const run = (program: string, ...rest: string[]) => execFileSync(program, rest, { encoding: "utf8", env: { ...process.env, HOME: "/wrong" } });
const has = (program: string) => spawnSync(program, ["--version"]).status === 0;

test.each([...HARD, ALL])("a shell reads back %j", (text) => {
  expect(run("sh", "-c", `printf %s ${quoteForShell(text)}`)).toBe(text);
});

test.each([...HARD, ALL])("JavaScript reads back %j", (text) => {
  expect(new Function(`return ${quote(text)}`)()).toBe(text);
});

test.skipIf(!has("python3")).each([...HARD, ALL])("Python reads back %j", (text) => {
  const read = run("python3", "-c", `import json\nprint(json.dumps(${quote(text)}))`);
  expect(JSON.parse(read)).toBe(text);
});

test.each([...HARD, ALL])("R reads back %j", (text) => {
  // R's escapes, from ?Quotes; each escape that occurs must be on this list and have the same meaning in R.
  const literal = quote(text);
  expect(literal).toMatch(/^"([^"\\\n]|\\(["'`\\nrtbafv]|u[0-9a-f]{4}))*"$/);
  expect(literal).not.toContain("\\u0000");
});

test("spreadsheet strings double quotation marks", () => {
  expect(quoteForSheet('say "no" \\n')).toBe('"say ""no"" \\n"');
  expect(forSheets('https://example.org/table.csv?query="')).toBe('=IMPORTDATA("https://example.org/table.csv?query=""")');
});

test("the curl command has one URL, one header and the whole body", () => {
  const operation = { name: "Q", query: `query Q($name:String){a(b:"it's \\"x\\"",c:$name)}`, variables: { name: ALL }, lists: [] };
  const command = forCurl("https://example.org", operation);
  const given = run("sh", "-c", `curl() { for word in "$@"; do printf '%s\\0' "$word"; done; }\n${command}`).split("\0");
  expect(given.slice(0, 5)).toEqual(["-sS", "https://example.org/graphql", "-H", "content-type: application/json", "--data-raw"]);
  expect(JSON.parse(given[5]!)).toEqual({ query: operation.query, variables: { name: ALL } });
  expect(given.slice(6)).toEqual([""]);
});

test("the curl command omits empty variables", () => {
  expect(forCurl("https://example.org", { name: undefined, query: "{a}", variables: {}, lists: [] })).toContain(`'{"query":"{a}"}'`);
});

test("the JavaScript snippet fetches its URL and returns the rows", async () => {
  const requested: string[] = [];
  const fetch = async (address: string) => {
    requested.push(address);
    return { ok: true, json: async () => [{ a: 1 }] };
  };
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
  const rows = await new AsyncFunction("fetch", `${forJavaScript(ALL)}return rows;`)(fetch);
  expect(requested).toEqual([ALL]);
  expect(rows).toEqual([{ a: 1 }]);
});

test.skipIf(!has("python3"))("the Python snippet reads its URL with pandas", () => {
  const stub = "import sys, types, json\nsys.modules['pandas'] = types.SimpleNamespace(read_csv=lambda address: print(json.dumps(address)))\n";
  expect(JSON.parse(run("python3", "-c", stub + forPython(ALL)))).toBe(ALL);
});

test("the R snippet reads its URL with readr", () => {
  expect(forR("https://example.org/table.csv?query=%7Ba%7D")).toBe(
    'library(readr)\n\nrows <- read_csv("https://example.org/table.csv?query=%7Ba%7D")\n',
  );
});

test("HTML attributes escape the URL and the description", () => {
  expect(forHtml("https://example.org/chart.svg?a=1&b=2", `<"Ильяшев" & others>`)).toBe(
    '<img src="https://example.org/chart.svg?a=1&amp;b=2" alt="&lt;&quot;Ильяшев&quot; &amp; others&gt;">',
  );
});
