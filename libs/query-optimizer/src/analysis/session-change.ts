import { type Statement } from './statement.js';

/** What a statement may leave behind in its session: nothing, other settings, another meaning of names. */
export type SessionChange = 'none' | 'settings' | 'names';

/** By these, names come to mean other tables and functions. What is not recognised below may be one of them. */
const NAMING = new Set(['search_path', 'role', 'session_authorization']);

/** Ends with the transaction, and no name depends on it. Every transaction of TypeORM with an isolation level begins so. */
const OF_TRANSACTION = /^\s*set\s+transaction\s/i;
const SET = /^\s*set\s+(?:(?<local>local)\s+|session\s+)?"?(?<name>[\w.]+)"?\s*(?:=|\sto\s)/i;
const SET_CONFIG = /\bset_config\(\s*'(?<name>[\w.]+)'(?:\s*,[^()]*,\s*(?<local>true)\s*\))?/i;

/** By the statement itself; what it calls has to be asked for itself. */
export function sessionChangeOf({ text, kind, functions }: Statement): SessionChange {
  // Nearly all, and asked for each of them.
  if (functions.length === 0 && kind === 'select') return 'none';
  const calls = functions.filter((it) => it.name.name === 'set_config').length;
  if (kind === 'set') return OF_TRANSACTION.test(text) ? 'none' : changeBy(SET.exec(text));
  if (kind === 'discard') return 'names';
  if (calls === 0) return 'none';
  // One in the text, or it may stand in a comment.
  return text.split(/set_config/i).length === 2 ? changeBy(SET_CONFIG.exec(text)) : 'names';
}

export function strongerChange(a: SessionChange, b: SessionChange): SessionChange {
  if (a === 'names' || b === 'names') return 'names';
  return a === 'none' ? b : a;
}

/** What is local ends with its transaction, in which nothing is answered from the cache. */
function changeBy(found: RegExpExecArray | null): SessionChange {
  const { name, local } = found?.groups ?? {};
  if (name === undefined || NAMING.has(name.toLowerCase())) return 'names';
  return local === undefined ? 'settings' : 'none';
}
