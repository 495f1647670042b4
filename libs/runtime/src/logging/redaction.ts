import { inspect, types } from 'node:util';

/** What stands where a secret was. */
export const REDACTED = '[redacted]';

/** Deeper than this nothing is looked at, and nothing is shown. */
const MAX_DEPTH = 8;

/** Names whose value is a secret, without case and separators: `X-Api-Key`, `secretAccessKey`, `set-cookie`. */
const SECRET_NAME = /authorization|cookie|passw|secret|token|apikey|accesskey|adminkey|privatekey|credential/;

/** Secrets within a text, with what stays of the match. Each is bounded, so that none can be made slow. */
const SECRETS_IN_TEXT: readonly (readonly [RegExp, string])[] = [
  // The password of a URL, up to the last @ before the path: postgres://user:p@ss@host/db
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/[^\s/?#:@]{0,256}):[^\s/?#]{0,1024}@/gi, `$1:${REDACTED}@`],
  [/\b(bearer|basic) +[\w.~+/=-]{16,}/gi, `$1 ${REDACTED}`],
  // Our own API keys, wherever they turn up.
  [/\bpgn_[\w-]{8,}/g, REDACTED],
  // Parameters of a URL, and words of a connection string.
  [
    /((?:[?&]|\b[\w-]{0,32}[_-]|\b)(?:password|secret|token|api_?key|access_?key|signature)=)[^\s&;,"']+/gi,
    `$1${REDACTED}`,
  ],
  [/([?&]key=)[^\s&;,"']+/gi, `$1${REDACTED}`],
];

/** The text without passwords of URLs, API keys and other secrets that show by their form. */
export function redactText(text: string): string {
  return SECRETS_IN_TEXT.reduce((it, [secret, rest]) => it.replace(secret, rest), text);
}

/**
 * A copy for the log: values under the name of a secret are gone, and texts are as {@link redactText} leaves them. Objects
 * and errors keep their class; what shows itself in a way of its own (`toJSON`, dates, bytes) stays as it is.
 */
export function redact(value: unknown): unknown {
  return copy(value, 0, new WeakSet());
}

function copy(value: unknown, depth: number, above: WeakSet<object>): unknown {
  if (typeof value === 'string') return redactText(value);
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof URL) return redactText(value.href);
  if (depth >= MAX_DEPTH || above.has(value)) return REDACTED;
  above.add(value);
  const copied = copyObject(value, depth, above);
  above.delete(value);
  return copied;
}

function copyObject(value: object, depth: number, above: WeakSet<object>): unknown {
  if (value instanceof Error) return copyError(value, depth, above);
  if (Array.isArray(value)) return value.map((it) => copy(it, depth + 1, above));
  if (types.isSet(value)) return new Set([...value].map((it) => copy(it, depth + 1, above)));
  if (types.isMap(value)) {
    return new Map([...value].map(([name, it]) => [name, property(String(name), it, depth, above)]));
  }
  if (!isRecord(value)) return value;
  const copied = Object.create(Object.getPrototypeOf(value) as object | null) as object;
  for (const [name, it] of Object.entries(value)) define(copied, name, property(name, it, depth, above));
  return copied;
}

/** An object of a program, which is what its properties are. What shows itself in a way of its own is left as it is. */
function isRecord(value: object): boolean {
  if ('toJSON' in value || inspect.custom in value) return false;
  return Object.prototype.toString.call(value) === '[object Object]';
}

function define(target: object, name: string, value: unknown, enumerable = true): void {
  // As an assignment it could run a setter, or change the prototype.
  Object.defineProperty(target, name, { value, enumerable, configurable: true, writable: true });
}

function copyError(error: Error, depth: number, above: WeakSet<object>): Error {
  // A native error, so that it is shown as one, of the class of the first.
  const copied = Object.setPrototypeOf(new Error(), Object.getPrototypeOf(error) as object) as Error;
  for (const name of new Set([...Object.getOwnPropertyNames(error), 'message', 'stack'])) {
    const it = (error as unknown as Record<string, unknown>)[name];
    const isShown = Object.prototype.propertyIsEnumerable.call(error, name);
    define(copied, name, property(name, it, depth, above), isShown);
  }
  return copied;
}

function property(name: string, value: unknown, depth: number, above: WeakSet<object>): unknown {
  return isSecret(name) && mayBeSecret(value) ? REDACTED : copy(value, depth + 1, above);
}

function isSecret(name: string): boolean {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  // The id of a key is what one looks for in a log.
  return SECRET_NAME.test(plain) && !plain.endsWith('id');
}

/** A count of tokens is none, and neither is "there is a password". */
function mayBeSecret(value: unknown): boolean {
  return value !== null && value !== undefined && typeof value !== 'number' && typeof value !== 'boolean';
}
