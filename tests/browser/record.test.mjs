import assert from "node:assert/strict";
import { test } from "node:test";
import { base, open, shoot } from "./browser.mjs";

const PATH = "/r/case/kazakhstan-v-ilyashev";

test("the page of a record tells its facts and who says so, without scripts, in light and dark", async () => {
  const inks = [];
  for (const colorScheme of ["light", "dark"]) {
    const { page, faults } = await open(PATH, { colorScheme });
    assert.equal(await page.title(), "Kazakhstan v. Alnur Ilyashev · Case · Kurultai");
    assert.equal(await page.getByRole("heading", { level: 1 }).innerText(), "Kazakhstan v. Alnur Ilyashev");
    const headings = await page.getByRole("heading", { level: 2 }).allInnerTexts();
    for (const heading of ["Facts", "Where sources disagree", "Parties", "Sources", "Cite this", "Use the data"]) {
      assert.ok(headings.includes(heading), `${heading} is not among ${headings}`);
    }
    const disputed = page.getByRole("region", { name: "Where sources disagree" });
    assert.match(await disputed.innerText(), /22 June 2020 accepted[^]*22 June 2019 also claimed/);
    // what a script would run is not there; the one element is data
    const scripts = await page.locator("script").evaluateAll((all) => all.map(({ type }) => type));
    assert.deepEqual(scripts, ["application/ld+json"]);
    const data = JSON.parse(await page.locator("script").textContent());
    assert.equal(data["@id"], new URL(PATH, base).href);
    inks.push(await page.evaluate(() => getComputedStyle(document.body).color));
    await shoot(page, `record-${colorScheme}`, { fullPage: true });
    assert.deepEqual(faults, []);
    await page.close();
  }
  assert.notEqual(inks[0], inks[1], "the page is dark where the reader likes it dark");
});

test("the page of a record fits a phone, and its links lead on", async () => {
  const { page, faults } = await open(PATH);
  await page.setViewportSize({ width: 360, height: 740 });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(overflow <= 0, `the page is ${overflow} pixels wider than a phone`);
  await shoot(page, "record-phone", { fullPage: true });
  await page.getByRole("link", { name: "Medeu District Court No. 2 of Almaty" }).first().click();
  await page.waitForURL("**/r/organization/medeu-district-court-2");
  await page.goBack();
  await page.getByRole("link", { name: "Open it in GraphiQL" }).click();
  const editor = page.locator(".graphiql-query-editor");
  await editor.getByText("kazakhstan-v-ilyashev").first().waitFor();
  assert.deepEqual(faults, []);
  await page.close();
});

test("an address that leads nowhere says so to people", async () => {
  const response = await fetch(new URL("/r/case/nothing", base));
  assert.equal(response.status, 404);
  assert.match(await response.text(), /<h1>There is no such record<\/h1>/);
});
