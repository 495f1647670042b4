import { describe, expect, it } from '@jest/globals';
import { formatFor } from './exposition-format.js';

/** As Prometheus 2 and 3 ask. */
const PROMETHEUS =
  'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,' +
  'text/plain;version=0.0.4;q=0.3,*/*;q=0.2';

describe('the format of a page', () => {
  it.each([
    [undefined, 'prometheus'],
    ['', 'prometheus'],
    ['*/*', 'prometheus'],
    ['text/plain', 'prometheus'],
    ['application/json, ;;q=,', 'prometheus'],
    [PROMETHEUS, 'openmetrics'],
    ['Application/OpenMetrics-Text; Version=1.0.0', 'openmetrics'],
    ['application/openmetrics-text;q=0', 'prometheus'],
    ['text/plain;q=0.9, application/openmetrics-text;q=0.8', 'prometheus'],
    ['text/plain;q=0.5, application/openmetrics-text;q=0.75', 'openmetrics'],
    ['application/openmetrics-text;q=many', 'openmetrics'],
  ])('of Accept: %s is %s', (accept, format) => {
    expect(formatFor(accept)).toBe(format);
  });
});
