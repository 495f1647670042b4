import { describe, expect, it } from '@jest/globals';

import { BenchUsageError } from '../bench.errors.ts';
import { helpOf, parseOptions } from './options.ts';

const DEFAULTS = { json: '/results/cache.json', markdown: '/results/cache.md' };
const LINE = {
  command: 'npm run bench:cache',
  about: 'Measures.',
  suites: ['memory', 'redis', 'stampede'],
  defaults: DEFAULTS,
} as const;
const parse = (...args: string[]) => parseOptions(LINE, args, '/here');

describe('the command line', () => {
  it('measures everything seven times and writes the results without options', () => {
    expect(parse()).toEqual({
      only: LINE.suites,
      repetitions: 7,
      isQuick: false,
      isBuild: true,
      isHelp: false,
      flags: {},
      ...DEFAULTS,
    });
  });

  it('takes and explains options that only one benchmark has', () => {
    const line = {
      ...LINE,
      flags: {
        seeds: { type: 'string', help: 'which worlds' },
        'write-prior': { type: 'boolean', help: 'for the library' },
      },
    } as const;
    expect(parseOptions(line, ['--seeds', '1,2', '--write-prior', '--quick'], '/here')).toMatchObject({
      isQuick: true,
      flags: { seeds: '1,2', 'write-prior': true },
    });
    expect(helpOf(line)).toMatch(/--seeds <text> +which worlds\n +--write-prior +for the library/);
    expect(() => parse('--seeds', '1')).toThrow(BenchUsageError);
  });

  it('writes nothing by itself when only a part is measured, or quickly', () => {
    expect(parse('--only', 'memory')).toMatchObject({ json: undefined, markdown: undefined });
    expect(parse('--quick')).toMatchObject({ json: undefined, markdown: undefined, repetitions: 1 });
  });

  it('takes paths from where the person is', () => {
    expect(parse('--quick', '--json', 'a.json', '--markdown', '/b.md')).toMatchObject({
      json: '/here/a.json',
      markdown: '/b.md',
    });
  });

  it('runs the suites in the order of the report, whatever the order asked for', () => {
    expect(parse('--only', 'stampede, memory').only).toEqual(['memory', 'stampede']);
  });

  it('names the suites in its help', () => {
    expect(helpOf(LINE)).toContain('memory, redis, stampede');
  });

  it.each([
    [['--only', 'memory,disk'], /unknown disk/],
    [['--repetitions', '0'], /from 1 to 999/],
    [['--repetitions', '2.5'], /from 1 to 999/],
    [['--fast'], /--help/],
  ])('refuses %j', (args, message) => {
    expect(() => parse(...args)).toThrow(BenchUsageError);
    expect(() => parse(...args)).toThrow(message);
  });
});
