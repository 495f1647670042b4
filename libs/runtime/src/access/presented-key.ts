import { type FastifyRequest } from 'fastify';
import { hash } from 'node:crypto';
import { KnownBearers } from './known-bearers.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by {@link presentedKey} when it was asked for the first time. */
    presentedKeys?: PresentedKeys;
  }
}

/** What a request presents: to all, and where the login of a browser counts. Mostly the same. */
interface PresentedKeys {
  readonly header: PresentedKey | undefined;
  readonly login: PresentedKey | undefined;
  /** The header that they may be remembered by; undefined for those that are, and for what is no bearer. */
  unknownBearer: string | undefined;
}

/** The hash of an API key as text. In one step: a `Hash` is an object that must be collected again. */
export function digestOf(key: string): string {
  return hash('sha256', key, 'base64url');
}

/** An API key that somebody shows, which may be wrong. */
export class PresentedKey {
  #digest: string | undefined;

  constructor(private readonly key: string) {}

  /** Characters. */
  get length(): number {
    return this.key.length;
  }

  /** Its hash, made once for all who look after the request. */
  get digest(): string {
    return (this.#digest ??= digestOf(this.key));
  }
}

/**
 * The API key that a request presents; undefined without one.
 *
 * @param password whether the login of a browser counts, with the key as its password and any name
 */
export function presentedKey(
  request: FastifyRequest,
  { password = false }: { password?: boolean } = {},
): PresentedKey | undefined {
  const keys = (request.presentedKeys ??= keysIn(request));
  return password ? keys.login : keys.header;
}

/** The caller was let in: its key is found faster next time, for a while. */
export function rememberKey({ presentedKeys }: FastifyRequest): void {
  if (presentedKeys?.unknownBearer === undefined) return;
  bearers.add(presentedKeys.unknownBearer, presentedKeys);
  presentedKeys.unknownBearer = undefined;
}

const bearers = new KnownBearers<PresentedKeys>();

const BEARER = /^bearer +\S+$/i;

function keysIn({ headers }: FastifyRequest): PresentedKeys {
  const { authorization = '' } = headers;
  const known = bearers.get(authorization);
  if (known) return known;
  if (BEARER.test(authorization)) {
    const key = new PresentedKey(authorization.slice(authorization.lastIndexOf(' ') + 1));
    return { header: key, login: key, unknownBearer: authorization };
  }
  const header = keyOf(headers['x-api-key']);
  const password = passwordOf(authorization);
  return {
    header,
    login: password === undefined ? header : keyOf(password),
    unknownBearer: undefined,
  };
}

const keyOf = (text: unknown): PresentedKey | undefined =>
  typeof text === 'string' && text !== '' ? new PresentedKey(text) : undefined;

function passwordOf(authorization: string): string | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/=]+)$/i.exec(authorization) ?? [];
  if (encoded === undefined) return undefined;
  const login = Buffer.from(encoded, 'base64').toString();
  return login.includes(':') ? login.slice(login.indexOf(':') + 1) : undefined;
}
