/**
 * Which algorithm and level the cache should compress with: size and CPU on bodies as they are sent to Redis (MessagePack).
 *
 *   node tools/bench/src/cache/compression.ts [file …]
 *
 * Without arguments it measures files of this repository. A `.json` file is taken as a value, a `.sql` or `.sql.gz` dump
 * (COPY format) as query results of 200 rows, everything else as text. Random bytes are always among the samples.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import * as zlib from 'node:zlib';
import { Packr } from 'msgpackr';
import { median } from '../harness/statistics.ts';

const REPETITIONS = 7;
const ROWS_OF_A_RESULT = 200;
/** What a slice of a large sample measures: a small body, a usual one, a large one. */
const SIZES = [2_048, 16_384, 262_144];
const DEFAULT_FILES = ['package-lock.json', 'libs/cache/README.md', 'package.json'];

interface Algorithm {
  readonly name: string;
  readonly pack: (raw: Buffer) => Buffer;
  readonly unpack: (packed: Buffer) => Buffer;
}

const brotli = (level: number): Algorithm => ({
  name: `brotli ${level}`,
  pack: (raw) =>
    zlib.brotliCompressSync(raw, {
      params: {
        [zlib.constants.BROTLI_PARAM_QUALITY]: level,
        [zlib.constants.BROTLI_PARAM_SIZE_HINT]: raw.length,
      },
    }),
  unpack: (packed) => zlib.brotliDecompressSync(packed),
});

const gzip = (level: number): Algorithm => ({
  name: `gzip ${level}`,
  pack: (raw) => zlib.gzipSync(raw, { level }),
  unpack: (packed) => zlib.gunzipSync(packed),
});

const zstd = (level: number): Algorithm => ({
  name: `zstd ${level}`,
  pack: (raw) => zlib.zstdCompressSync(raw, { params: { [zlib.constants.ZSTD_c_compressionLevel]: level } }),
  unpack: (packed) => zlib.zstdDecompressSync(packed),
});

const ALGORITHMS = [
  brotli(1),
  brotli(4),
  brotli(5),
  gzip(1),
  gzip(6),
  // Node 22.12 has no zstd.
  ...('zstdCompressSync' in zlib ? [zstd(1), zstd(3)] : []),
];

/** Rows of the COPY blocks of a dump, as a driver would return them. */
function rowsOf(dump: string): object[][] {
  const results: object[][] = [];
  for (const [, head = '', body = ''] of dump.matchAll(
    /^COPY \S+ \(([^)]+)\) FROM stdin;\n([\s\S]*?)\n\\\.$/gm,
  )) {
    const columns = head.split(', ');
    const rows = body
      .split('\n')
      .map((line) => Object.fromEntries(line.split('\t').map((field, i) => [columns[i] ?? '', field])));
    for (let from = 0; from < rows.length; from += ROWS_OF_A_RESULT)
      results.push(rows.slice(from, from + ROWS_OF_A_RESULT));
  }
  return results;
}

const packr = new Packr({ structuredClone: true, moreTypes: true });
const packed = (value: unknown): Buffer => Buffer.from(packr.pack(value));

function samplesOf(path: string): { name: string; bodies: Buffer[] }[] {
  const name = basename(path);
  const bytes = readFileSync(path);
  if (/\.sql(\.gz)?$/.test(name)) {
    const dump = (name.endsWith('.gz') ? zlib.gunzipSync(bytes) : bytes).toString();
    return [{ name: `${name} rows`, bodies: rowsOf(dump).slice(0, 60).map(packed) }];
  }
  const slices = SIZES.filter((size) => size <= bytes.length || size === SIZES[0]);
  if (name.endsWith('.json')) {
    const entries = Object.entries(JSON.parse(bytes.toString()) as object).flatMap(([key, it]) =>
      typeof it === 'object' && it !== null ? Object.entries(it as object) : [[key, it] as [string, unknown]],
    );
    return slices.map((size) => {
      const count = Math.max(1, Math.round((entries.length * size) / bytes.length));
      return { name: `${name} ${size}`, bodies: [packed(Object.fromEntries(entries.slice(-count)))] };
    });
  }
  return slices.map((size) => ({
    name: `${name} ${size}`,
    bodies: [packed(bytes.toString().slice(0, size))],
  }));
}

/** CPU per MiB of raw bytes, milliseconds. */
function cost(bodies: readonly Buffer[], run: (body: Buffer) => Buffer): number {
  const bytes = bodies.reduce((sum, it) => sum + it.length, 0);
  const rounds = Math.max(1, Math.round(1_000_000 / bytes));
  const times = Array.from({ length: REPETITIONS }, () => {
    const before = process.cpuUsage();
    for (let i = 0; i < rounds; i++) for (const body of bodies) run(body);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000 / rounds / (bytes / 2 ** 20);
  });
  return median(times);
}

const files = process.argv.slice(2);
const samples = [
  ...(files.length > 0 ? files : DEFAULT_FILES).flatMap(samplesOf),
  { name: 'random 65536', bodies: [packed(randomBytes(65_536))] },
];
console.log(
  '| sample | bytes | algorithm | size % | pack ms/MiB | unpack ms/MiB |\n| --- | --: | --- | --: | --: | --: |',
);
for (const { name, bodies } of samples) {
  const bytes = bodies.reduce((sum, it) => sum + it.length, 0);
  for (const { name: algorithm, pack, unpack } of ALGORITHMS) {
    const small = bodies.map(pack);
    const left = small.reduce((sum, it) => sum + it.length, 0);
    let i = 0;
    const packing = cost(bodies, pack);
    const unpacking = cost(bodies, () => unpack(small[i++ % small.length] as Buffer));
    const share = ((100 * left) / bytes).toFixed(1);
    console.log(
      `| ${name} | ${bytes} | ${algorithm} | ${share} | ${packing.toFixed(1)} | ${unpacking.toFixed(1)} |`,
    );
  }
}
