import assert from "node:assert/strict";
import { test } from "node:test";
import { base, context, open, screenshot } from "./browser.mjs";

test("the landing page describes the dataset and links to GraphiQL", async () => {
  for (const colorScheme of ["light", "dark"]) {
    const { page, errors } = await open("/", { colorScheme });
    await page.getByRole("heading", { level: 1 }).waitFor();
    assert.equal(await page.locator("script").count(), 0, "the landing page works without scripts");
    await screenshot(page, `landing-${colorScheme}`, { fullPage: true });
    assert.deepEqual(errors, []);
    await page.close();
  }

  const { page, errors } = await open("/");
  await page.setViewportSize({ width: 360, height: 740 });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(overflow <= 0, `the page is ${overflow} pixels wider than the viewport`);
  await screenshot(page, "landing-phone", { fullPage: true });
  assert.deepEqual(errors, []);

  const links = await page.locator("a").evaluateAll((all) => [...new Set(all.map(({ href }) => href))]);
  for (const link of links) {
    const response = await context.request.get(link);
    assert.equal(response.status(), 200, `broken link on the landing page: ${link}`);
  }

  await page.getByRole("link", { name: "Open GraphiQL" }).click();
  await page.waitForURL("**/graphiql");
  assert.equal(await page.title(), "Kurultai GraphiQL");
  await page.close();
});

test("GraphiQL opens with the examples, shows the schema and executes a query", async () => {
  const { page, errors } = await open("/graphiql", { colorScheme: "light" });
  const tabs = page.getByRole("tab");
  await tabs.first().waitFor();
  assert.equal(await tabs.count(), 6, "one tab per example");
  assert.equal(await tabs.first().innerText(), "WhoProposedTheLaw");

  await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
  await page.locator(".graphiql-doc-explorer").getByRole("link", { name: "Query", exact: true }).click();
  await page.locator(".graphiql-doc-explorer").getByRole("link", { name: "proposal", exact: true }).waitFor();
  await screenshot(page, "graphiql-docs");

  await page.getByRole("button", { name: "Show GraphiQL Explorer" }).click();
  await page.locator(".graphiql-explorer-root").getByText("proposals", { exact: true }).waitFor();
  await screenshot(page, "graphiql-explorer");
  await page.getByRole("button", { name: "Hide GraphiQL Explorer" }).click();

  await page.getByRole("button", { name: "Execute query" }).click();
  const response = page.locator(".result-window");
  await response.getByText("Zhumagulov").first().waitFor();
  await screenshot(page, "graphiql-response-light");
  await page.emulateMedia({ colorScheme: "dark" });
  await response.locator(".monaco-editor.vs-dark").waitFor();
  await screenshot(page, "graphiql-response-dark");

  // the editor renders only visible lines, so the rest of the response requires scrolling
  await response.locator(".view-lines").click();
  const quote = response.getByText("we need to pass a law on social media").first();
  for (let presses = 0; presses < 40 && !(await quote.isVisible()); presses += 1) await page.keyboard.press("PageDown");
  await quote.waitFor({ timeout: 1000 });
  await screenshot(page, "graphiql-quote");

  assert.deepEqual(errors, []);
  await page.close();
});

test("a link of the landing page opens its example in GraphiQL", async () => {
  const { page, errors } = await open("/");
  const links = page.locator(".questions a");
  assert.equal(await links.count(), 6, "one link per example");
  const name = new URL(await links.nth(2).getAttribute("href"), base).searchParams.get("example");
  await links.nth(2).click();
  const selected = page.getByRole("tab", { selected: true });
  await selected.waitFor();
  assert.equal(await selected.innerText(), name);
  assert.equal(await page.getByRole("tab").count(), 6, "an open example gets no second tab");
  await page.locator(".graphiql-query-editor").getByText(`query ${name}`).waitFor();
  assert.deepEqual(errors, []);
  await page.close();
});
