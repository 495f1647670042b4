import type { Level, Page, Verdict } from '../../contract/snapshot.js';
import { Mark } from './basics.js';

const SEVERITY: readonly Level[] = ['good', 'unknown', 'warning', 'critical'];

/** The worst that is said of a page. */
export function worstOn(page: Page, verdicts: readonly Verdict[]): Level {
  const levels = verdicts.filter((it) => it.page === page).map(({ level }) => level);
  return levels.reduce((a, b) => (SEVERITY.indexOf(b) > SEVERITY.indexOf(a) ? b : a), 'good');
}

/** What is so, why, and what to do. @param isPart below another heading, away from its page */
export function VerdictCard({ verdict, isPart }: { verdict: Verdict; isPart?: boolean }) {
  const { level, title, why, todo, page, runbook } = verdict;
  const Heading = isPart ? 'h3' : 'h2';
  return (
    <li class={`verdict ${level}`}>
      <Mark level={level} />
      <div>
        <Heading>{title}</Heading>
        <p>{why}</p>
        {todo !== '' && (
          <p class="todo">
            <b>What to do:</b> {todo}{' '}
            {runbook !== null && (
              <a href={`#/runbooks/${runbook}`} aria-label={`Runbook: ${title}`}>
                Runbook
              </a>
            )}
          </p>
        )}
      </div>
      {isPart && page !== 'overview' && (
        <a href={`#/${page}`} aria-label={`Look at it: ${title}`}>
          Look at it
        </a>
      )}
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
