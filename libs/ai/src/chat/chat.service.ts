import { type CacheNamespace } from '@peregrine/cache';
import { setTimeout as pause } from 'node:timers/promises';
import { AiNotConfiguredError, AiUnknownModelError } from '../ai.errors.js';
import { type ProviderOptions } from '../client/provider.options.js';
import { type CacheKeyGenerator } from '../keys/cache-key-generator.js';
import { type Question } from '../semantic/neighbour-index.js';
import { type SemanticReuse } from '../semantic/semantic-reuse.js';
import { type UsageOutcome, type UsageSink } from '../usage/usage-event.js';
import { ChatAnswer } from './chat-answer.js';
import { type ChatReply } from './chat-reply.js';
import { chatPolicyOf } from './chat-policy.js';
import { type ChatRequest } from './chat-request.js';
import { type ChatUpstream } from './chat-upstream.js';
import { LiveReply } from './live-reply.js';
import { JournalReader, JournalWriter } from './reply-journal.js';

/** How often a process looks for what another one has written. */
const FOLLOW_EVERY_MS = 25;

export interface ChatDependencies {
  /** Undefined: none is configured. */
  readonly provider: ProviderOptions | undefined;
  readonly upstream: ChatUpstream | undefined;
  /** Whole replies. */
  readonly cached: CacheNamespace;
  /** Replies on their way, for other processes; in Redis alone. */
  readonly live: CacheNamespace;
  readonly keys: CacheKeyGenerator;
  readonly usage: UsageSink;
  /** Undefined: a reply answers the same request only. */
  readonly semantic: SemanticReuse | undefined;
}

/** A call under way in this process. */
interface Flight {
  readonly reply: LiveReply;
  outcome: UsageOutcome;
}

/** How a reply is got and kept. */
interface Call {
  readonly model: string;
  readonly ttlMs: number;
  /** Of which the reply may answer others. */
  readonly question: Question | undefined;
}

/**
 * Chat with a provider. Replies that may be kept answer the same request again, streamed or not; equal requests at the same time, in
 * all processes, are one call, and those who come late get its chunks so far and then live ones.
 */
export class ChatService {
  readonly #flights = new Map<string, Flight>();
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor(private readonly parts: ChatDependencies) {}

  /**
   * Begins the answer to a request; nothing of it has to be there when this resolves.
   *
   * @param options.signal of the caller: ends the wait. A call whose answer may be kept goes on, for others and for the next; one whose
   *   answer may not is given up
   * @throws {AiNotConfiguredError} {@link AiUnknownModelError} {@link AiKeyError}
   */
  async open(
    request: ChatRequest,
    options: { readonly tenant: string; readonly signal?: AbortSignal },
  ): Promise<ChatAnswer> {
    const { provider, keys, cached, semantic } = this.parts;
    const { tenant, signal } = options;
    const model = this.#modelOf(request);
    const policy = chatPolicyOf(request);
    if ('bypass' in policy) return this.#pass(request, model, policy.bypass, signal);
    const exact = { tenant, provider: provider?.baseUrl ?? '', model, request };
    const key = keys.chat(exact);
    const known = this.#join(key, request, model);
    if (known) return known;
    const reply = await cached.get<ChatReply>(key);
    if (reply) {
      if (semantic) this.#run(semantic.learnFrom({ ...exact, key }, reply));
      return this.#replay(reply, request, model);
    }
    const question = await semantic?.questionOf({ ...exact, key }, signal);
    const near = question && (await semantic?.near(question));
    if (near) return this.#replay(near.reply, request, model, near.similarity);
    // Somebody else may have begun while we looked.
    const call = { model, ttlMs: policy.ttlMs, question };
    return this.#join(key, request, model) ?? this.#begin(key, request, call);
  }

  /** Gives up what is under way: another process takes it over, as far as others wait for it. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('The process is closing'));
    await Promise.allSettled(this.#running);
  }

  /** Why a request found nothing in the cache, in this process. */
  whyMissed(request: ChatRequest, tenant: string) {
    const { provider, keys } = this.parts;
    return keys.whyMissed(
      keys.chat({ tenant, provider: provider?.baseUrl ?? '', model: this.#modelOf(request), request }),
    );
  }

  #modelOf({ model }: ChatRequest): string {
    const { provider } = this.parts;
    if (!provider?.chatModel) throw new AiNotConfiguredError('Chat', ['AI_BASE_URL', 'AI_CHAT_MODEL']);
    const known = [provider.chatModel, ...provider.chatModels];
    const resolved = model ?? provider.chatModel;
    if (!known.includes(resolved)) throw new AiUnknownModelError(resolved, known);
    return resolved;
  }

  /** @param similarity of the question that was asked, when it is another one */
  #replay(reply: ChatReply, request: ChatRequest, model: string, similarity?: number): ChatAnswer {
    const live = new LiveReply();
    live.complete(reply);
    const source = similarity === undefined ? 'hit' : 'semantic';
    this.#count(live, model, () => source);
    return new ChatAnswer(live, request, source, similarity === undefined ? {} : { similarity });
  }

