import { tryParseJSONC, useGraphiQL } from "@graphiql/react";
import { useEffect, useMemo, useState } from "react";
import { findOperation, isolate, type Operation } from "./operation.ts";

/** The operation that the editor shows, or in words why it cannot become a table. */
export function useOperation(): Operation | string {
  const document = useGraphiQL((state) => state.documentAST);
  const schema = useGraphiQL((state) => state.schema);
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
    const listening = editor.onDidChangeCursorPosition(look);
    return () => listening.dispose();
  }, [editor]);

  const found = useMemo((): Operation | string => {
    if (!document) return "The editor holds no query that can be read: see what it underlines.";
    const operation = findOperation(document, cursor, name);
    if (!operation) return "The editor holds no query.";
    if (operation.operation !== "query") return `A ${operation.operation} is no table: put the cursor into a query.`;
    try {
      return isolate(document, operation, tryParseJSONC(variables) ?? {}, schema);
    } catch (error) {
      return `The variables cannot be read. ${error instanceof Error ? error.message : ""}`;
    }
  }, [document, cursor, name, variables, schema]);
  // The cursor moves and the document is made anew with every letter, mostly to the same effect.
  const key = JSON.stringify(found);
  return useMemo(() => found, [key]);
}
