export interface Example {
  /** The operation's name: the title of its tab, and how a link asks for it. */
  name: string;
  /** The question the query answers: its first comment. */
  question: string;
  query: string;
}

export function readExample(query: string): Example {
  const name = /^query (\w+)/m.exec(query)?.[1];
  const comment = /^(?:#.*\n)+/.exec(query)?.[0];
  if (!name || !comment) {
    throw new Error(`an example starts with a comment and holds a named query, but this one does not:\n${query}`);
  }
  const question = comment.replace(/^# ?/gm, "").trim().replace(/\n/g, " ");
  return { name, question, query };
}

/** The examples in the order of their files, with the named one (if there is such) moved to the front. */
export function arrangeExamples(files: Record<string, string>, first: string | null): Example[] {
  const examples = Object.keys(files)
    .sort()
    .map((path) => readExample(files[path]!));
  const chosen = examples.filter((example) => example.name === first);
  return [...chosen, ...examples.filter((example) => example.name !== first)];
}
