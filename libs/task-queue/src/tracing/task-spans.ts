import {
  context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { type AttemptOutcome } from '../execution/attempt-runner.js';
import { type Attempt } from '../execution/attempt.js';
import { type NewTask } from '../queue/new-task.js';
import { contextOf, currentTrace } from './trace-context.js';

const tracer = trace.getTracer('@peregrine/task-queue');

const SYSTEM = { 'messaging.system': 'peregrine' };

/**
 * Submits tasks within a span of its own, which their attempts follow. Outside of a trace there is none: the first
 * attempt begins one then.
 */
export async function submitSpan<T>(
  tasks: readonly NewTask[],
  submit: (tasks: readonly NewTask[]) => Promise<T>,
): Promise<T> {
  const [first] = tasks;
  if (!first || !trace.getActiveSpan()) return submit(tasks);
  const names = [...new Set(tasks.map((it) => it.definition.name))];
  const span = tracer.startSpan(names.length === 1 ? `submit ${names[0]}` : 'submit', {
    kind: SpanKind.PRODUCER,
    attributes: {
      ...SYSTEM,
      'messaging.operation.type': 'send',
      ...(names.length === 1 && { 'messaging.destination.name': first.definition.name }),
      ...(tasks.length === 1
        ? { 'messaging.message.id': first.id }
        : { 'messaging.batch.message_count': tasks.length }),
    },
  });
  return within(span, () => {
    const submitted = currentTrace();
    return submit(submitted ? tasks.map((it) => ({ ...it, trace: submitted })) : tasks);
  });
}

/** Runs an attempt within a span that follows the submission of its task. */
export function attemptSpan(attempt: Attempt, run: () => Promise<AttemptOutcome>): Promise<AttemptOutcome> {
  const { definition, context: known, trace: submitted } = attempt;
  const parent = contextOf(submitted);
  const span = tracer.startSpan(
    `process ${definition.name}`,
    {
      kind: SpanKind.CONSUMER,
      attributes: {
        ...SYSTEM,
        'messaging.operation.type': 'process',
        'messaging.destination.name': definition.name,
        'messaging.message.id': known.id,
        'peregrine.task.attempt': known.attempt,
      },
    },
    parent,
  );
  attempt.span = span;
  return within(
    span,
    async () => {
      const outcome = await run();
      span.setAttribute('peregrine.task.outcome', outcome.kind);
      return outcome;
    },
    parent,
  );
}

/** Calls a batch handler within a span that belongs to no trace of its tasks more than to another: it links them all. */
export function batchSpan<T>(attempts: readonly Attempt[], call: () => Promise<T>): Promise<T> {
  const name = attempts[0]?.definition.name ?? '';
  const links = attempts.flatMap(({ span }): Link[] => (span ? [{ context: span.spanContext() }] : []));
  const span = tracer.startSpan(
    `process batch ${name}`,
    {
      kind: SpanKind.CONSUMER,
      links,
      attributes: {
        ...SYSTEM,
        'messaging.operation.type': 'process',
        'messaging.destination.name': name,
        'messaging.batch.message_count': attempts.length,
      },
    },
    ROOT_CONTEXT,
  );
  return within(span, call, ROOT_CONTEXT);
}

/** Messages of errors may hold what payloads hold, so of a failure only its kind is told. */
async function within<T>(span: Span, work: () => Promise<T>, parent = context.active()): Promise<T> {
  try {
    return await context.with(trace.setSpan(parent, span), work);
  } catch (error) {
    span.setAttribute('error.type', error instanceof Error ? error.name : typeof error);
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}
