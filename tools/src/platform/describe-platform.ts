import { join, relative } from 'node:path';
import { styleText } from 'node:util';

import type { DevFile } from './dev-file.ts';

/** The table that a person sees when everything runs. */
export function describePlatform(dev: DevFile, dataFolder: string): string {
  const rows: [string, string][] = [
    ['API', dev.url],
    ['Console', `${dev.url}/console/ (log in with the admin key)`],
    ['Documentation', `${dev.url}/docs`],
    ['API key', dev.apiKey],
    ['Admin key', dev.adminKey],
    ['PostgreSQL', describeServer(dev, 'postgres', dev.databaseUrl)],
    [
      'Redis',
      dev.redisUrl === null
        ? 'none: cache in memory, queue on PostgreSQL'
        : describeServer(dev, 'redis', dev.redisUrl),
    ],
    ...dev.processes
      .filter(({ url }) => url !== undefined)
      .map(({ name, pid, url = '' }): [string, string] => [name, `process ${pid} on ${url}`]),
    ['Logs', fromHere(join(dataFolder, 'logs'))],
    ['Keys and URLs', fromHere(join(dataFolder, 'dev.json'))],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, text]) => `  ${styleText('bold', name.padEnd(width))}  ${text}`);
  return ['', ...lines, '', '  Next: npm run demo. Ctrl-C stops everything.', ''].join('\n');
}

/** Never with the password, which dev.json has. */
function describeServer({ processes }: DevFile, name: string, url: string): string {
  const { host, pathname } = new URL(url);
  const own = processes.find((it) => it.name === name);
  return `${host}${pathname === '/' ? '' : pathname} ${own ? `(own, process ${own.pid})` : '(given)'}`;
}

function fromHere(path: string): string {
  const here = relative(process.env['INIT_CWD'] ?? process.cwd(), path);
  return here.startsWith('..') ? path : here;
}
