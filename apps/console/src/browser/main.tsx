import { render } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ConsoleSnapshot, Page } from '../contract/snapshot.js';
import { clock } from './live/format.js';
import { isLive, logOut, notice, page, resume, session, snapshot } from './live/state.js';
import { Login } from './pages/login.js';
import { ActionsPage } from './pages/actions.js';
import { CachePage } from './pages/cache.js';
import { CdnPage } from './pages/cdn.js';
import { FlagsPage } from './pages/flags.js';
import { OverviewPage } from './pages/overview.js';
import { PoolPage } from './pages/pool.js';
import { QueriesPage } from './pages/queries.js';
import { QueuePage } from './pages/queue.js';
import { RetrievalPage } from './pages/retrieval.js';
import { RunbooksPage } from './pages/runbooks.js';
import { Mark } from './parts/basics.js';
import { ConfirmDialog } from './parts/confirm.js';
import { worstOn } from './parts/verdicts.js';

const TITLES: Readonly<Record<Page, string>> = {
  overview: 'Overview',
  queue: 'Queue',
  cache: 'Cache',
  flags: 'Flags',
  queries: 'Queries',
  retrieval: 'Retrieval',
  cdn: 'CDN',
  pool: 'Pool and memory',
  actions: 'Recent actions',
  runbooks: 'Runbooks',
};
const VIEWS: Readonly<Record<Page, (props: { now: ConsoleSnapshot }) => preact.JSX.Element>> = {
  overview: OverviewPage,
  queue: QueuePage,
  cache: CachePage,
  flags: FlagsPage,
  queries: QueriesPage,
  retrieval: RetrievalPage,
  cdn: CdnPage,
  pool: PoolPage,
  actions: ActionsPage,
  runbooks: RunbooksPage,
};

function Navigation() {
  const { verdicts } = snapshot.value ?? { verdicts: [] };
  const list = useRef<HTMLElement>(null);
  const current = page.value;
  useEffect(() => {
    if (list.current) showCurrent(list.current);
  }, [current]);
  return (
    <nav aria-label="Pages" ref={list}>
      <ul>
        {(Object.keys(TITLES) as Page[]).map((it) => {
          const level = worstOn(it, verdicts);
          return (
            <li key={it}>
              <a href={`#/${it}`} aria-current={current === it ? 'page' : undefined}>
                {TITLES[it]}
                {(level === 'warning' || level === 'critical') && <Mark level={level} />}
              </a>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}

/** On a phone not all pages have room. Not by `scrollIntoView`, from where the next Tab would go on. */
function showCurrent(list: HTMLElement): void {
  const link = list.querySelector<HTMLElement>('[aria-current]');
  if (link) list.scrollLeft = link.offsetLeft - (list.clientWidth - link.offsetWidth) / 2;
}

/** What came of the last action, told by screen readers as well. */
function Notice() {
  const its = notice.value;
  const dismiss = () => {
    notice.value = null;
  };
  return (
    <div role="status" class={its ? `notice ${its.failed ? 'critical' : 'good'}` : undefined}>
      {its && (
        <>
          <span>{its.text}</span>
          <button type="button" onClick={dismiss} aria-label="Dismiss the message">
            ✕
          </button>
        </>
      )}
    </div>
  );
}

function Shell() {
  const now = snapshot.value;
  const title = TITLES[page.value];
  const View = VIEWS[page.value];
  useEffect(() => {
    document.title = `${title} · Peregrine console`;
  }, [title]);
  return (
    <>
      <a class="skip" href="#content" onClick={skipToContent}>
        Skip to the content
      </a>
      <header class="top">
        <strong>Peregrine</strong>
        <span class={`live ${isLive.value ? 'on' : 'off'}`}>
          {isLive.value ? 'Live' : now ? 'Reconnecting' : 'Connecting'}
        </span>
        <button type="button" onClick={() => void logOut()}>
          Log out
        </button>
      </header>
      <Navigation />
      <main id="content" tabIndex={-1}>
        <h1>{title}</h1>
        <Notice />
        {now && !isLive.value && <Stale at={now.at} />}
        {now ? <View now={now} /> : <p class="empty">Waiting for the first figures …</p>}
      </main>
      <ConfirmDialog />
    </>
  );
}

/** Between two connections: what is on the screen is old, and the console comes back by itself. */
function Stale({ at }: { at: string }) {
  return (
    <p class="notice warning" role="alert">
      The api does not answer. These are the figures of {clock(at)}; the console reconnects by itself.
    </p>
  );
}

/** The hash is the page's: the jump must not change it. */
function skipToContent(event: Event): void {
  event.preventDefault();
  document.getElementById('content')?.focus();
}

function Console() {
  if (session.value === 'in') return <Shell />;
  return session.value === 'out' ? <Login /> : <p class="empty">Asking the api …</p>;
}

const root = document.getElementById('console');
if (root) render(<Console />, root);
void resume();
