import { type MemoryManager } from '@peregrine/metrics';
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { OverloadedError } from '../protection/protection.errors.js';

export interface ShedRequestsOptions {
  readonly manager: MemoryManager;
  /** Paths, and what is below them, that are answered all the same: probes, figures, what operators need to help. */
  readonly exempt: readonly string[];
  readonly refuse: (error: OverloadedError, request: FastifyRequest, reply: FastifyReply) => void;
}

/** Refuses requests while memory runs short, before their bodies are read. */
export function registerShedRequests(
  fastify: FastifyInstance,
  { manager, exempt, refuse }: ShedRequestsOptions,
): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    if (!manager.isShedding || isBelow(request.url, exempt)) return done();
    manager.countShed();
    const { retryAfterSeconds } = manager.options;
    refuse(new OverloadedError(retryAfterSeconds, 'The service is short of memory'), request, reply);
  });
}

/** By whole segments, so that `/health` does not exempt `/healthy`. */
export function isBelow(url: string, paths: readonly string[]): boolean {
  const path = url.split('?', 1)[0] ?? '';
  return paths.some((it) => path === it || path.startsWith(`${it}/`));
}
