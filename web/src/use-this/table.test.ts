import { expect, test } from "vitest";
import { problemOf } from "./table.ts";

test("the errors of an answer are given in its words", () => {
  expect(problemOf({ errors: [{ message: "rows: there is no list \"x\"" }, { message: "and more" }] })).toBe('rows: there is no list "x"\nand more');
  expect(problemOf({ errors: [] })).toBeUndefined();
  expect(problemOf(null)).toBeUndefined();
  expect(problemOf([{ a: 1 }])).toBeUndefined();
});
