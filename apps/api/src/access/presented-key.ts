import { type FastifyRequest } from 'fastify';

/**
 * The API key that a request presents; undefined without one.
 *
 * @param password whether the login of a browser counts, with the key as its password and any name
 */
export function presentedKey(
  { headers }: FastifyRequest,
  { password = false }: { password?: boolean } = {},
): string | undefined {
  const [, bearer] = /^bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
  const header = headers['x-api-key'];
  const key = bearer ?? (password ? passwordOf(headers.authorization) : undefined) ?? header;
  return typeof key === 'string' && key !== '' ? key : undefined;
}

function passwordOf(authorization = ''): string | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/=]+)$/i.exec(authorization) ?? [];
  if (encoded === undefined) return undefined;
  const login = Buffer.from(encoded, 'base64').toString();
  return login.includes(':') ? login.slice(login.indexOf(':') + 1) : undefined;
}
