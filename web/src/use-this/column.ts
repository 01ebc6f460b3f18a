import type { Axes } from "./address.ts";

export type Cell = string | number | boolean | null;
export type Row = Record<string, Cell>;

/** A column of a table, and what its values are. */
export interface Column {
  name: string;
  kind: "number" | "date" | "text";
  /** How many different values it has. */
  different: number;
}

/** A value that is drawn. */
export interface Point {
  x: string | number | Date;
  y: number;
  series: string;
}

const DATE = /^\d{4}(-\d{2}(-\d{2}(T.+)?)?)?$/;
const UNKNOWN = "unknown";
/** More colours than this cannot be told apart; the server refuses them, too. */
export const MOST_SERIES = 8;

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
    return { name, kind, different: new Set(values).size };
  });
}

/** Whether a value of `y` stands alone at each place, as a chart of values needs it. */
export function isUnambiguous(rows: Row[], x: string, series: string): boolean {
  const places = rows.map((row) => JSON.stringify([row[x], series && row[series]]));
  return new Set(places).size === places.length;
}

/** Axes that suit the columns: time before names along the axis, numbers upwards, and few series. */
export function chooseAxes(rows: Row[]): Axes | undefined {
  const columns = columnsOf(rows);
  const varied = columns.filter((column) => column.different > 1);
  const names = varied.filter((column) => column.kind === "text" && !isName(column));
  const grouping = names.filter((column) => column.different < rows.length);
  const x =
    varied.find(isTime) ??
    grouping.find((column) => column.different <= 30) ??
    names[0] ??
    columns.find((column) => column.kind === "text" && !isName(column)) ??
    columns[0];
  if (!x) return undefined;

  const numbers = columns.filter((column) => column.kind === "number" && column !== x && !isTime(column) && !isName(column));
  const groups = names.filter((column) => column !== x && column.different <= MOST_SERIES);
  for (const y of numbers) {
    const series = ["", ...groups.map(({ name }) => name)].find((name) => isUnambiguous(rows, x.name, name));
    if (series !== undefined) return { kind: kindFor(x), x: x.name, y: y.name, series };
  }
  const series = grouping.find((column) => column !== x && column.different <= 4)?.name ?? "";
  return { kind: "bar", x: x.name, y: "", series };
}

const kindFor = (x: Column): Axes["kind"] => (isTime(x) && x.different > 12 ? "line" : "bar");

/** What there is to draw, or in words why it cannot be drawn. */
export function pointsOf(rows: Row[], axes: Axes): Point[] | string {
  const column = columnsOf(rows).find(({ name }) => name === axes.x);
  if (!column) return "There is nothing to draw.";
  const names = new Set(rows.map((row) => label(axes.series ? row[axes.series] : "")));
  if (names.size > MOST_SERIES) return `“${axes.series}” has more than ${MOST_SERIES} values: choose other series.`;
  if (axes.y && !isUnambiguous(rows, axes.x, axes.series)) {
    return `Several rows have the same “${axes.x}”: choose series that tell them apart, or count rows.`;
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
  if (all.length === 0) return "There is nothing to draw.";
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

/** A chart in words, for those who cannot see it. */
export function describe({ kind, x, y, series }: Axes): string {
  const what = y || "number of rows";
  return `${kind === "bar" ? "Bar" : "Line"} chart: ${what} by ${x}${series ? ` and ${series}` : ""}`;
}
