import {
  applyDecorators,
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  UseGuards,
} from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import { WorkspaceNotFoundError, WorkspaceService } from '@peregrine/content';
import { type FastifyRequest } from 'fastify';
import { visibilityOf } from './access.guard.js';
import { identifier } from '../app/identifier.js';
import { ValidationError } from '../problem/problem.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by `NamedWorkspaceGuard`: the workspace that the request names, which its key may see. */
    namedWorkspaceId?: string;
  }
}

const HEADER = 'x-workspace-id';

/**
 * Lets a request in when it names one workspace beside its path, and its key may see that one. A workspace that it may not
 * see answers as one that does not exist.
 */
@Injectable()
export class NamedWorkspaceGuard implements CanActivate {
  constructor(private readonly workspaces: WorkspaceService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const { caller } = request;
    if (!caller) throw new Error('NamedWorkspaceGuard needs a route with RequireScope');
    const workspaceId = workspaceNamedBy(request);
    const isVisible = await this.workspaces.isVisible(workspaceId, visibilityOf(caller));
    if (!isVisible) throw new WorkspaceNotFoundError(workspaceId);
    request.namedWorkspaceId = workspaceId;
    return true;
  }
}

/** The route works on a workspace that is named by a header, the query or the body. */
export const NamesWorkspace = () =>
  applyDecorators(
    UseGuards(NamedWorkspaceGuard),
    ApiHeader({
      name: 'X-Workspace-Id',
      required: false,
      description: 'The workspace; or the field workspaceId of the query or the body',
      schema: { type: 'string', format: 'uuid' },
    }),
  );

/** The workspace that the request names. */
export const NamedWorkspace = createParamDecorator((_: unknown, context: ExecutionContext): string => {
  const { namedWorkspaceId } = context.switchToHttp().getRequest<FastifyRequest>();
  if (namedWorkspaceId === undefined) throw new Error('NamedWorkspace needs a route with NamesWorkspace');
  return namedWorkspaceId;
});

/** @throws {ValidationError} when none is named, or several */
function workspaceNamedBy(request: FastifyRequest): string {
  const named = [
    { field: 'header.x-workspace-id', value: request.headers[HEADER] },
    { field: 'query.workspaceId', value: workspaceIdIn(request.query) },
    { field: 'body.workspaceId', value: workspaceIdIn(request.body) },
  ].filter((it) => it.value !== undefined);
  const [first, ...others] = named.map(({ field, value }) => ({ field, ...identifier.safeParse(value) }));
  if (!first) {
    const message = 'name the workspace: by the header X-Workspace-Id, or the field workspaceId';
    throw new ValidationError([{ field: 'workspaceId', message }]);
  }
  const invalid = [first, ...others].find((it) => !it.success);
  if (invalid) throw new ValidationError([{ field: invalid.field, message: 'expected a UUID' }]);
  const other = others.find((it) => it.data !== first.data);
  if (other) {
    throw new ValidationError([
      { field: other.field, message: `names another workspace than ${first.field}` },
    ]);
  }
  return first.data ?? '';
}

function workspaceIdIn(part: unknown): unknown {
  // A query has no prototype.
  return typeof part === 'object' && part !== null && 'workspaceId' in part ? part.workspaceId : undefined;
}
