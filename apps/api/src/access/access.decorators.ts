import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiBearerAuth, ApiResponse } from '@nestjs/swagger';
import { type Caller, RequiredScope } from '@peregrine/runtime';
import { type FastifyRequest } from 'fastify';
import { problemSchema } from '../problem/problem.js';
import { type Scope } from './api-key.js';

const problem = (status: number, description: string) =>
  ApiResponse({ status, description, standardSchema: problemSchema });

/** The route needs an API key with this scope. A route without it is refused: nothing is open by mistake. */
export const RequireScope = (scope: Scope) =>
  applyDecorators(
    RequiredScope(scope),
    ApiBearerAuth(),
    problem(400, 'The request is not valid'),
    problem(401, 'No API key, or one that does not hold'),
    problem(403, `The API key lacks the scope ${scope}`),
    problem(404, 'There is no such thing, or the API key may not see it'),
    problem(429, 'The key or the address has used up its rate; see RateLimit and Retry-After'),
    problem(503, 'Overload, or the database or the storage does not answer; see Retry-After'),
  );

/** Who calls. */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<FastifyRequest>();
  if (!caller) throw new Error('CurrentCaller needs a route with RequireScope');
  return caller;
});
