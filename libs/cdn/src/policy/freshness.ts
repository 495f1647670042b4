import { z } from 'zod';

const seconds = z.number().int().min(0).max(31_536_000);

/** How long a browser and a CDN may keep an answer. HTTP counts in whole seconds; a year is the longest that helps. */
export const freshnessSchema = z.strictObject({
  /** Who may keep it: every cache, the browser alone, nobody. @default 'public' */
  storedBy: z.enum(['public', 'private', 'nobody']).default('public'),
  /** In a browser; 0 makes it ask each time. */
  browserSeconds: seconds.default(0),
  /** In a CDN, which a purge can clear. @default as long as in a browser */
  cdnSeconds: seconds.optional(),
  /** The browser does not ask even on reload. Only for names that change with the content. @default false */
  isImmutable: z.boolean().default(false),
  /** How long a CDN may answer with the old content while it fetches the new one. @default 0 */
  staleWhileRevalidateSeconds: seconds.default(0),
  /** How long a CDN may answer with the old content while the origin fails. @default 0 */
  staleIfErrorSeconds: seconds.default(0),
});

export type FreshnessInput = z.input<typeof freshnessSchema>;
export type Freshness = Readonly<z.output<typeof freshnessSchema>>;

/** `Cache-Control` for browsers and caches that know no other field (RFC 9111). */
export function cacheControlOf(freshness: Freshness): string {
  const { storedBy, browserSeconds, cdnSeconds = browserSeconds, isImmutable } = freshness;
  if (storedBy === 'nobody') return 'no-store';
  const directives = [storedBy, `max-age=${browserSeconds}`];
  if (storedBy === 'public' && cdnSeconds !== browserSeconds) directives.push(`s-maxage=${cdnSeconds}`);
  if (isImmutable) directives.push('immutable');
  if (browserSeconds === 0) directives.push('must-revalidate');
  return directives.join(', ');
}

/** `CDN-Cache-Control`, which only CDNs read, and before `Cache-Control` (RFC 9213). */
export function cdnCacheControlOf(freshness: Freshness): string {
  const { storedBy, browserSeconds, cdnSeconds = browserSeconds } = freshness;
  if (storedBy !== 'public') return 'no-store';
  const directives = ['public', `max-age=${cdnSeconds}`];
  const { staleWhileRevalidateSeconds, staleIfErrorSeconds } = freshness;
  if (staleWhileRevalidateSeconds > 0)
    directives.push(`stale-while-revalidate=${staleWhileRevalidateSeconds}`);
  if (staleIfErrorSeconds > 0) directives.push(`stale-if-error=${staleIfErrorSeconds}`);
  return directives.join(', ');
}
