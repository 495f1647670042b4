import { describe, expect, it } from '@jest/globals';
import { MetricsOptionsError } from './metrics.errors.js';
import { parseMetricsOptions } from './metrics.options.js';

describe('parseMetricsOptions', () => {
  it('fills in the defaults and freezes the result', () => {
    const options = parseMetricsOptions();
    expect(options).toEqual({
      sources: [],
      defaultLabels: {},
      localOnly: true,
      slowRequestMs: 500,
      maxLabelSets: 1_000,
      sourceTimeoutMs: 1_000,
      processMetrics: true,
    });
    expect(Object.isFrozen(options)).toBe(true);
  });

  it('names every problem at once, unknown options included', () => {
    const wrong = { slowRequestMs: -1, sources: [{}], defaultLabels: { __x: 'y' }, slowReqestMs: 5 };
    let error: unknown;
    try {
      parseMetricsOptions(wrong as never);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(MetricsOptionsError);
    const { code, issues } = error as MetricsOptionsError;
    expect(code).toBe('METRICS_OPTIONS');
    expect(issues.join('\n')).toMatch(/sources\.0: a source has a name[^]*slowRequestMs: [^]*slowReqestMs/);
    expect(issues.join('\n')).toContain('defaultLabels.__x');
  });
});
