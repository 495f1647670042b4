import { describe, expect, it } from '@jest/globals';
import { type TaskState } from '../../queue/task-status.js';
import { TortureFailedError } from '../testing.errors.js';
import { ExecutionRecord } from './execution-record.js';
import { type TaskFate } from './task-fate.js';
import { assertSurvived, createReport } from './torture-report.js';

const facts = { seed: 7, elapsedMs: 1_000, kills: 3, crashes: 0, blockedLoops: 1, storePauses: 2 };

/** What workers write about one task, and what the store says of it. */
function fate(
  state: TaskState | null,
  ...events: [fence: number, how: 'begun' | 'returned' | 'threw'][]
): TaskFate {
  const record = new ExecutionRecord();
  for (const [fence, how] of events) {
    const entry = { task: 't', id: 'a', fence };
    if (how === 'begun') record.note({ ...entry, event: 'begun' });
    else record.note({ ...entry, event: 'ended', ...(how === 'threw' && { error: 'Error: bad' }) });
  }
  const status = state && ({ state, error: 'bad' } as TaskFate['status']);
  const isOpen = state === 'running' || state === 'waiting';
  const explanation = { id: 'a', task: 't', reason: 'stalled', text: 'Nobody takes it.' } as const;
  return { task: 't', id: 'a', status, executions: record.of('t', 'a'), ...(isOpen && { explanation }) };
}

describe('the report of a torture', () => {
  it.each([
    ['lost', fate(null, [1, 'begun'])],
    ['stuck', fate('running', [1, 'begun'])],
    ['phantoms', fate('completed', [1, 'begun'])],
    ['sharedFences', fate('completed', [1, 'begun'], [1, 'begun'], [1, 'returned'])],
    ['failed', fate('failed', [1, 'begun'], [1, 'threw'])],
    ['failed', fate('failed')],
    ['poisoned', fate('failed', [1, 'begun'], [2, 'begun'], [1, 'threw'])],
    ['repeated', fate('completed', [1, 'begun'], [1, 'returned'], [2, 'begun'], [2, 'returned'])],
  ] as const)('has what is %s', (list, its) => {
    const report = createReport([its], facts);
    const lists = ['lost', 'stuck', 'phantoms', 'sharedFences', 'failed', 'poisoned', 'repeated'] as const;
    expect(lists.filter((it) => report[it].length > 0)).toEqual([list]);
    // To run again is what at least once means.
    if (list === 'repeated') assertSurvived(report);
    else expect(() => assertSurvived(report)).toThrow(TortureFailedError);
  });

  it('tells the facts, and how to have them again', () => {
    const report = createReport([fate('running', [1, 'begun']), fate('cancelled')], facts);
    expect(() => assertSurvived(report)).toThrow(
      '1 stuck: not ended in time: t/a (running, 1 executions: Nobody takes it.)\n2 tasks in 1000 ms: 0 completed, 1 cancelled',
    );
    expect(() => assertSurvived(report)).toThrow(/3 kills, .* seed 7/);
  });

  it('allows what was expected, and no more', () => {
    const report = createReport([fate('failed', [1, 'begun'], [1, 'threw'])], facts);
    expect(() => assertSurvived(report, { failed: 1 })).not.toThrow();
    expect(() => assertSurvived(report, { poisoned: 1 })).toThrow(TortureFailedError);
  });
});
