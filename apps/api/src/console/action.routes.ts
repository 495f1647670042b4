import { ForbiddenException, NotFoundException } from '@nestjs/common';
import { type ActionAnswer } from '@peregrine/console';
import { type FastifyInstance } from 'fastify';
import { failureOf } from '../problem/failures.js';
import { audit } from './console-audit.js';
import { type ConsoleActions } from './console-actions.js';
import { type ConsoleAccess } from './session/console-access.js';

interface Parts {
  readonly access: ConsoleAccess;
  readonly actions: ConsoleActions;
  readonly actionsEnabled: boolean;
  /** Called after each action, whether it succeeded or not. */
  readonly onChange: () => void;
}

/** What changes something: with a session, its CSRF token, and the setting that allows it. Each is audited. */
export function registerActionRoutes(
  routes: FastifyInstance,
  { access, actions, actionsEnabled, onChange }: Parts,
): void {
  routes.post<{ Params: { name: string } }>(
    '/actions/:name',
    async (request, reply): Promise<ActionAnswer> => {
      const { apiKeyId } = await access.requireOperator(request);
      const { name } = request.params;
      const action = actions.find(name);
      if (!action) throw new NotFoundException('There is no such action');
      const entry = { action: name, apiKeyId, input: request.body };
      if (!actionsEnabled) {
        audit(request, { ...entry, outcome: 'refused' });
        throw new ForbiddenException('Actions are off: set CONSOLE_ACTIONS_ENABLED=true and restart the api');
      }
      try {
        const message = await action(request.body ?? undefined, reply);
        audit(request, { ...entry, outcome: 'done', result: message });
        return { message };
      } catch (error) {
        audit(request, { ...entry, outcome: 'failed', result: failureOf(error).code });
        throw error;
      } finally {
        onChange();
      }
    },
  );
}
