import { describe, expect, it } from '@jest/globals';
import { parseTaskQueueOptions } from '../task-queue.options.js';
import { metricFamilies } from './metric-families.js';
import { TaskStatistics } from './task-statistics.js';

describe('waits', () => {
  it('become a histogram by class, with the promises that were missed', () => {
    const statistics = new TaskStatistics(parseTaskQueueOptions({ backend: { type: 'inline' }, tasks: [] }));
    for (const waitedMs of [-5, 4, 700, 9_999_000]) statistics.waited('CRITICAL', waitedMs);
    const families = metricFamilies(statistics, undefined);
    const of = (name: string) =>
      families.find((it) => it.name === name)!.samples.filter((it) => it.labels?.priority === 'CRITICAL');
    const waits = of('task_wait_seconds');
    const bucket = (le: string) => waits.find((it) => it.labels?.le === le)?.value;
    expect([bucket('0.01'), bucket('0.5'), bucket('1'), bucket('1800'), bucket('+Inf')]).toEqual([
      2, 2, 3, 3, 4,
    ]);
    expect(waits.find((it) => it.suffix === '_count')?.value).toBe(4);
    expect(waits.find((it) => it.suffix === '_sum')?.value).toBeCloseTo(9_999.704);
    expect(of('task_promised_wait_missed_total')).toEqual([{ labels: { priority: 'CRITICAL' }, value: 2 }]);
  });
});
