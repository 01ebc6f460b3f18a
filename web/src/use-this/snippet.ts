import type { Operation } from "./operation.ts";

/**
 * A string literal of JavaScript, Python and R at once: the escapes of JSON mean the same in all three.
 */
export const quote = (text: string) => JSON.stringify(text);

/** One word of a shell command: between apostrophes nothing is special but the apostrophe. */
export const quoteForShell = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** A text in a formula of a spreadsheet. */
export const quoteForSheet = (text: string) => `"${text.replaceAll('"', '""')}"`;

/** A value of an attribute in HTML. */
export const quoteForHtml = (text: string) =>
  `"${text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")}"`;

export const forSheets = (csv: string) => `=IMPORTDATA(${quoteForSheet(csv)})`;

export const forPython = (csv: string) => `import pandas

rows = pandas.read_csv(${quote(csv)})
`;

export const forR = (csv: string) => `library(readr)

rows <- read_csv(${quote(csv)})
`;

export const forJavaScript = (json: string) => `const response = await fetch(${quote(json)});
if (!response.ok) throw new Error(await response.text());
const rows = await response.json();
`;

/** The answer itself, as GraphQL gives it. */
export function forCurl(origin: string, { query, variables }: Operation): string {
  const body = JSON.stringify(Object.keys(variables).length > 0 ? { query, variables } : { query });
  return `curl -sS ${quoteForShell(`${origin}/graphql`)} \\
  -H 'content-type: application/json' \\
  --data-raw ${quoteForShell(body)}
`;
}

export const forHtml = (chart: string, description: string) =>
  `<img src=${quoteForHtml(chart)} alt=${quoteForHtml(description)}>`;
