import { usageChunk, withNullUsage } from './chat-chunk.js';
import { completionOf } from './chat-reply.js';
import { type ChatRequest } from './chat-request.js';
import { type LiveReply } from './live-reply.js';

/** Where an answer comes from. */
export type ChatSource = 'hit' | 'semantic' | 'miss' | 'coalesced' | 'bypass';

/** What there is to say of some sources. */
export interface ChatSourceDetail {
  /** Why nothing may be kept; only of `bypass`. */
  readonly bypassReason?: string;
  /** How near the question is whose reply this is, cosine; only of `semantic`. */
  readonly similarity?: number;
}

/** The answer to one caller, as a stream or as a whole: the same reply serves both. */
export class ChatAnswer {
  constructor(
    private readonly reply: LiveReply,
    private readonly request: ChatRequest,
    readonly source: ChatSource,
    readonly detail: ChatSourceDetail = {},
  ) {}

  /**
   * The data of the server-sent events, in lots that go out together: chunks as JSON and, at the end, `[DONE]`. A reply that is whole is
   * one lot. Usage comes only if the request asks for it.
   *
   * @throws as `LiveReply.read`
   */
  async *events(signal?: AbortSignal): AsyncGenerator<readonly string[]> {
    const includeUsage = this.request.stream_options?.include_usage === true;
    let first: string | undefined;
    for await (const lot of this.reply.read(signal)) {
      first ??= lot[0];
      yield includeUsage ? lot.map(withNullUsage) : lot;
    }
    const { usage } = await this.reply.whole();
    yield includeUsage ? [usageChunk(first, usage), '[DONE]'] : ['[DONE]'];
  }

  /** The reply in one piece. @throws as `LiveReply.whole` */
  async completion(signal?: AbortSignal) {
    return completionOf(await this.reply.whole(signal));
  }
}
