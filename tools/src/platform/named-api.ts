import { UsageError } from '../tools.errors.ts';
import { type DevFile } from './dev-file.ts';

/** The origin of an address that a person has typed. @throws {UsageError} */
export function parseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url.origin;
  throw new UsageError(
    `--url: given ${JSON.stringify(text)}, expected an address such as http://127.0.0.1:3000`,
  );
}

/**
 * The admin key of an api. It never stands on the command line, where every user of the machine can read it.
 *
 * @throws {UsageError}
 */
export function keyFor(url: string, dev: DevFile | undefined): string {
  const key = process.env['BOOTSTRAP_ADMIN_KEY'] || (dev?.url === parseUrl(url) ? dev.adminKey : undefined);
  if (key) return key;
  throw new UsageError('--url needs an API key with the scope admin in the variable BOOTSTRAP_ADMIN_KEY.');
}
