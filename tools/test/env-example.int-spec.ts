import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { ROOT } from '../src/paths.ts';

const { allSettings, renderEnvExample } = await import('@peregrine/config');

describe('.env.example', () => {
  it('is what "npm run env:example" writes', async () => {
    expect(await readFile(join(ROOT, '.env.example'), 'utf8')).toBe(renderEnvExample(allSettings));
  });
});
