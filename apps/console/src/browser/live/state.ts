import { computed, signal } from '@preact/signals';
import type { ActionAnswer, ActionName } from '../../contract/actions.js';
import type { SessionAnswer } from '../../contract/actions.js';
import type { ConsoleSnapshot, Page } from '../../contract/snapshot.js';

const API = '/console/api';
/** How often the session is renewed while the page is looked at. */
const RENEW_MS = 5 * 60_000;
const SESSION_OVER = 'Your session is over: log in again.';
/** After what the browser gives up on (an answer that is no stream). */
const RETRY_MS = 3_000;

/** `asking`: whether somebody is logged in is not known yet. */
export type SessionState = 'asking' | 'out' | 'in';

export const session = signal<SessionState>('asking');
export const snapshot = signal<ConsoleSnapshot | null>(null);
/** Whether snapshots arrive. */
export const isLive = signal(false);
/** What came of the last action. */
export const notice = signal<{ readonly text: string; readonly failed: boolean } | null>(null);

const PAGES: readonly Page[] = [
  ...(['overview', 'queue', 'cache', 'flags', 'queries', 'retrieval'] as const),
  ...(['cdn', 'pool', 'actions', 'runbooks'] as const),
];
const address = signal(location.hash);
const parts = computed(() => address.value.split('/'));
export const page = computed<Page>(() => PAGES.find((it) => parts.value[1] === it) ?? 'overview');
/** What of the page is looked at closely: the name of a runbook, the fingerprint of a query; empty for the page itself. */
export const detail = computed(() => parts.value[2] ?? '');
addEventListener('hashchange', () => {
  address.value = location.hash;
});

let csrfToken = '';
let source: EventSource | undefined;
let renewing: number | undefined;

/** Looks whether a session goes on from before. */
export async function resume(): Promise<void> {
  try {
    const response = await fetch(`${API}/session`);
    if (response.ok) return start((await response.json()) as SessionAnswer);
    if (response.status === 401) return end(session.value === 'in' ? SESSION_OVER : undefined);
  } catch {
    // As below.
  }
  // The api is away, or about to be; the page says so, and asks again.
  isLive.value = false;
  setTimeout(() => void resume(), RETRY_MS);
}

/** @returns what is wrong; undefined when the key is an admin's */
export async function logIn(key: string): Promise<string | undefined> {
  const answer = await send('POST', 'session', { key });
  if ('problem' in answer) return answer.problem;
  notice.value = null;
  start(answer.body as SessionAnswer);
  return undefined;
}

export async function logOut(): Promise<void> {
  await send('DELETE', 'session');
  end();
}

/** Does it, and tells what came of it in `notice`. */
export async function act(action: ActionName, input: object): Promise<void> {
  const answer = await send('POST', `actions/${action}`, input);
  // Its notice is the login's.
  if (session.value !== 'in') return;
  notice.value =
    'problem' in answer
      ? { text: answer.problem, failed: true }
      : { text: (answer.body as ActionAnswer).message, failed: false };
}

function start(answer: SessionAnswer): void {
  csrfToken = answer.csrfToken;
  session.value = 'in';
  listen();
  clearInterval(renewing);
  renewing = setInterval(() => void renew(), RENEW_MS);
}

/** Nobody is logged in any more: nothing stays on the screen. @param why told at the login */
function end(why?: string): void {
  source?.close();
  source = undefined;
  clearInterval(renewing);
  csrfToken = '';
  snapshot.value = null;
  isLive.value = false;
  session.value = 'out';
  notice.value = why === undefined ? null : { text: why, failed: true };
}

/** A console that nobody looks at lets its session end. */
async function renew(): Promise<void> {
  if (document.hidden) return;
  try {
    const response = await fetch(`${API}/session`);
    if (response.status === 401) end(SESSION_OVER);
    else if (response.ok) csrfToken = ((await response.json()) as SessionAnswer).csrfToken;
  } catch {
    isLive.value = false;
  }
}

function listen(): void {
  source?.close();
  const stream = new EventSource(`${API}/stream`);
  source = stream;
  stream.addEventListener('snapshot', (event) => {
    snapshot.value = JSON.parse((event as MessageEvent<string>).data) as ConsoleSnapshot;
    isLive.value = true;
  });
  stream.addEventListener('error', () => {
    isLive.value = false;
    // The browser comes back by itself after a broken connection, and not after a refusal: the session may be over.
    if (stream.readyState === EventSource.CLOSED && source === stream)
      setTimeout(() => void resume(), RETRY_MS);
  });
}

/** What is too much for every snapshot, from below the console's API. */
export async function read<T>(path: string): Promise<{ value: T } | { problem: string }> {
  const answer = await send('GET', path);
  return 'problem' in answer ? answer : { value: answer.body as T };
}

type Answer = { readonly body: unknown } | { readonly problem: string };

async function send(method: string, path: string, body?: object): Promise<Answer> {
  try {
    const response = await fetch(`${API}/${path}`, {
      method,
      headers: {
        'X-CSRF-Token': csrfToken,
        ...(body && { 'Content-Type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (response.status === 401 && session.value === 'in') end(SESSION_OVER);
    const text = await response.text();
    if (response.ok) return { body: text === '' ? null : JSON.parse(text) };
    return { problem: problemIn(text) };
  } catch {
    return { problem: 'The api does not answer. Is it running?' };
  }
}

function problemIn(text: string): string {
  try {
    const { detail, errors } = JSON.parse(text) as { detail: string; errors?: { message: string }[] };
    return errors?.[0] ? `${detail}: ${errors[0].message}` : detail;
  } catch {
    return 'The api failed; its log has more.';
  }
}
