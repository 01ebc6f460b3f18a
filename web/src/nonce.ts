/**
 * Style elements that scripts make bear the nonce of the page: without it, its content security policy keeps them from
 * applying. Monaco and Plot make such elements and know no nonce themselves. Must be imported before them.
 */
const nonce = document.querySelector<HTMLMetaElement>("meta[property=csp-nonce]")?.nonce;

/** Puts the nonce on an element that is a style. */
function marked<E extends Element>(element: E): E {
  if (nonce && (element instanceof HTMLStyleElement || element instanceof SVGStyleElement)) element.nonce = nonce;
  return element;
}

const create = document.createElement;
document.createElement = function (this: Document, ...given: [string, ElementCreationOptions?]) {
  return marked(create.apply(this, given));
} as typeof create;

const createInNamespace = document.createElementNS;
document.createElementNS = function (this: Document, ...given: [string | null, string, (string | ElementCreationOptions)?]) {
  return marked(createInNamespace.apply(this, given as Parameters<typeof createInNamespace>));
} as typeof createInNamespace;
