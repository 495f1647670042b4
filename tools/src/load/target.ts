import { ApiClient } from '../demo/api-client.ts';
import { concurrently } from '../demo/concurrently.ts';
import { awaitExtraction } from '../demo/import-folder.ts';
import { randomNumbers } from './random.ts';

const FILES = 200;
const UPLOADS_AT_ONCE = 8;
const WORDS =
  'cache queue worker index query stream token vector memory budget tenant branch commit deploy region shard replica ledger signal policy'.split(
    ' ',
  );

/** A workspace that is filled, on a platform. */
export interface Target {
  readonly url: string;
  readonly apiKey: string;
  readonly workspaceId: string;
  readonly fileIds: readonly string[];
}

/** Makes a workspace with files of which the text is extracted. {@link removeTarget} takes it away. */
export async function prepareTarget(url: string, apiKey: string): Promise<Target> {
  const api = new ApiClient(url, apiKey);
  const name = `load ${new Date().toISOString()}`;
  const { id } = await api.json<{ id: string }>('POST', '/workspaces', { json: { name } });
  const fileIds: string[] = [];
  const numbers = Array.from({ length: FILES }, (_, index) => index);
  await concurrently(numbers, UPLOADS_AT_ONCE, async (number) => {
    const response = await api.request('PUT', `/workspaces/${id}/files/seed/${number}.txt`, {
      body: Buffer.from(makeText(number)),
    });
    fileIds.push(((await response.json()) as { file: { id: string } }).file.id);
  });
  await awaitExtraction(api, id);
  return { url, apiKey, workspaceId: id, fileIds: fileIds.toSorted() };
}

export async function removeTarget({ url, apiKey, workspaceId }: Target): Promise<void> {
  await new ApiClient(url, apiKey).request('DELETE', `/workspaces/${workspaceId}`);
}

/** Some hundred words, the same for the same number. */
export function makeText(number: number): string {
  const random = randomNumbers(number);
  const words = Array.from({ length: 100 + Math.floor(random() * 900) }, () => pickWord(random()));
  return `Document ${number}\n\n${words.join(' ')}\n`;
}

/** A sentence to remember; the same for the same choice, and seldom for another one. */
export function makeMemory(choice: number): string {
  const random = randomNumbers(Math.floor(choice * 1e9));
  const words = Array.from({ length: 20 }, () => pickWord(random()));
  return `Note ${Math.floor(choice * 1e6)}: ${words.join(' ')}.`;
}

/** Two words to look for. */
export function makeQuestion(choice: number): string {
  return `${pickWord(choice)} ${pickWord((choice * WORDS.length) % 1)}`;
}

function pickWord(choice: number): string {
  return WORDS[Math.floor(choice * WORDS.length)] ?? '';
}
