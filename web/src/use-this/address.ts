import type { Operation } from "./operation.ts";

export const FORMATS = ["csv", "xlsx", "json", "ndjson", "parquet"] as const;
export type Format = (typeof FORMATS)[number];

/** Options for converting the query to a table. */
export interface TableOptions {
  /** Path of the list that becomes the rows; empty if the query has only one list. */
  rows: string;
  /** Path, relative to a row, of the nested list whose items become rows; empty if all nested lists are joined in a cell. */
  explode: string;
  sources: boolean;
  /** Makes CSV safe for Excel: with a byte order mark, and without cells that run as formulas. */
  excel: boolean;
}

/** Axes of a chart, as names of columns. */
export interface Axes {
  kind: "bar" | "line";
  x: string;
  /** Column of the values; empty to count rows. */
  y: string;
  /** Column that splits the rows into series; empty for a single series. */
  series: string;
}

/** Length in characters above which some programs and forms truncate URLs. */
export const LONG_URL_LENGTH = 2000;

// Also escapes brackets, apostrophes and asterisks, at which programs that detect URLs in text stop.
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

function address(origin: string, path: string, parameters: [string, string | number | boolean][]): string {
  const given = parameters.filter(([, value]) => value !== "" && value !== false);
  return `${origin}${path}?${given.map(([name, value]) => `${name}=${encode(String(value))}`).join("&")}`;
}

function queryParameters({ query, variables }: Operation, { rows, explode, sources }: TableOptions): [string, string | boolean][] {
  return [
    ["query", query],
    ["variables", Object.keys(variables).length > 0 ? JSON.stringify(variables) : ""],
    ["rows", rows],
    ["lists", explode ? "explode" : ""],
    ["explode", explode],
    ["sources", sources],
  ];
}

/** URL of a table. `excel` affects only CSV and is meant for files that people open themselves; programs need the raw values. */
export function tableAddress(
  origin: string,
  format: Format,
  operation: Operation,
  choice: TableOptions,
  options: { excel?: boolean; limit?: number } = {},
): string {
  const excel = options.excel === true && format === "csv";
  return address(origin, `/table.${format}`, [
    ...queryParameters(operation, choice),
    ["safe", excel],
    ["bom", excel],
    ["limit", options.limit ?? ""],
  ]);
}

/** URL of a chart of a table, as an SVG image. */
export function chartAddress(origin: string, operation: Operation, choice: TableOptions, axes: Axes, title: string): string {
  return address(origin, "/chart.svg", [
    ...queryParameters(operation, { ...choice, sources: false }),
    ["kind", axes.kind],
    ["x", axes.x],
    ["y", axes.y],
    ["series", axes.series],
    ["title", title],
  ]);
}

/** Whether a host name is reachable only from this computer or its local network. */
export function isPrivate(hostname: string): boolean {
  return /^(localhost|.*\.(localhost|local|internal)|\[::1?\]|\[f[cd].*|0\.0\.0\.0|127\..*|10\..*|192\.168\..*|172\.(1[6-9]|2\d|3[01])\..*)$/i.test(
    hostname,
  );
}
