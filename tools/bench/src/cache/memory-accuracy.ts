/**
 * Bytes that a `MemoryTier` counts against bytes that its process takes, by kind of value. Each case runs in a child
 * process of its own: `node tools/bench/src/cache/memory-accuracy.ts` prints a table and then JSON.
 */
import { execFileSync } from 'node:child_process';
import { MemoryTier } from '@peregrine/cache';
import { type Progress, stderrProgress } from '../harness/progress.ts';
import { formatNumber, renderTable, type SuiteResult } from '../harness/report.ts';

/** One line of the report. */
export interface MemoryAccuracy {
  readonly name: string;
  readonly entries: number;
  /** What the tier counted, bytes. */
  readonly counted: number;
  /** Growth of heap and external memory after garbage collection, bytes. */
  readonly used: number;
  /** `counted / used` */
  readonly ratio: number;
}

interface Case {
  readonly entries: number;
  /** A value that shares nothing with the others but the names of its fields. */
  readonly make: (i: number) => unknown;
}

// Joined by way of a Buffer, so that a string is flat and nothing else keeps it.
const text = (i: number, length: number, letter: string) =>
  Buffer.from(`${i} `.padEnd(length, letter)).toString();
const article = (i: number) => ({
  id: i,
  slug: text(i, 30, 's'),
  title: text(i, 60, 't'),
  score: i + 0.5,
  published: true,
  author: { id: i, name: text(i, 20, 'n'), roles: [text(i, 10, 'r'), text(i, 12, 'q')] },
  sections: Array.from({ length: 5 }, (_, part) => ({ part, body: text(i, 200, 'b') })),
});

const CASES: Readonly<Record<string, Case>> = {
  'one-byte strings, 20': { entries: 100_000, make: (i) => text(i, 20, 'a') },
  'one-byte strings, 1,000': { entries: 50_000, make: (i) => text(i, 1_000, 'a') },
  'two-byte strings, 20': { entries: 100_000, make: (i) => text(i, 20, '中') },
  'two-byte strings, 1,000': { entries: 30_000, make: (i) => text(i, 1_000, '中') },
  'buffers, 100': { entries: 50_000, make: (i) => Buffer.alloc(100, i) },
  'buffers, 10,000': { entries: 10_000, make: (i) => Buffer.alloc(10_000, i) },
  'objects of 3 fields': { entries: 100_000, make: (i) => ({ id: i, name: text(i, 12, 'n'), ok: true }) },
  'objects of 12 fields': {
    entries: 50_000,
    make: (i) => Object.fromEntries('abcdefghijkl'.split('').map((name) => [name, i])),
  },
  'objects of 40 fields': {
    entries: 20_000,
    make: (i) => Object.fromEntries(Array.from({ length: 40 }, (_, field) => [`field${field}`, i])),
  },
  'objects of 200 fields': {
    entries: 5_000,
    make: (i) => Object.fromEntries(Array.from({ length: 200 }, (_, field) => [`field${field}`, i])),
  },
  'objects with 20 names of their own': {
    entries: 10_000,
    make: (i) => Object.fromEntries(Array.from({ length: 20 }, (_, field) => [`user-${i}-${field}`, i])),
  },
  'objects with 5 names of their own': {
    entries: 20_000,
    make: (i) => Object.fromEntries(Array.from({ length: 5 }, (_, field) => [`user-${i}-${field}`, i])),
  },
  'nested objects': { entries: 20_000, make: article },
  'arrays of 100 integers': { entries: 30_000, make: (i) => Array.from({ length: 100 }, (_, j) => i + j) },
  'arrays of 100 fractions': {
    entries: 30_000,
    make: (i) => Array.from({ length: 100 }, (_, j) => i + j + 0.5),
  },
  'maps of 20': {
    entries: 20_000,
    make: (i) => new Map(Array.from({ length: 20 }, (_, j) => [text(j, 10, 'k'), i])),
  },
  'sets of 20': { entries: 20_000, make: (i) => new Set(Array.from({ length: 20 }, (_, j) => i + j)) },
  dates: { entries: 100_000, make: (i) => new Date(1.6e12 + i) },
  'bigger integers': { entries: 100_000, make: (i) => 2 ** 40 + i },
};

const inUse = (gc: () => void) => {
  for (let i = 0; i < 4; i++) gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

/** Runs in the child, which has `--expose-gc`. */
function measure(name: string): MemoryAccuracy {
  const { entries, make } = CASES[name]!;
  const gc = (globalThis as { gc?: () => void }).gc;
  if (gc === undefined) throw new Error('Run with --expose-gc');
  // Once with a tier that goes away: code, shapes and names of fields are there before it counts.
  const fill = () => {
    const tier = new MemoryTier<unknown>({ maxEntries: 1_000_000, maxBytes: 2 ** 34 });
    for (let i = 0; i < entries; i++) tier.set(`content:article/${i}`, make(i));
    return tier;
  };
  fill();
  const before = inUse(gc);
  const tier = fill();
  const used = inUse(gc) - before;
  return { name, entries: tier.size, counted: tier.bytes, used, ratio: tier.bytes / used };
}

function measureInChild(name: string): MemoryAccuracy {
  const args = ['--expose-gc', import.meta.filename, name];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as MemoryAccuracy;
}

/** All cases, one child process after the other; `samples` is a `MemoryAccuracy[]`. */
export async function runMemoryAccuracy({
  progress = stderrProgress,
}: { readonly progress?: Progress } = {}): Promise<SuiteResult> {
  const report: MemoryAccuracy[] = [];
  for (const name of Object.keys(CASES)) {
    await progress.step(`bytes: ${name}`, () => Promise.resolve(report.push(measureInChild(name))));
  }
  const errors = report.map(({ ratio }) => 100 * Math.abs(ratio - 1));
  return {
    title: 'Bytes counted and bytes used',
    notes: [
      'What `MemoryTier` counts for an entry with its key, by its own estimate, beside the growth of heap and external',
      'memory after garbage collection. A process for each kind of value.',
    ],
    tables: [
      {
        caption: 'Bytes an entry:',
        columns: ['Value', 'Entries', 'Counted', 'Used', 'Counted / used'],
        rows: report.map((it) => [
          it.name,
          formatNumber(it.entries),
          formatNumber(it.counted / it.entries),
          formatNumber(it.used / it.entries),
          it.ratio.toFixed(2),
        ]),
      },
    ],
    lines: [
      {
        what: 'Bytes counted against bytes used, worst kind of value',
        measured: Math.max(...errors),
        limit: 25,
        bound: 'at most',
        unit: '%',
      },
    ],
    samples: report,
  };
}

if (process.argv[1] === import.meta.filename) {
  const name = process.argv[2];
  if (name !== undefined) {
    console.log(JSON.stringify(measure(name)));
  } else {
    const result = await runMemoryAccuracy();
    console.log(result.tables.map(renderTable).join('\n\n'));
    console.log(JSON.stringify(result.samples));
  }
}
