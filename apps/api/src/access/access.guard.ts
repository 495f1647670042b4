import {
  type CanActivate,
  type ExecutionContext,
  ForbiddenException,
  Injectable,
  UnauthorizedException,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type Visibility, WorkspaceNotFoundError, WorkspaceService } from '@peregrine/content';
import { OPERATIONS_PATHS } from '@peregrine/runtime';
import { type FastifyRequest } from 'fastify';
import { identifier } from '../app/identifier.js';
import { REQUIRED_SCOPE } from './access.decorators.js';
import { type Caller, type Scope } from './api-key.js';
import { ApiKeyService } from './api-key.service.js';
import { presentedKey } from './presented-key.js';

/** What a caller may see. */
export function visibilityOf(caller: Caller): Visibility {
  return caller.scopes.includes('admin') ? 'all' : { grantedTo: caller.apiKeyId };
}

/** Lets a request in when its API key holds, has the scope of the route, and may see the workspace in the path. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly apiKeys: ApiKeyService,
    private readonly workspaces: WorkspaceService,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    // `switchToHttp` would make three functions for each request, which cost more than the hash of its key.
    const request = context.getArgByIndex<FastifyRequest>(0);
    const scope = this.reflector.getAllAndOverride<Scope | undefined>(REQUIRED_SCOPE, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (scope === undefined) return OPERATIONS_PATHS.includes(request.routeOptions.url ?? '');

    await request.timing.measure('auth', () => this.#admit(request, scope));
    return true;
  }

  async #admit(request: FastifyRequest, scope: Scope): Promise<void> {
    const caller = await this.#authenticate(request);
    if (!caller.scopes.includes(scope) && !caller.scopes.includes('admin')) {
      throw new ForbiddenException(`The API key lacks the scope ${scope}`);
    }
    request.caller = caller;
    await this.#checkWorkspace(request, caller);
  }

  async #authenticate(request: FastifyRequest): Promise<Caller> {
    const key = presentedKey(request);
    if (key === undefined) {
      throw new UnauthorizedException('Send an API key: the header "Authorization: Bearer <key>"');
    }
    const caller = await this.apiKeys.authenticate(key);
    if (!caller) throw new UnauthorizedException('The API key is unknown, expired or revoked');
    return caller;
  }

  /** A workspace that the key may not see answers as one that does not exist. */
  async #checkWorkspace(request: FastifyRequest, caller: Caller): Promise<void> {
    const { workspaceId } = request.params as { workspaceId?: string };
    // What is no UUID, the validation of the parameter refuses with a better message.
    const { data: id } = identifier.safeParse(workspaceId);
    if (id === undefined) return;
    const visible = await this.workspaces.isVisible(id, visibilityOf(caller));
    if (!visible) throw new WorkspaceNotFoundError(id);
  }
}
