import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

/** What a session cookie says. Signed, not encrypted: nothing in it is secret, and nothing of the key is in it. */
export interface Session {
  /** Random; the CSRF token belongs to it. */
  readonly id: string;
  readonly apiKeyId: string;
  /** Milliseconds since 1970: the login. */
  readonly startedAt: number;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** However often it is renewed, a session ends after half a day. */
const LONGEST_MS = 12 * 3_600_000;
/** No cookie of ours is longer. */
const MAX_LENGTH = 1_000;

const sessionSchema = z.strictObject({
  id: z.string(),
  apiKeyId: z.uuid(),
  startedAt: z.number(),
  expiresAt: z.number(),
});

/** Makes and checks session cookies and CSRF tokens. Nothing is kept: every api with the same secret takes them. */
export class SessionTokens {
  readonly #key: Buffer;
  readonly #idleMs: number;
  readonly #now: () => number;

  /**
   * @param secret shared by all processes; used through HKDF, so it may serve other ends too
   * @param idleMs how long a session lasts without being renewed
   * @param now milliseconds since 1970
   */
  constructor(secret: string, idleMs: number, now: () => number = Date.now) {
    this.#key = Buffer.from(hkdfSync('sha256', secret, '', 'peregrine console session', 32));
    this.#idleMs = idleMs;
    this.#now = now;
  }

  start(apiKeyId: string): Session {
    const startedAt = this.#now();
    const id = randomBytes(18).toString('base64url');
    return { id, apiKeyId, startedAt, expiresAt: startedAt + this.#idleMs };
  }

  /** The same session with a later end. */
  renew(session: Session): Session {
    const end = session.startedAt + LONGEST_MS;
    return { ...session, expiresAt: Math.min(this.#now() + this.#idleMs, end) };
  }

  encode(session: Session): string {
    const payload = Buffer.from(JSON.stringify(session)).toString('base64url');
    return `${payload}.${this.#sign(`session:${payload}`)}`;
  }

  /** The session of a cookie; undefined when it is none of ours, or over. */
  decode(cookie: string | undefined): Session | undefined {
    if (cookie === undefined || cookie.length > MAX_LENGTH) return undefined;
    const [payload = '', signature = ''] = cookie.split('.');
    if (!isEqual(signature, this.#sign(`session:${payload}`))) return undefined;
    const session = sessionSchema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()));
    return session.expiresAt > this.#now() ? session : undefined;
  }

  csrfTokenOf({ id }: Session): string {
    return this.#sign(`csrf:${id}`);
  }

  isCsrfTokenOf(session: Session, token: unknown): boolean {
    return typeof token === 'string' && isEqual(token, this.csrfTokenOf(session));
  }

  #sign(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url');
  }
}

function isEqual(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
