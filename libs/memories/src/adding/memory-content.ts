import { createHash } from 'node:crypto';
import { InvalidMemoryError, MemoryBatchTooLargeError } from '../memories.errors.js';

/** A content that may be stored. */
export interface NewContent {
  readonly content: string;
  readonly hash: Buffer;
}

/**
 * The contents of one call, proven before the first is stored.
 *
 * @throws {MemoryBatchTooLargeError} {@link InvalidMemoryError}
 */
export function parseContents(
  contents: readonly string[],
  limits: { readonly maxBatch: number; readonly maxContentBytes: number },
): NewContent[] {
  if (contents.length === 0 || contents.length > limits.maxBatch) {
    throw new MemoryBatchTooLargeError(contents.length, limits.maxBatch);
  }
  return contents.map((raw, place) => {
    const content = raw.toWellFormed().trim();
    const problem = problemOf(content, limits.maxContentBytes);
    if (problem !== undefined) throw new InvalidMemoryError(place, problem);
    return { content, hash: contentHash(content) };
  });
}

/** The same for contents that differ in white space or in the composition of their characters only. */
export function contentHash(content: string): Buffer {
  return createHash('sha256').update(content.normalize('NFC').replaceAll(/\s+/gu, ' ').trim()).digest();
}

function problemOf(content: string, maxContentBytes: number): string | undefined {
  if (content === '') return 'it is empty';
  if (content.includes('\0')) return 'it holds a NUL character';
  const bytes = Buffer.byteLength(content);
  if (bytes > maxContentBytes) {
    return `it has ${bytes} bytes where ${maxContentBytes} are allowed; split it, or store it as a file`;
  }
  return undefined;
}
