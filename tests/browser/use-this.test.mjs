import assert from "node:assert/strict";
import { test } from "node:test";
import { base, context, open, saveText, screenshot } from "./browser.mjs";

/** Opens an example in GraphiQL with the "Use this" pane. */
async function openExample(example, options) {
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: base.origin });
  const opened = await open(`/graphiql?example=${example}`, options);
  // GraphiQL restores the pane of the previous visit
  const button = opened.page.getByRole("button", { name: /^(Show|Hide) Use this$/ });
  await button.waitFor();
  if ((await button.getAttribute("aria-label")) === "Show Use this") await button.click();
  const pane = opened.page.getByRole("region", { name: "Use this" });
  await pane.getByRole("table").waitFor();
  return { ...opened, pane };
}

const snippet = (pane, name) => pane.getByRole("group", { name, exact: true });
const snippetText = (pane, name) => snippet(pane, name).locator("code").textContent();

/** The rows of the preview table, with the column names first. */
const previewRows = (pane) =>
  pane.getByRole("table").evaluate((table) => [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent)));

/** Parses CSV (RFC 4180). */
function parseCsv(text) {
  const rows = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    if (quoted === undefined && plain === "" && end === "" && rows.at(-1).length === 0) break;
    rows.at(-1).push(quoted?.replaceAll('""', '"') ?? plain);
    if (end !== ",") rows.push([]);
  }
  return rows.filter((row) => row.length > 0);
}

