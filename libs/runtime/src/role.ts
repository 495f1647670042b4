/** What a process is: it answers requests, or it runs tasks. */
export type Role = 'api' | 'worker';
