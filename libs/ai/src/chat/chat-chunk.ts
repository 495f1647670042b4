import { AiProviderAnswerError } from '../ai.errors.js';
import { type StatedUsage } from '../usage/plausible-usage.js';

/** A piece of a reply, as far as it matters here. */
export interface ChatChunk {
  readonly id?: string;
  readonly created?: number;
  readonly model?: string;
  readonly system_fingerprint?: string | null;
  readonly choices?: readonly ChunkChoice[];
  readonly usage?: (StatedUsage & Record<string, unknown>) | null;
  readonly error?: { readonly message?: unknown; readonly code?: unknown };
}

export interface ChunkChoice {
  readonly index: number;
  readonly delta?: Readonly<Record<string, unknown>>;
  readonly finish_reason?: string | null;
  readonly logprobs?: Readonly<Record<string, unknown>> | null;
}

/** @throws {AiProviderAnswerError} */
export function parseChunk(data: string): ChatChunk {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch (error) {
    throw new AiProviderAnswerError('a piece of the reply is no JSON', { cause: error });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new AiProviderAnswerError('a piece of the reply is no object');
}

/**
 * The form in which a chunk is kept and sent: without usage, which goes only to those who ask for it, and without
 * `obfuscation`, which is padding. Undefined when nothing is left, as of the chunk that brings the usage.
 */
export function keptForm(chunk: ChatChunk): string | undefined {
  if ((chunk.choices?.length ?? 0) === 0) return undefined;
  const kept: Record<string, unknown> = { ...chunk };
  delete kept['usage'];
  delete kept['obfuscation'];
  return JSON.stringify(kept);
}

/** A kept chunk for somebody who asked for usage: all but the last carry `null`. */
export function withNullUsage(kept: string): string {
  return `${kept.slice(0, -1)},"usage":null}`;
}

/** The extra chunk behind the others, when usage was asked for. */
export function usageChunk(first: string | undefined, usage: unknown): string {
  const { id, created, model, system_fingerprint } = first === undefined ? {} : parseChunk(first);
  const head = { id, object: 'chat.completion.chunk', created, model, system_fingerprint };
  return JSON.stringify({ ...head, choices: [], usage });
}
