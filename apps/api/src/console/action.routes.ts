import { ForbiddenException, NotFoundException } from '@nestjs/common';
import { type ActionAnswer } from '@peregrine/console';
import { type AuditTrail } from '@peregrine/runtime';
import { type FastifyInstance } from 'fastify';
import { type ApiKeyService } from '../access/api-key.service.js';
import { ActionRecord } from './action-record.js';
import { type ConsoleActions, type Deed } from './console-actions.js';
import { type ConsoleAccess } from './session/console-access.js';

interface Parts {
  readonly access: ConsoleAccess;
  readonly apiKeys: ApiKeyService;
  readonly actions: ConsoleActions;
  readonly trail: AuditTrail;
  readonly actionsEnabled: boolean;
  /** Called after each action, whether it succeeded or not. */
  readonly onChange: () => void;
}

/** In the audit, where the input does not say what is meant. */
const UNCLEAR = 'console';

/** What changes something: with a session, its CSRF token, and the setting that allows it. Each is audited. */
export function registerActionRoutes(
  routes: FastifyInstance,
  { access, apiKeys, actions, trail, actionsEnabled, onChange }: Parts,
): void {
  routes.post<{ Params: { name: string } }>(
    '/actions/:name',
    async (request, reply): Promise<ActionAnswer> => {
      const { apiKeyId } = await access.requireOperator(request);
      const { name } = request.params;
      const action = actions.find(name);
      if (!action) throw new NotFoundException('There is no such action');
      const deed = prepared(() => action.prepare(request.body ?? undefined));
      const actor = { id: apiKeyId, name: await apiKeys.nameOf(apiKeyId) };
      const record = new ActionRecord(trail, {
        ...{ request, actor, action: name, auditsItself: action.auditsItself },
        subject: 'error' in deed ? UNCLEAR : deed.subject,
      });
      if (!actionsEnabled) {
        await record.refused();
        throw new ForbiddenException('Actions are off: set CONSOLE_ACTIONS_ENABLED=true and restart the api');
      }
      try {
        if ('error' in deed) throw deed.error;
        await record.requested();
        const outcome = await deed.run({ actor, requestId: request.id, reply });
        await record.done(outcome);
        return { message: outcome.message };
      } catch (error) {
        await record.failed(error);
        throw error;
      } finally {
        onChange();
      }
    },
  );
}

/** What does not fit is refused after it was written down. */
function prepared(prepare: () => Deed): Deed | { readonly error: unknown } {
  try {
    return prepare();
  } catch (error) {
    return { error };
  }
}
