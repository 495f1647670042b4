import type { FreshnessInput } from './freshness.js';
import type { ResourceTypeInput } from './policy.options.js';

const HOUR = 3_600;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** A name with a hash of the content: the answer never changes. */
export const UNCHANGING: FreshnessInput = { browserSeconds: YEAR, isImmutable: true };

/** A name that outlives its content: browsers ask each time, a CDN may answer for an hour and is purged. */
const ASKED_EACH_TIME: FreshnessInput = {
  browserSeconds: 0,
  cdnSeconds: HOUR,
  staleWhileRevalidateSeconds: 60,
  staleIfErrorSeconds: DAY,
};
const A_MONTH: FreshnessInput = { browserSeconds: 30 * DAY, staleIfErrorSeconds: DAY };
const A_DAY: FreshnessInput = { browserSeconds: DAY, staleIfErrorSeconds: DAY };

/** A script in an image would run in this origin when the image is opened by itself. */
const NO_SCRIPT = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/** Name of the type of what no other type claims. */
export const OTHER_TYPE = 'other';

/** The types that need no declaration. A type of the options with the same name replaces the fields that it gives. */
export const RESOURCE_TYPES: Readonly<Record<string, ResourceTypeInput>> = {
  // It decides what a browser keeps, so an old one must never stay: browsers and CDNs ask each time.
  serviceWorker: {
    names: ['sw.js', 'service-worker.js', 'serviceworker.js', 'ngsw-worker.js', 'firebase-messaging-sw.js'],
    isNegotiable: true,
    freshness: { browserSeconds: 0 },
    hashedFreshness: { browserSeconds: 0 },
  },
  html: {
    extensions: ['html', 'htm', 'xhtml'],
    isNegotiable: true,
    freshness: ASKED_EACH_TIME,
    hashedFreshness: ASKED_EACH_TIME,
    headers: { 'X-Frame-Options': 'SAMEORIGIN', 'Referrer-Policy': 'strict-origin-when-cross-origin' },
  },
  javascript: { extensions: ['js', 'mjs', 'cjs', 'wasm'], isNegotiable: true, freshness: ASKED_EACH_TIME },
  css: { extensions: ['css'], isNegotiable: true, freshness: ASKED_EACH_TIME },
  // A page of another origin may load a font only when it is told so.
  font: {
    extensions: ['woff2', 'woff'],
    isNegotiable: false,
    freshness: A_MONTH,
    headers: { 'Access-Control-Allow-Origin': '*' },
  },
  plainFont: {
    extensions: ['ttf', 'otf', 'eot'],
    isNegotiable: true,
    freshness: A_MONTH,
    headers: { 'Access-Control-Allow-Origin': '*' },
  },
  image: {
    extensions: ['png', 'jpg', 'jpeg', 'gif', 'webp', 'avif', 'jxl', 'apng', 'tif', 'tiff', 'heic'],
    isNegotiable: false,
    freshness: A_MONTH,
  },
  plainImage: { extensions: ['ico', 'bmp'], isNegotiable: true, freshness: A_MONTH },
  svg: {
    extensions: ['svg'],
    isNegotiable: true,
    freshness: A_MONTH,
    headers: { 'Content-Security-Policy': NO_SCRIPT },
  },
  media: {
    extensions: ['mp4', 'webm', 'mov', 'm4v', 'mp3', 'm4a', 'ogg', 'opus', 'wav', 'flac', 'aac'],
    isNegotiable: false,
    freshness: A_MONTH,
  },
  data: {
    extensions: ['json', 'map', 'webmanifest', 'xml', 'rss', 'atom', 'yaml', 'yml', 'geojson'],
    isNegotiable: true,
    freshness: ASKED_EACH_TIME,
  },
  text: {
    extensions: ['txt', 'md', 'csv', 'tsv', 'log', 'vtt', 'srt', 'ics'],
    isNegotiable: true,
    freshness: ASKED_EACH_TIME,
  },
  download: {
    extensions: ['pdf', 'zip', 'gz', 'tgz', 'br', 'zst', 'bz2', 'xz', '7z', 'rar', 'epub', 'docx', 'xlsx'],
    isNegotiable: false,
    freshness: A_DAY,
  },
  [OTHER_TYPE]: { isNegotiable: false, freshness: ASKED_EACH_TIME },
};
