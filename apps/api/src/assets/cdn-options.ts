import { type CdnOptionsInput } from '@peregrine/cdn';
import { type FeatureFlags } from '@peregrine/config';
import { ASSETS_FOLDER as CONSOLE_FOLDER } from '@peregrine/console';
import { type Settings } from '@peregrine/runtime';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CONSOLE_PATH } from '../console/console.tokens.js';
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
  const docs = { ...common, root: DOCS_FOLDER, prefix: DOCS_PREFIX };
  const operatorConsole = { ...common, root: CONSOLE_FOLDER, prefix: CONSOLE_PATH };
  return {
    origins: [
      assets,
      ...(http.publicDocs ? [docs] : []),
      // A compiler alone does not make it (npm run build does), and the API works without it.
      ...(existsSync(CONSOLE_FOLDER) ? [operatorConsole] : []),
    ],
    baseUrl: cdn.baseUrl,
    notFound: 'application',
    edgeLog: cdn.edgeLog,
  };
}
