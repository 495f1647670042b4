/** Where a connection url leads. */
export interface ConnectionTarget {
  readonly host: string;
  readonly port: number;
  readonly database: string;
}

const DEFAULT_PORT = 5432;

export function connectionTarget(url: string): ConnectionTarget {
  const { hostname, port, pathname, username } = new URL(url);
  return {
    host: hostname,
    port: port === '' ? DEFAULT_PORT : Number(port),
    // PostgreSQL's rule: no name means the user's own.
    database: decodeURIComponent(pathname.slice(1) || username),
  };
}

/**
 * The connection in words fit for a log: `postgres://user@host:5432/name`, without password and parameters.
 * Text that is no url gives a fixed phrase, since nobody knows where its password stands.
 */
export function describeConnection(url: string): string {
  if (!URL.canParse(url)) return 'an invalid connection url';
  const { username } = new URL(url);
  const { host, port, database } = connectionTarget(url);
  return `postgres://${username === '' ? '' : `${username}@`}${host}:${port}/${encodeURIComponent(database)}`;
}
