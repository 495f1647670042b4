import { AiProviderAnswerError, AiStreamBrokenError, AiTimeoutError } from '../ai.errors.js';
import { type ProviderClient } from '../client/provider-client.js';
import { estimateTokens } from '../embeddings/token-estimate.js';
import { type PlausibleUsage, plausibleUsage, type StatedUsage } from '../usage/plausible-usage.js';
import { type Spending } from '../usage/spending.js';
import { type ChatChunk, keptForm, parseChunk } from './chat-chunk.js';
import { type ChatReply, type ReplyUsage } from './chat-reply.js';
import { type ChatRequest } from './chat-request.js';
import { chunksOfCompletion } from './completion-chunks.js';
import { sseData } from './sse-events.js';

/** Reserved of a budget when the request names no limit of its own. */
const ASSUMED_COMPLETION_TOKENS = 4_096;
const MAX_REPLY_CHARS = 33_554_432;
/** Of the provider's own words. */
const SHOWN_CHARS = 200;
const DONE = '[DONE]';

/** A reply that has ended as the protocol wants it. */
export interface EndedReply {
  readonly reply: ChatReply;
  /** Ended by the model itself, not cut off by a limit or a filter: only such a reply is kept. */
  readonly isWhole: boolean;
  readonly usage: PlausibleUsage;
}

interface Progress {
  readonly chunks: string[];
  /** By choice; null while it has not ended. */
  readonly finishes: Map<number, string | null>;
  stated: StatedUsage | null;
  chars: number;
}

/** Asks the provider for replies: always as a stream, with usage, whatever the caller wants to have. */
export class ChatUpstream {
  constructor(
    private readonly client: ProviderClient,
    private readonly spending: Spending,
  ) {}

  /**
   * @param onChunk called with each chunk in its kept form, as it comes
   * @throws {AiStreamBrokenError} {@link AiTimeoutError}, and what the client and the budget throw
   */
  async ask(
    request: ChatRequest,
    model: string,
    { onChunk, signal }: { readonly onChunk: (chunk: string) => void; readonly signal?: AbortSignal },
  ): Promise<EndedReply> {
    const promptTokens = estimateTokens(JSON.stringify(request));
    const completionTokens =
      request.max_completion_tokens ?? request.max_tokens ?? ASSUMED_COMPLETION_TOKENS * (request.n ?? 1);
    const estimate = { promptTokens, cachedPromptTokens: 0, completionTokens };
    const outcome = await this.spending.spend(model, estimate, async () => {
      const progress: Progress = { chunks: [], finishes: new Map(), stated: null, chars: 0 };
      const error = await this.#receive(request, model, { progress, onChunk, signal });
      // What broke off is billed as well, as far as it came.
      const seen = { promptTokens, completionTokens: estimateTokens(progress.chunks.join('')) };
      return { result: { progress, error }, usage: plausibleUsage(progress.stated, seen) };
    });
    const { progress, error, usage } = { ...outcome.result, usage: outcome.usage };
    if (error) throw error;
    const finishes = [...progress.finishes.values()];
    return {
      reply: { chunks: progress.chunks, usage: statedUsage(progress.stated, usage) },
      isWhole: finishes.every((it) => it === 'stop' || it === 'tool_calls' || it === 'function_call'),
      usage,
    };
  }

  /** @returns what it has broken off with, once something has come; what comes before is thrown */
  async #receive(
    request: ChatRequest,
    model: string,
    {
      progress,
      onChunk,
      signal,
    }: { progress: Progress; onChunk: (chunk: string) => void; signal: AbortSignal | undefined },
  ): Promise<Error | undefined> {
    const { stream_options, ...rest } = request;
    const body = { ...rest, model, stream: true, stream_options: { ...stream_options, include_usage: true } };
    const response = await this.client.post('/chat/completions', body, signal);
    try {
      await this.#readAll(response, { progress, onChunk, signal });
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }

  async #readAll(
    response: Response,
    {
      progress,
      onChunk,
      signal,
    }: { progress: Progress; onChunk: (chunk: string) => void; signal: AbortSignal | undefined },
  ): Promise<void> {
    if (response.headers.get('content-type')?.includes('application/json')) {
      for (const it of chunksOfCompletion(await jsonOf(response))) take(progress, it, onChunk);
      return assertEnded(progress);
    }
    let isDone = false;
    for await (const data of sseData(watched(response, this.client.options.timeoutMs, signal))) {
      if (data === DONE) {
        isDone = true;
        break;
      }
      take(progress, parseChunk(data), onChunk);
    }
    if (!isDone) throw new AiStreamBrokenError('it ended without [DONE]');
    assertEnded(progress);
  }
}

/** @throws {AiStreamBrokenError} for an error within the stream */
function take(progress: Progress, chunk: ChatChunk, onChunk: (chunk: string) => void): void {
  if (chunk.error) {
    const { message } = chunk.error;
    const said = typeof message === 'string' ? message.slice(0, SHOWN_CHARS) : 'an error';
    throw new AiStreamBrokenError(`the provider reports ${said}`);
  }
  if (chunk.usage) progress.stated = chunk.usage;
  for (const { index, finish_reason } of chunk.choices ?? []) {
    progress.finishes.set(index, finish_reason ?? progress.finishes.get(index) ?? null);
  }
  const kept = keptForm(chunk);
  if (kept === undefined) return;
  progress.chars += kept.length;
  if (progress.chars > MAX_REPLY_CHARS) throw new AiStreamBrokenError('it is longer than any reply');
  progress.chunks.push(kept);
  onChunk(kept);
}

/** @throws {AiStreamBrokenError} */
function assertEnded({ finishes }: Progress): void {
  if (finishes.size === 0) throw new AiStreamBrokenError('it has no choices');
  if ([...finishes.values()].includes(null))
    throw new AiStreamBrokenError('it ended without a finish_reason');
}

async function jsonOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch (error) {
    throw new AiProviderAnswerError('it is no JSON, or broke off', { cause: error });
  }
}

/** The bytes of a body; ends it when it is silent for too long, or nobody wants it any more. */
async function* watched(
  response: Response,
  timeoutMs: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (!reader) throw new AiStreamBrokenError('it has no body');
  const { promise: given, reject: giveUp } = Promise.withResolvers<never>();
  given.catch(() => undefined);
  const onAbort = () => giveUp(signal?.reason);
  signal?.addEventListener('abort', onAbort);
  try {
    for (;;) {
      const timer = setTimeout(() => giveUp(new AiTimeoutError(timeoutMs)), timeoutMs);
      const read = await Promise.race([reader.read(), given]).finally(() => clearTimeout(timer));
      if (read.done) return;
      yield read.value as Uint8Array;
    }
  } catch (error) {
    if (error instanceof AiTimeoutError || signal?.aborted) throw error;
    throw new AiStreamBrokenError('the connection was lost', { cause: error });
  } finally {
    signal?.removeEventListener('abort', onAbort);
    // Nothing waits for it, and a body that has failed cannot be cancelled.
    void reader.cancel().catch(() => undefined);
  }
}

function statedUsage(stated: StatedUsage | null, usage: PlausibleUsage): ReplyUsage {
  if (stated && !usage.suspect) return stated as unknown as ReplyUsage;
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedPromptTokens },
  };
}
