// Finds a smaller request with the same difference.
import { tokenize } from "./faults.mjs";

const CLOSING = { "{": "}", "(": ")", "[": "]" };

/** The ranges of tokens to try to remove: pairs of brackets with what is in them, then runs of any length. */
function* ranges(tokens) {
  const open = [];
  const pairs = [];
  tokens.forEach((token, index) => {
    if (CLOSING[token]) open.push(index);
    else if (open.length > 0 && CLOSING[tokens[open.at(-1)]] === token) pairs.push([open.pop(), index + 1]);
  });
  pairs.sort(([a, b], [c, d]) => d - c - (b - a));
  for (const [start, end] of pairs) {
    for (let lead = 5; lead >= 0; lead -= 1) if (start >= lead) yield [start - lead, end];
  }
  for (let length = Math.min(8, tokens.length - 1); length > 0; length -= 1) {
    for (let start = 0; start + length <= tokens.length; start += 1) yield [start, start + length];
  }
}

/** The smallest request found for which `differs` holds. */
export async function minimise(request, differs) {
  let best = request;
  let isSmaller = true;
  let tries = 0;
  const attempt = async (candidate) => {
    tries += 1;
    if (tries > 4000 || !(await differs(candidate))) return false;
    best = candidate;
    return true;
  };
  while (isSmaller && tries <= 4000) {
    isSmaller = false;
    for (const key of Object.keys(best.variables ?? {})) {
      const { [key]: _, ...variables } = best.variables;
      if (await attempt({ ...best, variables })) isSmaller = true;
    }
    if (best.operationName && (await attempt({ ...best, operationName: undefined }))) isSmaller = true;
    const tokens = tokenize(best.query);
    for (const [start, end] of ranges(tokens)) {
      const query = [...tokens.slice(0, start), ...tokens.slice(end)].join(" ");
      if (query.length < best.query.length && (await attempt({ ...best, query }))) {
        isSmaller = true;
        break;
      }
    }
  }
  return best;
}
