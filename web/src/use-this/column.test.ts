import { expect, test } from "vitest";
import { chooseAxes, columnsOf, describe, pointsOf, type Row } from "./column.ts";

const STATISTICS: Row[] = [
  { year: 2019, outcome: "convicted", count: 4, people: 5 },
  { year: 2019, outcome: "acquitted", count: 1, people: 1 },
  { year: 2020, outcome: "convicted", count: 7, people: 9 },
  { year: 2020, outcome: null, count: 2, people: 2 },
];
const CASES: Row[] = [
  { id: "case_1", title: "A v. B", status: "decided", decidedOn: "2020-06-22" },
  { id: "case_2", title: "C v. D", status: "open", decidedOn: null },
  { id: "case_3", title: "E v. F", status: "decided", decidedOn: "2021" },
];

test("column types are inferred from their values", () => {
  expect(columnsOf(CASES).map(({ name, kind }) => `${name} ${kind}`)).toEqual(["id text", "title text", "status text", "decidedOn date"]);
  expect(columnsOf([{ a: null }, { a: null }])).toEqual([{ name: "a", kind: "text", distinct: 0 }]);
  expect(columnsOf([{ a: "2020-13 or so" }])[0]!.kind).toBe("text");
  expect(columnsOf([])).toEqual([]);
});

test("counts by year and outcome suggest bars with one series per outcome", () => {
  expect(chooseAxes(STATISTICS)).toEqual({ kind: "bar", x: "year", y: "count", series: "outcome" });
});

test("many years suggest a line", () => {
  const rows = Array.from({ length: 20 }, (_, index) => ({ date: `${2001 + index}-01`, value: index }));
  expect(chooseAxes(rows)).toEqual({ kind: "line", x: "date", y: "value", series: "" });
});

test("rows without numbers suggest counting", () => {
  expect(chooseAxes(CASES.map(({ id, title, status }) => ({ id: id!, title: title!, status: status! })))).toEqual({
    kind: "bar",
    x: "status",
    y: "",
    series: "",
  });
});

test("ids and URLs are no axis, and a single row can be drawn", () => {
  expect(chooseAxes([{ id: "a", slug: "b", name: "one" }])?.x).toBe("name");
  expect(chooseAxes([])).toBeUndefined();
});

test("points are sorted along the x axis, with null values last", () => {
  expect(pointsOf(STATISTICS, { kind: "bar", x: "outcome", y: "", series: "" })).toEqual([
    { x: "convicted", y: 2, series: "" },
    { x: "acquitted", y: 1, series: "" },
    { x: "unknown", y: 1, series: "" },
  ]);
  expect(pointsOf(CASES, { kind: "bar", x: "decidedOn", y: "", series: "" })).toEqual([
    { x: "2020-06-22", y: 1, series: "" },
    { x: "2021", y: 1, series: "" },
    { x: "unknown", y: 1, series: "" },
  ]);
  expect(pointsOf(STATISTICS.toReversed(), { kind: "line", x: "year", y: "count", series: "outcome" })).toEqual([
    { x: 2019, y: 1, series: "acquitted" },
    { x: 2019, y: 4, series: "convicted" },
    { x: 2020, y: 2, series: "unknown" },
    { x: 2020, y: 7, series: "convicted" },
  ]);
});

test("ambiguous values and too many series are rejected", () => {
  expect(pointsOf(STATISTICS, { kind: "bar", x: "year", y: "count", series: "" })).toMatch(/Several rows have the same “year”/);
  const many = Array.from({ length: 9 }, (_, index) => ({ a: "x", b: `${index}` }));
  expect(pointsOf(many, { kind: "bar", x: "a", y: "", series: "b" })).toMatch(/more than 8 values/);
});

test("chart descriptions name the axes and the series", () => {
  expect(describe({ kind: "bar", x: "year", y: "count", series: "outcome" })).toBe("Bar chart: count by year and outcome");
  expect(describe({ kind: "line", x: "year", y: "", series: "" })).toBe("Line chart: number of rows by year");
});
