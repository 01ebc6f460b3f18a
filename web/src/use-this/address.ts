import type { Operation } from "./operation.ts";

export const FORMATS = ["csv", "xlsx", "json", "ndjson", "parquet"] as const;
export type Format = (typeof FORMATS)[number];

/** How the query is made into a table. */
export interface Choice {
  /** Path of the list that becomes the rows; empty where the query has but one. */
  rows: string;
  /** Path, from a row, of the inner list whose items get a row each; empty where all are joined into a cell. */
  explode: string;
  sources: boolean;
  /** CSV that Excel opens as it should: UTF-8 is announced, and no cell runs as a formula. */
  excel: boolean;
}

/** What a chart shows. */
export interface Axes {
  kind: "bar" | "line";
  x: string;
  /** Column of the values; empty where rows are counted. */
  y: string;
  /** Column that parts the rows into series; empty where there is one. */
  series: string;
}

/** Some programs and forms cut addresses that are longer than this. */
export const LONG = 2000;

// Brackets, apostrophes and stars are escaped as well: programs that find addresses in text stop at them.
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

function address(origin: string, path: string, parameters: [string, string | number | boolean][]): string {
  const given = parameters.filter(([, value]) => value !== "" && value !== false);
  return `${origin}${path}?${given.map(([name, value]) => `${name}=${encode(String(value))}`).join("&")}`;
}

function asked({ query, variables }: Operation, { rows, explode, sources }: Choice): [string, string | boolean][] {
  return [
    ["query", query],
    ["variables", Object.keys(variables).length > 0 ? JSON.stringify(variables) : ""],
    ["rows", rows],
    ["lists", explode ? "explode" : ""],
    ["explode", explode],
    ["sources", sources],
  ];
}

/** Where a table is. Only CSV that people open themselves is made safe for Excel: programs want it as it is. */
export function tableAddress(
  origin: string,
  format: Format,
  operation: Operation,
  choice: Choice,
  options: { excel?: boolean; limit?: number } = {},
): string {
  const excel = options.excel === true && format === "csv";
  return address(origin, `/table.${format}`, [
    ...asked(operation, choice),
    ["safe", excel],
    ["bom", excel],
    ["limit", options.limit ?? ""],
  ]);
}

/** Where a chart of a table is, as an image. */
export function chartAddress(origin: string, operation: Operation, choice: Choice, axes: Axes, title: string): string {
  return address(origin, "/chart.svg", [
    ...asked(operation, { ...choice, sources: false }),
    ["kind", axes.kind],
    ["x", axes.x],
    ["y", axes.y],
    ["series", axes.series],
    ["title", title],
  ]);
}

/** Whether only this computer, or its own network, can reach an address. */
export function isPrivate(hostname: string): boolean {
  return /^(localhost|.*\.(localhost|local|internal)|\[::1?\]|\[f[cd].*|0\.0\.0\.0|127\..*|10\..*|192\.168\..*|172\.(1[6-9]|2\d|3[01])\..*)$/i.test(
    hostname,
  );
}
