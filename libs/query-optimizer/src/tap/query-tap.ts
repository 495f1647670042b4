import { type Client } from 'pg';
import { tryAnalyse } from '../analysis/analyse.js';
import { type Statement } from '../analysis/statement.js';
import {
  type QueryAnswerer,
  type QueryEnd,
  type QueryObserver,
  type QueryOutcome,
  type QueryShaper,
  type TappedQuery,
  type TappedResult,
} from './query-observer.js';
import { currentQueryTag } from './query-tag.js';
import { Session } from './session.js';

type Answer = (error: Error | null, result?: TappedResult) => void;
type Send = (config: unknown, values?: unknown, callback?: unknown) => unknown;

/** Of a connection. */
interface Tapped {
  readonly session: Session;
  readonly send: Send;
}

/** A statement as pg takes it: text, or an object with text and values. */
interface QueryConfig {
  readonly text?: unknown;
  readonly values?: readonly unknown[];
  readonly callback?: Answer;
  readonly submit?: unknown;
}

/** Marks a statement that only PostgreSQL may answer: its caller has looked everywhere else. */
const DIRECT = Symbol('@peregrine/query-optimizer:direct');

export interface DirectStatement {
  readonly text: string;
  readonly [DIRECT]: true;
}

/** By the protocol that takes one statement only, whatever the text holds. */
export interface ExtendedStatement {
  readonly text: string;
  readonly values: readonly unknown[];
  readonly queryMode: 'extended';
}

export function direct(text: string): DirectStatement {
  return { text, [DIRECT]: true };
}

/** What pg calls of a statement that it was given as an object: the last of these is its end. */
interface Submittable {
  handleError(error: Error, ...rest: unknown[]): void;
  handleReadyForQuery(...all: unknown[]): void;
}

/**
 * Lets observers see every statement of a connection: of raw SQL, of TypeORM, of whoever else has the client. Of cursors
 * and streams (pg's `Submittable`) they see the start and the end, but no rows.
 */
export class QueryTap {
  readonly #taps = new WeakMap<Client, Tapped>();

  /** @param answerers asked one after the other, as `shaper` is, for statements with a promise, outside of streams and callbacks */
  constructor(
    private readonly observers: readonly QueryObserver[],
    private readonly answerers: readonly QueryAnswerer[] = [],
    private readonly shaper?: () => QueryShaper,
  ) {}

  /** @returns what the tap knows of the connection */
  install(client: Client): Session {
    const session = new Session(client);
    const send = client.query.bind(client) as Send;
    this.#taps.set(client, { session, send });
    const tapped: Send = (config, values, callback) =>
      this.#query(client, session, send, config, values, callback);
    client.query = tapped as typeof client.query;
    return session;
  }

  /** For the library's own statements, which are nobody's business. */
  async unseen(
    client: Client,
    statement: string | ExtendedStatement,
    values?: readonly unknown[],
  ): Promise<TappedResult> {
    return (await this.#tapOf(client).send(statement, values)) as TappedResult;
  }

  /**
   * A statement that only PostgreSQL may answer: its caller has looked everywhere else. Observers see it. Who hands an error on
   * gives it a stack: it has that of the socket.
   */
  send(client: Client, statement: Statement, values: readonly unknown[]): Promise<TappedResult> {
    const { session, send } = this.#tapOf(client);
    if (session.busyAlone) return session.busyAlone.then(() => this.send(client, statement, values));
    const { text } = statement;
    // The caller may change its own while the driver holds them.
    const query = { text, statement, parameters: [...values], session, tag: currentQueryTag() };
    const shaper = this.shaper?.();
    return this.#ask(query, shaper?.isActive ? shapedBy(shaper, query, client, send) : send, text);
  }

  #tapOf(client: Client): Tapped {
    const tapped = this.#taps.get(client);
    if (!tapped) throw new TypeError('The connection has no tap');
    return tapped;
  }

