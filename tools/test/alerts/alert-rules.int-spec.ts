import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { ALERTS } from '../../src/alerts/alerts.ts';
import { RULES_FILE, rulesFile } from '../../src/alerts/rules-file.ts';
import { assertUpToDate } from '../../src/generated-files.ts';
import { assertFiring, promtool } from './promtool.ts';
import { gauge } from './series.ts';
import { IDLE, LOW_TRAFFIC, STORIES } from './stories.ts';

describe('the rules of Prometheus', () => {
  let folder: string;
  beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'peregrine-rules-'))));
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('are what "npm run alerts" writes', () => assertUpToDate([rulesFile()], 'npm run alerts'));

  it('that are not are a failure which says what to run', async () => {
    const files = [
      { ...rulesFile(), text: 'of yesterday' },
      { path: 'docker/no-such-file', text: 'new' },
    ];
    await expect(assertUpToDate(files, 'npm run alerts')).rejects.toMatchObject({
      code: 'TOOLS_OUTDATED_FILE',
      message: expect.stringMatching(/peregrine\.yml, docker\/no-such-file: .*"npm run alerts"/),
    });
  });

  it('link the runbooks where they are', () => {
    expect(rulesFile('https://example.org/').text).toContain('https://example.org/error-rate-high.md');
  });

  it('pass promtool, and so does the configuration that reads them', async () => {
    expect(await promtool('check', 'rules', RULES_FILE)).toContain(`${ALERTS.length} rules found`);
    expect(await promtool('check', 'config', 'docker/prometheus/prometheus.yml')).not.toContain('FAILED');
  });

  it('each have a story', () => {
    expect(Object.keys(STORIES).toSorted()).toEqual(ALERTS.map(({ name }) => name).toSorted());
  });

  it.each(Object.entries(STORIES))('fire and clear: %s', async (name, series) => {
    await assertFiring(folder, series, name, [false, true, false]);
  });

  it.each(Object.entries(LOW_TRAFFIC))('stay silent about few events: %s', async (name, series) => {
    await assertFiring(folder, series, name, [false, false, false]);
  });

  it('that divide have such a story of few events', () => {
    const divide = ALERTS.filter(({ expression }) => /rate\([^/]*\/|histogram_quantile/.test(expression));
    expect(Object.keys(LOW_TRAFFIC)).toEqual(expect.arrayContaining(divide.map(({ name }) => name)));
  });

  it('are all silent about a platform at rest, and the whole of it is looked at', async () => {
    await assertFiring(folder, IDLE, '.+', [false, false, false]);
    await assertFiring(folder, { ...IDLE, 'up{job="api",instance="two"}': gauge(1, 0, 1) }, '.+', [
      false,
      true,
      false,
    ]);
  });

  it('that should fire and do not make the check fail', async () => {
    const silent = assertFiring(folder, IDLE, 'TargetDown', [false, true, false]);
    await expect(silent).rejects.toThrow(/FAILED/);
  });
});
