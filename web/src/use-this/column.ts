import type { Axes } from "./address.ts";

export type Cell = string | number | boolean | null;
export type Row = Record<string, Cell>;

/** A column of a table, with the type of its values. */
export interface Column {
  name: string;
  kind: "number" | "date" | "text";
  /** Number of distinct values. */
  distinct: number;
}

/** A data point of a chart. */
export interface Point {
  x: string | number | Date;
  y: number;
  series: string;
}

const DATE = /^\d{4}(-\d{2}(-\d{2}(T.+)?)?)?$/;
const UNKNOWN = "unknown";
/** Maximum number of series with distinguishable colours; the server has the same limit. */
export const MAX_SERIES = 8;
/** Message for a table without data to draw. */
export const NO_DATA = "There is no data to draw.";

const isTime = ({ name, kind }: Column) => kind === "date" || /(^|\.|_)year$/i.test(name);
const isName = ({ name }: Column) => /(^|\.)(id|slug|url|revision|createdAt|updatedAt)$/i.test(name);

export function columnsOf(rows: Row[]): Column[] {
  return Object.keys(rows[0] ?? {}).map((name) => {
    const values = rows.map((row) => row[name]).filter((value) => value !== null && value !== undefined);
    const is = (test: (value: Cell) => boolean) => values.length > 0 && values.every((value) => test(value!));
    const kind = is((value) => typeof value === "number")
      ? "number"
      : is((value) => typeof value === "string" && DATE.test(value))
        ? "date"
        : "text";
    return { name, kind, distinct: new Set(values).size };
  });
}

/** Whether each combination of `x` and `series` occurs at most once, which a chart of values requires. */
export function isUnambiguous(rows: Row[], x: string, series: string): boolean {
  const places = rows.map((row) => JSON.stringify([row[x], series && row[series]]));
  return new Set(places).size === places.length;
}

/** Suggests axes: as x a time, or else a category; as y a number; as series a column with few values. */
export function chooseAxes(rows: Row[]): Axes | undefined {
  const columns = columnsOf(rows);
  const varied = columns.filter((column) => column.distinct > 1);
  const names = varied.filter((column) => column.kind === "text" && !isName(column));
  const grouping = names.filter((column) => column.distinct < rows.length);
  const x =
    varied.find(isTime) ??
    grouping.find((column) => column.distinct <= 30) ??
    names[0] ??
    columns.find((column) => column.kind === "text" && !isName(column)) ??
    columns[0];
  if (!x) return undefined;

  const numbers = columns.filter((column) => column.kind === "number" && column !== x && !isTime(column) && !isName(column));
  const groups = names.filter((column) => column !== x && column.distinct <= MAX_SERIES);
  for (const y of numbers) {
    const series = ["", ...groups.map(({ name }) => name)].find((name) => isUnambiguous(rows, x.name, name));
    if (series !== undefined) return { kind: kindFor(x), x: x.name, y: y.name, series };
  }
  const series = grouping.find((column) => column !== x && column.distinct <= 4)?.name ?? "";
  return { kind: "bar", x: x.name, y: "", series };
}

const kindFor = (x: Column): Axes["kind"] => (isTime(x) && x.distinct > 12 ? "line" : "bar");

/** Returns the points to draw, or a message that explains why the data cannot be drawn. */
export function pointsOf(rows: Row[], axes: Axes): Point[] | string {
  const column = columnsOf(rows).find(({ name }) => name === axes.x);
  if (!column) return NO_DATA;
  const names = new Set(rows.map((row) => label(axes.series ? row[axes.series] : "")));
  if (names.size > MAX_SERIES) return `“${axes.series}” has more than ${MAX_SERIES} values: choose another series column.`;
  if (axes.y && !isUnambiguous(rows, axes.x, axes.series)) {
    return `Several rows have the same “${axes.x}”: choose a series column that distinguishes them, or count rows.`;
  }

  const points = new Map<string, Point>();
  for (const row of rows) {
    const series = label(axes.series ? row[axes.series] : "");
    const value = row[axes.x];
    if (axes.kind === "line" && column.kind !== "text" && (value === null || value === undefined)) continue;
    const x = axes.kind === "line" && column.kind !== "text" ? place(value!, column) : label(value);
    if (axes.y) {
      const y = row[axes.y];
      if (typeof y === "number") points.set(`${points.size}`, { x, y, series });
    } else {
      const key = JSON.stringify([label(value), series]);
      const counted = points.get(key) ?? { x, y: 0, series };
      points.set(key, { ...counted, y: counted.y + 1 });
    }
  }
  const all = [...points.values()];
  if (all.length === 0) return NO_DATA;
  if (column.kind === "text") return all;
  return all.sort((a, b) => (typeof a.x === "string" ? compare(`${a.x}`, `${b.x}`) : Number(a.x) - Number(b.x)));
}

const label = (value: Cell | undefined) => (value === null || value === undefined ? UNKNOWN : String(value));

const place = (value: Cell, column: Column) =>
  column.kind === "date" ? new Date(String(value)) : Number(value);

const compare = (a: string, b: string) => {
  if (a === UNKNOWN || b === UNKNOWN) return Number(a === UNKNOWN) - Number(b === UNKNOWN);
  return a.localeCompare(b, "en", { numeric: true });
};

/** Describes a chart for readers who cannot see it. */
export function describe({ kind, x, y, series }: Axes): string {
  const what = y || "number of rows";
  return `${kind === "bar" ? "Bar" : "Line"} chart: ${what} by ${x}${series ? ` and ${series}` : ""}`;
}
