import { Logger } from '@nestjs/common';
import { type CacheNamespace } from '@peregrine/cache';
import { type ChatReply, completionOf } from '../chat/chat-reply.js';
import { type ChatRequest } from '../chat/chat-request.js';
import { type Embeddings } from '../embeddings/embeddings.service.js';
import { type CacheKeyGenerator } from '../keys/cache-key-generator.js';
import { NeighbourIndex, type Question, unitVector } from './neighbour-index.js';
import { guardOf } from './reuse-guard.js';
import { type SemanticReuseOptions } from './semantic.options.js';
import { semanticQuestionOf } from './semantic-question.js';

/** Neighbours whose reply has gone from the cache, before a question is left to the provider. */
const MAX_LOOKS = 3;

/** A request that may be kept, and its key. */
export interface KeyedRequest {
  readonly tenant: string;
  /** Base URL. */
  readonly provider: string;
  readonly model: string;
  readonly request: ChatRequest;
  readonly key: string;
}

/** The reply to another question. */
export interface NearReply {
  readonly reply: ChatReply;
  /** Cosine, at least the threshold. */
  readonly similarity: number;
}

export interface SemanticReuseDependencies {
  readonly options: SemanticReuseOptions;
  readonly embeddings: Embeddings;
  readonly keys: CacheKeyGenerator;
  /** Whole replies. */
  readonly cached: CacheNamespace;
}

/**
 * Answers a question with the kept reply to one that says nearly the same: of the same tenant and model, with everything else of the
 * request equal, an embedding above the threshold, and the same facts ({@link guardOf}). **It can be wrong**: an ordinary word in the
 * place of another may change the answer and hardly the embedding. Replies on their way and calls of tools are never reused.
 */
export class SemanticReuse {
  readonly #log = new Logger(SemanticReuse.name);
  readonly #index: NeighbourIndex;
  #failures = 0;
  #isFailing = false;

  constructor(private readonly parts: SemanticReuseDependencies) {
    this.#index = new NeighbourIndex(parts.options);
  }

  /** Questions in memory. */
  get questions(): number {
    return this.#index.size;
  }

  /** Questions that could not be embedded; they went to the provider. */
  get failures(): number {
    return this.#failures;
  }

  /** Undefined when nothing is compared: not a question of this kind, or its embedding did not come. @throws the signal's reason */
  async questionOf(call: KeyedRequest, signal?: AbortSignal): Promise<Question | undefined> {
    const parted = semanticQuestionOf(call.request);
    if (!parted) return undefined;
    const vector = await this.#embed(call.tenant, parted.text, signal);
    if (!vector) return undefined;
    const { tenant, key, provider, model } = call;
    const context = this.parts.keys.chatContext({ tenant, provider, model, request: parted.rest });
    return { tenant, key, context, vector, guard: guardOf(parted.text) };
  }

  /** A kept reply that may answer the question. */
  async near(question: Question): Promise<NearReply | undefined> {
    for (let look = 0; look < MAX_LOOKS; look++) {
      const found = this.#index.nearest(question, this.parts.options.threshold);
      if (!found) return undefined;
      const reply = await this.parts.cached.get<ChatReply>(found.key);
      if (reply) return { reply, similarity: found.similarity };
      this.#index.remove(question.tenant, found.key);
    }
    return undefined;
  }

  /** From here on the reply to this question may answer others. */
  learn(question: Question, reply: ChatReply): void {
    const isText = completionOf(reply).choices.every((it) => it.finish_reason === 'stop');
    if (isText) this.#index.add(question);
  }

  /** The same of a reply that was found in the cache: so a process comes to know what others have paid. */
  async learnFrom(call: KeyedRequest, reply: ChatReply): Promise<void> {
    if (this.#index.has(call.tenant, call.key)) return;
    const question = await this.questionOf(call);
    if (question) this.learn(question, reply);
  }

  /** What fails here must not fail the chat, nor hold it up for long. */
  async #embed(tenant: string, text: string, caller?: AbortSignal): Promise<Float32Array | undefined> {
    const deadline = AbortSignal.timeout(this.parts.options.timeoutMs);
    const signal = caller ? AbortSignal.any([caller, deadline]) : deadline;
    try {
      const { vectors } = await this.parts.embeddings.embed({ tenant, inputs: [text], signal });
      this.#isFailing = false;
      return vectors[0] && unitVector(vectors[0]);
    } catch (error) {
      caller?.throwIfAborted();
      this.#failures++;
      // Once for all that fail in a row.
      if (!this.#isFailing) this.#log.warn(`Questions cannot be compared, and are paid: ${String(error)}`);
      this.#isFailing = true;
      return undefined;
    }
  }
}
