import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Platform } from './support/platform.js';
import { until } from './support/until.js';

const LOSE_THREAD = fileURLToPath(new URL('support/preload/lose-code-thread.mjs', import.meta.url));
/** Few codes are compared without a thread. */
const FILES = 8;
const SECTIONS = 300;
/** Of which two do not fit into one passage. */
const SECTION_CHARACTERS = 800;

let platform: Platform;
let workspaceId: string;
let folder: string;
let loseFile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'peregrine-thread-'));
  loseFile = join(folder, 'lose');
  platform = await Platform.start({
    env: { NODE_OPTIONS: `--import ${LOSE_THREAD}`, LOSE_FILE: loseFile, RETRIEVAL_CHOOSER_ENABLED: 'false' },
  });
  workspaceId = await platform.createWorkspace();
  const numbers = Array.from({ length: FILES }, (_, at) => at);
  const uploads = await Promise.all(
    numbers.map((it) => platform.upload(workspaceId, `birds-${it}.md`, birds(it), 'text/markdown')),
  );
  for (const { file } of uploads) {
    const path = `/retrieval/documents/${file.id}/chunks?workspaceId=${workspaceId}&limit=1`;
    await until(async () => (await platform.request('GET', path)).body.items.length > 0);
  }
}, 240_000);
afterAll(async () => {
  await platform?.stop();
  await rm(folder, { recursive: true, force: true });
});

function birds(file: number): string {
  const sections = Array.from({ length: SECTIONS }, (_, at) => {
    const sentence = `The bird ${file * SECTIONS + at} breeds on island ${at % 97}. `;
    return `# Bird ${at}\n\n${sentence.repeat(SECTION_CHARACTERS / sentence.length)}\n`;
  });
  return sections.join('\n');
}

const query = (body: object) =>
  platform.request('POST', '/retrieval/query', {
    body: { workspaceId, text: 'who breeds on island 7', explain: true, ...body },
  });

it('an answer comes from PostgreSQL when the thread that compares codes is lost, and from the next thread after that', async () => {
  await until(async () => (await query({})).body.explanation.plan === 'cached-partial');
  const before = await query({});
  await writeFile(loseFile, '');
  const beside = await query({});
  expect(beside).toMatchObject({
    ...{ status: 200, body: { explanation: { plan: 'filtered-vector', reason: 'thread-lost' } } },
  });
  expect(beside.body.hits).toEqual(before.body.hits);
  const asked = await query({ plan: 'cached-partial' });
  expect(asked).toMatchObject({ status: 503, body: { code: 'RETRIEVAL_CODE_THREAD_LOST' } });
  expect(asked.headers.get('retry-after')).toBe('5');
  await rm(loseFile);
  const after = await query({});
  expect(after.body.explanation).toMatchObject({ plan: 'cached-partial', reason: 'disabled' });
  expect(after.body.hits).toEqual(before.body.hits);
}, 120_000);
