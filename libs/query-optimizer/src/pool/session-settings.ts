import { type Client } from 'pg';
import { PoolSettingsError } from './pool.errors.js';

export type SessionSettings = Readonly<Record<string, string | number | boolean>>;

interface SettingRow {
  readonly name: string;
  readonly context: string;
  readonly superuser: boolean;
}

/** What an ordinary session may change. */
const OPEN_TO_ALL = 'user';
const OPEN_TO_SUPERUSERS = 'superuser';

/**
 * Asks the server whether it knows the settings and takes their values. Every problem is found, not only the first.
 *
 * @throws {PoolSettingsError}
 */
export async function checkSettings(client: Client, settings: SessionSettings): Promise<void> {
  const names = Object.keys(settings).map((it) => it.toLowerCase());
  if (names.length === 0) return;
  const { rows } = await client.query<SettingRow>(
    `SELECT lower(name) AS name, context, current_setting('is_superuser') = 'on' AS superuser
       FROM pg_settings WHERE lower(name) = ANY($1)`,
    [names],
  );
  const known = new Map(rows.map((it) => [it.name, it]));
  const problems: string[] = [];
  for (const [name, value] of Object.entries(settings)) {
    // A dot: an extension's, which the server takes before the extension is there.
    if (!name.includes('.') && !isOpen(known.get(name.toLowerCase()))) {
      problems.push(
        `${name}: ${known.has(name.toLowerCase()) ? 'cannot be set by a session of this role' : 'there is no such setting'}`,
      );
      continue;
    }
    const refusal = await refusalOf(client, name, value);
    if (refusal !== undefined) problems.push(`${name}: ${refusal}`);
  }
  if (problems.length > 0) throw new PoolSettingsError(problems);
}

/** One statement, whatever the number of settings; null without any. */
export function settingsStatement(
  settings: SessionSettings,
  until: 'session' | 'transaction' = 'session',
): { text: string; values: string[] } | null {
  const entries = Object.entries(settings);
  if (entries.length === 0) return null;
  const isLocal = until === 'transaction';
  const calls = entries.map((_, index) => `set_config($${2 * index + 1}, $${2 * index + 2}, ${isLocal})`);
  const values = entries.flatMap(([name, value]) => [name, String(value)]);
  return { text: `SELECT ${calls.join(', ')}`, values };
}

function isOpen(row: SettingRow | undefined): boolean {
  return row?.context === OPEN_TO_ALL || (row?.context === OPEN_TO_SUPERUSERS && row.superuser);
}

async function refusalOf(client: Client, name: string, value: unknown): Promise<string | undefined> {
  try {
    await client.query('SELECT set_config($1, $2, false)', [name, String(value)]);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
