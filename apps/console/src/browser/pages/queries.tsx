import type { QueryRow, SlowQueryRow } from '../../contract/query-figures.js';
import type { ConsoleSnapshot } from '../../contract/snapshot.js';
import { count, duration, percent } from '../live/format.js';
import { detail } from '../live/state.js';
import { Empty, Section, Table, Tag, Tile, Tiles } from '../parts/basics.js';
import { PageVerdicts } from '../parts/verdicts.js';
import { IndexFindings, Recommendations } from './query-indexes.js';
import { QueryView } from './query-detail.js';

function SlowRows({ rows }: { rows: readonly SlowQueryRow[] }) {
  return (
    <Table name="Slow queries" head={['Query', 'Slow runs', '95 % below', 'Mean', 'In all', 'Plans']}>
      {rows.map((it) => (
        <tr key={it.fingerprint}>
          <th scope="row">
            <a class="plain" href={`#/queries/${it.fingerprint}`}>
              <code class="sql">{it.sql}</code>
            </a>
            {it.source === 'server' && <span class="detail">Of other programs</span>}
          </th>
          <td>
            {it.source === 'server' ? '–' : count(it.slowCalls)}
            <span class="detail">of {count(it.calls)}</span>
          </td>
          <td>{duration(it.p95Ms)}</td>
          <td>{duration(it.meanMs)}</td>
          <td>{duration(it.totalMs)}</td>
          <td>{it.hasRegressed ? <Tag level="warning">got worse</Tag> : count(it.plans)}</td>
        </tr>
      ))}
    </Table>
  );
}

function Rows({ name, rows }: { name: string; rows: readonly QueryRow[] }) {
  return (
    <Table name={name} head={['Query', 'Runs', '95 % below', 'Mean', 'In all', 'Failed']}>
      {rows.map((it) => (
        <tr key={it.fingerprint}>
          <th scope="row">
            <code class="sql">{it.sql}</code>
          </th>
          <td>{count(it.calls)}</td>
          <td>{duration(it.p95Ms)}</td>
          <td>{duration(it.meanMs)}</td>
          <td>{duration(it.totalMs)}</td>
          <td>{it.errors > 0 ? <Tag level="warning">{count(it.errors)}</Tag> : '0'}</td>
        </tr>
      ))}
    </Table>
  );
}

function Loops({ loops }: ConsoleSnapshot['queries']) {
  return (
    <Section title="Queries in a loop">
      {loops.length === 0 ? (
        <Empty>No request ran the same query again and again.</Empty>
      ) : (
        <Table name="Queries in a loop" head={['Query', 'Where', 'Runs', 'Took']}>
          {loops.map((it) => (
            <tr key={`${it.where} ${it.sql}`}>
              <th scope="row">
                <code class="sql">{it.sql}</code>
              </th>
              <td>
                {it.scope}
                <span class="detail">{it.where}</span>
              </td>
              <td>{count(it.count)}</td>
              <td>{duration(it.durationMs)}</td>
            </tr>
          ))}
        </Table>
      )}
    </Section>
  );
}

function Figures(queries: ConsoleSnapshot['queries']) {
  const looked = queries.cacheHits + queries.cacheMisses;
  return (
    <Tiles>
      <Tile name="Queries" value={count(queries.count)} note="that reached PostgreSQL" />
      <Tile
        name="95 % take less than"
        value={duration(queries.p95Ms)}
        note={`half less than ${duration(queries.p50Ms)}`}
      />
      <Tile name="99 % take less than" value={duration(queries.p99Ms)} />
      <Tile
        name="Answered from the cache"
        value={looked === 0 ? '–' : percent(queries.cacheHits / looked)}
        note={`${count(queries.cacheHits)} of ${count(looked)}`}
      />
      <Tile name="Failed" value={count(queries.errors)} note="since the start" />
    </Tiles>
  );
}

export function QueriesPage({ now }: { now: ConsoleSnapshot }) {
  const { queries, indexes, actions } = now;
  if (detail.value !== '') return <QueryView key={detail.value} fingerprint={detail.value} now={now.at} />;
  return (
    <>
      <PageVerdicts page="queries" verdicts={now.verdicts} />
      <Figures {...queries} />
      <Section title="Slow queries" aside={<span class="note">from {duration(queries.slowMs)} on</span>}>
        {queries.slow.length === 0 ? (
          <Empty>No query was slow, in this process and in the others.</Empty>
        ) : (
          <SlowRows rows={queries.slow} />
        )}
      </Section>
      <Recommendations indexes={indexes} actions={actions} now={now.at} />
      <IndexFindings {...indexes} />
      <Section title="Most time in all" aside={<span class="note">of this process</span>}>
        {queries.top.length === 0 ? (
          <Empty>No query has run yet.</Empty>
        ) : (
          <Rows name="Most time in all" rows={queries.top} />
        )}
      </Section>
      <Loops {...queries} />
    </>
  );
}
