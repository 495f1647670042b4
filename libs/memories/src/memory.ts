/** What a memory is to its workspace: used lately, used again and again, or kept. */
export const MEMORY_TIERS = ['active', 'thread', 'stable'] as const;
export type MemoryTier = (typeof MEMORY_TIERS)[number];

/** An original was added; a summary was made of originals that say the same. */
export type MemoryKind = 'original' | 'summary';

/** A memory as it is shown. */
export interface Memory {
  id: string;
  kind: MemoryKind;
  content: string;
  tier: MemoryTier;
  /** Of a summary, when its oldest source was added. */
  createdAt: Date;
}

/** How a memory has been used. */
export interface MemoryUse {
  /** How often it counted as used, the adding included: at most once an hour. */
  uses: number;
  firstUsedAt: Date;
  lastUsedAt: Date;
  /** The latest uses, the last one first. */
  recentUses: Date[];
}
