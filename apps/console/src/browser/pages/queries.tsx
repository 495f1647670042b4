import type { QueryRow } from '../../contract/query-figures.js';
import type { ConsoleSnapshot } from '../../contract/snapshot.js';
import { count, duration, percent } from '../live/format.js';
import { Empty, Section, Table, Tag, Tile, Tiles } from '../parts/basics.js';
import { PageVerdicts } from '../parts/verdicts.js';

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
  const { queries } = now;
  return (
    <>
      <PageVerdicts page="queries" verdicts={now.verdicts} />
      <Figures {...queries} />
      <Section title="Slow queries" aside={<span class="note">from {duration(queries.slowMs)} on</span>}>
        {queries.slow.length === 0 ? (
          <Empty>No kind of query is slow for one caller in 20.</Empty>
        ) : (
          <Rows name="Slow queries" rows={queries.slow} />
        )}
      </Section>
      <Section title="Most time in all">
        {queries.top.length === 0 ? (
          <Empty>No query has run yet.</Empty>
        ) : (
          <Rows name="Most time in all" rows={queries.top} />
        )}
      </Section>
      <Loops {...queries} />
      <p class="note">
        Indexes that would help: <code>npm run optimizer -- recommend</code> proves them on this database;{' '}
        <code>apply</code> builds and measures one, <code>revert</code> takes it back.
      </p>
    </>
  );
}
