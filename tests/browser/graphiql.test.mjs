import assert from "node:assert/strict";
import { test } from "node:test";
import { base, context, open, shoot } from "./browser.mjs";

test("the landing page says what this is and leads to GraphiQL", async () => {
  for (const colorScheme of ["light", "dark"]) {
    const { page, faults } = await open("/", { colorScheme });
    await page.getByRole("heading", { level: 1 }).waitFor();
    assert.equal(await page.locator("script").count(), 0, "the landing page works without scripts");
    await shoot(page, `landing-${colorScheme}`, { fullPage: true });
    assert.deepEqual(faults, []);
    await page.close();
  }

  const { page, faults } = await open("/");
  await page.setViewportSize({ width: 360, height: 740 });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(overflow <= 0, `the page is ${overflow} pixels wider than a phone`);
  await shoot(page, "landing-phone", { fullPage: true });
  assert.deepEqual(faults, []);

  const links = await page.locator("a").evaluateAll((all) => [...new Set(all.map(({ href }) => href))]);
  for (const link of links) {
    const response = await context.request.get(link);
    assert.equal(response.status(), 200, `a link of the landing page is dead: ${link}`);
  }

  await page.getByRole("link", { name: "Open GraphiQL" }).click();
  await page.waitForURL("**/graphiql");
  assert.equal(await page.title(), "Kurultai GraphiQL");
  await page.close();
});

test("GraphiQL opens with the examples, knows the schema and answers the first", async () => {
  const { page, faults } = await open("/graphiql", { colorScheme: "light" });
  const tabs = page.getByRole("tab");
  await tabs.first().waitFor();
  assert.equal(await tabs.count(), 6, "one tab per example");
  assert.equal(await tabs.first().innerText(), "WhoProposedTheLaw");

  await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
  await page.locator(".graphiql-doc-explorer").getByRole("link", { name: "Query", exact: true }).click();
  await page.locator(".graphiql-doc-explorer").getByRole("link", { name: "proposal", exact: true }).waitFor();
  await shoot(page, "graphiql-docs");

  await page.getByRole("button", { name: "Show GraphiQL Explorer" }).click();
  await page.locator(".graphiql-explorer-root").getByText("proposals", { exact: true }).waitFor();
  await shoot(page, "graphiql-explorer");
  await page.getByRole("button", { name: "Hide GraphiQL Explorer" }).click();

  await page.getByRole("button", { name: "Execute query" }).click();
  const answer = page.locator(".result-window");
  await answer.getByText("Zhumagulov").first().waitFor();
  await shoot(page, "graphiql-answer-light");
  await page.emulateMedia({ colorScheme: "dark" });
  await answer.locator(".monaco-editor.vs-dark").waitFor();
  await shoot(page, "graphiql-answer-dark");

  // The editor renders only the lines in view, so the rest of the answer is read by scrolling to it.
  await answer.locator(".view-lines").click();
  const quote = answer.getByText("we need to pass a law on social media").first();
  for (let presses = 0; presses < 40 && !(await quote.isVisible()); presses += 1) await page.keyboard.press("PageDown");
  await quote.waitFor({ timeout: 1000 });
  await shoot(page, "graphiql-quote");

  assert.deepEqual(faults, []);
  await page.close();
});

test("a link of the landing page opens its question in GraphiQL", async () => {
  const { page, faults } = await open("/");
  const links = page.locator(".questions a");
  assert.equal(await links.count(), 6, "one link per example");
  const name = new URL(await links.nth(2).getAttribute("href"), base).searchParams.get("example");
  await links.nth(2).click();
  const selected = page.getByRole("tab", { selected: true });
  await selected.waitFor();
  assert.equal(await selected.innerText(), name);
  assert.equal(await page.getByRole("tab").count(), 6, "an example that is open already gets no second tab");
  await page.locator(".graphiql-query-editor").getByText(`query ${name}`).waitFor();
  assert.deepEqual(faults, []);
  await page.close();
});
