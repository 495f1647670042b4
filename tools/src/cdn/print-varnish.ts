import { build } from '../build.ts';
import { parseOptions } from '../command-line.ts';
import { UsageError } from '../tools.errors.ts';

const HELP = `Usage: npm run --silent cdn -- varnish --origin <host:port> [options]

Prints the configuration (VCL) of a Varnish in front of the api, which takes the purges of CDN_PROVIDER=varnish.

  --origin <host:port>  where the api listens
  --purger <network>    from where purges are taken, beside this machine; may be given several times
  --log-format          prints the format of varnishncsa instead, for a log that CDN_EDGE_LOG of the api reads:
                        varnishncsa -D -P <pid file> -a -w <file> -F "$(npm run --silent cdn -- varnish --log-format)"
  --help                this text

The token that purges must bring is taken from the variable CDN_API_TOKEN; without one their address decides.`;

const options = {
  origin: { type: 'string' },
  purger: { type: 'string', multiple: true },
  'log-format': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** `npm run cdn -- varnish` */
export async function printVarnish(args: readonly string[]): Promise<void> {
  const { values } = parseOptions('npm run cdn -- varnish', { options, args: [...args] });
  if (values.help) {
    console.log(HELP);
    return;
  }
  await build();
  if (values['log-format']) {
    const { VARNISH_LOG_FORMAT } = await import('@peregrine/cdn');
    console.log(VARNISH_LOG_FORMAT);
    return;
  }
  console.log((await configurationOf(values.origin, values.purger)).trimEnd());
}

/** The token never stands on the command line, where every user of the machine can read it. */
async function configurationOf(origin: string | undefined, purgers: readonly string[] = []): Promise<string> {
  const { renderVarnishVcl } = await import('@peregrine/cdn');
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(origin ?? '') ?? [];
  if (host === undefined) throw new UsageError(`Give --origin <host:port>.\n\n${HELP}`);
  const token = process.env['CDN_API_TOKEN'];
  return renderVarnishVcl({
    origin: { host, port: Number(port) },
    purgers: [...purgers],
    ...(token !== undefined && token !== '' && { token }),
  });
}
