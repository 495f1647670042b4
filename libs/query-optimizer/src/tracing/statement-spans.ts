import { type Attributes, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { type Statement } from '../analysis/statement.js';
import { type QueryEnd, type TappedQuery } from '../tap/query-observer.js';

const tracer = trace.getTracer('@peregrine/query-optimizer');

/**
 * A span for a statement within a trace. It has the fingerprint of the statement and its text without constants, never
 * a parameter, and of an error its code: messages of PostgreSQL repeat values.
 */
export function statementSpan({ statement }: Pick<TappedQuery, 'statement'>): QueryEnd | undefined {
  if (!trace.getActiveSpan()?.isRecording()) return undefined;
  const summary = statement ? summaryOf(statement) : 'SQL';
  const span = tracer.startSpan(summary, {
    kind: SpanKind.CLIENT,
    attributes: { 'db.system.name': 'postgresql', ...(statement && attributesOf(statement, summary)) },
  });
  return ({ rowCount, error }) => {
    span.setAttribute('db.response.returned_rows', rowCount);
    if (error) {
      const { code } = error as { code?: unknown };
      if (typeof code === 'string') span.setAttribute('db.response.status_code', code);
      span.setAttribute('error.type', typeof code === 'string' ? code : error.name);
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end();
  };
}

function attributesOf(statement: Statement, summary: string): Attributes {
  return {
    'db.operation.name': statement.kind.toUpperCase(),
    'db.query.summary': summary,
    'db.query.text': statement.normalisedText,
    'peregrine.query.fingerprint': statement.fingerprint,
  };
}

/** `SELECT files`, `COMMIT`: few different ones, whatever the application asks. */
function summaryOf({ kind, transaction, references }: Statement): string {
  const [target] = references.filter((it) => it.use === 'write').concat(references);
  const operation = (transaction ?? kind).toUpperCase();
  return target ? `${operation} ${target.relation.name}` : operation;
}
