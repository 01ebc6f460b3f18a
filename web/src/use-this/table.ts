import { useEffect, useState } from "react";
import type { Row } from "./column.ts";

/** State of a requested table. The previous rows remain until the next ones arrive. */
export interface Table {
  /** The URL that `rows` or `problem` belongs to. */
  address?: string;
  rows?: Row[];
  problem?: string;
}

/** Fetches the rows from a `/table.json` URL, and again (debounced) whenever the URL changes. */
export function useTable(address: string | undefined): Table & { isLoading: boolean } {
  const [table, setTable] = useState<Table>({});
  useEffect(() => {
    if (!address) return;
    const controller = new AbortController();
    const timer = setTimeout(() => {
      read(address, controller.signal).then(setTable, () => {
        // Aborted, because another URL is being fetched.
      });
    }, 300);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [address]);
  return { ...table, isLoading: address !== undefined && table.address !== address };
}

async function read(address: string, signal: AbortSignal): Promise<Table> {
  try {
    const response = await fetch(address, { signal });
    const body: unknown = await response.json().catch(() => undefined);
    if (response.ok && Array.isArray(body)) return { address, rows: body as Row[] };
    const fallback = response.ok ? "The transfer of the table was interrupted." : `The server returned status ${response.status}.`;
    return { address, problem: problemOf(body) ?? fallback };
  } catch (error) {
    if (signal.aborted) throw error;
    return { address, problem: "The server cannot be reached." };
  }
}

/** Returns the error messages of a GraphQL response body, if any. */
export function problemOf(body: unknown): string | undefined {
  const errors = typeof body === "object" && body !== null && "errors" in body ? body.errors : undefined;
  if (!Array.isArray(errors)) return undefined;
  const messages = errors.map((error: { message?: unknown }) => error.message).filter((one) => typeof one === "string");
  return messages.length > 0 ? messages.join("\n") : undefined;
}
