import { HttpException } from '@nestjs/common';
import { isUnavailable } from '@peregrine/database';
import { RecommendationError } from '@peregrine/query-optimizer';
import { MetricsProfileRefusedError } from '@peregrine/metrics';
import { ProtectionError } from '@peregrine/runtime';
import { STATUS_CODES } from 'node:http';
import { CallerGoneError } from '../app/caller-signal.js';
import { type Failure, ValidationError } from './problem.js';

/** What the libraries' typed errors mean over HTTP. Their messages are written for callers and hold no internals. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  METRICS_PROFILE_NOT_FOUND: 404,
  AI_KEY: 400,
  AI_INVALID_INPUT: 400,
  AI_UNKNOWN_LANGUAGE: 400,
  AI_UNKNOWN_MODEL: 400,
  AI_UNKNOWN_RULE: 400,
  AI_REQUEST_REFUSED: 400,
  AI_ANALYSIS_TIMEOUT: 422,
  AI_BUDGET_EXCEEDED: 429,
  AI_PROVIDER_ACCESS: 502,
  AI_PROVIDER_ANSWER: 502,
  AI_PROVIDER_FAILED: 502,
  AI_STREAM_BROKEN: 502,
  AI_NOT_CONFIGURED: 503,
  AI_QUOTA_EXHAUSTED: 503,
  AI_RATE_LIMITED: 503,
  AI_UNPRICED_MODEL: 503,
  AI_PROVIDER_TIMEOUT: 504,
  CONTENT_WORKSPACE_NOT_FOUND: 404,
  CONTENT_FILE_NOT_FOUND: 404,
  CONTENT_INVALID_FILE_PATH: 400,
  CONTENT_CONVERSION_UNSUPPORTED: 415,
  CONTENT_CONVERSION_REFUSED: 422,
  CONTENT_CONVERSION_TOO_LARGE: 413,
  CONTENT_SYNC_SOURCE_REFUSED: 400,
  CONTENT_SYNC_NOT_FOUND: 404,
  CONTENT_SYNC_RUNNING: 409,
  CONTENT_SYNC_ENDED: 409,
  MEMORIES_WORKSPACE_NOT_FOUND: 404,
  MEMORIES_NOT_FOUND: 404,
  MEMORIES_NOT_A_SUMMARY: 409,
  MEMORIES_INVALID_CONTENT: 400,
  MEMORIES_BATCH_TOO_LARGE: 400,
  MEMORIES_INVALID_QUERY: 400,
  RETRIEVAL_INVALID_QUERY: 400,
  RETRIEVAL_UNKNOWN_FILTER: 400,
  RETRIEVAL_INVALID_VECTOR: 400,
  RETRIEVAL_PLAN_NOT_APPLICABLE: 400,
  RETRIEVAL_DOCUMENT_NOT_FOUND: 404,
  RETRIEVAL_CHUNK_NOT_FOUND: 404,
  RETRIEVAL_CODES_TOO_LARGE: 422,
  RETRIEVAL_VECTOR_INDEX_MISSING: 422,
  DATABASE_INVALID_CURSOR: 400,
  STORAGE_UPLOAD_TOO_LARGE: 413,
  STORAGE_UPLOAD_INTERRUPTED: 400,
  CDN_INVALID_PURGE_TARGET: 400,
  CDN_UNKNOWN_PROVIDER: 400,
  TASK_QUEUE_INVALID_PAYLOAD: 400,
  TASK_QUEUE_INVALID_ID: 400,
  TASK_QUEUE_INVALID_SUBMISSION: 400,
  TASK_QUEUE_NOT_FOUND: 404,
  TASK_QUEUE_ALREADY_ENDED: 409,
  TASK_QUEUE_INVALID_DEAD_LETTER_QUERY: 400,
  TASK_QUEUE_NOT_DEAD: 409,
  TASK_QUEUE_DEDUPE_KEY_TAKEN: 409,
};

const RETRY_AFTER_SECONDS = 5;

/** As nginx names what it logs of a request whose client has closed the connection; nobody reads the answer. */
const CLIENT_CLOSED_REQUEST = 499;

