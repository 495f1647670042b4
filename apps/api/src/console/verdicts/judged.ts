import { type ConsoleSnapshot, type Level, type Page, type Verdict } from '@peregrine/console';
import { type MetricsSnapshot } from '@peregrine/metrics';
import { type ProtectionFigures } from '../figures/protection-figures.js';

/** What is judged. */
export interface Judged extends Pick<
  ConsoleSnapshot,
  'health' | 'cache' | 'queue' | 'queries' | 'retrieval' | 'cdn' | 'pool' | 'processes'
> {
  readonly metrics: MetricsSnapshot;
  readonly protection: ProtectionFigures;
}

export const SEVERITY: Readonly<Record<Level, number>> = { critical: 3, warning: 2, unknown: 1, good: 0 };

/** Nothing is to be done there. */
export function well(page: Page, title: string, why: string): Verdict {
  return { level: 'good', page, title, why, todo: '', runbook: null };
}

export function worst(...levels: readonly Level[]): Level {
  return levels.reduce((a, b) => (SEVERITY[b] > SEVERITY[a] ? b : a), 'good');
}

export function toLevel(word: 'healthy' | 'warning' | 'critical'): Level {
  return word === 'healthy' ? 'good' : word;
}

export const count = (value: number) => value.toLocaleString('en');
export const percent = (share: number) => `${(100 * share).toFixed(share === 0 || share === 1 ? 0 : 1)} %`;

export function ms(value: number | null): string {
  if (value === null) return '–';
  return value < 1_000
    ? `${Number(value.toFixed(value < 10 ? 1 : 0))} ms`
    : `${(value / 1_000).toFixed(1)} s`;
}
