import { type Client } from 'pg';
import { type Statement } from '../analysis/statement.js';
import { type Session } from './session.js';

/** A statement that is about to be sent. */
export interface TappedQuery {
  readonly text: string;
  /** Null for a text with several statements, or none: it may do anything. */
  readonly statement: Statement | null;
  readonly parameters: readonly unknown[];
  readonly session: Session;
  /** Of the work that sent it: when its end is told, that is long forgotten. */
  readonly tag: string | undefined;
}

export interface QueryOutcome {
  readonly durationMs: number;
  readonly rowCount: number;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** What PostgreSQL refused, or how the connection ended. */
  readonly error: Error | null;
}

/** Told of the end of a statement. The caller of the statement waits for what it returns. */
export type QueryEnd = (outcome: QueryOutcome) => void | Promise<void>;

/** The part of pg's result that callers use. */
export interface TappedResult {
  readonly command?: string;
  readonly rowCount: number | null;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly fields?: readonly unknown[];
}

/** May answer instead of PostgreSQL. */
export interface QueryAnswerer {
  /**
   * @param send asks whoever is next, in the end PostgreSQL
   * @returns undefined to let the statement through
   */
  answer(
    query: TappedQuery,
    client: Client,
    send: () => Promise<TappedResult>,
  ): Promise<TappedResult> | undefined;
}

/** May send a statement in another way: its observers and its caller see one statement as before. */
export interface QueryShaper {
  /** False when it lets every statement be sent as it is: that must cost nothing. */
  readonly isActive: boolean;
  /** @returns undefined to let it be sent as it is */
  shape(
    query: TappedQuery,
    client: Client,
    send: () => Promise<TappedResult>,
  ): Promise<TappedResult> | undefined;
}

/** Sees every statement of every connection, whoever sends it. Must not throw. */
export interface QueryObserver {
  /** @returns undefined when the end is of no interest */
  started(query: TappedQuery): QueryEnd | undefined;
}