  #query(
    client: Client,
    session: Session,
    send: Send,
    config: unknown,
    values: unknown,
    callback: unknown,
  ): unknown {
    const { text, parameters, answer, stream, isOrdinary, isDirect } = read(config, values, callback);
    if (text === undefined && !stream) return send(config, values, callback);
    if (session.busyAlone) {
      const sent = session.busyAlone.then(() => this.#query(client, session, send, config, values, callback));
      return stream ?? (answer ? undefined : sent);
    }
    const statement = text === undefined ? null : tryAnalyse(text);
    const query: TappedQuery = { text: text ?? '', statement, parameters, session, tag: currentQueryTag() };
    if (stream) {
      onceEnded(stream, this.#start(query));
      return send(config, values, callback);
    }
    if (answer) return this.#callBack(query, send, config, answer);
    // The driver copies an object property by property.
    const sent = isDirect ? text : config;
    const shaper = this.shaper?.();
    const ask = () =>
      this.#askForStack(query, shaper?.isActive ? shapedBy(shaper, query, client, send) : send, sent);
    return isOrdinary ? this.#answer(query, client, ask) : ask();
  }

  #answer(
    query: TappedQuery,
    client: Client,
    ask: () => Promise<TappedResult>,
    at = 0,
  ): Promise<TappedResult> {
    const answerer = this.answerers[at];
    if (!answerer) return ask();
    const next = () => this.#answer(query, client, ask, at + 1);
    return answerer.answer(query, client, next) ?? next();
  }

  /** As {@link send}, to a caller who is to see himself in the stack of an error: as the driver does, instead of the socket. */
  #askForStack(query: TappedQuery, send: Send, config: unknown): Promise<TappedResult> {
    return this.#ask(query, send, config).catch((error: Error) => {
      Error.captureStackTrace(error);
      throw error;
    });
  }

  /** By the driver's callback: of its promises another would have to be made. */
  #ask(query: TappedQuery, send: Send, config: unknown): Promise<TappedResult> {
    return new Promise<TappedResult>((resolve, reject) => {
      this.#callBack(query, send, config, (error, result) => {
        if (error) reject(error);
        else resolve(result as TappedResult);
      });
    });
  }

  #callBack(query: TappedQuery, send: Send, config: unknown, answer: Answer): unknown {
    const end = this.#start(query);
    const startedAt = performance.now();
    const told: Answer = (error, result) => {
      const wait = end(outcome(startedAt, error, result));
      // Without another turn of the loop where nobody has to be waited for.
      if (wait) void wait.then(() => answer(error, result));
      else answer(error, result);
    };
    return send(config, query.parameters, told);
  }

  #start(query: TappedQuery): QueryEnd {
    query.session.sees(query.statement);
    let first: QueryEnd | undefined;
    let others: QueryEnd[] | undefined;
    for (const it of this.observers) {
      const end = it.started(query);
      // Most statements are of interest to the statistics alone.
      if (end && first) (others ??= []).push(end);
      else first ??= end;
    }
    if (!first) return () => undefined;
    if (!others) return first;
    const ends = [first, ...others];
    return (result) => tellAll(ends, result);
  }
}

/** Sends a statement as the shaper wants it, between the start and the end that observers see. */
function shapedBy(shaper: QueryShaper, query: TappedQuery, client: Client, send: Send): Send {
  return (config, values, callback) => {
    const result = shaper.shape(query, client, () => send(config, values) as Promise<TappedResult>);
    if (!result) return send(config, values, callback);
    const answer = callback as Answer;
    return result.then(
      (it) => answer(null, it),
      (error: Error) => answer(error),
    );
  };
}

function tellAll(ends: readonly QueryEnd[], result: QueryOutcome): Promise<void> | undefined {
  const waits = ends.map((end) => end(result)).filter((it) => it !== undefined);
  return waits.length > 0 ? Promise.all(waits).then(() => undefined) : undefined;
}

function outcome(startedAt: number, error: Error | null, result?: TappedResult): QueryOutcome {
  return {
    durationMs: performance.now() - startedAt,
    rowCount: result?.rowCount ?? 0,
    rows: result?.rows ?? [],
    error,
  };
}

/** A statement as it was given to the driver. */
interface Given {
  readonly text: string | undefined;
  readonly parameters: readonly unknown[];
  readonly answer: Answer | undefined;
  readonly stream: Submittable | undefined;
  /** Rows of another shape are nobody else's. */
  readonly isOrdinary: boolean;
  readonly isDirect: boolean;
}

function read(config: unknown, values: unknown, callback: unknown): Given {
  const isObject = typeof config === 'object' && config !== null;
  const query: QueryConfig = isObject ? config : { text: config };
  const parameters = Array.isArray(values) ? (values as unknown[]) : (query.values ?? []);
  const answer = callbackOf(callback) ?? callbackOf(values) ?? callbackOf(query.callback);
  const text = typeof query.text === 'string' ? query.text : undefined;
  const stream = typeof query.submit === 'function' ? (config as Submittable) : undefined;
  const isDirect = isObject && DIRECT in config;
  const isOrdinary = !isDirect && !(isObject && ['rowMode', 'types', 'binary'].some((it) => it in config));
  return { text, parameters, answer, stream, isOrdinary, isDirect };
}

const callbackOf = (it: unknown) => (typeof it === 'function' ? (it as Answer) : undefined);

/** When PostgreSQL is done with it, before whoever reads the stream learns of it. */
function onceEnded(stream: Submittable, end: QueryEnd): void {
  const startedAt = performance.now();
  const once = (error: Error | null) => {
    stream.handleError = handleError;
    stream.handleReadyForQuery = handleReadyForQuery;
    void end(outcome(startedAt, error));
  };
  const handleError = stream.handleError.bind(stream);
  const handleReadyForQuery = stream.handleReadyForQuery.bind(stream);
  stream.handleError = (error, ...rest) => {
    once(error);
    handleError(error, ...rest);
  };
  stream.handleReadyForQuery = (...all) => {
    once(null);
    handleReadyForQuery(...all);
  };
}
