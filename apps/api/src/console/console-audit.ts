import { Logger } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';

/** What is written about each deed of an operator. */
export interface AuditEntry {
  /** Such as `cache.flush` or `login`. */
  readonly action: string;
  readonly outcome: 'done' | 'failed' | 'refused';
  /** Of the key that acts; null when nobody is known. */
  readonly apiKeyId: string | null;
  /** What it was done to. Never a key, a payload or a content. */
  readonly input?: unknown;
  /** What came of it, or the code of the failure. */
  readonly result?: string;
}

const log = new Logger('ConsoleAudit');

/** One line of JSON for each deed: who, what, from where, and what came of it. A warning, so that no log level hides it. */
export function audit(request: FastifyRequest, entry: AuditEntry): void {
  log.warn(JSON.stringify({ audit: 'console', ...entry, address: request.ip, requestId: request.id }));
}
