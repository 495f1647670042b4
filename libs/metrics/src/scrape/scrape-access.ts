import { createHash, timingSafeEqual } from 'node:crypto';
import { type IncomingMessage } from 'node:http';

/** Who may scrape; `undefined` in {@link refusalOf} means: this one may. */
export interface ScrapeRefusal {
  readonly status: 401 | 403;
  readonly detail: string;
}

/** What {@link refusalOf} judges by. */
export interface ScrapeAccess {
  /** The key that a scraper presents as `Authorization: Bearer <key>`; undefined for none. */
  readonly key?: string | undefined;
  /** Without a key: only callers on this machine, not through a proxy. */
  readonly localOnly: boolean;
}

const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/;

/** Headers that only a proxy sets; the caller behind it may be anybody. */
const PROXY_HEADERS = ['forwarded', 'via', 'x-forwarded-for', 'x-real-ip'] as const;

/** Why this caller gets no figures; undefined when it does. The comparison of keys takes the same time for all. */
export function refusalOf(
  request: IncomingMessage,
  { key, localOnly }: ScrapeAccess,
): ScrapeRefusal | undefined {
  if (key !== undefined) {
    const [, presented = ''] = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    return areEqual(presented, key) ? undefined : { status: 401, detail: 'Send the key of the metrics' };
  }
  if (!localOnly || isLocal(request)) return undefined;
  return { status: 403, detail: 'Without a key the metrics are for this machine only' };
}

function isLocal(request: IncomingMessage): boolean {
  if (!LOOPBACK.test(request.socket.remoteAddress ?? '')) return false;
  return PROXY_HEADERS.every((it) => request.headers[it] === undefined);
}

/** Digests have one length, so neither the length nor the first wrong character shows in the time. */
function areEqual(presented: string, key: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(presented), digest(key));
}
