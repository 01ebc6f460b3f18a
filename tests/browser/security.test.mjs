import assert from "node:assert/strict";
import { test } from "node:test";
import { base, context, open } from "./browser.mjs";

test("pages run only scripts of this server and cannot be framed", async () => {
  for (const path of ["/", "/graphiql"]) {
    const response = await context.request.get(new URL(path, base).href);
    const policy = Object.fromEntries(
      response.headers()["content-security-policy"].split(";").map((part) => {
        const [name, ...values] = part.trim().split(" ");
        return [name, values];
      }),
    );
    assert.deepEqual(policy["default-src"], ["'none'"], path);
    assert.deepEqual(policy["script-src"], ["'self'"], path);
    assert.deepEqual(policy["frame-ancestors"], ["'none'"], path);
    assert.ok(!["default-src", "script-src", "style-src", "style-src-elem"].some((name) => policy[name]?.includes("'unsafe-inline'")));
    assert.equal(response.headers()["x-content-type-options"], "nosniff");
  }

  const { page } = await open("/graphiql");
  await page.getByRole("tab").first().waitFor();
  const executed = await page.evaluate(async () => {
    const script = document.createElement("script");
    script.textContent = "window.executed = true";
    document.body.append(script);
    const image = new Image();
    image.setAttribute("onerror", "window.executed = true");
    image.src = "/nothing.png";
    document.body.append(image);
    await new Promise((done) => setTimeout(done, 500));
    return window.executed === true;
  });
  assert.equal(executed, false, "an inline script was executed");
  await page.close();
});

test("each response of GraphiQL has a different nonce", async () => {
  const policy = async () => (await context.request.get(new URL("/graphiql", base).href)).headers()["content-security-policy"];
  const [first, second] = [await policy(), await policy()];
  assert.match(first, /'nonce-[0-9a-f]{32}'/);
  assert.notEqual(first, second);
});
