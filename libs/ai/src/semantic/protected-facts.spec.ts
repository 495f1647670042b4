import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { protectedFacts } from './protected-facts.js';

const agree = (one: string, other: string) => protectedFacts(one) === protectedFacts(other);

describe('protected facts', () => {
  it.each([
    ['The build uses v1 of the API', 'The build uses v2 of the API'],
    ['It listens on 8080', 'It listens on 8090'],
    ['Node 24.1.0 is needed', 'Node 24.10.0 is needed'],
    ['The release is on 2026-03-01', 'The release is on 2026-03-02'],
    ['We meet at 9:30', 'We meet at 9:45'],
    ['Growth was 5%', 'Growth was 5'],
    ['The flag is set', 'The flag is not set'],
    ['They can log in', "They can't log in"],
    ['The cache is enabled', 'The cache is disabled'],
    ['Deploy before the review', 'Deploy after the review'],
    ['we ask Anna for help', 'we ask Marta for help'],
    ['set maxRetries to the default', 'set maxDelay to the default'],
    ['run it with --force', 'run it with --dry-run'],
    ['He said two reviewers agree', 'He said three reviewers agree'],
    ['The invoice is due on Monday', 'The invoice is due on Friday'],
  ])('differ: %s / %s', (one, other) => {
    expect(agree(one, other)).toBe(false);
  });

  it.each([
    ['The backup runs every night.', 'Every night the backup runs!'],
    ['Restart the worker, then look at port 8080', 'restart the worker and then look at port 8080'],
    ['The café is closed', 'The cafe\u0301 is closed'],
  ])('agree: %s / %s', (one, other) => {
    expect(agree(one, other)).toBe(true);
  });

  it('differ whenever one number is another', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.lorem(), (one, other, words) => {
        const text = (n: number) => `${words} ${n} ${words}`;
        expect(agree(text(one), text(other))).toBe(one === other);
      }),
    );
  });
});
