import { UnexpectedAnswerError } from '../tools.errors.ts';

export interface DevelopmentKeyOptions {
  /** Of the api. */
  readonly url: string;
  readonly adminKey: string;
  /** From an earlier run. */
  readonly storedKey: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Makes sure that there is an API key to work with: the stored one if the API still knows it, else a new one.
 *
 * @throws {UnexpectedAnswerError} when the API refuses
 */
export async function ensureDevelopmentKey(options: DevelopmentKeyOptions): Promise<string> {
  const { storedKey } = options;
  if (storedKey !== undefined && (await isKnown(options, storedKey))) return storedKey;
  return createKey(options);
}

async function isKnown({ url, signal }: DevelopmentKeyOptions, key: string): Promise<boolean> {
  const response = await fetch(`${url}/api/v1/workspaces?limit=1`, { headers: authorize(key), signal });
  await response.body?.cancel();
  return response.status === 200;
}

async function createKey({ url, adminKey, signal }: DevelopmentKeyOptions): Promise<string> {
  const response = await fetch(`${url}/api/v1/api-keys`, {
    method: 'POST',
    headers: { ...authorize(adminKey), 'content-type': 'application/json' },
    body: JSON.stringify({
      name: 'development',
      scopes: ['content:read', 'content:write', 'memories:read', 'memories:write'],
    }),
    signal,
  });
  const text = await response.text();
  if (response.status !== 201) {
    throw new UnexpectedAnswerError(`The API refused to make a development key: ${response.status} ${text}`);
  }
  const { key } = JSON.parse(text) as { key?: unknown };
  if (typeof key === 'string') return key;
  throw new UnexpectedAnswerError('The API made a development key but did not show it');
}

function authorize(key: string): Record<string, string> {
  return { authorization: `Bearer ${key}` };
}
