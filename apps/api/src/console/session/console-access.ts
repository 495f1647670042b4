import { ForbiddenException, Logger, UnauthorizedException } from '@nestjs/common';
import { withQueryPriority } from '@peregrine/query-optimizer';
import { type FastifyRequest } from 'fastify';
import { type ApiKeyService } from '../../access/api-key.service.js';
import { failureOf } from '../../problem/failures.js';
import { sessionCookieOf } from './session-cookie.js';
import { type Session, type SessionTokens } from './session-token.js';

const log = new Logger('ConsoleAccess');

/** Says who may look at the console, and who may change something. */
export class ConsoleAccess {
  constructor(
    readonly tokens: SessionTokens,
    private readonly apiKeys: ApiKeyService,
  ) {}

  /**
   * For what only shows. While the database is away a session counts by its signature alone: that is when operators need
   * to look.
   *
   * @throws {UnauthorizedException} without a session, or when its key was revoked
   */
  async requireViewer(request: FastifyRequest): Promise<Session> {
    const session = this.#sessionOf(request);
    if (!(await this.mayGoOn(session))) throw notLoggedIn();
    return session;
  }

  /**
   * For what changes something.
   *
   * @throws {UnauthorizedException} as `requireViewer`
   * @throws {ForbiddenException} without the CSRF token of the session, or from another site
   */
  async requireOperator(request: FastifyRequest): Promise<Session> {
    const session = this.#sessionOf(request);
    assertSameSite(request);
    if (!this.tokens.isCsrfTokenOf(session, request.headers['x-csrf-token'])) {
      throw new ForbiddenException('The request lacks the CSRF token of the session: reload the console');
    }
    if (!(await this.#isAdmin(session))) throw notLoggedIn();
    return session;
  }

  /** Whether the key of a session still holds, as far as is known. Never rejects. */
  async mayGoOn(session: Session): Promise<boolean> {
    try {
      return await this.#isAdmin(session);
    } catch (error) {
      log.warn(`The key of a session could not be checked: ${failureOf(error).code}`);
      return true;
    }
  }

  /** Before everybody else: operators look when the pool is used up. */
  #isAdmin({ apiKeyId }: Session): Promise<boolean> {
    return withQueryPriority('high', () => this.apiKeys.holdsScope(apiKeyId, 'admin'));
  }

  #sessionOf(request: FastifyRequest): Session {
    const session = this.tokens.decode(sessionCookieOf(request));
    if (!session) throw notLoggedIn();
    return session;
  }
}

/**
 * A second fence beside SameSite cookies and the token: browsers say where a request comes from.
 *
 * @throws {ForbiddenException}
 */
export function assertSameSite({ headers }: FastifyRequest): void {
  const site = headers['sec-fetch-site'];
  // Browsers leave it out over plain HTTP to another machine; all of them send Origin with what is not a GET.
  const isForeign =
    site === undefined
      ? headers.origin !== undefined && hostOf(headers.origin) !== headers.host
      : site !== 'same-origin';
  if (isForeign) throw new ForbiddenException('The request comes from another site');
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

const notLoggedIn = () => new UnauthorizedException('Log in to the console with an admin key');
