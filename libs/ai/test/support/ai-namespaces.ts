import { type NamespaceOptionsInput } from '@peregrine/cache';
import { AI_CACHE_NAMESPACES } from '../../src/ai.options.js';

const HOUR_MS = 3_600_000;

/** The namespaces as an application declares them. */
export const aiNamespaces = {
  [AI_CACHE_NAMESPACES.results]: { ttlMs: HOUR_MS, leaseMs: 1_000 },
  [AI_CACHE_NAMESPACES.embeddings]: { ttlMs: HOUR_MS, leaseMs: 1_000 },
  [AI_CACHE_NAMESPACES.live]: { ttlMs: HOUR_MS, tiers: ['redis'] },
} satisfies Record<string, NamespaceOptionsInput>;
