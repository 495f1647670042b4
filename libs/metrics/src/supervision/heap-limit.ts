import { getHeapStatistics } from 'node:v8';

const OLD_SPACE_FLAG = /--max[-_]old[-_]space[-_]size[= ](\d+)/g;
const MEBIBYTE = 1_048_576;
/** V8 sizes the young generation after the old one: three semi-spaces of a 64th each. */
const OLD_SHARE_BY_DEFAULT = 64 / 67;
const SEMI_SPACES = 3;
/** From this share of the old generation on V8 gives up when collecting hardly helps. */
const GIVES_UP_FROM = 0.8;

/**
 * What of the heap can be in use. V8 ends the process when its old generation is full; before that, when the old generation
 * has no room for a whole semi-space of survivors, every small collection becomes a large one, and V8 may give up from
 * 80 % on. `heap_size_limit` says neither: it counts the largest possible young generation on top, 192 MiB with
 * `--max-old-space-size`, so that a heap of 400 MiB is full at 57 % of it.
 *
 * @param nodeOptions what `NODE_OPTIONS` says; the flags of the command line are known, and come last
 * @returns bytes; an estimate, by V8's own rule, where neither has the flag
 */
export function heapLimitBytes(nodeOptions = '', flags: readonly string[] = process.execArgv): number {
  const total = getHeapStatistics().heap_size_limit;
  const old = Math.min(
    total,
    oldSpaceSaid([nodeOptions, ...flags].join(' ')) || total * OLD_SHARE_BY_DEFAULT,
  );
  const semiSpace = (total - old) / SEMI_SPACES;
  return Math.floor(Math.max(old - semiSpace, old * GIVES_UP_FROM));
}

/** Bytes; 0 where nothing is said, as V8 has it. */
function oldSpaceSaid(options: string): number {
  return Number([...options.matchAll(OLD_SPACE_FLAG)].at(-1)?.[1] ?? 0) * MEBIBYTE;
}
