import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { runbookOf } from '../../src/alerts/alert.ts';
import { ALERTS } from '../../src/alerts/alerts.ts';
import { ROOT } from '../../src/paths.ts';
import { mentionsOf, runbooks } from './runbooks.ts';

const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
const settings = readFileSync(join(ROOT, '.env.example'), 'utf8');
const pages = runbooks();
const files = pages.map(({ file }) => file);
/** Problem codes and what belongs to Node look like settings. */
const NO_SETTINGS = [
  'POOL_EXHAUSTED',
  'POOL_ACQUIRE_TIMEOUT',
  'NODE_OPTIONS',
  'NOT_LISTENING',
  'SCHEMA_UNKNOWN',
];

describe('docs/runbooks', () => {
  it('has a page for every alert, and names it in its list', () => {
    const list = pages.find(({ file }) => file === 'README.md')?.text ?? '';
    for (const alert of ALERTS) {
      expect(files).toContain(runbookOf(alert));
      expect(list).toContain(`[${alert.name}](${runbookOf(alert)})`);
    }
  });

  it('has no page of an alert that is gone', () => {
    const others = ['README.md', 'memories.md', 'queries.md', 'switches.md'];
    expect(files.toSorted()).toEqual([...ALERTS.map(runbookOf), ...others].toSorted());
  });

  it.each(ALERTS)('says of $name what it means, how to look, what to do, what to switch off', (alert) => {
    const text = pages.find(({ file }) => file === runbookOf(alert))?.text ?? '';
    expect(text.match(/^##? .*$/gm)).toEqual([
      `# ${alert.name}`,
      '## What it means',
      '## Look',
      '## Do',
      '## Switch off, roll back',
    ]);
    for (const section of text.split(/^## .*$/m).slice(1)) expect(section.trim().length).toBeGreaterThan(20);
  });

  it.each(pages)('names in $file commands, settings and pages that exist', ({ text }) => {
    const mentions = mentionsOf(text);
    for (const command of mentions.commands) expect(Object.keys(scripts)).toContain(command);
    for (const name of mentions.settings.filter((it) => !NO_SETTINGS.includes(it))) {
      expect(settings).toMatch(new RegExp(`^#?${name}=`, 'm'));
    }
    for (const link of mentions.links) expect(files).toContain(link);
  });

  it('does name some of each', () => {
    const all = mentionsOf(pages.map(({ text }) => text).join('\n'));
    expect(new Set(all.commands).size).toBeGreaterThan(5);
    expect(new Set(all.settings).size).toBeGreaterThan(20);
    expect(new Set(all.operations).size).toBeGreaterThan(10);
    expect(new Set(all.metrics).size).toBeGreaterThan(20);
  });
});
