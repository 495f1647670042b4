import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { RETRIEVAL_FEATURES } from './plan-features.js';
import { shippedPrior } from './prior.js';

describe('the prior', () => {
  let folder: string;
  beforeAll(async () => {
    Logger.overrideLogger(false);
    folder = await mkdtemp(join(tmpdir(), 'prior-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function stored(prior: object): Promise<URL> {
    const file = pathToFileURL(join(folder, 'prior.json'));
    await writeFile(file, JSON.stringify(prior));
    return file;
  }

  it('is taken when it is of these features', async () => {
    const prior = { format: 1, features: RETRIEVAL_FEATURES, plans: {} };
    expect(shippedPrior(await stored(prior))).toEqual(prior);
  });

  it('is left out when it is of others, or when there is none', async () => {
    expect(shippedPrior(await stored({ features: ['size'] }))).toBeUndefined();
    expect(shippedPrior(pathToFileURL(join(folder, 'nothing.json')))).toBeUndefined();
  });
});
