import assert from "node:assert/strict";
import { test } from "node:test";
import { base, open, screenshot } from "./browser.mjs";

const PATH = "/r/case/kazakhstan-v-ilyashev";

test("a record page shows facts and sources without scripts, in light and dark mode", async () => {
  const textColors = [];
  for (const colorScheme of ["light", "dark"]) {
    const { page, errors } = await open(PATH, { colorScheme });
    assert.equal(await page.title(), "Kazakhstan v. Alnur Ilyashev · Case · Kurultai");
    assert.equal(await page.getByRole("heading", { level: 1 }).innerText(), "Kazakhstan v. Alnur Ilyashev");
    const headings = await page.getByRole("heading", { level: 2 }).allInnerTexts();
    for (const heading of ["Facts", "Where sources disagree", "Parties", "Sources", "Cite this", "Use the data"]) {
      assert.ok(headings.includes(heading), `${heading} is not among ${headings}`);
    }
    const disputed = page.getByRole("region", { name: "Where sources disagree" });
    assert.match(await disputed.innerText(), /22 June 2020 accepted[^]*22 June 2019 also claimed/);
    // the only script element contains data
    const scripts = await page.locator("script").evaluateAll((all) => all.map(({ type }) => type));
    assert.deepEqual(scripts, ["application/ld+json"]);
    const data = JSON.parse(await page.locator("script").textContent());
    assert.equal(data["@id"], new URL(PATH, base).href);
    textColors.push(await page.evaluate(() => getComputedStyle(document.body).color));
    await screenshot(page, `record-${colorScheme}`, { fullPage: true });
    assert.deepEqual(errors, []);
    await page.close();
  }
  assert.notEqual(textColors[0], textColors[1], "the page follows the preferred color scheme");
});

test("a record page fits a phone, and its links work", async () => {
  const { page, errors } = await open(PATH);
  await page.setViewportSize({ width: 360, height: 740 });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(overflow <= 0, `the page is ${overflow} pixels wider than the viewport`);
  await screenshot(page, "record-phone", { fullPage: true });
  await page.getByRole("link", { name: "Medeu District Court No. 2 of Almaty" }).first().click();
  await page.waitForURL("**/r/organization/medeu-district-court-2");
  await page.goBack();
  await page.getByRole("link", { name: "Open it in GraphiQL" }).click();
  const editor = page.locator(".graphiql-query-editor");
  await editor.getByText("kazakhstan-v-ilyashev").first().waitFor();
  assert.deepEqual(errors, []);
  await page.close();
});

test("the page of an unknown record is a readable 404 error", async () => {
  const response = await fetch(new URL("/r/case/nothing", base));
  assert.equal(response.status, 404);
  assert.match(await response.text(), /<h1>There is no such record<\/h1>/);
});
