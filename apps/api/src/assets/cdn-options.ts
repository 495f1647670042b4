import { type CdnOptionsInput } from '@peregrine/cdn';
import { type FeatureFlags } from '@peregrine/config';
import { type Settings } from '@peregrine/runtime';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DOCS_FOLDER, DOCS_PREFIX } from './docs-page.js';

/** Where assets are, as seen by clients. */
export const ASSETS_PREFIX = '/static';

const DEMO_FOLDER = fileURLToPath(new URL('../../public', import.meta.url));
const DAY_MS = 86_400_000;

/** The options of the CDN library, from the settings. */
export function cdnOptions({ cdn, http }: Settings, flags: FeatureFlags): CdnOptionsInput {
  const common = {
    compression: { enabled: (path: string) => flags.isEnabled('cdnCompressionEnabled', path) },
    memory: { maxBytes: cdn.memoryBytes },
  };
  const assets = {
    ...common,
    root: cdn.root === undefined ? DEMO_FOLDER : resolve(cdn.root),
    prefix: ASSETS_PREFIX,
    graceMs: cdn.graceDays * DAY_MS,
    ...(cdn.accelLocation === undefined ? {} : { accelRedirect: { location: cdn.accelLocation } }),
  };
  return {
    origins: [assets, ...(http.publicDocs ? [{ ...common, root: DOCS_FOLDER, prefix: DOCS_PREFIX }] : [])],
    baseUrl: cdn.baseUrl,
    notFound: 'application',
    edgeLog: cdn.edgeLog,
  };
}
