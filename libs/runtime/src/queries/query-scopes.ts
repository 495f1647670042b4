import {
  type QueryOptimizer,
  type QueryPriority,
  withLoaders,
  withQueryPriority,
} from '@peregrine/query-optimizer';
import { type AroundHandler, type TaskPriority } from '@peregrine/task-queue';
import { type FastifyInstance } from 'fastify';
import { onResponseClose } from '../responses/on-response-close.js';

/** Somebody waits for an urgent task; for a patient one nobody does. */
const PRIORITY_OF_CLASS: Readonly<Record<TaskPriority, QueryPriority>> = {
  CRITICAL: 'high',
  HIGH: 'normal',
  NORMAL: 'normal',
  LOW: 'low',
  BATCH: 'low',
};

/**
 * The queries of a request go before those of tasks, are watched for loops as one, and share loaders. The hook runs when the
 * body has been read, since what is read of a socket loses the context; guards, pipes and handlers come after it.
 */
export function registerRequestQueries(fastify: FastifyInstance, { detector }: QueryOptimizer): void {
  fastify.addHook('preHandler', (request, reply, done) => {
    const name = `${request.method} ${request.routeOptions.url ?? 'unknown'}`;
    const answered = async () => {
      done();
      await new Promise<void>((resolve) => onResponseClose(reply.raw, resolve));
    };
    // Its failure is the reply's: here it only ends.
    const inScope = () => withLoaders(() => detector.run(name, answered));
    void withQueryPriority('high', inScope).catch(() => undefined);
  });
}

/** The queries of a task, or of a batch of tasks, have the priority of its class, are watched for loops as one, and share loaders. */
export function aroundTaskHandlers({ detector }: QueryOptimizer): AroundHandler {
  return (definition, run) =>
    withQueryPriority(PRIORITY_OF_CLASS[definition.priority], () =>
      withLoaders(() => detector.run(definition.name, run)),
    );
}
