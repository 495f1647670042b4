import { type QueryOptimizer, type QueryPriority, withQueryPriority } from '@peregrine/query-optimizer';
import { type AroundHandler, type TaskPriority } from '@peregrine/task-queue';
import { type FastifyInstance } from 'fastify';
import { once } from 'node:events';

/** Somebody waits for an urgent task; for a patient one nobody does. */
const PRIORITY_OF_CLASS: Readonly<Record<TaskPriority, QueryPriority>> = {
  CRITICAL: 'high',
  HIGH: 'normal',
  NORMAL: 'normal',
  LOW: 'low',
  BATCH: 'low',
};

/**
 * The queries of a request go before those of tasks, and are watched for loops as one. The hook runs when the body has
 * been read, since what is read of a socket loses the context; guards, pipes and handlers come after it.
 */
export function registerRequestQueries(fastify: FastifyInstance, { detector }: QueryOptimizer): void {
  fastify.addHook('preHandler', (request, reply, done) => {
    const name = `${request.method} ${request.routeOptions.url ?? 'unknown'}`;
    const answered = async () => {
      done();
      await once(reply.raw, 'close');
    };
    // Its failure is the reply's: here it only ends.
    void withQueryPriority('high', () => detector.run(name, answered)).catch(() => undefined);
  });
}

/** The queries of a task have the priority of its class, and are watched for loops as one. */
export function aroundTaskHandlers({ detector }: QueryOptimizer): AroundHandler {
  return (definition, run) =>
    withQueryPriority(PRIORITY_OF_CLASS[definition.priority], () => detector.run(definition.name, run));
}
