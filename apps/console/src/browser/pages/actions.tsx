import type { RecentAction } from '../../contract/actions.js';
import type { ConsoleSnapshot } from '../../contract/snapshot.js';
import { ago, duration } from '../live/format.js';
import { Empty, Problem, Section, Table, Tag } from '../parts/basics.js';
import { ActionsNote } from '../parts/confirm.js';

const LEVELS = { 'under way': 'unknown', done: 'good', failed: 'critical', refused: 'warning' } as const;

function Row({ its, now }: { its: RecentAction; now: string }) {
  const { action, subject, outcome, detail, progress, actor, at, endedAt } = its;
  return (
    <tr>
      <th scope="row">
        <code>{action}</code> <code>{subject}</code>
        {(progress ?? detail) !== null && <span class="detail">{progress ?? detail}</span>}
      </th>
      <td>
        <Tag level={LEVELS[outcome]}>{outcome}</Tag>
      </td>
      <td>{actor}</td>
      <td>{ago(at, now)}</td>
      <td>{endedAt === null ? '–' : duration(Math.max(0, Date.parse(endedAt) - Date.parse(at)))}</td>
    </tr>
  );
}

/** Who did what, from every console and over the API, and what came of it. */
export function ActionsPage({ now }: { now: ConsoleSnapshot }) {
  const { recent, problem } = now.actions;
  return (
    <>
      <p class="lead">
        What operators have asked for, and what came of it. Nobody can change or remove it;{' '}
        <code>GET /api/v1/audit-events</code> has all of it.
      </p>
      <ActionsNote />
      <Section title="Latest first">
        <Problem text={problem} />
        {recent.length === 0 ? (
          <Empty>Nobody has done anything yet.</Empty>
        ) : (
          <Table name="Recent actions" head={['What', 'Outcome', 'Who', 'When', 'Took']}>
            {recent.map((it) => (
              <Row key={it.id} its={it} now={now.at} />
            ))}
          </Table>
        )}
      </Section>
    </>
  );
}
