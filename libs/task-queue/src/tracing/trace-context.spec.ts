import { describe, expect, it } from '@jest/globals';
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import fc from 'fast-check';
import { contextOf, currentTrace, type TraceContext, traceOf, traceText } from './trace-context.js';

const hex = (length: number) =>
  fc.string({
    unit: fc.constantFrom(...'0123456789abcdef'),
    minLength: length,
    maxLength: length,
  });
const traceparent = fc.tuple(hex(32), hex(16), hex(2)).map((it) => ['00', ...it].join('-'));
/** A list may have spaces around its commas. */
const tracestate = fc
  .array(fc.tuple(hex(4), hex(8)), { minLength: 1 })
  .map((it) => it.map((pair) => pair.join('=')).join(' , '));
const submitted: fc.Arbitrary<TraceContext> = fc.record(
  { traceparent, tracestate },
  { requiredKeys: ['traceparent'] },
);

describe('the trace context of a task', () => {
  it('is the same after the outbox as before', () => {
    fc.assert(fc.property(submitted, (it) => expect(traceOf(traceText(it))).toEqual(it)));
  });

  it('leads nowhere when somebody wrote it by hand, and breaks nothing', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(trace.getSpanContext(contextOf(traceOf(text)))).toBeUndefined();
      }),
    );
    expect(contextOf(undefined)).toBe(ROOT_CONTEXT);
  });

  it('is not there without an SDK', () => {
    expect(currentTrace()).toBeUndefined();
  });
});
