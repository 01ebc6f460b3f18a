import { readdirSync, readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";
import { readExample } from "./src/examples.ts";

const escape = (text: string) =>
  text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");

/**
 * Lists the example questions on the landing page at build time, so that the page needs no script. They come from the
 * same files as GraphiQL's tabs.
 */
function listExamples(): Plugin {
  const folder = new URL("./examples/", import.meta.url);
  return {
    name: "list-examples",
    transformIndexHtml(html) {
      const items = readdirSync(folder)
        .filter((file) => file.endsWith(".graphql"))
        .sort()
        .map((file) => readExample(readFileSync(new URL(file, folder), "utf8")))
        .map(({ name, question }) => `<li><a href="/graphiql?example=${name}">${escape(question)}</a></li>`);
      return html.replace("<!-- examples -->", items.join("\n"));
    },
  };
}

export default defineConfig({
  base: "/",
  plugins: [listExamples()],
  // The server replaces this placeholder with a new nonce in each response.
  html: { cspNonce: "NONCE_OF_THE_PAGE" },
  worker: { format: "es" },
  build: {
    target: "es2022",
    sourcemap: false,
    // data: URLs would require an exception in the content security policy.
    assetsInlineLimit: 0,
    // The chunk with Monaco, which only GraphiQL loads, has about this size (kB).
    chunkSizeWarningLimit: 3000,
    license: { fileName: "assets/licenses.txt" },
    rolldownOptions: {
      input: ["index.html", "graphiql.html"],
      onLog(level, log, report) {
        // Dependencies contain "use client", which only affects server rendering.
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") report(level, log);
      },
    },
  },
  // For `npm run dev` with a running server.
  server: {
    proxy: {
      "/graphql": { target: "http://127.0.0.1:8080", ws: true },
      "/schema.graphql": "http://127.0.0.1:8080",
    },
  },
});
