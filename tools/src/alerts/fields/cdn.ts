import type { Alert } from '../alert.ts';

export const CDN_ALERTS: readonly Alert[] = [
  {
    name: 'PurgeOverdue',
    field: 'cdn',
    severity: 'warning',
    forMinutes: 5,
    windowMinutes: 5,
    expression: 'max by (provider) (cdn_purge_oldest_age_seconds) > 300',
    summary: 'A purge for {{ $labels.provider }} is {{ $value | humanizeDuration }} old',
    description: 'The CDN still shows visitors what is no longer valid.',
  },
  {
    name: 'PurgeGivenUp',
    field: 'cdn',
    severity: 'critical',
    forMinutes: 0,
    windowMinutes: 15,
    expression: 'sum by (provider) (increase(cdn_purges_total{result="failed"}[$window])) > 0',
    summary: 'Purges for {{ $labels.provider }} were given up',
    description: 'The CDN refused them for good: what they name stays until its time is over.',
  },
];
