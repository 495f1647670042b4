/** Services that say hello. */
export const SERVICES = {
  bare: 'Nest on Fastify',
  timed: '+ timing and figures',
  full: '+ timing, figures, limits and an API key',
  'prom-client': '+ prom-client in hooks',
} as const;
export type ServiceId = keyof typeof SERVICES;

/** To the child: how much CPU so far? */
export const ASK_CPU = 'cpu';

/** What the guard of `full` asks for. */
export const API_KEY = 'bench-key-of-thirty-two-characters';
