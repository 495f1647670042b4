import { onCacheEvent } from '@peregrine/cache';
import { surrogateHeaders } from '@peregrine/cdn';
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { AsyncLocalStorage } from 'node:async_hooks';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by `tagResponse`: tags of the cache that the answer is made from. */
    edgeTags?: readonly string[];
  }
}

/** What one request found in the namespaces that answers are made from. */
interface Reads {
  hits: number;
  misses: number;
}

/** Those whose entries are content; who may see it is cached too, and says nothing of the answer. */
const NAMESPACES = new Set(['content', 'search']);
/** What a cache in front keeps or renews an entry with. */
const KEPT_STATUS = new Set([200, 304]);

/** Of what a CDN keeps for one API key; purged when the key is revoked. */
export const apiKeyTag = (apiKeyId: string) => `api-key:${apiKeyId}`;

/** The answer to this request goes with these tags of the cache: whoever keeps it is told when they are invalidated. */
export function tagResponse(request: FastifyRequest, ...tags: string[]): void {
  request.edgeTags = tags;
}

/**
 * Tells caches in front what an answer is made from (`Surrogate-Key`, `Cache-Tag`), how long a CDN may keep it
 * (`CDN-Cache-Control`, RFC 9213), and whether it came from the own cache (`Cache-Status`, RFC 9211).
 *
 * @param apiTtlSeconds 0: what is for one API key is not kept by a CDN
 */
export function registerEdgeHeaders(fastify: FastifyInstance, apiTtlSeconds: number): void {
  const reads = new AsyncLocalStorage<Reads>();
  const count = (field: keyof Reads) => (event: { readonly namespace: string }) => {
    const its = reads.getStore();
    if (its && NAMESPACES.has(event.namespace)) its[field]++;
  };
  const stops = [
    onCacheEvent('hit', count('hits')),
    onCacheEvent('miss', count('misses')),
    onCacheEvent('load:start', count('misses')),
  ];
  fastify.addHook('onClose', (_instance, done) => {
    for (const stop of stops) stop();
    done();
  });
  fastify.addHook('onRequest', (_request, _reply, done) => reads.run({ hits: 0, misses: 0 }, done));
  fastify.addHook('onSend', (request, reply, payload, done) => {
    if (request.edgeTags && KEPT_STATUS.has(reply.statusCode)) {
      addHeaders(request, reply, request.edgeTags, reads.getStore(), apiTtlSeconds);
    }
    done(null, payload);
  });
}

function addHeaders(
  { caller }: FastifyRequest,
  reply: FastifyReply,
  tags: readonly string[],
  reads: Reads | undefined,
  apiTtlSeconds: number,
): void {
  const status = cacheStatusOf(reads);
  if (status !== undefined) void reply.header('Cache-Status', status);
  if (!caller) return;
  const headers = surrogateHeaders([...tags, apiKeyTag(caller.apiKeyId)]);
  // Not past the end of the key, and only what a CDN can tell from what is for another key.
  const leftSeconds = caller.expiresAt === null ? Infinity : (caller.expiresAt - Date.now()) / 1_000;
  const ttlSeconds = Math.floor(Math.min(apiTtlSeconds, leftSeconds));
  const isVaried = /\bauthorization\b/i.test(String(reply.getHeader('Vary')));
  void reply.headers({
    ...(ttlSeconds > 0 && isVaried && { 'CDN-Cache-Control': `public, max-age=${ttlSeconds}` }),
    ...headers,
  });
}

/** A hit when nothing had to be fetched. */
function cacheStatusOf(reads: Reads | undefined): string | undefined {
  if (!reads || reads.hits + reads.misses === 0) return undefined;
  return reads.misses > 0 ? 'peregrine; fwd=miss' : 'peregrine; hit';
}
