import { tryParseJSONC, useGraphiQL } from "@graphiql/react";
import { useEffect, useMemo, useState } from "react";
import { findOperation, isolate, type Operation } from "./operation.ts";

/**
 * Returns the current operation of the editor, or a message that explains why it cannot become a table. It is undefined until the
 * schema has been loaded, which says what the lists of the query are.
 */
export function useOperation(): Operation | string | undefined {
  const document = useGraphiQL((state) => state.documentAST);
  const schema = useGraphiQL((state) => state.schema);
  const isFailed = useGraphiQL((state) => state.fetchError !== null);
  const name = useGraphiQL((state) => state.operationName);
  const variables = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.variables ?? "");
  const editor = useGraphiQL((state) => state.queryEditor);
  const [cursor, setCursor] = useState<number>();

  useEffect(() => {
    if (!editor) return;
    const look = () => {
      const position = editor.getPosition();
      setCursor(position ? editor.getModel()?.getOffsetAt(position) : undefined);
    };
    look();
    const subscription = editor.onDidChangeCursorPosition(look);
    return () => subscription.dispose();
  }, [editor]);

  const found = useMemo((): Operation | string | undefined => {
    if (!document) return "The query has a syntax error: see the part that the editor underlines.";
    const operation = findOperation(document, cursor, name);
    if (!operation) return "The editor contains no query.";
    if (operation.operation !== "query") return `A ${operation.operation} cannot become a table: place the cursor in a query.`;
    if (!schema) return isFailed ? "The schema could not be loaded, so the lists of the query are unknown: reload the page." : undefined;
    try {
      return isolate(document, operation, tryParseJSONC(variables) ?? {}, schema);
    } catch (error) {
      return `The variables are not valid JSON. ${error instanceof Error ? error.message : ""}`;
    }
  }, [document, cursor, name, variables, schema, isFailed]);
  // Most keystrokes move the cursor and rebuild the document without changing the operation.
  const key = JSON.stringify(found);
  return useMemo(() => found, [key]);
}
