import type { Operation } from "./operation.ts";

/** Quotes a string for JavaScript, Python and R: JSON escapes have the same meaning in all three. */
export const quote = (text: string) => JSON.stringify(text);

/** Quotes a word of a shell command: within single quotes, only the single quote is special. */
export const quoteForShell = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** Quotes a string in a spreadsheet formula. */
export const quoteForSheet = (text: string) => `"${text.replaceAll('"', '""')}"`;

/** Quotes the value of an HTML attribute. */
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

/** A command that returns the GraphQL response. */
export function forCurl(origin: string, { query, variables }: Operation): string {
  const body = JSON.stringify(Object.keys(variables).length > 0 ? { query, variables } : { query });
  return `curl -sS ${quoteForShell(`${origin}/graphql`)} \\
  -H 'content-type: application/json' \\
  --data-raw ${quoteForShell(body)}
`;
}

export const forHtml = (chart: string, description: string) =>
  `<img src=${quoteForHtml(chart)} alt=${quoteForHtml(description)}>`;
