import { ForbiddenException, UnauthorizedException } from '@nestjs/common';
import { type SessionAnswer } from '@peregrine/console';
import { PresentedKey } from '@peregrine/runtime';
import { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import { type ApiKeyService } from '../../access/api-key.service.js';
import { ValidationError } from '../../problem/problem.js';
import { audit } from '../console-audit.js';
import { assertSameSite, type ConsoleAccess } from './console-access.js';
import { clearSessionCookie, setSessionCookie } from './session-cookie.js';
import { type Session } from './session-token.js';

interface Parts {
  readonly access: ConsoleAccess;
  readonly apiKeys: ApiKeyService;
  readonly actionsEnabled: boolean;
}

const loginSchema = z.strictObject({ key: z.string().min(1).max(200) });

/** Login with an admin key, who is logged in, logout. */
export function registerSessionRoutes(
  routes: FastifyInstance,
  { access, apiKeys, actionsEnabled }: Parts,
): void {
  const { tokens } = access;
  const answer = (session: Session): SessionAnswer => ({
    csrfToken: tokens.csrfTokenOf(session),
    expiresAt: new Date(session.expiresAt).toISOString(),
    actionsEnabled,
  });

  routes.post('/session', async (request, reply) => {
    assertSameSite(request);
    const { data } = loginSchema.safeParse(request.body);
    if (!data) throw new ValidationError([{ field: 'body.key', message: 'expected an admin key' }]);
    const caller = await apiKeys.authenticate(new PresentedKey(data.key.trim()));
    if (!caller?.scopes.includes('admin')) {
      audit(request, { action: 'login', outcome: 'refused', apiKeyId: caller?.apiKeyId ?? null });
      if (caller)
        throw new ForbiddenException('This key is not an admin key: the console needs the scope admin');
      throw new UnauthorizedException('The key is unknown, expired or revoked');
    }
    const session = tokens.start(caller.apiKeyId);
    audit(request, { action: 'login', outcome: 'done', apiKeyId: caller.apiKeyId });
    setSessionCookie(request, reply, tokens, session);
    return answer(session);
  });

  routes.get('/session', async (request, reply) => {
    const session = tokens.renew(await access.requireViewer(request));
    setSessionCookie(request, reply, tokens, session);
    return answer(session);
  });

  routes.delete('/session', async (request, reply) => {
    const session = await access.requireOperator(request);
    audit(request, { action: 'logout', outcome: 'done', apiKeyId: session.apiKeyId });
    clearSessionCookie(request, reply);
    return reply.status(204).send();
  });
}