test("the CSV link returns the rows of the preview and can be copied", async () => {
  const { page, errors, pane } = await openExample("Article274", { colorScheme: "light" });
  await pane.getByLabel("Rows", { exact: true }).selectOption("provision.statistics");
  await pane.getByRole("columnheader", { name: "measure", exact: true }).waitFor();

  const link = await snippetText(pane, "CSV link");
  const response = await context.request.get(link);
  assert.equal(response.status(), 200);
  const rows = parseCsv(await response.text());
  assert.ok(rows.length > 2, "the example has several rows");
  assert.deepEqual(rows, await previewRows(pane));

  await snippet(pane, "CSV link").getByRole("button").click();
  await pane.getByRole("status").filter({ hasText: "Copied: CSV link" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), link);

  await snippet(pane, "Google Sheets").getByRole("button").focus();
  await page.keyboard.press("Enter");
  await pane.getByRole("status").filter({ hasText: "Copied: Google Sheets" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `=IMPORTDATA("${link}")`);

  for (const name of ["XLSX (Excel)", "JSON link", "NDJSON link", "Parquet link"]) {
    assert.equal((await context.request.get(await snippetText(pane, name))).status(), 200, name);
  }
  assert.deepEqual(errors, []);
  await page.close();
});

test("the chart is drawn, and its axes can be changed", async () => {
  for (const colorScheme of ["light", "dark"]) {
    const { page, errors, pane } = await openExample("Article274", { colorScheme });
    await pane.getByLabel("Rows", { exact: true }).selectOption("provision.statistics");
    await pane.getByLabel("X axis").selectOption("measure");
    await pane.getByLabel("Values", { exact: true }).selectOption("value");
    await pane.getByLabel("Series", { exact: true }).selectOption("");
    const marks = pane.locator(".kurultai-figure svg [aria-label=bar] rect");
    await marks.first().waitFor();
    assert.equal(await marks.count(), (await previewRows(pane)).length - 1, "one bar per value");

    await pane.getByLabel("Title").fill('Article "274" & others');
    const html = await snippetText(pane, "Chart for an article (HTML)");
    const image = await page.evaluate((text) => {
      const { src, alt } = new DOMParser().parseFromString(text, "text/html").querySelector("img");
      return { src, alt };
    }, html);
    const parameters = Object.fromEntries(new URL(image.src).searchParams);
    assert.deepEqual([parameters.kind, parameters.x, parameters.y, parameters.title], ["bar", "measure", "value", 'Article "274" & others']);
    assert.equal(image.alt, 'Article "274" & others');

    await pane.getByRole("heading", { name: "Preview" }).scrollIntoViewIfNeeded();
    await screenshot(page, `use-this-${colorScheme}`);
    await marks.first().scrollIntoViewIfNeeded();
    await screenshot(page, `use-this-chart-${colorScheme}`);
    assert.deepEqual(errors, []);
    await page.close();
  }
});

test("no table is requested before the schema says what the lists are", async () => {
  const held = [];
  let isHeld = true;
  const hold = (route) => (isHeld && route.request().postData()?.includes("__schema") ? held.push(route) : route.continue());
  await context.route("**/graphql", hold);
  const { page, errors } = await open("/graphiql?example=Article274");
  const button = page.getByRole("button", { name: /^(Show|Hide) Use this$/ });
  await button.waitFor();
  if ((await button.getAttribute("aria-label")) === "Show Use this") await button.click();
  const pane = page.getByRole("region", { name: "Use this" });
  await pane.getByText("Loading the schema…").waitFor();
  isHeld = false;
  for (const route of held) await route.continue();
  await pane.getByRole("table").waitFor();
  await context.unroute("**/graphql", hold);
  assert.deepEqual(errors, []);
  await page.close();
});

test("options explode lists and add a column with sources", async () => {
  const { page, errors, pane } = await openExample("WhoProposedTheLaw");
  await pane.getByLabel("Rows", { exact: true }).selectOption("proposal.sponsors");
  await pane.getByLabel("Lists in a row").selectOption("person.memberships");
  await pane.getByLabel("Add a column with the sources of each row").check();
  await pane.getByRole("columnheader", { name: "sources", exact: true }).waitFor();
  const address = new URL(await snippetText(pane, "CSV link"));
  assert.equal(address.searchParams.get("explode"), "person.memberships");
  await page.waitForFunction(() => !document.querySelector(".kurultai-use [aria-busy=true]"));
  assert.deepEqual(parseCsv(await (await context.request.get(address.href)).text()), await previewRows(pane));

  await pane.getByLabel("CSV that is safe to open in Excel").check();
  const csv = await (await context.request.get(await snippetText(pane, "CSV link"))).body();
  assert.deepEqual([...csv.subarray(0, 3)], [0xef, 0xbb, 0xbf], "a byte order mark tells Excel that the file is UTF-8");
  assert.deepEqual(errors, []);
  await page.close();
});

test("error messages of the server are shown unchanged", async () => {
  const { page, pane } = await openExample("Article274");
  await pane.getByLabel("Rows", { exact: true }).selectOption("provision.statistics");
  const rejected = await context.request.get(new URL("/table.json?query=%7Bnothing%7D", base).href);
  assert.equal(rejected.status(), 400);
  const { errors } = await rejected.json();
  // focused without a click, which might hit the scroll bar
  await page.locator(".graphiql-query-editor textarea.inputarea").focus();
  await page.keyboard.press("Control+A");
  await page.keyboard.press("Delete"); // otherwise the editor encloses the selection in braces
  await page.keyboard.type("{nothing}");
  await pane.getByRole("alert").filter({ hasText: errors[0].message }).waitFor();
  await page.close();
});

test("cases by year and outcome can be copied as a CSV link", async () => {
  const { page, pane } = await openExample("CasesByYear");
  await pane.getByLabel("Rows", { exact: true }).selectOption("caseStatistics.rows");
  await pane.getByRole("columnheader", { name: "outcome", exact: true }).waitFor();
  await snippet(pane, "CSV link").getByRole("button").click();
  await pane.getByRole("status").filter({ hasText: "Copied: CSV link" }).waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  assert.ok(new URL(link).pathname.endsWith("/table.csv"));
  assert.equal((await context.request.get(link)).status(), 200);
  // links.py reads the link with pandas and DuckDB after the browser tests
  saveText("cases-by-year.txt", link);
  await page.close();
});
