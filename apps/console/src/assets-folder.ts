import { fileURLToPath } from 'node:url';

/** Where the build puts the page, its script and its styles. Beside the compiled file, in sources and in `dist` alike. */
export const ASSETS_FOLDER = fileURLToPath(new URL('../dist/assets', import.meta.url));
