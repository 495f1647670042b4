import { type MetricFamily } from '@peregrine/metrics';
import { KnownKeys } from './known-keys.js';
import { rateLimitMetrics } from './rate-limit.metrics.js';
import { type RateDecision, type RatePolicy } from './rate-policy.js';
import { type SharedTokens } from './shared-tokens.js';
import { TokenLease } from './token-lease.js';

/** Callers that a process remembers for each limit; who is forgotten has all of its tokens in the store still. */
const MAX_CALLERS = 10_000;

/** The three limits of the api. */
export interface RatePolicies {
  readonly key: RatePolicy;
  readonly address: RatePolicy;
  readonly failures: RatePolicy;
}

/** Who sends a request, before anything was looked up for it. */
export interface RateCaller {
  /** As `clientNetwork` gives it. Not read where a key is known. */
  readonly network: string;
  /** Hash of the API key that it shows, which may be wrong; undefined for none. */
  readonly key: string | undefined;
  /** Whether it tries a key in another way, such as a login. */
  readonly isLogin?: boolean;
}

/**
 * Limits requests by API key, and by address where a key is not known to hold. A key counts as known in this process
 * once it was let in; so made-up keys share the bucket of their address. Wrong ones have a limit of their own besides, and
 * beyond it only known keys get in from there.
 */
export class RateLimits {
  /** Name as a source of metrics. */
  readonly name = 'rate-limits';
  /** Requests that were refused, by policy. */
  readonly refused: Record<keyof RatePolicies, number> = { key: 0, address: 0, failures: 0 };
  /** Requests that were let through. */
  allowed = 0;

  readonly #known = new KnownKeys();
  readonly #leases: Record<keyof RatePolicies, Map<string, TokenLease>> = {
    key: new Map(),
    address: new Map(),
    failures: new Map(),
  };

  constructor(
    readonly policies: RatePolicies,
    readonly tokens: SharedTokens,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Whether a request may go on. At once, unless the store must be asked. Never rejects. */
  admit(caller: RateCaller, cost: number): RateDecision | Promise<RateDecision> {
    const nowMs = this.now();
    const { key } = caller;
    const apiKeyId = key === undefined ? undefined : this.#known.idOf(key, nowMs);
    if (apiKeyId !== undefined) return this.#spend('key', apiKeyId, cost, nowMs);
    const { network, isLogin = false } = caller;
    if (key !== undefined || isLogin) {
      const blockedMs = this.#blockedMs(network);
      if (blockedMs > 0) return this.#refuse('failures', blockedMs);
    }
    return this.#spend('address', network, cost, nowMs);
  }

  /** The key with this hash was good: from now on it has a bucket of its own. */
  accepted(key: string, apiKeyId: string): void {
    this.#known.add(key, apiKeyId, this.now());
  }

  /** Somebody tried a key that does not hold. */
  failed({ network, key }: RateCaller): void {
    if (key !== undefined) this.#known.remove(key);
    void this.#lease('failures', network).spend(1, this.now());
  }

  /** Callers that are remembered. */
  get size(): number {
    return Object.values(this.#leases).reduce((sum, it) => sum + it.size, 0);
  }

  /** Figures for the metrics endpoint. */
  collect(): MetricFamily[] {
    return rateLimitMetrics(this);
  }

  #blockedMs(network: string): number {
    return this.#leases.failures.get(network)?.blockedMs(1) ?? 0;
  }

  #spend(
    policy: keyof RatePolicies,
    caller: string,
    cost: number,
    nowMs: number,
  ): RateDecision | Promise<RateDecision> {
    const decision = this.#lease(policy, caller).spend(Math.min(cost, this.policies[policy].burst), nowMs);
    if (decision instanceof Promise) return decision.then((it) => this.#counted(policy, it));
    return this.#counted(policy, decision);
  }

  #counted(policy: keyof RatePolicies, decision: RateDecision): RateDecision {
    if (decision.allowed) this.allowed++;
    else this.refused[policy]++;
    return decision;
  }

  #refuse(name: keyof RatePolicies, retryAfterMs: number): RateDecision {
    return this.#counted(name, { policy: this.policies[name], allowed: false, remaining: 0, retryAfterMs });
  }

  #lease(name: keyof RatePolicies, caller: string): TokenLease {
    const leases = this.#leases[name];
    const known = leases.get(caller);
    if (known) return known;
    const [oldest] = leases.size >= MAX_CALLERS ? leases.keys() : [];
    if (oldest !== undefined) leases.delete(oldest);
    const policy = this.policies[name];
    const take = (cost: number) => this.tokens.take(policy, caller, cost);
    const lease = new TokenLease(policy, take, this.now, name === 'failures' ? 1 : undefined);
    leases.set(caller, lease);
    return lease;
  }
}
