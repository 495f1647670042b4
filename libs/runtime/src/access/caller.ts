declare module 'fastify' {
  interface FastifyRequest {
    /** Set by {@link KeyGuard} on every route that needs a key. */
    caller?: Caller;
  }
}

/** Who calls. */
export interface Caller {
  readonly apiKeyId: string;
  /** What the key may do. */
  readonly scopes: readonly string[];
  /** Milliseconds since 1970; null for never. */
  readonly expiresAt: number | null;
}

/** The scope that includes all others. */
export const ADMIN_SCOPE = 'admin';
