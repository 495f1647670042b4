import { loadModule, hasSqlDetails, parseSync, type Node } from 'libpg-query';

import {
  QueryAnalyserNotLoadedError,
  QueryEmptyError,
  QueryInvalidTextError,
  QueryMultipleStatementsError,
  QuerySyntaxError,
} from '../query-optimizer.errors.js';

let loading: Promise<void> | undefined;
let loaded = false;

/** Longer texts are not parsed, since that would block the event loop for seconds. In UTF-16 units. */
export const MAX_PARSED_TEXT_LENGTH = 4 * 1024 * 1024;

/** Loads PostgreSQL's grammar (WebAssembly, some 30 ms). Any number of calls load it once. */
export function loadAnalyser(): Promise<void> {
  loading ??= loadModule().then(
    () => {
      loaded = true;
    },
    (error: unknown) => {
      loading = undefined;
      throw error;
    },
  );
  return loading;
}

/**
 * The tree of the one statement in the text, or the reason why it does not parse.
 *
 * @throws {QueryAnalyserNotLoadedError} {@link loadAnalyser} has not finished
 * @throws {QueryInvalidTextError} no string, or a NUL character: the parser and the server would both stop there
 * @throws {QueryEmptyError} @throws {QueryMultipleStatementsError}
 */
export function parseOne(text: string): Node | QuerySyntaxError {
  if (!loaded) throw new QueryAnalyserNotLoadedError();
  if (typeof text !== 'string') throw new QueryInvalidTextError('it is not a string');
  if (text.includes('\0')) throw new QueryInvalidTextError('it holds a NUL character');
  if (text.trim() === '') throw new QueryEmptyError();
  if (text.length > MAX_PARSED_TEXT_LENGTH) {
    return new QuerySyntaxError(
      `it is longer than ${MAX_PARSED_TEXT_LENGTH} characters, and was not read`,
      null,
    );
  }
  const parsed = parseTree(text);
  if (parsed instanceof QuerySyntaxError) return parsed;
  if (parsed.length > 1) throw new QueryMultipleStatementsError(parsed.length);
  const [only] = parsed;
  if (only === undefined) throw new QueryEmptyError();
  return only;
}

/** The trees of all statements in the text: for the bodies of functions. */
export function parseScript(text: string): readonly Node[] | QuerySyntaxError {
  if (!loaded) throw new QueryAnalyserNotLoadedError();
  return text.trim() === '' ? [] : parseTree(text);
}

function parseTree(text: string): Node[] | QuerySyntaxError {
  try {
    return (parseSync(text).stmts ?? []).flatMap(({ stmt }) => (stmt === undefined ? [] : [stmt]));
  } catch (error) {
    // A RangeError is the stack of the WebAssembly parser: it recovers, the text stays unread.
    const message = error instanceof Error ? error.message : String(error);
    const position = hasSqlDetails(error) ? (error.sqlDetails?.cursorPosition ?? null) : null;
    return new QuerySyntaxError(message, position, { cause: error });
  }
}
