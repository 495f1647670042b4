import { buildAssets } from './cdn/build-assets.ts';
import { printNginx } from './cdn/print-nginx.ts';
import { printVarnish } from './cdn/print-varnish.ts';
import { serveFolder } from './cdn/serve-folder.ts';
import { runCommand } from './command-line.ts';
import { UsageError } from './tools.errors.ts';

/** What runs for each word; gets the arguments behind it and gives the exit code. */
const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<number | void>>> = {
  build: buildAssets,
  serve: serveFolder,
  nginx: printNginx,
  varnish: printVarnish,
};

const HELP = `Usage: npm run cdn -- <command> [options]

  build <folder>   make a release: hashed names, compressed files, manifest
  serve <folder>   serve a folder over HTTP
  nginx            print a configuration of nginx: for files, or as a caching proxy
  varnish          print a configuration of Varnish

Each command has its own --help.`;

await runCommand(async () => {
  const [name, ...args] = process.argv.slice(2);
  if (name === undefined || name === '--help') {
    console.log(HELP);
    return name === undefined ? 1 : 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) throw new UsageError(`There is no command "${name}".\n\n${HELP}`);
  return command(args);
});
