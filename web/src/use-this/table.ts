import { useEffect, useState } from "react";
import type { Row } from "./column.ts";

/** A table that was asked for; the former rows stay until the next ones are there. */
export interface Table {
  /** The address that `rows` or `problem` is the answer of. */
  address?: string;
  rows?: Row[];
  problem?: string;
}

/** The rows at an address of `/table.json`, asked for again whenever the address changes and rests. */
export function useTable(address: string | undefined): Table & { isLoading: boolean } {
  const [table, setTable] = useState<Table>({});
  useEffect(() => {
    if (!address) return;
    const controller = new AbortController();
    const timer = setTimeout(() => {
      read(address, controller.signal).then(setTable, () => {
        // Another address is asked already.
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
    const otherwise = response.ok ? "The table broke off before its end." : `The server answered with status ${response.status}.`;
    return { address, problem: problemOf(body) ?? otherwise };
  } catch (error) {
    if (signal.aborted) throw error;
    return { address, problem: "The server cannot be reached." };
  }
}

/** The messages of a body with errors, as GraphQL gives them. */
export function problemOf(body: unknown): string | undefined {
  const errors = typeof body === "object" && body !== null && "errors" in body ? body.errors : undefined;
  if (!Array.isArray(errors)) return undefined;
  const messages = errors.map((error: { message?: unknown }) => error.message).filter((one) => typeof one === "string");
  return messages.length > 0 ? messages.join("\n") : undefined;
}
