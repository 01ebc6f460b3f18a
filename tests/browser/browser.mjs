import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { chromium } from "playwright-core";

export const base = new URL(process.env.KURULTAI_URL ?? "http://127.0.0.1:8080");
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const screenshotFolder = process.env.SCREENSHOT_DIR ?? mkdtempSync(join(tmpdir(), "kurultai-screenshots-"));
const profile = mkdtempSync(join(tmpdir(), "kurultai-chromium-"));

export let context;

before(async () => {
  assert.ok(
    existsSync(executablePath),
    `No Chromium at ${executablePath}. Install it (Debian and Ubuntu: apt-get install chromium), ` +
      "or set CHROMIUM to the path of a Chromium or Chrome.",
  );
  mkdirSync(screenshotFolder, { recursive: true });
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
  console.log(`screenshots are in ${screenshotFolder}`);
});

/** Opens a page and records its errors: console errors, exceptions, failed requests and requests to other origins. */
export async function open(path, options = {}) {
  const page = await context.newPage();
  await page.emulateMedia(options);
  const errors = [];
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => errors.push(`uncaught: ${error.message}`));
  page.on("requestfailed", (request) => {
    // the page aborts the request of a preview when the next one starts
    const isAborted = request.failure()?.errorText === "net::ERR_ABORTED" && request.url().includes("/table.json?");
    if (!isAborted) errors.push(`request failed: ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) errors.push(`status ${response.status()}: ${response.url()}`);
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    const isInline = url.protocol === "data:" || url.protocol === "blob:";
    if (!isInline && url.origin !== base.origin) errors.push(`request to another origin: ${request.url()}`);
  });
  await page.goto(new URL(path, base).href);
  return { page, errors };
}

/** Takes a screenshot. */
export const screenshot = (page, name, options) => page.screenshot({ path: join(screenshotFolder, `${name}.png`), ...options });

/** Writes a text file to the folder of the screenshots. */
export const saveText = (name, text) => writeFileSync(join(screenshotFolder, name), text);
