import { type FastifyReply, type FastifyRequest } from 'fastify';
import { CONSOLE_PATH } from '../console.tokens.js';
import { type Session, type SessionTokens } from './session-token.js';

const NAME = 'peregrine_console';

/** The session cookie as it came; undefined without one. */
export function sessionCookieOf({ headers }: FastifyRequest): string | undefined {
  for (const pair of headers.cookie?.split(';') ?? []) {
    const [name, value] = pair.trim().split('=', 2);
    if (name === NAME) return value;
  }
  return undefined;
}

export function setSessionCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  tokens: SessionTokens,
  session: Session,
): void {
  const seconds = Math.max(0, Math.floor((session.expiresAt - Date.now()) / 1_000));
  void reply.header('Set-Cookie', cookieOf(request, tokens.encode(session), seconds));
}

export function clearSessionCookie(request: FastifyRequest, reply: FastifyReply): void {
  void reply.header('Set-Cookie', cookieOf(request, '', 0));
}

function cookieOf(request: FastifyRequest, value: string, maxAgeSeconds: number): string {
  const attributes = `Path=${CONSOLE_PATH}; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict`;
  return `${NAME}=${value}; ${attributes}${isEncrypted(request) ? '; Secure' : ''}`;
}

/** Whether the browser speaks TLS. A false header can only make a cookie that its browser does not send. */
function isEncrypted({ protocol, headers }: FastifyRequest): boolean {
  return protocol === 'https' || headers['x-forwarded-proto'] === 'https';
}
