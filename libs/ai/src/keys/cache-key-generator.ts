import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.js';
import { type KeyDifference, KeyMemory } from './key-memory.js';
import { normalisedCode } from './source-code.js';
import { type AiResultKind } from './ttl-policies.js';

/** Raised when the form of a key, or of what lies behind it, changes: old and new programs then share nothing. */
const KEY_VERSION = 'v1';

/** What an analysis depends on. Fields beyond these go into the key as they are. */
export interface AnalysisKeyParts {
  /** Whose result it is; results are never shared between tenants. */
  readonly tenant: string;
  readonly code: string;
  readonly language: string;
  /** In any order, doubled or not. */
  readonly rules: readonly string[];
  /** As it is resolved, with its version. */
  readonly model: string;
  readonly [option: string]: unknown;
}

/** What an embedding depends on. */
export interface EmbeddingKeyParts {
  readonly tenant: string;
  /** Names provider, model and dimensions. */
  readonly model: string;
  readonly input: string;
}

/** What the reply of a model depends on. */
export interface ReplyKeyParts {
  readonly tenant: string;
  /** Base URL of the provider. */
  readonly provider: string;
  /** As it is resolved. */
  readonly model: string;
  /** The whole request, as the protocol has it. */
  readonly request: Readonly<Record<string, unknown>>;
}

/** Fields of a request that cannot change what the model says. All others are part of the key, known or not. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  ...['model', 'stream', 'stream_options', 'user', 'safety_identifier', 'metadata', 'store'],
  ...['service_tier', 'prompt_cache_key', 'prompt_cache_retention'],
]);

/** What the protocol takes for a field that is absent, in canonical form. */
const DEFAULTS: Readonly<Record<string, string>> = {
  n: '1',
  top_p: '1',
  temperature: '1',
  frequency_penalty: '0',
  presence_penalty: '0',
  logprobs: 'false',
  logit_bias: '{}',
  tools: '[]',
  functions: '[]',
  parallel_tool_calls: 'true',
  response_format: '{"type":"text"}',
  modalities: '["text"]',
};

/**
 * Keys of AI results: `ai:<kind>:v1:<hash of the content>:<hash of the options>`, SHA-256 in lower-case hexadecimal over canonical JSON.
 * The same request has the same key in every process; whatever can change an answer changes the key, fields that this version does not
 * know included, and so does the tenant. Remembers the latest keys by their options alone (contents as hashes), to answer {@link whyMissed}.
 */
export class CacheKeyGenerator {
  readonly #memory: KeyMemory;

  /** @param remembered how many keys `whyMissed` compares with, 0 for none */
  constructor({ remembered = 500 }: { readonly remembered?: number } = {}) {
    this.#memory = new KeyMemory(remembered);
  }

  /** @throws {AiKeyError} */
  analysis({ code, rules, ...options }: AnalysisKeyParts): string {
    const sorted = [...new Set(rules)].sort();
    return this.#key('analysis', normalisedCode(code), { ...options, rules: sorted });
  }

  embedding({ input, ...options }: EmbeddingKeyParts): string {
    // Not remembered: thousands come at once, and would push out all that is worth a comparison.
    return `ai:embedding:${KEY_VERSION}:${sha256(input)}:${sha256(canonicalJson(options))}`;
  }

  /** The reply of a chat. @throws {AiKeyError} */
  chat({ request, ...options }: ReplyKeyParts): string {
    const { messages, ...rest } = request;
    return this.#key('chat', canonicalJson(messages ?? null, 'messages'), {
      ...options,
      ...withoutDefaults(rest),
    });
  }

  /** What a request has in common with others: like a key, but for no reply, and not remembered. @throws {AiKeyError} */
  chatContext({ request, ...options }: ReplyKeyParts): string {
    const { messages, ...rest } = request;
    return sha256(canonicalJson({ ...options, messages: messages ?? null, ...withoutDefaults(rest) }));
  }

  /** Any other call of a model, by its arguments. @throws {AiKeyError} */
  call(kind: AiResultKind, tenant: string, args: unknown): string {
    return this.#key(kind, canonicalJson(args, 'arguments'), { tenant });
  }

  /**
   * Why a key found nothing: where it differs from the nearest of the latest keys of its kind and tenant. Undefined when the key is
   * not remembered any more, or the first of its kind. Contents and long values are shown as hashes.
   */
  whyMissed(key: string): KeyDifference | undefined {
    return this.#memory.nearest(key);
  }

  #key(kind: AiResultKind, content: string, options: Readonly<Record<string, unknown>>): string {
    const contentHash = sha256(content);
    const key = `ai:${kind}:${KEY_VERSION}:${contentHash}:${sha256(canonicalJson(options))}`;
    this.#memory.remember(key, { group: `${kind}\n${String(options.tenant)}`, contentHash, options });
    return key;
  }
}

function withoutDefaults(request: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept = Object.entries(request).filter(
    ([name, it]) =>
      // The protocol takes null for absent.
      !WITHOUT_EFFECT.has(name) && it !== undefined && it !== null && !isDefault(name, it, request),
  );
  // A field may be called `tenant` or `model` too: apart from ours.
  return Object.fromEntries(kept.map(([name, it]) => [`request.${name}`, it]));
}

function isDefault(name: string, value: unknown, request: Readonly<Record<string, unknown>>): boolean {
  // Without tools `none` is what the protocol takes, with them `auto`.
  if (name === 'tool_choice') return value === (hasTools(request) ? 'auto' : 'none');
  return Object.hasOwn(DEFAULTS, name) && canonicalJson(value, name) === DEFAULTS[name];
}

function hasTools({ tools }: Readonly<Record<string, unknown>>): boolean {
  return Array.isArray(tools) && tools.length > 0;
}

/** Of the UTF-8 form; a text that has none (a lone surrogate) is kept apart by a byte that UTF-8 never has. */
function sha256(text: string): string {
  const bytes = text.isWellFormed() ? text : Buffer.concat([Buffer.of(0xff), Buffer.from(text, 'utf16le')]);
  return createHash('sha256').update(bytes).digest('hex');
}
