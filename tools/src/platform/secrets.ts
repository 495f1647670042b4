import { randomBytes } from 'node:crypto';

import { DataFolderError } from '../tools.errors.ts';
import { readJson, writePrivateJson } from './json-file.ts';

/** What a development platform keeps from run to run. */
export interface Secrets {
  /** Signs list cursors. */
  readonly cursorSecret: string;
  readonly adminKey: string;
  /** A key with the content scopes; made through the API, so not there before the first run. */
  readonly apiKey?: string;
}

/**
 * Reads the secrets, or makes them once.
 *
 * @throws {DataFolderError} when the file is damaged
 */
export async function loadSecrets(path: string): Promise<Secrets> {
  const stored = await readStored(path);
  if (stored !== undefined) return stored;
  const secrets: Secrets = {
    cursorSecret: randomBytes(32).toString('base64url'),
    adminKey: `pgn_${randomBytes(32).toString('base64url')}`,
  };
  await writePrivateJson(path, secrets);
  return secrets;
}

async function readStored(path: string): Promise<Secrets | undefined> {
  try {
    const stored = (await readJson(path)) as Partial<Secrets> | null | undefined;
    if (stored === undefined) return undefined;
    if (typeof stored?.cursorSecret === 'string' && typeof stored.adminKey === 'string')
      return stored as Secrets;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new DataFolderError(`${path} is damaged. Remove it: the next start makes new keys.`);
}
