import { describe, expect, it } from '@jest/globals';
import { slowRequestLogger } from './slow-request-log.js';

const report = {
  requestId: 'req-1',
  method: 'GET',
  route: '/files/:id',
  statusCode: 200,
  aborted: false,
  durationMs: 612.34567,
  phases: [],
  eventLoop: { lagMeanMs: 0, lagP99Ms: 0, lagMaxMs: 0, utilization: 0 },
};

describe('slowRequestLogger', () => {
  it('logs ten lines a second and says how many it left out', () => {
    const lines: unknown[] = [];
    let nowMs = 5_000;
    const log = slowRequestLogger({ warn: (line: unknown) => void lines.push(line) }, () => nowMs);
    for (let i = 0; i < 25; i++) log(report);
    expect(lines).toHaveLength(10);
    expect(lines[0]).toEqual({ message: 'slow request', ...report, durationMs: 612.346 });

    nowMs += 1_000;
    log(report);
    log(report);
    expect(lines.slice(10)).toEqual([
      expect.objectContaining({ suppressed: 15 }),
      expect.not.objectContaining({ suppressed: expect.anything() }),
    ]);
  });
});
