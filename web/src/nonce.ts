/**
 * Adds the nonce of the page to style elements that scripts create; the content security policy blocks them otherwise.
 * Monaco and Plot create style elements without a nonce, so this module must be imported before them.
 */
const nonce = document.querySelector<HTMLMetaElement>("meta[property=csp-nonce]")?.nonce;

/** Sets the nonce if the element is a style element. */
function withNonce<E extends Element>(element: E): E {
  if (nonce && (element instanceof HTMLStyleElement || element instanceof SVGStyleElement)) element.nonce = nonce;
  return element;
}

const create = document.createElement;
document.createElement = function (this: Document, ...args: [string, ElementCreationOptions?]) {
  return withNonce(create.apply(this, args));
} as typeof create;

const createInNamespace = document.createElementNS;
document.createElementNS = function (this: Document, ...args: [string | null, string, (string | ElementCreationOptions)?]) {
  return withNonce(createInNamespace.apply(this, args as Parameters<typeof createInNamespace>));
} as typeof createInNamespace;
