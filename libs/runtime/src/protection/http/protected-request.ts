import { type FastifyRequest } from 'fastify';
import { presentedKey } from '../../access/presented-key.js';
import { type Place } from '../concurrency/concurrency-gate.js';
import { clientNetwork } from '../rates/client-network.js';
import { type RateCaller } from '../rates/rate-limits.js';
import { type RouteRule } from './route-rules.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the protection knows of it; null before it was seen. */
    protection: ProtectedRequest | null;
  }
}

/** One request as the limits see it: who sends it, and what it was given. */
export class ProtectedRequest implements RateCaller {
  /** The limit that let it in; undefined where none applies. */
  policy: string | undefined;
  /** Its place among the requests that run, while it has one. */
  place: Place | undefined;

  constructor(
    private readonly request: FastifyRequest,
    readonly rule: RouteRule,
  ) {}

  /** Asked for only where no key is known to hold: to tell a client behind its proxies takes a while. */
  get network(): string {
    return clientNetwork(this.request.ip);
  }

  get key(): string | undefined {
    return presentedKey(this.request, WITH_LOGIN)?.digest;
  }

  get isLogin(): boolean {
    return this.rule.isLogin;
  }
}

const WITH_LOGIN = { password: true };
