import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Origin } from '../origin/origin.js';

/** A handler as Connect and Express call it, at the root of the application. */
export type OriginMiddleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

/**
 * Serves an origin from an Express or Connect application below the origin's prefix: `app.use(originMiddleware(origin))`.
 * Everything else goes to the next handler. Headers that handlers before it have set go out too.
 *
 * @param notFound who answers what is not there: the origin, or the next handler. @default 'origin'
 */
export function originMiddleware(
  origin: Origin,
  { notFound = 'origin' }: { notFound?: 'origin' | 'application' } = {},
): OriginMiddleware {
  return (request, response, next) => {
    if (!isBelow(origin.prefix, request.url ?? '/')) return next();
    origin.respond(request, response, notFound === 'application' ? next : undefined);
  };
}

/** Without a prefix every target is the origin's, also one that is no path. */
function isBelow(prefix: string, url: string): boolean {
  if (prefix === '') return true;
  // A query may follow the prefix at once: the origin redirects that to the folder.
  return url.startsWith(prefix) && /^[/?]?$/.test(url.slice(prefix.length, prefix.length + 1));
}
