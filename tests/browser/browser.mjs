import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { chromium } from "playwright-core";

export const base = new URL(process.env.KURULTAI_URL ?? "http://127.0.0.1:8080");
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const screenshots = process.env.SCREENSHOT_DIR ?? mkdtempSync(join(tmpdir(), "kurultai-screenshots-"));
const profile = mkdtempSync(join(tmpdir(), "kurultai-chromium-"));

export let context;

before(async () => {
  assert.ok(
    existsSync(executablePath),
    `No Chromium at ${executablePath}. Install it (Debian and Ubuntu: apt-get install chromium), ` +
      "or set CHROMIUM to the path of a Chromium or Chrome.",
  );
  mkdirSync(screenshots, { recursive: true });
  context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    viewport: { width: 1440, height: 900 },
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
});

after(async () => {
  await context?.close();
  rmSync(profile, { recursive: true, force: true });
  console.log(`screenshots are in ${screenshots}`);
});

/** Opens a page that remembers what it should not have done. */
export async function open(path, options = {}) {
  const page = await context.newPage();
  await page.emulateMedia(options);
  const faults = [];
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`uncaught: ${error.message}`));
  page.on("requestfailed", (request) => {
    // A preview that is overtaken by the next is called off by the page itself.
    const isCalledOff = request.failure()?.errorText === "net::ERR_ABORTED" && request.url().includes("/table.json?");
    if (!isCalledOff) faults.push(`request failed: ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) faults.push(`status ${response.status()}: ${response.url()}`);
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    const isInPage = url.protocol === "data:" || url.protocol === "blob:";
    if (!isInPage && url.origin !== base.origin) faults.push(`left the origin: ${request.url()}`);
  });
  await page.goto(new URL(path, base).href);
  return { page, faults };
}

export const shoot = (page, name, options) => page.screenshot({ path: join(screenshots, `${name}.png`), ...options });

/** Keeps a text beside the screenshots. */
export const keep = (name, text) => writeFileSync(join(screenshots, name), text);
