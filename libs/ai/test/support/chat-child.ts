// A member of the cluster in a process of its own, to be killed. Its first argument is a ChildTask.
import 'reflect-metadata';
import { createCache } from '@peregrine/cache';
import { createDataSource } from '@peregrine/database';
import { AiParts } from '../../src/ai.module.js';
import { aiOptionsSchema } from '../../src/ai.options.js';
import { chatRequestSchema } from '../../src/chat/chat-request.js';
import { JournalWriter } from '../../src/chat/reply-journal.js';
import { aiNamespaces } from './ai-namespaces.js';
import { type ChildReport, type ChildTask } from './chat-process.js';

const task = JSON.parse(process.argv[2] ?? '') as ChildTask;
const tell = (report: ChildReport) => process.send?.(report);

if (task.haltBeforeStoring) {
  // The moment between the end of a reply and its place in the cache, which lasts until the parent kills us.
  const end = JournalWriter.prototype.end;
  JournalWriter.prototype.end = async function (...args) {
    await end.apply(this, args);
    tell({ event: 'ended' });
    await new Promise(() => undefined);
  };
}

const { prefix, redisUrl, databaseUrl } = task;
const redis = { url: redisUrl, timeoutMs: 5_000 };
const cache = createCache({ prefix, redis, namespaces: aiNamespaces });
const dataSource = await createDataSource({ url: databaseUrl }).initialize();
const options = aiOptionsSchema.parse({ provider: task.provider });
const { chat } = new AiParts(options, cache, dataSource, () => true);
process.once('disconnect', () => process.exit());

const request = chatRequestSchema.parse(task.request);
const answer = await chat.open(request, { tenant: 'a' });
tell({ event: 'asked' });
try {
  const events: string[] = [];
  if (request.stream) {
    for await (const lot of answer.events()) {
      events.push(...lot);
      tell({ event: 'shown' });
    }
  } else events.push(JSON.stringify(await answer.completion()));
  tell({ event: 'answered', text: events.join('\n') });
} catch (error) {
  tell({ event: 'failed', code: String((error as { code?: unknown }).code) });
}
