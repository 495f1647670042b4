import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HIGHLIGHT_START, HIGHLIGHT_STOP, snippetHtml } from './snippet.js';

describe('snippetHtml', () => {
  it('marks hits and escapes the text around and inside them', () => {
    const highlighted = `<script>alert("x")</script> & ${HIGHLIGHT_START}<b>${HIGHLIGHT_STOP}`;
    expect(snippetHtml(highlighted)).toBe(
      '&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; <mark>&lt;b&gt;</mark>',
    );
  });

  it('never lets a tag but <mark> through', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('<', '>', '&', '"', "'", 'a', HIGHLIGHT_START, HIGHLIGHT_STOP) }),
        (text) => {
          expect(snippetHtml(text).replaceAll(/<\/?mark>/g, '')).not.toMatch(/[<>"']/);
        },
      ),
    );
  });
});
