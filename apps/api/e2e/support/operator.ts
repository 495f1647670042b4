import { type Platform } from './platform.js';

/** A session of the console as a browser holds it. */
export interface Operator {
  cookie: string;
  csrfToken: string;
}

/** Logs in with a key of the scope admin. */
export async function logIn(platform: Platform, key = platform.adminKey): Promise<Operator> {
  const answer = await platform.request('POST', '/console/api/session', { key: '', body: { key } });
  if (answer.status !== 200) throw new Error(`The login was refused: ${JSON.stringify(answer.body)}`);
  return { cookie: cookieIn(answer.headers), csrfToken: answer.body.csrfToken as string };
}

/** What a browser sends back: name and value without the attributes. */
export function cookieIn(headers: Headers): string {
  return headers.get('set-cookie')?.split(';', 1)[0] ?? '';
}

/** The audit lines that a process has written, parsed. */
export function auditIn(output: string): Record<string, unknown>[] {
  return output
    .split('\n')
    .filter((it) => it.includes('ConsoleAudit'))
    .map((it) => JSON.parse((JSON.parse(it) as { message: string }).message) as Record<string, unknown>);
}
