import assert from "node:assert/strict";
import { test } from "node:test";
import { base, context, keep, open, shoot } from "./browser.mjs";

/** Opens an example with the pane "Use this" beside it. */
async function use(example, options) {
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: base.origin });
  const opened = await open(`/graphiql?example=${example}`, options);
  // GraphiQL remembers its pane from one visit to the next.
  const button = opened.page.getByRole("button", { name: /^(Show|Hide) Use this$/ });
  await button.waitFor();
  if ((await button.getAttribute("aria-label")) === "Show Use this") await button.click();
  const pane = opened.page.getByRole("region", { name: "Use this" });
  await pane.getByRole("table").waitFor();
  return { ...opened, pane };
}

const snippet = (pane, name) => pane.getByRole("group", { name, exact: true });
const shown = (pane, name) => snippet(pane, name).locator("code").textContent();

/** The rows that a person sees, with the names of the columns first. */
const preview = (pane) =>
  pane.getByRole("table").evaluate((table) => [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent)));

/** Reads CSV as RFC 4180 has it. */
function readCsv(text) {
  const rows = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    if (quoted === undefined && plain === "" && end === "" && rows.at(-1).length === 0) break;
    rows.at(-1).push(quoted?.replaceAll('""', '"') ?? plain);
    if (end !== ",") rows.push([]);
  }
  return rows.filter((row) => row.length > 0);
}

test("the CSV link of an example has the rows of the preview, and can be copied", async () => {
  const { page, faults, pane } = await use("Article274", { colorScheme: "light" });
  await pane.getByLabel("Rows", { exact: true }).selectOption("provision.statistics");
  await pane.getByRole("columnheader", { name: "measure", exact: true }).waitFor();

  const link = await shown(pane, "CSV link");
  const answer = await context.request.get(link);
  assert.equal(answer.status(), 200);
  const rows = readCsv(await answer.text());
  assert.ok(rows.length > 2, "the example has several rows");
  assert.deepEqual(rows, await preview(pane));

  await snippet(pane, "CSV link").getByRole("button").click();
  await pane.getByRole("status").filter({ hasText: "Copied: CSV link" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), link);

  await snippet(pane, "Google Sheets").getByRole("button").focus();
  await page.keyboard.press("Enter");
  await pane.getByRole("status").filter({ hasText: "Copied: Google Sheets" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `=IMPORTDATA("${link}")`);

  for (const name of ["XLSX (Excel)", "JSON link", "NDJSON link", "Parquet link"]) {
    assert.equal((await context.request.get(await shown(pane, name))).status(), 200, name);
  }
  assert.deepEqual(faults, []);
  await page.close();
});

test("the table is drawn, and the axes can be changed", async () => {
  for (const colorScheme of ["light", "dark"]) {
    const { page, faults, pane } = await use("Article274", { colorScheme });
    await pane.getByLabel("Rows", { exact: true }).selectOption("provision.statistics");
    await pane.getByLabel("X axis").selectOption("measure");
    await pane.getByLabel("Values", { exact: true }).selectOption("value");
    await pane.getByLabel("Series", { exact: true }).selectOption("");
    const marks = pane.locator(".kurultai-figure svg [aria-label=bar] rect");
    await marks.first().waitFor();
    assert.equal(await marks.count(), (await preview(pane)).length - 1, "a bar for each figure");

    await pane.getByLabel("Title").fill('Article "274" & others');
    const html = await shown(pane, "Chart for an article (HTML)");
    const image = await page.evaluate((text) => {
      const { src, alt } = new DOMParser().parseFromString(text, "text/html").querySelector("img");
      return { src, alt };
    }, html);
    const asked = Object.fromEntries(new URL(image.src).searchParams);
    assert.deepEqual([asked.kind, asked.x, asked.y, asked.title], ["bar", "measure", "value", 'Article "274" & others']);
    assert.equal(image.alt, 'Article "274" & others');

    await pane.getByRole("heading", { name: "Preview" }).scrollIntoViewIfNeeded();
    await shoot(page, `use-this-${colorScheme}`);
    await marks.first().scrollIntoViewIfNeeded();
    await shoot(page, `use-this-chart-${colorScheme}`);
    assert.deepEqual(faults, []);
    await page.close();
  }
});

test("options change the table: a row for each item, and the sources", async () => {
  const { page, faults, pane } = await use("WhoProposedTheLaw");
  await pane.getByLabel("Rows", { exact: true }).selectOption("proposal.sponsors");
  await pane.getByLabel("Lists in a row").selectOption("person.memberships");
  await pane.getByLabel("Add a column with the sources of each row").check();
  await pane.getByRole("columnheader", { name: "sources", exact: true }).waitFor();
  const address = new URL(await shown(pane, "CSV link"));
  assert.equal(address.searchParams.get("explode"), "person.memberships");
  await page.waitForFunction(() => !document.querySelector(".kurultai-use [aria-busy=true]"));
  assert.deepEqual(readCsv(await (await context.request.get(address.href)).text()), await preview(pane));

  await pane.getByLabel("CSV that is safe to open in Excel").check();
  const csv = await (await context.request.get(await shown(pane, "CSV link"))).body();
  assert.deepEqual([...csv.subarray(0, 3)], [0xef, 0xbb, 0xbf], "Excel is told that this is UTF-8");
  assert.deepEqual(faults, []);
  await page.close();
});

test("what the endpoint refuses is said in its words", async () => {
  const { page, pane } = await use("Article274");
  await pane.getByLabel("Rows", { exact: true }).selectOption("provision.statistics");
  const refusal = await context.request.get(new URL("/table.json?query=%7Bnothing%7D", base).href);
  assert.equal(refusal.status(), 400);
  const { errors } = await refusal.json();
  // a click lands on the scroll bar, or beside lines that are scrolled, as the pane lies
  await page.locator(".graphiql-query-editor textarea.inputarea").focus();
  await page.keyboard.press("Control+A");
  await page.keyboard.press("Delete"); // or the brace would go around what is selected
  await page.keyboard.type("{nothing}");
  await pane.getByRole("alert").filter({ hasText: errors[0].message }).waitFor();
  await page.close();
});

test("cases under article 274 by year and outcome become a link, which other tools read", async () => {
  const { page, pane } = await use("CasesByYear");
  await pane.getByLabel("Rows", { exact: true }).selectOption("caseStatistics.rows");
  await pane.getByRole("columnheader", { name: "outcome", exact: true }).waitFor();
  await snippet(pane, "CSV link").getByRole("button").click();
  await pane.getByRole("status").filter({ hasText: "Copied: CSV link" }).waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  assert.ok(new URL(link).pathname.endsWith("/table.csv"));
  assert.equal((await context.request.get(link)).status(), 200);
  // what pandas and DuckDB make of it is looked at when this has ended: links.py
  keep("cases-by-year.txt", link);
  await page.close();
});