  #join(key: string, request: ChatRequest, model: string): ChatAnswer | undefined {
    const flight = this.#flights.get(key);
    if (!flight) return undefined;
    this.#count(flight.reply, model, () => 'coalesced');
    return new ChatAnswer(flight.reply, request, 'coalesced');
  }

  #begin(key: string, request: ChatRequest, call: Call): ChatAnswer {
    const flight: Flight = { reply: new LiveReply(), outcome: 'coalesced' };
    this.#flights.set(key, flight);
    this.#count(flight.reply, call.model, () => flight.outcome);
    this.#run(this.#fly(key, flight, request, call));
    return new ChatAnswer(flight.reply, request, 'miss');
  }

  #pass(request: ChatRequest, model: string, bypass: string, caller?: AbortSignal): ChatAnswer {
    const live = new LiveReply();
    const signal = caller ? AbortSignal.any([caller, this.#closing.signal]) : this.#closing.signal;
    this.#count(live, model, () => 'paid');
    const asked = this.#upstream().ask(request, model, { onChunk: (it) => live.push(it), signal });
    this.#run(
      asked.then(
        ({ reply }) => live.complete(reply),
        (error: unknown) => live.fail(error),
      ),
    );
    return new ChatAnswer(live, request, 'bypass', { bypassReason: bypass });
  }

  /** Gets the reply, by a call of our own or by following that of another process. Never rejects. */
  async #fly(key: string, flight: Flight, request: ChatRequest, call: Call): Promise<void> {
    const { cached, live: entries, semantic } = this.parts;
    const reader = new JournalReader(entries, key);
    const writer = new JournalWriter(entries, key);
    const following = new AbortController();
    const followed = this.#follow(reader, flight.reply, following.signal);
    let isKept = false;
    try {
      const reply = await cached.getOrSet<ChatReply>(
        key,
        async (load) => {
          following.abort();
          await followed;
          const { chunks, end } =
            (await reader.complete()) ?? (await this.#lead(flight, writer, request, call.model));
          isKept = end.isWhole;
          if (!isKept) load.doNotStore();
          return { chunks, usage: end.usage };
        },
        { ttlMs: call.ttlMs, singleFlight: 'cluster' },
      );
      // Who comes from here on must not find what is only for those who have waited.
      if (flight.outcome === 'paid' && !isKept) await writer.forget();
      if (isKept && call.question) semantic?.learn(call.question, reply);
      this.#flights.delete(key);
      flight.reply.complete(reply);
    } catch (error) {
      if (flight.outcome === 'paid') await writer.forget();
      this.#flights.delete(key);
      flight.reply.fail(error);
    } finally {
      following.abort();
    }
    if (isKept && flight.outcome === 'paid') await writer.forget();
  }

  /** The one call that is paid. */
  async #lead(flight: Flight, writer: JournalWriter, request: ChatRequest, model: string) {
    flight.outcome = 'paid';
    // What a run that has died left behind is no part of this one.
    flight.reply.restart();
    await writer.begin();
    const onChunk = (chunk: string) => {
      flight.reply.push(chunk);
      writer.append(chunk);
    };
    const { reply, isWhole } = await this.#upstream().ask(request, model, {
      onChunk,
      signal: this.#closing.signal,
    });
    const end = { usage: reply.usage, isWhole };
    await writer.end(end);
    return { chunks: reply.chunks, end };
  }

  /** Gives what another process writes to those who wait here, until told to end. Never rejects: the cache's reads do not. */
  async #follow(reader: JournalReader, reply: LiveReply, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { chunks, restarted } = await reader.look();
      if (signal.aborted) return;
      if (restarted) reply.restart();
      reply.push(...chunks);
      await pause(FOLLOW_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  #upstream(): ChatUpstream {
    const { upstream } = this.parts;
    if (!upstream) throw new AiNotConfiguredError('Chat', ['AI_BASE_URL', 'AI_CHAT_MODEL']);
    return upstream;
  }

  /** Counts a caller's result when it is there; what failed is no result. */
  #count(reply: LiveReply, model: string, outcome: () => UsageOutcome): void {
    const counted = reply.whole().then(
      ({ usage }) =>
        this.parts.usage.record({
          ...{ kind: 'chat', model, outcome: outcome(), results: 1 },
          promptTokens: usage.prompt_tokens,
          cachedPromptTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
          completionTokens: usage.completion_tokens,
        }),
      () => undefined,
    );
    this.#run(counted);
  }

  #run(work: Promise<void>): void {
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work));
  }
}
