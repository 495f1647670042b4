import type { ActionsFigures, RecentAction } from '../../contract/actions.js';
import type {
  IndexFigures,
  IndexFindingFigures,
  RecommendationFigures,
} from '../../contract/index-figures.js';
import type { Level } from '../../contract/snapshot.js';
import { ago, bytes, count, duration, percent } from '../live/format.js';
import { Empty, Problem, Section, Table, Tag } from '../parts/basics.js';
import { ActionButton, ActionsNote } from '../parts/confirm.js';

const STATES: Readonly<Record<RecommendationFigures['state'], readonly [word: string, level: Level]>> = {
  open: ['would help', 'warning'],
  applied: ['is being built', 'unknown'],
  kept: ['built, helps', 'good'],
  dropped: ['built, did not help', 'unknown'],
  reverted: ['taken back', 'unknown'],
  failed: ['could not be built', 'critical'],
  obsolete: ['not asked for any more', 'unknown'],
};
const APPLICABLE: readonly string[] = ['open', 'dropped', 'reverted', 'failed'];

function Buttons({ its, isBusy }: { its: RecommendationFigures; isBusy: boolean }) {
  const { id, indexName, table, sizeBytes, state } = its;
  if (state === 'kept') {
    return (
      <ActionButton
        verb="Revert"
        label={`Revert ${indexName}`}
        isIdle={isBusy}
        title={`Drop the index ${indexName}?`}
        text={`Statements on ${table} do without it from then on. It was built on this advice; nothing else is dropped.`}
        action="index.revert"
        input={{ recommendation: id }}
      />
    );
  }
  if (!APPLICABLE.includes(state)) return null;
  return (
    <ActionButton
      verb="Apply"
      label={`Apply ${indexName}`}
      isIdle={isBusy}
      title={`Build the index ${indexName}?`}
      text={`It takes about ${bytes(sizeBytes)} on ${table}, and locks nobody out. Its statements are measured before and after; it stays only when they are faster.`}
      action="index.apply"
      input={{ recommendation: id }}
    />
  );
}

interface RecommendationProps {
  its: RecommendationFigures;
  /** The latest that was done to it. */
  change: RecentAction | undefined;
  now: string;
}

function Recommendation({ its, change, now }: RecommendationProps) {
  const { indexName, table, costBefore, costAfter, savedMs, sizeBytes, reasons, decision } = its;
  const [word, level] = STATES[its.state];
  const isUnderWay = change?.outcome === 'under way';
  const gain = costBefore > 0 ? 1 - costAfter / costBefore : 0;
  return (
    <li class="entry">
      <header>
        <h3>
          <code>{indexName}</code> <Tag level={level}>{word}</Tag>
        </h3>
        <span class="buttons">
          <Buttons its={its} isBusy={isUnderWay} />
        </span>
      </header>
      <p>
        On <code>{table}</code>: {percent(gain)} less cost for what it serves
        {savedMs > 0 && `, about ${duration(savedMs)} saved`}, {bytes(sizeBytes)}.
      </p>
      {isUnderWay && (
        <p class="progress" role="status">
          {change.action === 'index.revert' ? 'It is taken back' : 'It is being built'}, asked for by{' '}
          {change.actor} {ago(change.at, now)}: {change.progress ?? 'it waits for a worker.'}
        </p>
      )}
      {change?.outcome === 'failed' && <p class="problem">{change.detail}</p>}
      {decision !== null && <p class="note">{decision}</p>}
      {its.revertProposal !== null && <p class="note">Worth taking back: {its.revertProposal}</p>}
      <details>
        <summary>Why, and what is run</summary>
        <ul class="reasons">
          {reasons.map((it) => (
            <li key={it}>{it}</li>
          ))}
        </ul>
        <pre class="statement">{its.statement}</pre>
      </details>
    </li>
  );
}

const MODES = {
  off: 'The advisor is off (INDEX_ADVISOR_MODE).',
  recommend: 'The advisor recommends; people decide.',
  apply: 'The advisor also builds by itself.',
} as const;

export function Recommendations({
  indexes,
  actions,
  now,
}: {
  indexes: IndexFigures;
  actions: ActionsFigures;
  now: string;
}) {
  const { mode, recommendations, lastRoundAt, lastRoundOutcome, problem } = indexes;
  const changeOf = (id: string) =>
    actions.recent.find(({ subject }) => subject === `index-recommendation/${id}`);
  return (
    <Section
      title="Recommended indexes"
      aside={
        <span class="note">
          {lastRoundAt === null ? 'no round yet' : `last round ${ago(lastRoundAt, now)}, ${lastRoundOutcome}`}
        </span>
      }
    >
      <ActionsNote />
      <Problem text={problem} />
      {recommendations.length === 0 ? (
        <Empty>
          No index is recommended. {MODES[mode]} Rounds run in the workers and look at what was slow.
        </Empty>
      ) : (
        <ul class="entries">
          {recommendations.map((it) => (
            <Recommendation key={it.id} its={it} change={changeOf(it.id)} now={now} />
          ))}
        </ul>
      )}
    </Section>
  );
}

function Finding({ its }: { its: IndexFindingFigures }) {
  const isMissing = its.index === null;
  return (
    <tr>
      <th scope="row">
        <code>{its.index ?? its.columns.join(', ')}</code>
        <span class="detail">
          {its.reason}
          {its.caution !== null && ` (${its.caution})`}
        </span>
        <details>
          <summary>What mends it</summary>
          <code>{its.statement}</code>
        </details>
      </th>
      <td>
        <Tag level="warning">{isMissing ? 'missing' : its.kind}</Tag>
      </td>
      <td>
        <code>{its.table}</code>
      </td>
      <td>{isMissing ? '–' : count(its.scans)}</td>
      <td>{bytes(its.sizeBytes)}</td>
    </tr>
  );
}

/** Unused, duplicate, missing and other indexes that want mending. */
export function IndexFindings({ findings, count: all, sizeBytes }: IndexFigures) {
  return (
    <Section
      title="Indexes"
      aside={
        <span class="note">
          {all === null ? 'not looked at yet' : `${count(all)}, ${bytes(sizeBytes)} in all`}
        </span>
      }
    >
      {findings.length === 0 ? (
        <Empty>
          {all === null
            ? 'The indexes are looked at once a minute while somebody is here.'
            : 'None is unused, double, invalid or bloated, and no foreign key lacks one.'}
        </Empty>
      ) : (
        <Table name="Indexes" head={['Index', 'What is wrong', 'Table', 'Uses', 'Size']}>
          {findings.map((it) => (
            <Finding key={`${it.kind} ${it.table} ${it.index ?? it.columns.join()}`} its={it} />
          ))}
        </Table>
      )}
    </Section>
  );
}
