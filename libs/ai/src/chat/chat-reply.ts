import { type ChatChunk, type ChunkChoice, parseChunk, usageChunk, withNullUsage } from './chat-chunk.js';

/** What the protocol says of the tokens of a reply. */
export interface ReplyUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
}

/** A whole reply, as it is kept: its chunks as they are sent, so that sending it again costs nothing. */
export interface ChatReply {
  readonly chunks: readonly string[];
  readonly usage: ReplyUsage;
}

type Message = Record<string, unknown>;

/** The chunks for one caller. */
export function chunksFor({ chunks, usage }: ChatReply, includeUsage: boolean): string[] {
  if (!includeUsage) return [...chunks];
  return [...chunks.map(withNullUsage), usageChunk(chunks[0], usage)];
}

/** The same reply for somebody who did not ask for a stream: deltas joined, tool calls by their index. */
export function completionOf({ chunks, usage }: ChatReply) {
  const parsed = chunks.map(parseChunk);
  const first: ChatChunk = parsed[0] ?? {};
  const choices = new Map<number, { message: Message; finish: string | null; logprobs: Message | null }>();
  for (const choice of parsed.flatMap((it) => it.choices ?? [])) {
    const known = choices.get(choice.index) ?? { message: {}, finish: null, logprobs: null };
    choices.set(choice.index, {
      message: joined(known.message, choice.delta ?? {}),
      finish: choice.finish_reason ?? known.finish,
      logprobs: logprobsOf(choice, known.logprobs),
    });
  }
  return {
    id: first.id,
    object: 'chat.completion' as const,
    created: first.created,
    model: first.model,
    ...(first.system_fingerprint === undefined ? {} : { system_fingerprint: first.system_fingerprint }),
    choices: [...choices]
      .sort(([left], [right]) => left - right)
      .map(([index, { message, finish, logprobs }]) => ({
        index,
        message: { role: 'assistant', content: null, refusal: null, ...withoutIndexes(message) },
        logprobs,
        finish_reason: finish,
      })),
    usage,
  };
}

/** Texts grow, lists join by `index` and objects by name; anything else is replaced. */
function joined(known: Message, delta: Readonly<Record<string, unknown>>): Message {
  const result: Message = { ...known };
  for (const [name, more] of Object.entries(delta)) {
    const had = result[name];
    if (more === null || more === undefined) result[name] ??= more ?? null;
    else if (typeof more === 'string' && typeof had === 'string' && !SAID_ONCE.has(name))
      result[name] = had + more;
    else if (Array.isArray(more)) result[name] = joinedLists((had ?? []) as Message[], more as Message[]);
    else if (typeof more === 'object') result[name] = joined((had ?? {}) as Message, more as Message);
    else result[name] = more;
  }
  return result;
}

/** Not pieces: some servers repeat them with every chunk. */
const SAID_ONCE: ReadonlySet<string> = new Set(['role', 'id', 'type', 'name']);

function joinedLists(known: readonly Message[], more: readonly Message[]): Message[] {
  const result = [...known];
  for (const item of more) {
    const at = result.findIndex((it) => it['index'] !== undefined && it['index'] === item['index']);
    if (at === -1) result.push(joined({}, item));
    else result[at] = joined(result[at] ?? {}, item);
  }
  return result;
}

/** Tool calls of a whole message have no index; their order says it. */
function withoutIndexes(message: Message): Message {
  const calls = message['tool_calls'];
  if (!Array.isArray(calls)) return message;
  const ordered = (calls as Message[]).toSorted(
    (left, right) => Number(left['index']) - Number(right['index']),
  );
  return { ...message, tool_calls: ordered.map(({ index: _, ...call }) => call) };
}

function logprobsOf({ logprobs }: ChunkChoice, known: Message | null): Message | null {
  return logprobs ? joined(known ?? {}, logprobs) : known;
}
