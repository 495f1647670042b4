/** What one side needed in one round. */
export interface RoundFigures {
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** CPU time of the api, milliseconds. */
  readonly cpuMsPerRequest: number;
  readonly requests: number;
  readonly errors: number;
}

export interface Round {
  readonly old: RoundFigures;
  readonly new: RoundFigures;
}

export const COMPARED = ['p50Ms', 'p95Ms', 'cpuMsPerRequest'] as const;
export type Compared = (typeof COMPARED)[number];

/** New divided by old, within one round: what else the machine does slows both. */
export interface Ratio {
  readonly median: number;
  /** Share of the rounds in which the new one was slower. */
  readonly slowerIn: number;
  readonly isRegression: boolean;
}

/** Slower by this much in the median, and in nearly every round: else it may be chance. */
const LIMIT = 1.2;
const SHARE = 0.8;

export function compareRounds(rounds: readonly Round[]): Record<Compared, Ratio> {
  const ratioOf = (figure: Compared): Ratio => {
    const ratios = rounds.map((it) => it.new[figure] / it.old[figure]).toSorted((a, b) => a - b);
    const middle = [
      ratios[Math.floor((ratios.length - 1) / 2)] ?? 1,
      ratios[Math.ceil((ratios.length - 1) / 2)] ?? 1,
    ];
    const median = ((middle[0] ?? 1) + (middle[1] ?? 1)) / 2;
    const slowerIn = ratios.filter((it) => it > 1).length / Math.max(1, ratios.length);
    return { median, slowerIn, isRegression: median > LIMIT && slowerIn >= SHARE };
  };
  return { p50Ms: ratioOf('p50Ms'), p95Ms: ratioOf('p95Ms'), cpuMsPerRequest: ratioOf('cpuMsPerRequest') };
}

/** Whether the new one fails for more of the requests than the old one, by more than one in a hundred. */
export function failsMore(rounds: readonly Round[]): boolean {
  const rate = (side: keyof Round) => {
    const sum = (of: 'errors' | 'requests') => rounds.reduce((total, it) => total + it[side][of], 0);
    return sum('errors') / Math.max(1, sum('requests'));
  };
  return rate('new') > rate('old') + 0.01;
}
