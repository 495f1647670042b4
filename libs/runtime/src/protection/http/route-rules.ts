import { type FastifyRequest } from 'fastify';
import { type RequestPriority } from '../concurrency/concurrency-gate.js';

/** How one route is protected. */
export interface RouteRule {
  /** Method and template; `unmatched` for what is no route. */
  readonly kind: string;
  /** Tokens of the rate limits. */
  readonly cost: number;
  /** Undefined: it never waits and is never shed. */
  readonly priority: RequestPriority | undefined;
  /** Whether somebody tries a key there that is in no header. */
  readonly isLogin: boolean;
  /** Probes and figures: not even counted. */
  readonly isExempt: boolean;
}

/** The rule of a route, from its method and template alone; the template is undefined for what is no route. */
export type RuleOfRoute = (method: string, url: string | undefined) => RouteRule;

/** The rules of a server's routes, each made once. */
export class RouteRules {
  /** By the route's config object, of which there is one for each, and method. */
  readonly #byConfig = new WeakMap<object, Map<string, RouteRule>>();

  constructor(private readonly ruleFor: RuleOfRoute) {}

  of(request: FastifyRequest): RouteRule {
    const { config, url } = (request.timing.route ??= request.routeOptions);
    const template = request.is404 ? undefined : url;
    // Fastify's framework errors have no route at all.
    if (!(config as object | undefined)) return this.ruleFor(request.method, template);
    let byMethod = this.#byConfig.get(config);
    if (!byMethod) this.#byConfig.set(config, (byMethod = new Map<string, RouteRule>()));
    let rule = byMethod.get(request.method);
    if (!rule) byMethod.set(request.method, (rule = this.ruleFor(request.method, template)));
    return rule;
  }
}
