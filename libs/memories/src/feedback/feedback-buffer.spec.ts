import { describe, expect, it } from '@jest/globals';
import { FeedbackBuffer } from './feedback-buffer.js';

const AT = new Date(0);

describe('the feedback buffer', () => {
  it('writes each memory and each pair once, whatever the number of answers', () => {
    const buffer = new FeedbackBuffer(1_000);
    const ids = Array.from({ length: 20 }, (_, n) => `memory-${n}`);
    for (let n = 0; n < 5; n++) buffer.add('workspace', ids, 10, AT);
    const pending = buffer.take();
    expect(pending?.uses).toHaveLength(20);
    expect(pending?.uses.filter((it) => it.isUse)).toHaveLength(10);
    expect(pending?.pairs).toHaveLength(190);
    expect(pending?.pairs.every((it) => it.times === 5 && it.firstId < it.secondId)).toBe(true);
    expect(pending?.answers).toEqual([{ workspaceId: 'workspace', answers: 5 }]);
    expect(buffer.take()).toBeUndefined();
  });

  it('drops and counts what finds no room', () => {
    const buffer = new FeedbackBuffer(3);
    buffer.add('workspace', ['a', 'b', 'c'], 1, AT);
    expect(buffer.dropped).toBe(3);
    buffer.lost(buffer.take() ?? { uses: [], pairs: [], answers: [] });
    expect(buffer.dropped).toBe(6);
  });
});
