import { APIConnectionTimeoutError, APIError, APIUserAbortError, OpenAI } from 'openai';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type AiError,
  AiProviderAccessError,
  AiProviderError,
  AiQuotaExhaustedError,
  AiRateLimitedError,
  AiRequestRefusedError,
  AiTimeoutError,
} from '../ai.errors.js';
import { type ProviderOptions } from './provider.options.js';
import { type CallFailure, isQuotaExhausted, isWorthRetrying, waitBeforeRetryMs } from './retry-policy.js';

/** Of a provider's message that goes to a caller; longer ones may hold half the request. */
const SHOWN_CHARS = 300;

/**
 * Calls of an endpoint that speaks the protocol of OpenAI, by their own client. That decides by status alone what to try again, so its
 * retries are off, and this decides by the error's code.
 */
export class ProviderClient {
  readonly #client: OpenAI;
  #retries = 0;

  constructor(readonly options: ProviderOptions) {
    this.#client = new OpenAI({
      baseURL: options.baseUrl,
      // The client wants one; a server that needs none does not look at it.
      apiKey: options.apiKey ?? 'none',
      // Else it looks into the environment.
      ...{ organization: null, project: null, adminAPIKey: null, webhookSecret: null, logLevel: 'off' },
      maxRetries: 0,
      timeout: options.timeoutMs,
    });
  }

  /** Attempts beyond the first ones, since the start. */
  get retries(): number {
    return this.#retries;
  }

  /**
   * Sends a request until it is answered, refused, or tried often enough.
   *
   * @returns the answer with its body not read
   * @throws {AiTimeoutError} {@link AiRateLimitedError} {@link AiQuotaExhaustedError} {@link AiProviderAccessError}
   *   {@link AiRequestRefusedError} {@link AiProviderError}, or the signal's reason
   */
  async post(path: string, body: Readonly<Record<string, unknown>>, signal?: AbortSignal): Promise<Response> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#client.post(path, { body, ...(signal && { signal }) }).asResponse();
      } catch (error) {
        signal?.throwIfAborted();
        await this.#waitOrGiveUp(error, attempt, signal);
      }
    }
  }

  /** Resolves when the next attempt is due. */
  async #waitOrGiveUp(error: unknown, attempt: number, signal?: AbortSignal): Promise<void> {
    if (!(error instanceof APIError)) throw error;
    const failed = error as APIError;
    if (error instanceof APIUserAbortError)
      throw new AiProviderError('call was given up', attempt, { cause: error });
    const failure = failureOf(failed);
    const waitMs = waitBeforeRetryMs(failure, attempt);
    const { maxAttempts, maxRetryWaitMs } = this.options;
    if (!isWorthRetrying(failure) || attempt >= maxAttempts || waitMs > maxRetryWaitMs) {
      throw this.#errorOf(failed, failure, { attempt, waitMs });
    }
    this.#retries++;
    await pause(waitMs, undefined, signal ? { signal } : {});
  }

  #errorOf(
    error: APIError,
    failure: CallFailure,
    { attempt, waitMs }: { attempt: number; waitMs: number },
  ): AiError {
    const options = { cause: error };
    const { status, providerCode } = failure;
    if (isQuotaExhausted(failure)) return new AiQuotaExhaustedError(providerCode ?? '', options);
    if (error instanceof APIConnectionTimeoutError)
      return new AiTimeoutError(this.options.timeoutMs, options);
    if (status === undefined) return new AiProviderError('cannot be reached', attempt, options);
    if (status === 429) return new AiRateLimitedError(waitMs, options);
    if (status === 401 || status === 403) return new AiProviderAccessError(options);
    if (status < 500) return new AiRequestRefusedError(status, reasonOf(error), options);
    return new AiProviderError(`answered ${status}`, attempt, options);
  }
}

function failureOf(error: APIError): CallFailure {
  const headers = error.headers;
  return {
    status: error.status,
    providerCode: error.code ?? error.type ?? undefined,
    header: (name) => headers?.get(name) ?? null,
  };
}

function reasonOf(error: APIError): string {
  const { message } = (error.error ?? {}) as { message?: unknown };
  const text = typeof message === 'string' && message !== '' ? message : `status ${String(error.status)}`;
  return text.length <= SHOWN_CHARS ? text : `${text.slice(0, SHOWN_CHARS)} …`;
}
