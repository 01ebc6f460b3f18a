import { readdirSync, readFileSync } from "node:fs";
import { buildSchema, parse } from "graphql";
import { expect, test } from "vitest";
import { findOperation, isolate, listsOf } from "./operation.ts";

const schema = buildSchema(readFileSync(new URL("../../../schema.graphql", import.meta.url), "utf8"));
const lists = (text: string) => {
  const document = parse(text);
  return listsOf(schema, document, findOperation(document, undefined, undefined)!);
};

const TWO = `# The first
query First { cases { nodes { title ...Court } } }
query Second($slug: String!) { law(by: { slug: $slug }) { title } }
fragment Court on Case { court { name } }`;

test("the operation is chosen by cursor, then name, then position", () => {
  const document = parse(TWO);
  const name = (cursor?: number, chosen?: string) => findOperation(document, cursor, chosen)?.name?.value;
  expect(name(TWO.indexOf("law("))).toBe("Second");
  expect(name(TWO.indexOf("nodes"), "Second")).toBe("First");
  expect(name(TWO.indexOf("fragment") + 3, "Second")).toBe("Second");
  expect(name()).toBe("First");
  expect(findOperation(parse("fragment A on Case { title }"), 0, undefined)).toBeUndefined();
});

test("an operation keeps only its own fragments and variables", () => {
  const document = parse(TWO);
  const take = (name: string) => isolate(document, findOperation(document, undefined, name)!, { slug: "x", other: 1 }, schema);
  expect(take("First").query).toBe("query First{cases{nodes{title ...Court}}}fragment Court on Case{court{name}}");
  expect(take("First").variables).toEqual({});
  expect(take("Second").query).toBe("query Second($slug:String!){law(by:{slug:$slug}){title}}");
  expect(take("Second").variables).toEqual({ slug: "x" });
});

test("string literals are unchanged", () => {
  const document = parse('{ search(query: "a  # b\\n \\"Ильяшев\\"  , c") { nodes { snippet } } }');
  const { query } = isolate(document, findOperation(document, undefined, undefined)!, {}, schema);
  expect(query).toBe('{search(query:"a  # b\\n \\"Ильяшев\\"  , c"){nodes{snippet}}}');
});

test("lists are found through pages, edges, aliases and fragments", () => {
  expect(
    lists(`{
      found: cases { edges { node { ...All } } }
      law(by: { slug: "x" }) { provisions { totalCount ... { nodes { heading versions { nodes { validFrom } } } } } }
      counted: cases { totalCount }
    }
    fragment All on Case { court { name } parties { nodes { role person { names { text } } } } }`),
  ).toEqual([
    { path: "found", inside: ["parties", "parties.person.names"] },
    { path: "law.provisions", inside: ["versions"] },
  ]);
});

test("fragment cycles and unknown fields are tolerated", () => {
  expect(lists("{ cases { nodes { ...A nothing { nodes { id } } } } } fragment A on Case { ...A }")).toEqual([{ path: "cases", inside: [] }]);
});

test("every example has a list", () => {
  const folder = new URL("../../examples/", import.meta.url);
  for (const file of readdirSync(folder)) expect(lists(readFileSync(new URL(file, folder), "utf8")), file).not.toEqual([]);
});
