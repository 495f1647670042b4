/** What a user does to the platform, each over HTTP. */
export const ACTIONS = ['read', 'search', 'upload', 'add', 'query', 'bootstrap', 'retrieve'] as const;
export type Action = (typeof ACTIONS)[number];

/** How often each is done, relative to the others; 0 or missing: never. */
export type Mix = Readonly<Partial<Record<Action, number>>>;

/** What `--mix` takes. Workloads that come later bring actions and mixes of their own. */
export const MIXES = {
  /** 20 % adding, 60 % asking, 20 % what a client does when it opens. */
  content: { upload: 20, search: 60, read: 20 },
  /** The same of memories: adding one, asking, beginning a conversation. */
  memories: { add: 20, query: 60, bootstrap: 20 },
  /** Passages by meaning, words and links, while files come in. */
  retrieval: { upload: 20, retrieve: 80 },
  reads: { read: 1 },
  searches: { search: 1 },
  uploads: { upload: 1 },
} as const satisfies Record<string, Mix>;
export type MixName = keyof typeof MIXES;

/** @param share from 0 to below 1 @returns the action that the share of the mix belongs to */
export function pickAction(mix: Mix, share: number): Action {
  const weights = ACTIONS.map((action) => mix[action] ?? 0);
  let rest = share * weights.reduce((sum, it) => sum + it, 0);
  const index = weights.findIndex((weight) => (rest -= weight) < 0);
  return ACTIONS[index] ?? 'read';
}
