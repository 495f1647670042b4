import { AiProviderAnswerError } from '../ai.errors.js';
import { type ChatChunk } from './chat-chunk.js';

interface Completion extends Omit<ChatChunk, 'choices'> {
  readonly choices?: readonly {
    readonly index?: number;
    readonly message?: { readonly tool_calls?: readonly Readonly<Record<string, unknown>>[] } & Record<
      string,
      unknown
    >;
    readonly finish_reason?: string | null;
    readonly logprobs?: Readonly<Record<string, unknown>> | null;
  }[];
}

/** A reply that came in one piece, as some servers answer whatever was asked for: one chunk with the message, one with the end. */
export function chunksOfCompletion(value: unknown): ChatChunk[] {
  const { choices, usage, error, ...head } = (value ?? {}) as Completion;
  if (error) return [{ error }];
  if (!Array.isArray(choices)) throw new AiProviderAnswerError('it has no choices');
  const each = choices as NonNullable<Completion['choices']>;
  const chunkHead = { ...head, object: 'chat.completion.chunk' };
  return [
    {
      ...chunkHead,
      choices: each.map(({ index = 0, message = {}, logprobs }) => ({
        index,
        delta: { ...message, ...indexedCalls(message.tool_calls) },
        ...(logprobs && { logprobs }),
        finish_reason: null,
      })),
    },
    {
      ...chunkHead,
      choices: each.map(({ index = 0, finish_reason }) => ({
        index,
        delta: {},
        finish_reason: finish_reason ?? null,
      })),
    },
    ...(usage ? [{ ...chunkHead, choices: [], usage }] : []),
  ];
}

function indexedCalls(calls: readonly Readonly<Record<string, unknown>>[] | undefined) {
  return calls ? { tool_calls: calls.map((it, index) => ({ ...it, index })) } : {};
}
