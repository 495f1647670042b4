/** `cpu`: where time goes; `heap`: who allocates what stays; `snapshot`: everything that is on the heap. */
export const PROFILE_KINDS = ['cpu', 'heap', 'snapshot'] as const;
export type ProfileKind = (typeof PROFILE_KINDS)[number];

/** Who asked for it: a person, or the process itself when something was wrong. */
export type ProfileTrigger = 'request' | 'breach';

/** How the browser's developer tools know each kind. */
export const PROFILE_EXTENSIONS: Readonly<Record<ProfileKind, string>> = {
  cpu: 'cpuprofile',
  heap: 'heapprofile',
  snapshot: 'heapsnapshot',
};

export interface Profile {
  /** Unique among the processes that share a folder. */
  readonly id: string;
  readonly kind: ProfileKind;
  /** `running` and `failed` are known only to the process that takes it. */
  readonly state: 'running' | 'done' | 'failed';
  readonly startedAt: Date;
  /** Of the file; 0 before it is done. */
  readonly sizeBytes: number;
  /** Why it failed. */
  readonly error: string | null;
}
