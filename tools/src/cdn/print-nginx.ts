import { build } from '../build.ts';
import { parseOptions } from '../command-line.ts';
import { UsageError } from '../tools.errors.ts';

const HELP = `Usage: npm run --silent cdn -- nginx --root <folder> [options]
       npm run --silent cdn -- nginx --proxy [options]

Prints a configuration of nginx with the caching policy of the origin: for files, or as a caching proxy before the api.

  --root <folder>       absolute path of the folder with the files
  --prefix <path>       under which path they are (default: none)
  --brotli              nginx has the module brotli_static
  --proxy               before the api
  --upstream <address>  where the api listens; may be given several times (default: api:3000)
  --cache <folder>      folder of the proxy's cache (default: /tmp/cache)
  --cache-size <size>   most bytes in it (default: 512m)
  --listen <address>    port, or address and port (default: 8080)
  --access-log <file>   a line of JSON for each request; CDN_EDGE_LOG of the api reads it (default: /dev/stdout)
  --user <name>         user of the workers
  --help                this text

docker/nginx.conf is made by: npm run --silent cdn -- nginx --proxy --cache-size 64m`;

const options = {
  root: { type: 'string' },
  prefix: { type: 'string' },
  brotli: { type: 'boolean', default: false },
  proxy: { type: 'boolean', default: false },
  upstream: { type: 'string', multiple: true },
  cache: { type: 'string' },
  'cache-size': { type: 'string' },
  listen: { type: 'string' },
  'access-log': { type: 'string' },
  user: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

/** `npm run cdn -- nginx` */
export async function printNginx(args: readonly string[]): Promise<void> {
  const { values } = parseOptions('npm run cdn -- nginx', { options, args: [...args] });
  if (values.help) {
    console.log(HELP);
    return;
  }
  await build();
  console.log((await configurationOf(values)).trimEnd());
}

type Values = ReturnType<typeof parseOptions<{ options: typeof options }>>['values'];

/** @throws {UsageError} @throws {CdnOptionsError} */
export async function configurationOf(values: Partial<Values>): Promise<string> {
  const { PolicyTable, renderNginxProxy, renderNginxStatic } = await import('@peregrine/cdn');
  const {
    root,
    prefix,
    brotli = false,
    proxy,
    upstream,
    cache,
    'cache-size': maxSize,
    listen,
    'access-log': accessLog,
    user,
  } = values;
  const base = {
    ...(listen !== undefined && { listen: listenOf(listen) }),
    ...(accessLog !== undefined && { accessLog }),
    ...(user !== undefined && { user }),
  };
  if (proxy) {
    if (root !== undefined) throw new UsageError('--root and --proxy exclude each other.');
    return renderNginxProxy({
      ...base,
      ...(upstream && { upstreams: upstream }),
      cache: { ...(cache !== undefined && { folder: cache }), ...(maxSize !== undefined && { maxSize }) },
    });
  }
  if (root === undefined) throw new UsageError(`Give --root <folder>, or --proxy.\n\n${HELP}`);
  return renderNginxStatic(new PolicyTable(), {
    ...base,
    root,
    brotli,
    ...(prefix !== undefined && { prefix }),
  });
}

const listenOf = (text: string) => (/^\d+$/.test(text) ? Number(text) : text);
