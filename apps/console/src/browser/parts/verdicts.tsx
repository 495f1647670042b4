import type { Level, Page, Verdict } from '../../contract/snapshot.js';
import { Mark } from './basics.js';

const SEVERITY: readonly Level[] = ['good', 'unknown', 'warning', 'critical'];

/** The worst that is said of a page. */
export function worstOn(page: Page, verdicts: readonly Verdict[]): Level {
  const levels = verdicts.filter((it) => it.page === page).map(({ level }) => level);
  return levels.reduce((a, b) => (SEVERITY.indexOf(b) > SEVERITY.indexOf(a) ? b : a), 'good');
}

/** What is so, why, and what to do. */
export function VerdictCard({ verdict, hasLink }: { verdict: Verdict; hasLink?: boolean }) {
  const { level, title, why, todo, page } = verdict;
  return (
    <li class={`verdict ${level}`}>
      <Mark level={level} />
      <div>
        <h3>{title}</h3>
        <p>{why}</p>
        {todo !== '' && (
          <p class="todo">
            <b>What to do:</b> {todo}
          </p>
        )}
        {hasLink && page !== 'overview' && <a href={`#/${page}`}>Look at it</a>}
      </div>
    </li>
  );
}

/** All verdicts of one page. */
export function PageVerdicts({ page, verdicts }: { page: Page; verdicts: readonly Verdict[] }) {
  return (
    <ul class="verdicts">
      {verdicts
        .filter((it) => it.page === page)
        .map((it) => (
          <VerdictCard key={it.title} verdict={it} />
        ))}
    </ul>
  );
}
