import { describe, expect, it } from '@jest/globals';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { WatchedExporter } from './watched-exporter.js';

/** An exporter that ends as it is told. */
function watched() {
  const lines: string[] = [];
  let next: ExportResult = { code: ExportResultCode.SUCCESS };
  const exporter = new WatchedExporter(
    { export: (_spans, done) => done(next), shutdown: () => Promise.resolve() },
    {
      logger: { warn: (line: string) => lines.push(line), log: (line: string) => lines.push(line) },
      endpoint: 'http://name:secret@collector:4318/v1?key=secret',
    },
  );
  const send = (result: ExportResult) => {
    next = result;
    let told: ExportResult | undefined;
    exporter.export([], (it) => (told = it));
    expect(told).toBe(result);
  };
  return { lines, send };
}

const failed = (message: string): ExportResult => ({
  code: ExportResultCode.FAILED,
  error: Object.assign(new Error(message), { code: 'ECONNREFUSED' }),
});

describe('a watched exporter', () => {
  it('says that spans are lost once, and once that they arrive again, without secrets', () => {
    const { lines, send } = watched();
    send({ code: ExportResultCode.SUCCESS });
    for (let i = 0; i < 3; i++) send(failed('the answer holds a secret'));
    for (let i = 0; i < 3; i++) send({ code: ExportResultCode.SUCCESS });
    send({ code: ExportResultCode.FAILED });
    expect(lines).toEqual([
      'Spans cannot be sent to http://collector:4318/v1 and are lost: Error ECONNREFUSED',
      'Spans are sent to http://collector:4318/v1 again',
      'Spans cannot be sent to http://collector:4318/v1 and are lost: no reason given',
    ]);
  });
});
