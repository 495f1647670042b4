import { type FastifyReply, type FastifyRequest } from 'fastify';
import { RateLimitExceededError } from '../protection.errors.js';
import { isLoopback } from '../rates/client-network.js';
import { type RateLimits } from '../rates/rate-limits.js';
import { type RateDecision, type RatePolicy } from '../rates/rate-policy.js';
import { type ProtectedRequest } from './protected-request.js';
import { RateLimitHeaders, retryAfterSeconds } from './rate-limit-headers.js';

/** Headers that only a proxy sets; the caller behind it may be anybody. */
const PROXY_HEADERS = ['forwarded', 'via', 'x-forwarded-for', 'x-real-ip'] as const;

/** What the rate limits mean over HTTP. */
export class RateHooks {
  readonly #headers: ReadonlyMap<RatePolicy, RateLimitHeaders>;

  /** @param limitLocal whether callers on this machine, without a proxy, have limits too */
  constructor(
    private readonly limits: RateLimits,
    private readonly limitLocal: boolean,
  ) {
    const policies = Object.values<RatePolicy>({ ...limits.policies });
    this.#headers = new Map(policies.map((it) => [it, new RateLimitHeaders(it)]));
  }

  applyTo(request: FastifyRequest): boolean {
    return this.limitLocal || !isLocal(request);
  }

  ask(its: ProtectedRequest): RateDecision | Promise<RateDecision> {
    return this.limits.admit(its, its.rule.cost);
  }

  /** Tells the caller. @returns why the request is refused, or undefined */
  tell(
    its: ProtectedRequest,
    reply: FastifyReply,
    decision: RateDecision,
  ): RateLimitExceededError | undefined {
    const { policy, allowed, retryAfterMs } = decision;
    its.policy = policy.name;
    this.#headers.get(policy)?.write(reply, decision);
    return allowed ? undefined : new RateLimitExceededError(policy.name, retryAfterSeconds(retryAfterMs));
  }

  /** Who was let in has a bucket of its own from now on; who was not has failed. Once for each request. */
  learn(its: ProtectedRequest, request: FastifyRequest, statusCode: number): void {
    const { policy } = its;
    its.policy = undefined;
    // Undefined where there is no limit; a key that is known is known.
    if (policy !== 'address') {
      if (policy === 'key' && statusCode === 401) this.limits.failed(its);
      return;
    }
    const { key } = its;
    if (request.caller && key !== undefined) this.limits.accepted(key, request.caller.apiKeyId);
    else if (statusCode === 401 && (key !== undefined || its.isLogin)) this.limits.failed(its);
  }
}

/** This machine, and no proxy on it. */
function isLocal({ socket, headers }: FastifyRequest): boolean {
  return isLoopback(socket.remoteAddress) && PROXY_HEADERS.every((it) => headers[it] === undefined);
}
