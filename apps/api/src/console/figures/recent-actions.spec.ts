import { expect, it } from '@jest/globals';
import { type AuditEvent } from '@peregrine/runtime';
import { foldActions } from './recent-actions.js';

const event = (id: number, its: Partial<AuditEvent>): AuditEvent => ({
  id: String(id),
  occurredAt: new Date(1_000 * id),
  actor: { id: 'key', name: 'ann' },
  action: 'cache.flush',
  subject: 'cache/search',
  event: 'requested',
  task: null,
  requestId: null,
  detail: null,
  ...its,
});
const outcomes = (...events: AuditEvent[]) =>
  foldActions(events.toReversed()).map(({ action }) => [action.id, action.outcome, action.detail]);

it('puts what was asked for and what came of it together, by request or by task, the newest first', () => {
  const task = { name: 'indexes.apply', id: 'a.0' };
  const events = [
    event(1, { requestId: 'r1', detail: '{"namespace":"search"}' }),
    event(2, { task, action: 'index.apply' }),
    event(3, { requestId: 'r1', event: 'succeeded', detail: 'Removed 3' }),
    event(4, { requestId: 'r2', event: 'refused', detail: 'off' }),
    event(5, { task, action: 'index.apply', event: 'failed', detail: 'locked' }),
  ];
  expect(outcomes(...events)).toEqual([
    ['4', 'refused', 'off'],
    ['2', 'failed', 'locked'],
    ['1', 'done', 'Removed 3'],
  ]);
});

it('keeps what was asked for while nothing came of it, and knows the task as soon as it is told', () => {
  const task = { name: 'dead-letters.redrive', id: '7' };
  const events = [
    event(1, { requestId: 'r', detail: '{"task":"a"}' }),
    event(2, { requestId: 'r', task, detail: 'A task does it' }),
  ];
  expect(outcomes(...events)).toEqual([['1', 'under way', 'A task does it']]);
  expect(foldActions(events.toReversed())[0]).toMatchObject({ task, action: { endedAt: null } });
});
