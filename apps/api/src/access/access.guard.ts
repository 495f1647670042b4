import { Injectable } from '@nestjs/common';
import { type Visibility, WorkspaceNotFoundError, WorkspaceService } from '@peregrine/content';
import { ADMIN_SCOPE, type Caller, KeyGuard, type PresentedKey } from '@peregrine/runtime';
import { type FastifyRequest } from 'fastify';
import { identifier } from '../app/identifier.js';
import { ApiKeyService } from './api-key.service.js';

/** What a caller may see. */
export function visibilityOf(caller: Caller): Visibility {
  return caller.scopes.includes(ADMIN_SCOPE) ? 'all' : { grantedTo: caller.apiKeyId };
}

/** Lets a request in when its API key holds, has the scope of the route, and may see the workspace in the path. */
@Injectable()
export class AccessGuard extends KeyGuard {
  constructor(
    private readonly apiKeys: ApiKeyService,
    private readonly workspaces: WorkspaceService,
  ) {
    super();
  }

  protected override holderOf(key: PresentedKey) {
    return this.apiKeys.authenticate(key);
  }

  /** A workspace that the key may not see answers as one that does not exist. */
  protected override check(request: FastifyRequest, caller: Caller): Promise<void> | undefined {
    const { workspaceId } = request.params as { workspaceId?: string };
    // What is no UUID, the validation of the parameter refuses with a better message.
    const { data: id } = identifier.safeParse(workspaceId);
    return id === undefined ? undefined : this.#checkWorkspace(id, caller);
  }

  async #checkWorkspace(id: string, caller: Caller): Promise<void> {
    const visible = await this.workspaces.isVisible(id, visibilityOf(caller));
    if (!visible) throw new WorkspaceNotFoundError(id);
  }
}
