import type { Environment } from "monaco-editor";
import JsonWorker from "monaco-editor/esm/vs/language/json/json.worker.js?worker";
import GraphQLWorker from "monaco-graphql/esm/graphql.worker.js?worker";
import EditorWorker from "monaco-editor/esm/vs/editor/editor.worker.js?worker";

// Equivalent to `graphiql/setup-workers/vite`, which logs to the console whenever a worker starts.
const environment: Environment = {
  getWorker(_id, label) {
    if (label === "json") return new JsonWorker();
    if (label === "graphql") return new GraphQLWorker();
    return new EditorWorker();
  },
};
Object.assign(globalThis, { MonacoEnvironment: environment });
