import { traceHeaders } from '../tracing/purge-span.js';
import {
  ProviderAnswerError,
  ProviderRateLimitedError,
  ProviderUnauthorizedError,
  ProviderUnavailableError,
  PurgeRejectedError,
} from './provider.errors.js';

/** A year: a longer wait is a mistake of the one who asks for it. */
const MAX_RETRY_AFTER_MS = 31_536_000_000;
/** More of an answer is not read. */
const MAX_ANSWER_BYTES = 65_536;
const MAX_REASON_LENGTH = 300;

export interface ProviderCall {
  readonly url: string | URL;
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly signal: AbortSignal;
}

/** An answer below 300, its body read. */
export interface ProviderAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * One request to a provider, with its failures told apart. No redirect is followed: it would carry the credentials to
 * another host. Nothing of the request is in an error.
 *
 * @throws {PurgeFailedError}
 */
export async function callProvider(provider: string, call: ProviderCall): Promise<ProviderAnswer> {
  const response = await send(provider, call);
  const text = await readText(provider, response, call.signal);
  const { status, headers } = response;
  if (status >= 200 && status < 300) return { status, text };
  const retryAfterMs = parseRetryAfter(headers.get('retry-after'));
  if (status === 401 || status === 403) throw new ProviderUnauthorizedError(provider, status);
  if (status === 429) throw new ProviderRateLimitedError(provider, retryAfterMs);
  if (status >= 500 || status === 408 || status === 425) {
    throw new ProviderUnavailableError(provider, `it answers ${status}`, retryAfterMs);
  }
  if (status >= 400) throw new PurgeRejectedError(provider, `${status} ${shortened(text)}`.trim());
  throw new ProviderAnswerError(provider, `the status ${status}`);
}

/** @throws {ProviderAnswerError} when it is no JSON object */
export function parseJson(provider: string, { text }: ProviderAnswer): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ProviderAnswerError(provider, 'it is not JSON', { cause: error });
  }
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw new ProviderAnswerError(provider, 'it is no JSON object');
}

/**
 * `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date.
 *
 * @returns whole milliseconds; `undefined` when there is none that makes sense
 */
export function parseRetryAfter(header: string | null, now = Date.now()): number | undefined {
  if (header === null || header === '') return undefined;
  const ms = /^\d{1,12}$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now;
  if (Number.isNaN(ms)) return undefined;
  return Math.min(Math.max(0, ms), MAX_RETRY_AFTER_MS);
}

/** Of a provider's answer, on one line, for an error. */
export function shortened(text: string): string {
  const line = text.replaceAll(/\p{Cc}+/gu, ' ').trim();
  return line.length > MAX_REASON_LENGTH ? `${line.slice(0, MAX_REASON_LENGTH)}…` : line;
}

async function send(provider: string, { url, method, headers, json, signal }: ProviderCall) {
  try {
    return await fetch(url, {
      method,
      redirect: 'manual',
      signal,
      headers: {
        ...headers,
        ...traceHeaders(),
        ...(json !== undefined && { 'content-type': 'application/json' }),
      },
      ...(json !== undefined && { body: JSON.stringify(json) }),
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new ProviderUnavailableError(provider, `it cannot be reached (${causeOf(error)})`);
  }
}

async function readText(provider: string, response: Response, signal: AbortSignal): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      size += chunk.byteLength;
      if (size > MAX_ANSWER_BYTES) break;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw new ProviderUnavailableError(provider, `its answer broke off (${causeOf(error)})`);
  }
  return Buffer.concat(chunks).toString();
}

/** The code of a system error. fetch's own messages may hold the URL with what it carries. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined;
  return typeof cause?.code === 'string' ? cause.code : 'no connection';
}
