import { encodePath } from '../http/request-path.js';
import type { Releases } from './releases.js';

/** How URLs of assets are written. */
export interface AssetUrlOptions {
  /** Of the CDN, such as `https://cdn.example.com`; undefined leaves the CDN out: paths of this server. */
  readonly baseUrl?: string;
  /** Path below which the assets are, such as `/static`. */
  readonly prefix?: string;
  /** The hash in the name (`/app.3f2a1b9c4d5e.js`), or after it (`/app.js?v=3f2a1b9c4d5e`). @default 'name' */
  readonly style?: 'name' | 'query';
}

/** Writes the URLs under which assets are kept for good. */
export class AssetUrls {
  constructor(
    private readonly releases: () => Releases,
    private readonly options: AssetUrlOptions = {},
  ) {}

  /** The URL of an asset of the current release; without a hash when the release does not know it. */
  getCdnUrl(path: string): string {
    const { baseUrl = '', prefix = '', style = 'name' } = this.options;
    const source = path.replace(/^\/+/, '');
    const entry = this.releases().entryOf(source);
    const isByQuery = style === 'query' && entry?.hash !== undefined && entry.file !== source;
    const file = isByQuery ? source : (entry?.file ?? source);
    const query = isByQuery ? `?v=${entry.hash}` : '';
    return `${baseUrl.replace(/\/+$/, '')}${prefix}${encodePath(`/${file}`)}${query}`;
  }

  /** Value for the attribute `integrity` (subresource integrity); undefined when the release does not know the asset. */
  integrityOf(path: string): string | undefined {
    return this.releases().entryOf(path.replace(/^\/+/, ''))?.integrity;
  }
}
