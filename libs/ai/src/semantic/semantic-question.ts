import { type ChatRequest } from '../chat/chat-request.js';

/** Longer questions differ in a detail without their embeddings showing it. */
const MAX_QUESTION_CHARS = 1_000;

/** A request, taken apart. */
export interface SemanticQuestion {
  /** Of the last message. */
  readonly text: string;
  /** The same request without that text. */
  readonly rest: ChatRequest;
}

/**
 * The question of a request whose reply may be that of another one. Undefined with tools, whose calls act on what exactly was said, or
 * when the last message is not a short text of the user.
 */
export function semanticQuestionOf(request: ChatRequest): SemanticQuestion | undefined {
  const { messages } = request;
  const last = messages.at(-1);
  const text = last?.['content'];
  if (last?.role !== 'user' || typeof text !== 'string') return undefined;
  if (text.trim() === '' || text.length > MAX_QUESTION_CHARS) return undefined;
  if (isGiven(request['tools']) || isGiven(request['functions'])) return undefined;
  if (messages.some((it) => ['tool', 'function'].includes(it.role) || isGiven(it['tool_calls'])))
    return undefined;
  return { text, rest: { ...request, messages: [...messages.slice(0, -1), { ...last, content: '' }] } };
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
}
