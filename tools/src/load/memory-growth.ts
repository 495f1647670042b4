import { median, theilSen } from './slope.ts';

/** What a process used at one moment. */
export interface MemorySample {
  /** From the start of the load. */
  readonly seconds: number;
  readonly rssBytes: number;
  /** Heap after the latest major collection; null before the first. */
  readonly heapBytes: number | null;
}

/** How one figure of one process developed after warm-up. */
export interface Growth {
  readonly process: string;
  readonly figure: 'rss' | 'heap';
  readonly samples: number;
  readonly medianBytes: number;
  readonly bytesPerMinute: number;
  /** 95 % confidence, bytes a minute. */
  readonly lowPerMinute: number;
  readonly highPerMinute: number;
  /** Over the measured time, as a share of the median. */
  readonly growthRatio: number;
  readonly isFlat: boolean;
}

/** Memory that surely grows by less than this over the measured time is called flat all the same. */
const FLAT_RATIO = 0.05;
const MINUTE_SECONDS = 60;

/**
 * Flat: the slope may as well be nothing, or comes to less than 5 % of the level over the measured time.
 *
 * @param fromSeconds end of the warm-up
 * @returns undefined of too few samples
 */
export function growthOf(
  process: string,
  figure: Growth['figure'],
  samples: readonly MemorySample[],
  fromSeconds: number,
): Growth | undefined {
  const points = samples.flatMap(({ seconds, rssBytes, heapBytes }) => {
    const value = figure === 'rss' ? rssBytes : heapBytes;
    return seconds < fromSeconds || value === null ? [] : [[seconds / MINUTE_SECONDS, value] as const];
  });
  const slope = theilSen(points);
  const [first, last] = [points[0], points.at(-1)];
  if (!slope || !first || !last) return undefined;
  const medianBytes = median(points.map(([, value]) => value));
  const growthRatio = (slope.perUnit * (last[0] - first[0])) / medianBytes;
  return {
    ...{ process, figure, medianBytes, growthRatio, samples: points.length },
    bytesPerMinute: slope.perUnit,
    lowPerMinute: slope.low,
    highPerMinute: slope.high,
    isFlat: slope.low <= 0 || growthRatio < FLAT_RATIO,
  };
}
