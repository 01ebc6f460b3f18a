export interface Example {
  /** Operation name: the title of the tab, and the value of `?example=` in links. */
  name: string;
  /** The leading comment of the query. */
  question: string;
  query: string;
}

export function readExample(query: string): Example {
  const name = /^query (\w+)/m.exec(query)?.[1];
  const comment = /^(?:#.*\n)+/.exec(query)?.[0];
  if (!name || !comment) {
    throw new Error(`an example must start with a comment and contain a named query:\n${query}`);
  }
  const question = comment.replace(/^# ?/gm, "").trim().replace(/\n/g, " ");
  return { name, question, query };
}

/** Returns the examples in the order of their file names, with the example named `first`, if any, at the front. */
export function arrangeExamples(files: Record<string, string>, first: string | null): Example[] {
  const examples = Object.keys(files)
    .sort()
    .map((path) => readExample(files[path]!));
  const chosen = examples.filter((example) => example.name === first);
  return [...chosen, ...examples.filter((example) => example.name !== first)];
}
