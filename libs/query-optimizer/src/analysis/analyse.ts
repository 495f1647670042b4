import { type Node } from 'libpg-query';

import { QueryOptimizerError, QuerySyntaxError } from '../query-optimizer.errors.js';
import { Collector } from './collector.js';
import { fingerprintOf, normalisedTextOf } from './fingerprint.js';
import { parseOne } from './parser.js';
import { QueryWalk } from './query-walk.js';
import { formatRelationName } from './relation-name.js';
import { type Statement } from './statement.js';
import { executesInner, innerQuery, kindOf, transactionOf } from './statement-kind.js';
import { StatementMemo } from './statement-memo.js';
import { StatementWalk } from './utility-walk.js';

const memo = new StatementMemo();

/** Remembers no more than this share of what it may, 0 to 1. @returns bytes that were let go of */
export function limitStatementMemory(share: number): number {
  return memo.limit(share);
}

/**
 * What a text does. Remembered by text: a second call with the same text costs one look-up. The text may stay in
 * memory with it (at most 32 MiB and 4,096 texts, see {@link StatementMemo}).
 *
 * @throws {QueryAnalyserNotLoadedError} `loadAnalyser()` has not finished
 * @throws {QueryMultipleStatementsError} @throws {QueryEmptyError} @throws {QueryInvalidTextError}
 */
export function analyse(text: string): Statement {
  return memo.get(text) ?? memo.add(text, analyseAfresh(text));
}

/** {@link analyse}; null for a text that is not one statement. */
export function tryAnalyse(text: string): Statement | null {
  try {
    return analyse(text);
  } catch (error) {
    if (error instanceof QueryOptimizerError) return null;
    throw error;
  }
}

/** Numbers for metrics, and for tests. */
export function analysisMemory(): { readonly texts: number; readonly bytes: number } {
  return { texts: memo.size, bytes: memo.bytes };
}

/** {@link analyse} without the memory. */
export function analyseAfresh(text: string): Statement {
  const parsed = parseOne(text);
  if (parsed instanceof QuerySyntaxError) return freeze(new Collector(), text, null, parsed);
  return analyseTree(text, parsed);
}

/** The statement of a tree that is already there. `text` is what it belongs to. */
export function analyseTree(text: string, parsed: Node): Statement {
  const found = new Collector();
  try {
    new StatementWalk(found, new QueryWalk(found)).walk(parsed);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // Nested so deeply that our own walk ran out of stack: nothing is known of it.
    const problem = new QuerySyntaxError('it is nested too deeply to be analysed', null, { cause: error });
    return freeze(new Collector(), text, null, problem);
  }
  return freeze(found, text, parsed, null);
}

function freeze(
  found: Collector,
  text: string,
  node: Node | null,
  syntaxError: QuerySyntaxError | null,
): Statement {
  const inner = node === null ? null : innerQuery(node);
  const parameterCount = Math.max(0, ...found.parameters);
  return withTexts({
    text,
    kind: node === null ? 'unknown' : kindOf(node),
    inner: inner === null ? null : kindOf(inner),
    executesInner: node !== null && executesInner(node),
    syntaxError,
    reads: found.reads,
    writes: found.writes,
    references: found.references,
    blocks: found.blocks,
    functions: found.functions,
    operators: [...found.operators],
    columnNames: [...found.columnNames],
    sqlValueFunctions: [...found.sqlValueFunctions],
    locksRows: found.locksRows,
    samplesRows: found.samplesRows,
    usesTemporaryTables: found.usesTemporaryTables,
    parameterCount,
    parameterGaps: gaps(found.parameters, parameterCount),
    predicates: found.predicates,
    orderBy: found.orderBy,
    groupBy: found.groupBy,
    selected: found.selected,
    columns: found.columns,
    transaction: node === null ? null : transactionOf(node),
  });
}

/** PostgreSQL's limit; a number above it is the server's error to report. */
const MAX_PARAMETERS = 65_535;

function gaps(used: ReadonlySet<number>, count: number): number[] {
  const missing: number[] = [];
  for (let i = 1; i <= Math.min(count, MAX_PARAMETERS); i++) if (!used.has(i)) missing.push(i);
  return missing;
}

type Facts = Omit<Statement, 'fingerprint' | 'normalisedText'>;

/** Fingerprint and normalised text cost as much as the parse, and cached reads never ask for them: made when asked. */
function withTexts(facts: Facts): Statement {
  let fingerprint: string | undefined;
  let normalisedText: string | undefined;
  deepFreeze(facts);
  return Object.freeze({
    ...facts,
    get fingerprint(): string {
      return (fingerprint ??= fingerprintOf(facts.text, namesInOrder(facts)));
    },
    get normalisedText(): string {
      return (normalisedText ??= normalisedTextOf(facts.text));
    },
  });
}

function namesInOrder({ references, writes }: Facts): string[] {
  const relations = [...references, ...writes].map((it) => formatRelationName(it.relation));
  return [...new Set(relations)];
}

function deepFreeze(value: object): void {
  if (Object.isFrozen(value) || value instanceof Error) return;
  Object.freeze(value);
  for (const it of Object.values(value) as unknown[])
    if (typeof it === 'object' && it !== null) deepFreeze(it);
}
