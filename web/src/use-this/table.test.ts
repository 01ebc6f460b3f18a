import { expect, test } from "vitest";
import { problemOf } from "./table.ts";

test("the error messages of a response are returned unchanged", () => {
  expect(problemOf({ errors: [{ message: "rows: there is no list \"x\"" }, { message: "and more" }] })).toBe('rows: there is no list "x"\nand more');
  expect(problemOf({ errors: [] })).toBeUndefined();
  expect(problemOf(null)).toBeUndefined();
  expect(problemOf([{ a: 1 }])).toBeUndefined();
});
