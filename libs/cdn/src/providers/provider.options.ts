import { isAbsolute } from 'node:path';
import { z } from 'zod';

const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be like varnish-eu: a-z, 0-9 and -')
  .optional();
/** Visible ASCII: it goes into a header. */
const secret = z.string().regex(/^[\x21-\x7e]+$/, 'must be visible ASCII without blanks');
const origin = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
  .refine((it) => URL.canParse(it) && new URL(it).pathname === '/', 'must be a URL without a path')
  .transform((it) => new URL(it).origin);
const apiUrl = (standard: string) =>
  z
    .url({ protocol: /^https?$/ })
    .transform((it) => it.replace(/\/$/, ''))
    .default(standard);
const origins = z.array(origin).min(1).max(20);

const cloudflareSchema = z.strictObject({
  type: z.literal('cloudflare'),
  /** In records and metrics. @default the type */
  name,
  zoneId: z.string().min(1),
  /** An API token with the permission Zone / Cache Purge. */
  apiToken: secret,
  /** Where visitors come to, as `https://www.example.com`: paths are purged at each. */
  siteUrls: origins,
  /** Decides how many purges are taken. */
  plan: z.enum(['free', 'pro', 'business', 'enterprise']).default('free'),
  apiUrl: apiUrl('https://api.cloudflare.com/client/v4'),
});

const fastlySchema = z.strictObject({
  type: z.literal('fastly'),
  name,
  serviceId: z.string().min(1),
  /** With the scopes purge_select and purge_all. */
  apiToken: secret,
  siteUrls: origins,
  /** A surrogate key that every response has: makes a soft purge of everything possible. */
  everythingKey: secret.optional(),
  apiUrl: apiUrl('https://api.fastly.com'),
});

const cloudFrontSchema = z.strictObject({
  type: z.literal('cloudfront'),
  name,
  distributionId: z.string().min(1),
  region: z.string().min(1).default('us-east-1'),
  /** Both or none: then AWS's own search for credentials. */
  accessKeyId: secret.optional(),
  secretAccessKey: secret.optional(),
  /** Another address than AWS's, for tests. */
  endpoint: z.url().optional(),
});

const varnishSchema = z.strictObject({
  type: z.literal('varnish'),
  name,
  /** Every server, as `http://10.0.0.5:6081`. */
  urls: origins,
  /** As in the VCL. */
  token: secret.optional(),
  /** What visitors send as Host, where copies are kept by it. @default the host of each URL */
  host: z.string().min(1).optional(),
});

const httpPurgeSchema = z.strictObject({
  type: z.literal('http-purge'),
  name,
  urls: origins,
  token: secret.optional(),
  tokenHeader: z.string().min(1).default('X-Purge-Token'),
});

const nginxCacheSchema = z.strictObject({
  type: z.literal('nginx-cache'),
  name,
  /** `proxy_cache_path` of the generated configuration, on this machine and writable for this process. */
  folder: z.string().refine(isAbsolute, 'must be an absolute path'),
});

export const providerOptionsSchema = z.discriminatedUnion('type', [
  cloudflareSchema,
  cloudFrontSchema,
  fastlySchema,
  varnishSchema,
  httpPurgeSchema,
  nginxCacheSchema,
]);

export type CloudflareOptions = Readonly<z.output<typeof cloudflareSchema>>;
export type CloudFrontOptions = Readonly<z.output<typeof cloudFrontSchema>>;
export type FastlyOptions = Readonly<z.output<typeof fastlySchema>>;
export type VarnishOptions = Readonly<z.output<typeof varnishSchema>>;
export type HttpPurgeOptions = Readonly<z.output<typeof httpPurgeSchema>>;
export type NginxCacheOptions = Readonly<z.output<typeof nginxCacheSchema>>;
export type ProviderOptionsInput = z.input<typeof providerOptionsSchema>;