/** Bodies that broke off or were wrong on the wire, as Fastify, its multipart plugin and Node name them. */
const STATUS_OF_WIRE_CODE: Readonly<Record<string, number>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 400,
  FST_ERR_CTP_EMPTY_JSON_BODY: 400,
  FST_PARTS_LIMIT: 413,
  FST_FILES_LIMIT: 413,
  FST_REQ_FILE_TOO_LARGE: 413,
  ECONNRESET: 400,
  ERR_STREAM_PREMATURE_CLOSE: 400,
};

/** What went wrong, as far as the caller may know. Anything unknown is an internal error without a detail. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ValidationError) {
    return { status: 400, code: error.code, detail: error.message, errors: error.errors };
  }
  if (error instanceof ProtectionError) {
    const { statusCode: status, code, message: detail, retryAfterSeconds } = error;
    return {
      ...{ status, code, detail, isPlanned: true },
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    };
  }
  if (error instanceof MetricsProfileRefusedError) return ofProfile(error);
  if (error instanceof CallerGoneError) {
    return { status: CLIENT_CLOSED_REQUEST, code: 'CALLER_GONE', detail: error.message, isPlanned: true };
  }
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : '';
  const status = STATUS_OF_CODE[code];
  if (status !== undefined) return { status, code, detail: message, ...retryAfterOf(error) };
  if (code === 'CONTENT_CONVERSION_BUSY') return unavailable(code, message);
  if (code === 'RETRIEVAL_CODE_THREAD_LOST') return unavailable(code, 'A thread has ended');
  if (code === 'STORAGE_UNAVAILABLE') return unavailable(code, 'The storage does not answer');
  if (code === 'CDN_INVALIDATION_QUEUE_UNAVAILABLE') return unavailable(code, 'The database does not answer');
  if (code === 'TASK_QUEUE_UNAVAILABLE') return unavailable(code, 'The task queue does not answer');
  if (error instanceof RecommendationError) {
    return { status: error.failure === 'unknown' ? 404 : 409, code, detail: message };
  }
  // Its message is for those who write the application.
  if (code === 'TASK_QUEUE_UNKNOWN_TASK') {
    return { status: 404, code, detail: 'There is no such task that may be submitted' };
  }
  if (isBusy(error)) {
    return unavailable(codeOf(error), 'All connections to the database are in use');
  }
  if (isUnavailable(error)) return unavailable('DATABASE_UNAVAILABLE', 'The database does not answer');
  if (error instanceof HttpException) return ofStatus(error.getStatus(), message);
  const wireStatus = STATUS_OF_WIRE_CODE[code] ?? statusOf(error);
  if (wireStatus !== undefined && wireStatus < 500) return ofStatus(wireStatus, message);
  return {
    status: 500,
    code: 'INTERNAL_ERROR',
    detail: 'Something failed here; the log has more by this request id',
  };
}

function ofProfile({ code, message, retryAfterSeconds }: MetricsProfileRefusedError): Failure {
  if (retryAfterSeconds === null) return { status: 409, code, detail: message };
  return { status: 429, code, detail: message, retryAfterSeconds };
}

/** Connections are there, but others have them. With a cause none could be opened: the database is away. */
function isBusy(error: unknown): boolean {
  const code = codeOf(error);
  if (code === 'POOL_EXHAUSTED') return true;
  return code === 'POOL_ACQUIRE_TIMEOUT' && (error as Error).cause === undefined;
}

function unavailable(code: string, what: string): Failure {
  return { status: 503, code, detail: `${what}; try again later`, retryAfterSeconds: RETRY_AFTER_SECONDS };
}

/** Of errors that know when it makes sense to come again. */
function retryAfterOf(error: unknown): Pick<Failure, 'retryAfterSeconds'> {
  const { retryAfterMs } = error as { retryAfterMs?: unknown };
  return typeof retryAfterMs === 'number' ? { retryAfterSeconds: Math.ceil(retryAfterMs / 1_000) } : {};
}

function ofStatus(status: number, message: string): Failure {
  const title = STATUS_CODES[status] ?? 'Error';
  return { status, code: title.toUpperCase().replaceAll(/\W+/g, '_'), detail: message || title };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' && error.statusCode >= 400 ? error.statusCode : undefined;
}
