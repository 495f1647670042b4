/**
 * Text that both stores take: PostgreSQL has neither U+0000 nor lone surrogates.
 *
 * @param maxLength in UTF-16 units; the rest is cut
 */
export function storableText(text: string, maxLength: number): string {
  const short = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  return short.toWellFormed().replaceAll('\0', '\uFFFD');
}

const MAX_MESSAGE = 4_096;
const MAX_STACK = 16_384;

/** The same error with a message and a stack that both stores take; the original is its cause. */
export function storableError(thrown: unknown): Error {
  const error = toError(thrown);
  const storable = new Error(
    storableText(
      readText(() => error.message),
      MAX_MESSAGE,
    ),
    { cause: error },
  );
  storable.stack = storableText(
    readText(() => error.stack ?? ''),
    MAX_STACK,
  );
  return storable;
}

/** Handlers may throw anything. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  return new Error(
    readText(() => thrown),
    { cause: thrown },
  );
}

/** What was thrown may be of any kind, and answer with code of its own that throws in turn. */
function readText(read: () => unknown): string {
  try {
    return String(read());
  } catch {
    return 'What was thrown cannot be read as text';
  }
}
