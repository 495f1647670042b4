import { describe, expect, it } from '@jest/globals';

import {
  formatNumber,
  formatRatio,
  isMet,
  type Line,
  linesTable,
  outcomeOf,
  renderReport,
  renderTable,
} from './report.ts';

const line = (overrides: Partial<Line>): Line => ({
  what: 'hit',
  measured: 0.4,
  limit: 0.5,
  bound: 'at most',
  unit: 'µs',
  ...overrides,
});

describe('a line', () => {
  it('is met at its limit, in both directions', () => {
    expect(isMet(line({ measured: 0.5 }))).toBe(true);
    expect(isMet(line({ measured: 10, limit: 10, bound: 'at least' }))).toBe(true);
  });

  it('says by how much it is missed, in its unit and in percent', () => {
    expect(outcomeOf(line({ measured: 0.75 }))).toBe('missed by 0.25 µs (50 %)');
    expect(outcomeOf(line({ measured: 9, limit: 10, bound: 'at least', unit: 'times' }))).toBe(
      'missed by 1 times (10 %)',
    );
  });

  it('has no percent of a limit of 0', () => {
    expect(outcomeOf(line({ measured: 3, limit: 0, unit: 'probes' }))).toBe('missed by 3 probes');
  });

  it('is missed when nothing was measured', () => {
    expect(outcomeOf(line({ measured: Number.NaN }))).toBe('missed: not measured');
    expect(isMet(line({ measured: Number.NaN, bound: 'at least' }))).toBe(false);
  });

  it('shows limit and measurement beside each other', () => {
    expect(linesTable([line({})]).rows).toEqual([['hit', 'at most 0.5 µs', '0.4 µs', 'met']]);
  });
});

describe('numbers', () => {
  it('have three significant digits, and separators from a thousand on', () => {
    expect([0.12345, 45.678, 999.4, 1234.5, 2_500_000].map(formatNumber)).toEqual([
      '0.123',
      '45.7',
      '999',
      '1,235',
      '2,500,000',
    ]);
  });

  it('are n/a where nothing was measured', () => {
    expect([formatNumber(undefined), formatNumber(Number.NaN), formatRatio(undefined)]).toEqual([
      'n/a',
      'n/a',
      'n/a',
    ]);
    expect(formatRatio(2.345)).toBe('2.35x');
  });
});

describe('renderTable', () => {
  it('pads the columns, with numbers on the right', () => {
    const text = renderTable({ caption: 'T:', columns: ['library', 'µs'], rows: [['a', '12.5']] });
    expect(text.split('\n')).toEqual([
      'T:',
      '',
      '| library |   µs |',
      '| ------- | ---: |',
      '| a       | 12.5 |',
    ]);
  });

  it('keeps words on the left and a bar inside of its cell', () => {
    const text = renderTable({ caption: 'T:', columns: ['a', 'b'], rows: [['x|y', 'z']], isText: true });
    expect(text.split('\n').slice(2)).toEqual(['| a    | b   |', '| ---- | --- |', '| x\\|y | z   |']);
  });
});

describe('renderReport', () => {
  it('holds the environment, the goals of all suites, and each suite with its notes', () => {
    const text = renderReport({
      title: 'The cache beside its peers',
      command: 'npm run bench:cache',
      environment: { Node: 'v24' },
      suites: [
        { title: 'In memory', notes: ['Medians.'], tables: [], lines: [line({})], samples: null },
        { title: 'Redis', notes: [], tables: [], lines: [line({ what: 'L2' })], samples: null },
      ],
    });
    for (const part of [
      '# The cache beside its peers',
      '`npm run bench:cache`',
      '| Node | v24',
      '## Goals',
      '| hit ',
      '| L2 ',
      '## In memory\n\nMedians.',
      '## Redis',
    ])
      expect(text).toContain(part);
  });

  it('has no section of goals when there are none', () => {
    expect(renderReport({ title: 'T', command: 'c', environment: {}, suites: [] })).not.toContain('Goals');
  });
});
