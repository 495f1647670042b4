import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { Client } from 'pg';
import { cut, hangUp } from '../pool/hang-up.js';
import { QueryNotListeningError } from '../query-optimizer.errors.js';
import { CHANGE_CHANNEL } from './change-triggers.js';

export interface ChangeListenerInput {
  readonly connectionString: string;
  readonly connectTimeoutMs: number;
  /** Of the sessions whose writes need not be told. */
  readonly origin: string;
  /** For how long nothing has to be heard before nothing is trusted any more. */
  readonly maxStalenessMs: number;
  /** The table was changed by somebody else. */
  changed(table: number): Promise<void>;
  /** Listening (again); whatever happened before may have been missed. It is not trusted before this has resolved. */
  listening(): Promise<void>;
}

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5_000;
const ECHO = 'echo';
/** Echoes within the time that silence is borne. */
const ECHOES = 3;

/**
 * Hears of changed tables on a connection of its own, and comes back when that is lost. It calls into the channel and
 * waits for its own voice: what was committed before the call has been heard then, since PostgreSQL tells in the order of
 * commits. Without an answer nothing is trusted, so a wire that is dead without a word does no harm for longer than
 * `maxStalenessMs`.
 */
export class ChangeListener {
  readonly #logger = new Logger(ChangeListener.name);
  readonly #stopping = new AbortController();
  readonly #echoes = new Map<string, () => void>();
  #handled: Promise<unknown> = Promise.resolve();
  #client: Client | undefined;
  #isConnecting = false;
  #loop: Promise<void> | undefined;
  #echoed = 0;
  /** Everything that was committed before has been heard. Milliseconds of the monotonic clock. */
  #heardUpTo = -Infinity;

  constructor(private readonly input: ChangeListenerInput) {}

  /** Whether what is cached can be older than what others have committed by at most `maxStalenessMs`. */
  get isHearing(): boolean {
    return performance.now() - this.#heardUpTo <= this.input.maxStalenessMs;
  }

  /** Resolves after the first attempt, whether or not it succeeded. */
  async start(): Promise<void> {
    const first = await this.#connect();
    this.#loop = this.#keepListening(first);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#heardUpTo = -Infinity;
    // A client that is still connecting never tells that it was asked to end.
    if (this.#client && this.#isConnecting) cut(this.#client);
    else if (this.#client) await hangUp(this.#client);
    await this.#loop;
  }

  /**
   * Resolves when everything that was committed before the call has been heard, and handled.
   *
   * @throws {QueryNotListeningError}
   */
  async echo(): Promise<void> {
    const client = this.#client;
    if (!client || this.#isConnecting || this.#heardUpTo === -Infinity) throw new QueryNotListeningError();
    const calledAt = performance.now();
    const word = String(++this.#echoed);
    const { promise: heard, resolve, reject } = Promise.withResolvers<void>();
    const gone = () => reject(new QueryNotListeningError());
    this.#echoes.set(word, resolve);
    client.once('end', gone);
    try {
      await Promise.all([
        client.query('SELECT pg_notify($1, $2)', [CHANGE_CHANNEL, `${ECHO} ${this.input.origin} ${word}`]),
        heard,
      ]);
      await this.#handled;
      if (this.#client === client && this.#heardUpTo !== -Infinity) this.#heardUpTo = calledAt;
    } catch (error) {
      throw new QueryNotListeningError({ cause: error });
    } finally {
      client.off('end', gone);
      this.#echoes.delete(word);
    }
  }

  async #keepListening(first: Client | undefined): Promise<void> {
    const { signal } = this.#stopping;
    let client = first;
    let retryMs = FIRST_RETRY_MS;
    for (;;) {
      if (client) {
        await this.#listenTo(client);
        if (signal.aborted) return;
        this.#heardUpTo = -Infinity;
        this.#logger.warn('The connection that tells changed tables was lost');
        cut(client);
        retryMs = FIRST_RETRY_MS;
      }
      await delay(retryMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
      client = await this.#connect();
    }
  }

  /** Resolves when it is gone, or answers no more. */
  async #listenTo(client: Client): Promise<void> {
    const { signal } = this.#stopping;
    const limit = new AbortController();
    const end = () => limit.abort();
    client.once('end', end);
    signal.addEventListener('abort', end);
    const pause = (ms: number) => delay(ms, undefined, { signal: limit.signal }).catch(() => undefined);
    const { maxStalenessMs } = this.input;
    while (!limit.signal.aborted && this.#heardUpTo !== -Infinity) {
      await pause(maxStalenessMs / ECHOES);
      if (limit.signal.aborted) break;
      const echo = this.echo().then(
        () => true,
        () => false,
      );
      if (!(await Promise.race([echo, pause(maxStalenessMs).then(() => false)]))) break;
    }
    signal.removeEventListener('abort', end);
    limit.abort();
  }

  /** @returns undefined when there is no connection */
  async #connect(): Promise<Client | undefined> {
    const { connectionString, connectTimeoutMs } = this.input;
    const client = new Client({
      connectionString,
      application_name: 'peregrine changes',
      connectionTimeoutMillis: connectTimeoutMs,
      keepAlive: true,
    });
    client.on('error', () => undefined);
    client.on('end', () => this.#client === client && (this.#heardUpTo = -Infinity));
    client.on('notification', ({ channel, payload }) => this.#heard(channel, payload ?? ''));
    this.#client = client;
    this.#isConnecting = true;
    try {
      await client.connect();
      this.#isConnecting = false;
      await client.query(`LISTEN ${CHANGE_CHANNEL}`);
      const listeningSince = performance.now();
      await this.input.listening();
      if (this.#stopping.signal.aborted) throw new Error('it is being stopped');
      this.#heardUpTo = listeningSince;
      return client;
    } catch (error) {
      cut(client);
      if (!this.#stopping.signal.aborted)
        this.#logger.warn(`Changed tables are not told: ${(error as Error).message}`);
      return undefined;
    } finally {
      this.#isConnecting = false;
    }
  }

  #heard(channel: string, payload: string): void {
    if (channel !== CHANGE_CHANNEL) return;
    const [table = '', origin, word = ''] = payload.split(' ');
    const isOurs = origin === this.input.origin;
    if (table === ECHO) {
      if (isOurs) this.#echoes.get(word)?.();
    } else if (!isOurs) this.#handled = Promise.all([this.#handled, this.input.changed(Number(table))]);
  }
}
