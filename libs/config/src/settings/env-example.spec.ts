import { describe, expect, it } from '@jest/globals';
import { allSettings } from '../concerns/all-settings.js';
import type { Setting } from './define-settings.js';
import { renderEnvExample } from './env-example.js';
import { loadSettings } from './load-settings.js';

const lines = renderEnvExample(allSettings).split('\n');

describe('renderEnvExample', () => {
  it('leaves only the required variables without a comment sign', () => {
    expect(lines.filter((line) => line !== '' && !line.startsWith('#'))).toEqual([
      'DATABASE_URL=postgres://user:password@127.0.0.1:5432/peregrine',
      'CURSOR_SECRET=',
    ]);
  });

  it('describes each variable with its default', () => {
    const at = lines.indexOf('#PORT=3000');
    expect(lines.slice(at - 2, at)).toEqual([
      '# Port to listen on. 0 takes any free port.',
      '# A whole number from 0 to 65535; default 3000.',
    ]);
    expect(lines).toContain('# A URL that begins with redis:// or rediss://; optional. Secret.');
  });

  it('names every variable once', () => {
    const variables = Object.values(allSettings).flatMap(({ shape }) => Object.values<Setting>(shape));
    for (const { variable } of variables) {
      expect(lines.filter((line) => line.replace('#', '').startsWith(`${variable}=`))).toHaveLength(1);
    }
  });

  it('shows values that are accepted when the comment signs go', () => {
    const assignments = lines
      .map((line) => /^#?([A-Z][A-Z0-9_]*)=(.*)$/.exec(line))
      .flatMap((match) => (match === null ? [] : [[match[1], match[2]]]));
    const environment = Object.fromEntries(assignments) as Record<string, string>;
    const settings = loadSettings(allSettings, { ...environment, CURSOR_SECRET: 's'.repeat(32) });
    expect(settings.storage.s3Endpoint).toBe('https://s3.example.com');
  });
});
