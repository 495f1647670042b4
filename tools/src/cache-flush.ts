import { flushThroughApi, flushThroughRedis, type FlushRequest } from './cache/flush.ts';
import { parseOptions, runCommand } from './command-line.ts';
import { DEFAULT_DATA_FOLDER, fromCallersFolder } from './paths.ts';
import { DataFolder, devFileIn } from './platform/data-folder.ts';
import { readDevFile } from './platform/dev-file.ts';
import { keyFor, parseUrl } from './platform/named-api.ts';
import { PlatformMissingError } from './tools.errors.ts';

const HELP = `Usage: npm run cache:flush -- [options]

Empties the cache of a running platform, in all its processes: of the one that "npm start" runs on the data folder; else
of all that share the Redis of REDIS_URL, CACHE_REDIS_SENTINELS or CACHE_REDIS_CLUSTER and CACHE_PREFIX.

  --namespace <name>  only this namespace: content, search, query …
  --tag <tag>         only entries with this tag; may be given several times
  --url <address>     through the api there, with the key in BOOTSTRAP_ADMIN_KEY
  --data <folder>     data folder of the platform (default: .peregrine)
  --help              this text

Exit code 0: done. 1: not done, with one message. What is loaded from now on is cached as usual.`;

const options = {
  namespace: { type: 'string' },
  tag: { type: 'string', multiple: true },
  url: { type: 'string' },
  data: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

await runCommand(async () => {
  const { values } = parseOptions('npm run cache:flush --', { options });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const dataFolder = values.data === undefined ? DEFAULT_DATA_FOLDER : fromCallersFolder(values.data);
  const request = { namespace: values.namespace, tags: values.tag };
  console.log(await flush(request, dataFolder, values.url));
});

/** @returns what was done, for a person */
async function flush(request: FlushRequest, dataFolder: string, url: string | undefined): Promise<string> {
  const dev = (await DataFolder.isInUse(dataFolder)) ? await readDevFile(devFileIn(dataFolder)) : undefined;
  if (url !== undefined) return flushThroughApi(parseUrl(url), keyFor(url, dev), request);
  if (dev) return flushThroughApi(dev.url, dev.adminKey, request);
  const done = await flushThroughRedis(process.env, request);
  if (done !== undefined) return done;
  throw new PlatformMissingError(
    `No platform runs on ${dataFolder}, and no Redis is named (REDIS_URL). Start one with "npm start", or name its api: ` +
      'npm run cache:flush -- --url <address>.',
  );
}
