/**
 * Finds names that hold a hash of the content, in the forms that bundlers write: `app.3f2a1b9c.js`, `app-3f2a1b9c.js` (8
 * hex digits and more, both digits and letters: neither a date nor a word), and Vite's and Rollup's `index-BfIB5qxP.js`
 * (8 characters with a digit, a small and a capital letter; but not `Version2`). A hash that it misses costs a question;
 * what it took wrongly for one would be kept for a year. Both Node and PCRE read it.
 */
export const DEFAULT_HASHED_NAME =
  String.raw`[._-](?:(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{8,64}` +
  String.raw`|(?![A-Z]?[a-z]+[0-9]+\.)(?=[\w-]*[0-9])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[\w-]{8})(?:\.[A-Za-z0-9]+)+$`;
