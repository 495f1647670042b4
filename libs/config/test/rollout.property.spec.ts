import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { EnvironmentFlagProvider } from '../src/index.js';

jest.setTimeout(60_000);

const percent = fc.integer({ min: 0, max: 10_000 }).map((steps) => steps / 100);
const name = fc.string({ unit: 'binary' });

function isOn(flag: string, key: string, share: number): boolean | undefined {
  return new EnvironmentFlagProvider({ [flag]: share }).evaluate(flag, key);
}

describe('a gradual rollout', () => {
  it('gives the same answer for the same flag, key and percentage', () => {
    fc.assert(
      fc.property(
        name,
        name,
        percent,
        (flag, key, share) => isOn(flag, key, share) === isOn(flag, key, share),
      ),
    );
  });

  it('only adds keys when the percentage rises', () => {
    fc.assert(
      fc.property(name, name, percent, percent, (flag, key, one, other) => {
        const lower = isOn(flag, key, Math.min(one, other)) === true;
        const higher = isOn(flag, key, Math.max(one, other)) === true;
        return !lower || higher;
      }),
    );
  });

  it('is on for all keys at 100 % and for none at 0 %', () => {
    fc.assert(
      fc.property(name, name, (flag, key) => isOn(flag, key, 100) === true && isOn(flag, key, 0) === false),
    );
  });

  it('is on for a share of keys that is close to the percentage', () => {
    const keyCount = 5_000;
    const flag = fc.string({ minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(flag, percent, fc.string({ maxLength: 12 }), (flagName, share, prefix) => {
        const provider = new EnvironmentFlagProvider({ [flagName]: share });
        let on = 0;
        for (let index = 0; index < keyCount; index += 1) {
          if (provider.evaluate(flagName, `${prefix}${index}`) === true) on += 1;
        }
        // Five standard deviations of a fair draw, and one key for the smallest shares.
        const p = share / 100;
        const tolerance = 5 * Math.sqrt(keyCount * p * (1 - p)) + 1;
        expect(Math.abs(on - keyCount * p)).toBeLessThanOrEqual(tolerance);
      }),
      { numRuns: 40 },
    );
  });

  it('divides keys independently for each flag', () => {
    const provider = new EnvironmentFlagProvider({ first: 50, second: 50 });
    let both = 0;
    for (let index = 0; index < 10_000; index += 1) {
      if (provider.evaluate('first', `key-${index}`) && provider.evaluate('second', `key-${index}`))
        both += 1;
    }
    expect(both).toBeGreaterThan(2_250);
    expect(both).toBeLessThan(2_750);
  });
});
