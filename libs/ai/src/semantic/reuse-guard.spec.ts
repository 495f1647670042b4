import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { guardOf, mayShareReply } from './reuse-guard.js';

const share = (one: string, other: string) =>
  mayShareReply(guardOf(one), guardOf(other)) && mayShareReply(guardOf(other), guardOf(one));

describe('the guard of semantic reuse', () => {
  it.each([
    ['Is a cat faster than a dog?', 'Is a dog faster than a cat?'],
    ['How do I get from Rome to Oslo?', 'How do I get from Oslo to Rome?'],
    ['Convert 5 into 7', 'Convert 7 into 5'],
    ['What does "git fetch" do?', 'What does "git pull" do?'],
    ['Explain the title ‘the wild geese’ to me', 'Explain the title ‘the grey geese’ to me'],
    ['Is it safe to open the valve?', 'Is it not safe to open the valve?'],
    ['Should I take it before a meal?', 'Should I take it after a meal?'],
    ['What is new in Node 24.1?', 'What is new in Node 24.10?'],
    ['Who won in May 2024?', 'Who won in June 2024?'],
  ])('keeps apart: %s / %s', (one, other) => {
    expect(share(one, other)).toBe(false);
  });

  it.each([
    ['How do I restart the worker?', 'how do I restart a worker'],
    ['What is the capital of the country?', 'What is capital of the country'],
    ['Explain how the cache works, please', 'explain how the cache works'],
  ])('lets pass: %s / %s', (one, other) => {
    expect(share(one, other)).toBe(true);
  });

  it('lets a text share with itself, whatever it is', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => expect(share(text, text)).toBe(true)));
  });

  it('keeps texts apart that differ in the order of two words', () => {
    const word = fc.stringMatching(/^[b-z]{4,8}$/);
    fc.assert(
      fc.property(fc.uniqueArray(word, { minLength: 3, maxLength: 8 }), (words) => {
        const [first = '', second = '', ...rest] = words;
        expect(share([first, second, ...rest].join(' '), [second, first, ...rest].join(' '))).toBe(false);
      }),
    );
  });
});
