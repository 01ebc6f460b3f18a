import { readdirSync, readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";
import { readExample } from "./src/examples.ts";

const escape = (text: string) =>
  text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");

/**
 * Lists the example questions on the landing page. They are read from the same files as
 * GraphiQL's tabs, so that the two cannot drift apart and the page needs no script.
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
  // The server puts a new one here each time it sends a page.
  html: { cspNonce: "NONCE_OF_THE_PAGE" },
  worker: { format: "es" },
  build: {
    target: "es2022",
    sourcemap: false,
    // A data: URL would need an exception in the content security policy.
    assetsInlineLimit: 0,
    // Monaco is one chunk of this size, loaded only by GraphiQL.
    chunkSizeWarningLimit: 3000,
    license: { fileName: "assets/licenses.txt" },
    rolldownOptions: {
      input: ["index.html", "graphiql.html"],
      onLog(level, log, report) {
        // Dependencies carry "use client", which means something to server rendering alone.
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") report(level, log);
      },
    },
  },
  // For `npm run dev` beside a running server.
  server: {
    proxy: {
      "/graphql": { target: "http://127.0.0.1:8080", ws: true },
      "/schema.graphql": "http://127.0.0.1:8080",
    },
  },
});
