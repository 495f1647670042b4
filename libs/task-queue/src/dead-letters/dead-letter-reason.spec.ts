import { describe, expect, it } from '@jest/globals';
import {
  InvalidPayloadError,
  PermanentTaskError,
  TaskPoisonedError,
  TaskStoppedError,
  TaskTimeoutError,
  TaskTooNewError,
  UnknownTaskError,
} from '../task-queue.errors.js';
import { deadLetterReason } from './dead-letter-reason.js';

describe('the reason of a dead letter', () => {
  it.each([
    ['exhausted', new Error('broken'), 3],
    ['exhausted', new TaskTimeoutError('a.task', 50), 3],
    ['permanent', new PermanentTaskError('pointless'), 1],
    ['permanent', new PermanentTaskError('pointless'), 3],
    ['invalid-payload', new InvalidPayloadError('a.task', ['key: missing']), 1],
    ['unknown-task', new UnknownTaskError('a.task'), 1],
    ['newer-version', new TaskTooNewError('a.task', 3, 2), 1],
    ['poisoned', new TaskPoisonedError('a.task', 3), 1],
    ['stopped', new TaskStoppedError(), 1],
    ['stalled', new Error('Too many workers died or lost it: 6, the last was host:42'), 1],
    ['stalled', new Error('job stalled more than allowable limit'), 1],
  ])('is %s for %p after %i attempts', (reason, { message: error, stack }, attempts) => {
    expect(deadLetterReason({ task: 'a.task', error, attempts, maxAttempts: 3, stack })).toBe(reason);
  });

  it('is no guess about an error that only looks like one of ours', () => {
    const error = 'The payload of a.task is of version 3; this process knows 2 of them';
    const facts = { task: 'a.task', error, attempts: 3, maxAttempts: 3, stack: undefined };
    expect(deadLetterReason(facts)).toBe('exhausted');
  });
});
