import { OPERATIONS_PATHS, type RequestPriority } from '@peregrine/runtime';
import { type FastifyInstance, type FastifyRequest } from 'fastify';
import { TASK_BOARD_PATH } from '../dashboard/task-board.js';
import { CONSOLE_PATH } from '../console/console.tokens.js';

const FILES = '/api/v1/workspaces/:workspaceId/files';

/** Tokens that a request costs, where it is not one. */
export const ROUTE_COSTS: Readonly<Record<string, number>> = {
  [`POST ${FILES}`]: 10,
  [`PUT ${FILES}/*`]: 5,
  'GET /api/v1/workspaces/:workspaceId/search': 2,
  'POST /api/v1/retrieval/query': 5,
  'POST /api/v1/retrieval/explain': 5,
};

/** What carries files: shed first, and never more than a part of what runs. */
const UPLOADS: readonly string[] = [`POST ${FILES}`, `PUT ${FILES}/*`];

/** Where somebody tries a key that is in no header. */
const LOGIN = `POST ${CONSOLE_PATH}/api/session`;

/** For operators, who look when there is too much of everything: limited by key and address, never shed. */
export const OPERATOR_PATHS = [
  CONSOLE_PATH,
  TASK_BOARD_PATH,
  ...['meta', 'optimizer', 'tasks', 'cdn', 'audit-events', 'api-keys', 'retrieval/planner'].map(
    (it) => `/api/v1/${it}`,
  ),
] as const;

/** How one route is protected. */
export interface RouteRule {
  /** Method and template; `unmatched` for what is no route. */
  readonly kind: string;
  readonly cost: number;
  /** Undefined: it never waits and is never shed. */
  readonly priority: RequestPriority | undefined;
  readonly isLogin: boolean;
  /** Probes and figures: not even counted. */
  readonly isExempt: boolean;
}

const READING: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

/** The rule of a route, from its method and template alone. */
export function ruleFor(method: string, url: string | undefined): RouteRule {
  const route = `${method === 'HEAD' ? 'GET' : method} ${url ?? ''}`;
  const isOperators = OPERATOR_PATHS.some((it) => url === it || url?.startsWith(`${it}/`));
  return {
    kind: url === undefined ? 'unmatched' : route,
    cost: ROUTE_COSTS[route] ?? 1,
    priority: isOperators ? undefined : priorityOf(method, route),
    isLogin: route === LOGIN,
    isExempt: OPERATIONS_PATHS.includes(url ?? ''),
  };
}

function priorityOf(method: string, route: string): RequestPriority {
  if (UPLOADS.includes(route)) return 'upload';
  return READING.includes(method) ? 'read' : 'write';
}

/** The rules of a server's routes, each made once. */
export class RouteRules {
  readonly #byConfig = new WeakMap<object, Map<string, RouteRule>>();

  /** @throws {Error} at start, when a cost is for a route that does not exist: it would cost 1 */
  constructor(fastify: FastifyInstance) {
    const routes = new Set<string>();
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const it of [method].flat()) routes.add(`${it} ${url}`);
    });
    fastify.addHook('onReady', (done) => {
      const unknown = [...Object.keys(ROUTE_COSTS), LOGIN].filter((it) => !routes.has(it));
      done(unknown.length > 0 ? new Error(`There is no route ${unknown.join(', ')} to protect`) : undefined);
    });
  }

  of(request: FastifyRequest): RouteRule {
    const { config, url } = request.routeOptions;
    const template = request.is404 ? undefined : url;
    // Fastify's framework errors have no route at all.
    if (!(config as object | undefined)) return ruleFor(request.method, template);
    let byMethod = this.#byConfig.get(config);
    if (!byMethod) this.#byConfig.set(config, (byMethod = new Map<string, RouteRule>()));
    let rule = byMethod.get(request.method);
    if (!rule) byMethod.set(request.method, (rule = ruleFor(request.method, template)));
    return rule;
  }
}
