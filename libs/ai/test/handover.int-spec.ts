import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@peregrine/database/testing';
import { type ChatRequestInput, chatRequestSchema } from '../src/chat/chat-request.js';
import { AiFixture } from './support/ai-fixture.js';
import { ChatProcess, type ChildTask } from './support/chat-process.js';

let fixture: AiFixture;
const children: ChatProcess[] = [];

function start(request: ChatRequestInput, more: Partial<ChildTask> = {}): ChatProcess {
  const child = new ChatProcess({ ...fixture.cluster(), request, ...more });
  children.push(child);
  return child;
}
const question = (text: string): ChatRequestInput => ({
  messages: [{ role: 'user', content: text }],
  temperature: 0,
});

beforeAll(async () => {
  fixture = await AiFixture.start();
}, 120_000);
afterEach(async () => {
  await Promise.all(children.splice(0).map((it) => it.kill()));
  fixture.provider.reset();
});
afterAll(() => fixture.stop());

describe('when the process that asks the provider is killed', () => {
  it('in the middle of a reply: who has seen nothing is answered by one new call, who has seen some is told', async () => {
    const asked = question('Who takes over?');
    fixture.provider.hold();
    const leader = start({ ...asked, stream: true });
    await until(() => leader.has('shown'));
    expect(fixture.provider.calls).toHaveLength(1);
    const [watching, ...waiting] = [start({ ...asked, stream: true }), start(asked), start(asked)] as const;
    // The provider has sent one piece: it has come from the leader, through its journal.
    await until(() => watching.has('shown') && waiting.every((it) => it.has('asked')));
    expect(fixture.provider.calls).toHaveLength(1);

    await leader.kill();
    await until(() => fixture.provider.calls.length === 2);
    fixture.provider.release();
    await until(() => [watching, ...waiting].every((it) => it.outcome !== undefined));
    expect(watching.outcome).toEqual({ event: 'failed', code: 'AI_STREAM_BROKEN' });
    const [first, second] = waiting.map((it) => it.outcome);
    expect(first).toMatchObject({
      event: 'answered',
      text: expect.stringContaining('"finish_reason":"stop"'),
    });
    expect(second).toEqual(first);
    expect(fixture.provider.calls).toHaveLength(2);
  }, 120_000);

  it('with a reply that is complete and not yet kept: it is taken over, unpaid, and kept', async () => {
    const asked = question('Who has paid?');
    fixture.provider.hold();
    const leader = start({ ...asked, stream: true }, { haltBeforeStoring: true });
    await until(() => leader.has('shown'));
    const waiting = start(asked);
    await until(() => waiting.has('asked'));
    fixture.provider.release();
    await until(() => leader.has('ended'));
    expect(waiting.outcome).toBeUndefined();

    await leader.kill();
    await until(() => waiting.outcome !== undefined);
    expect(waiting.outcome).toMatchObject({ event: 'answered', text: expect.stringContaining('word-') });
    const later = await fixture.member().chat.open(chatRequestSchema.parse(asked), { tenant: 'a' });
    expect(later.source).toBe('hit');
    expect(waiting.outcome).toMatchObject({ text: JSON.stringify(await later.completion()) });
    expect(fixture.provider.calls).toHaveLength(1);
  }, 120_000);
});
