import { z } from 'zod';
import { CdnOptionsError } from '../cdn.errors.js';
import type { OriginOptionsInput } from '../origin/origin.options.js';

const origin = z.custom<OriginOptionsInput>(
  (it) => typeof it === 'object' && it !== null,
  'give { root, prefix }',
);

const schema = z.strictObject({
  /** Folders to serve, each below a prefix of its own. The first is the one of the assets and their releases. */
  origins: z.tuple([origin], origin),
  /** Of the CDN, such as `https://cdn.example.com`. Undefined leaves the CDN out: URLs are paths of this server. */
  baseUrl: z.url({ protocol: /^https?$/ }).optional(),
  /** Where URLs have the hash: in the name, or behind it as `?v=`. */
  urlStyle: z.enum(['name', 'query']).default('name'),
  /** Who answers what is not there: the origin, or the application with its own 404. */
  notFound: z.enum(['origin', 'application']).default('origin'),
  /** Log of an nginx or a Varnish in front of this application, for the hit ratio. @default none */
  edgeLog: z.string().min(1).optional(),
});

/** What `CdnModule.forRoot` takes. */
export type CdnOptionsInput = z.input<typeof schema>;
export type CdnOptions = Readonly<z.output<typeof schema>>;

/** @throws {CdnOptionsError} with every problem at once */
export function parseCdnOptions(input: CdnOptionsInput): CdnOptions {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw new CdnOptionsError(z.prettifyError(parsed.error), { cause: parsed.error });
  const prefixes = parsed.data.origins.map((it) => it.prefix ?? '');
  if (new Set(prefixes).size < prefixes.length) {
    throw new CdnOptionsError(`two origins have one prefix; give each its own (${prefixes.join(', ')})`);
  }
  return parsed.data;
}
