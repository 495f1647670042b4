/** What is known of one path on both sides, by content: `null` where there is no file. */
export interface PathState {
  /** Where the content comes from. */
  source: string | null;
  /** Where it goes to. */
  target: string | null;
  /** What both had after the last sync. */
  base: string | null;
}

export interface MirrorPolicy {
  /** Whether what the source does not have goes from the target. */
  deletes: boolean;
  /** Whether changes made at the target are given up. */
  overwrites: boolean;
}

export type Decision = 'equal' | 'copy' | 'delete' | 'extra' | 'conflict';

/**
 * What to do with a path, by the three versions of it. The source is right, yet what was changed at the target since the
 * last sync, or was never part of one, is not lost unless the policy says so: that is a conflict, and is named.
 */
export function decide({ source, target, base }: PathState, policy: MirrorPolicy): Decision {
  if (source === target) return 'equal';
  if (source !== null) {
    if (target === null) return 'copy';
    return target === base || policy.overwrites ? 'copy' : 'conflict';
  }
  if (!policy.deletes) return 'extra';
  return target === base || policy.overwrites ? 'delete' : 'conflict';
}
