import { z } from 'zod';

/** One thing wrong with a request. */
export const fieldProblemSchema = z.object({
  field: z.string().describe('Where: `query.limit`, `body.name`, `path.workspaceId`'),
  message: z.string(),
});

/** Problem details, RFC 9457, with a stable `code` and the request's id. */
export const problemSchema = z
  .object({
    type: z.string().describe('A URN that names the kind of problem'),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().describe('The path of the request'),
    code: z.string().describe('Stable; for programs'),
    requestId: z.string().describe('Also in the header X-Request-Id and in the log'),
    traceId: z.string().optional().describe('Where the request is traced: 32 hex digits'),
    errors: z.array(fieldProblemSchema).optional().describe('Each field that is wrong'),
  })
  .meta({ id: 'Problem' });

export type FieldProblem = z.output<typeof fieldProblemSchema>;
export type Problem = z.output<typeof problemSchema>;

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** What is known of a failure, before it is put as problem details of one request. */
export interface Failure {
  status: number;
  code: string;
  detail: string;
  errors?: FieldProblem[] | undefined;
  /** Seconds after which trying again makes sense. */
  retryAfterSeconds?: number;
}

/** A request that does not fit its schema; one entry for each field that is wrong. */
export class ValidationError extends Error {
  override readonly name = 'ValidationError';
  constructor(
    readonly errors: FieldProblem[],
    readonly code = 'VALIDATION_FAILED',
  ) {
    super('The request is not valid; see errors');
  }
}
