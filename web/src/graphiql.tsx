import "./nonce.ts";
import "./workers.ts";
import "@graphiql/react/font/fira-code.css";
// Imported individually, because `graphiql/style.css` contains a second copy of Monaco's styles.
import "@graphiql/react/style.css";
import "@graphiql/plugin-doc-explorer/style.css";
import "@graphiql/plugin-history/style.css";
import "@graphiql/plugin-explorer/style.css";
import "graphiql/graphiql.css";
import "./graphiql.css";
import { explorerPlugin } from "@graphiql/plugin-explorer";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { createRoot } from "react-dom/client";
import { arrangeExamples } from "./examples.ts";
import { FollowSystemTheme } from "./theme.ts";
import { USE_THIS_PLUGIN } from "./use-this/plugin.tsx";

const parameters = new URLSearchParams(location.search);
const exampleName = parameters.get("example");
/** The query of a link, such as that of a record page. */
const linkedQuery = parameters.get("query");
const examples = arrangeExamples(
  import.meta.glob<string>("../examples/*.graphql", { query: "?raw", import: "default", eager: true }),
  exampleName,
);

const fetcher = createGraphiQLFetcher({
  url: "/graphql",
  subscriptionUrl: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/graphql`,
  // The server does not support @defer and @stream.
  enableIncrementalDelivery: false,
});

// Created once: a new plugin object at each render would remount the pane.
const plugins = [explorerPlugin({ showAttribution: false }), HISTORY_PLUGIN, USE_THIS_PLUGIN];

createRoot(document.getElementById("graphiql")!).render(
  <GraphiQL
    fetcher={fetcher}
    plugins={plugins}
    defaultTabs={[...(linkedQuery ? [linkedQuery] : []), ...examples.map(({ query }) => query)].map((query) => ({ query }))}
    // Set only if a link specifies a query or example; otherwise GraphiQL restores the tabs of the last visit.
    initialQuery={linkedQuery ?? (examples.some(({ name }) => name === exampleName) ? examples[0]!.query : undefined)}
    defaultEditorToolsVisibility={false}
    inputValueDeprecation
  >
    <GraphiQL.Logo>
      <a className="kurultai-logo" href="/">
        <img src="/favicon.svg" alt="" width="20" height="20" />
        Kurultai
      </a>
    </GraphiQL.Logo>
    <FollowSystemTheme />
  </GraphiQL>,
);
